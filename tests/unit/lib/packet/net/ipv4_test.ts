import assert from "node:assert/strict";
import { PacketCursor, Space } from "../../../../../lib/packet/cursor.ts";
import { decodeIpv4 } from "../../../../../lib/packet/net/ipv4.ts";
import {
  decodeIpv4Options,
  formatIpv4OptionType,
} from "../../../../../lib/packet/net/ipv4_options.ts";
import { hex, SAMPLES } from "../samples.ts";

const HEADER = "4500 0020 1234 4000 4011 0000 c0000201 c0000202";

function cursorAt(text: string, originalLength?: number): PacketCursor {
  return new PacketCursor(hex(text), originalLength);
}

Deno.test("decodeIpv4() reads every field", () => {
  const { data } = SAMPLES.icmpUnreachable;
  const cursor = new PacketCursor(data, data.length, 14);
  assert.deepEqual(decodeIpv4(cursor), {
    kind: "ipv4",
    offset: 14,
    headerLength: 20,
    payloadLength: 46,
    trafficClass: 0xc0,
    totalLength: 66,
    identification: 40389,
    reservedFlag: false,
    dontFragment: false,
    moreFragments: false,
    fragmentOffset: 0,
    ttl: 64,
    protocol: 1,
    checksum: 22578,
    source: "192.0.2.2",
    destination: "192.0.2.1",
    options: [],
  });
  assert.equal(cursor.space, Space.IP_PROTOCOL);
  assert.equal(cursor.code, 1);
});

Deno.test("decodeIpv4() reads flags and fragment offset", () => {
  const rows: [string, boolean, boolean, boolean, number, number][] = [
    ["4000", false, true, false, 0, Space.IP_PROTOCOL],
    ["2000", false, false, true, 0, Space.IP_PROTOCOL],
    ["20b9", false, false, true, 1480, Space.NONE],
    ["9fff", true, false, false, 65528, Space.NONE],
  ];
  for (const [flags, reserved, dont, more, fragmentOffset, space] of rows) {
    const cursor = cursorAt(HEADER.replace("4000", flags) + "00".repeat(12));
    const layer = decodeIpv4(cursor);
    assert.equal(layer?.reservedFlag, reserved);
    assert.equal(layer.dontFragment, dont);
    assert.equal(layer.moreFragments, more);
    assert.equal(layer.fragmentOffset, fragmentOffset);
    assert.equal(cursor.space, space);
    assert.equal(cursor.isOpen, more);
  }
});

Deno.test("decodeIpv4() leaves padding out of the payload", () => {
  const cursor = cursorAt(`${HEADER} ${"aa".repeat(12)} eeeeee`, 35);
  assert.equal(decodeIpv4(cursor)?.payloadLength, 12);
  assert.equal(cursor.end, 32);
  assert.equal(cursor.wireEnd, 32);
});

Deno.test("decodeIpv4() takes total length 0 as everything", () => {
  const cursor = cursorAt(
    `${HEADER.replace("0020", "0000")} ${"aa".repeat(12)}`,
    90_000,
  );
  assert.equal(decodeIpv4(cursor)?.payloadLength, 89_980);
  assert.equal(cursor.malformed, undefined);
});

Deno.test("decodeIpv4() complains about lengths that contradict", () => {
  const data = "aa".repeat(12);
  const rows: [string, number, string, boolean][] = [
    [
      `${HEADER.replace("0020", "0013")} ${data}`,
      2,
      "total length 19 is less than the header's 20",
      true,
    ],
    [
      `${HEADER.replace("4500", "4400")} ${data}`,
      0,
      "header length 16 is less than 20",
      true,
    ],
    [
      `${HEADER.replace("0020", "0021")} ${data}`,
      0,
      "length 33 exceeds the 32 bytes left",
      false,
    ],
  ];
  for (const [bytes, offset, reason, isEnd] of rows) {
    const cursor = cursorAt(bytes, 32);
    assert.equal(decodeIpv4(cursor)?.source, "192.0.2.1");
    assert.deepEqual(cursor.malformed, { layer: "ipv4", offset, reason });
    assert.equal(cursor.space, isEnd ? Space.NONE : Space.IP_PROTOCOL);
  }
});

Deno.test("decodeIpv4() refuses another version", () => {
  const cursor = cursorAt(HEADER.replace("4500", "6500"));
  assert.equal(decodeIpv4(cursor), undefined);
  assert.deepEqual(cursor.malformed, {
    layer: "ipv4",
    offset: 0,
    reason: "IP version is 6 instead of 4",
  });
});

Deno.test("decodeIpv4() needs 20 bytes and reads options as far as they go", () => {
  const { data } = SAMPLES.udpOptions;
  const header = data.subarray(14, 38);
  for (let length = 0; length < 20; length++) {
    const cursor = new PacketCursor(header.subarray(0, length));
    assert.equal(decodeIpv4(cursor), undefined);
    assert.equal(cursor.truncated?.layer, "ipv4");
  }
  for (let length = 20; length <= 24; length++) {
    const cursor = new PacketCursor(header.subarray(0, length));
    const layer = decodeIpv4(cursor);
    assert.equal(layer?.headerLength, 24);
    assert.equal(layer.options.length, length === 24 ? 1 : 0);
    assert.equal(cursor.truncated === undefined, length === 24);
    assert.equal(cursor.offset, length);
  }
});

Deno.test("decodeIpv4Options() stops where options end or do not fit", () => {
  const rows: [string, [number, string][]][] = [
    ["01 940400ab 00 ff", [[1, ""], [148, "00ab"], [0, ""]]],
    ["07 03 04 88 02", [[7, "04"], [136, ""]]],
    ["83 09 04", []],
    ["01 83 01 00", [[1, ""]]],
    ["01 44", [[1, ""]]],
  ];
  for (const [bytes, expected] of rows) {
    const data = hex(bytes);
    assert.deepEqual(
      decodeIpv4Options(data, 0, data.length),
      expected.map(([type, content]) => ({ type, data: hex(content) })),
      bytes,
    );
  }
});

Deno.test("formatIpv4OptionType() names options", () => {
  assert.equal(formatIpv4OptionType(148), "router-alert");
  assert.equal(formatIpv4OptionType(200), "option-200");
});
