import assert from "node:assert/strict";
import { LinkType } from "../../../../../lib/bytes/link_type.ts";
import { PacketCursor, Space } from "../../../../../lib/packet/cursor.ts";
import {
  decodeIcmp,
  formatIcmpType,
  type IcmpLayer,
  isIcmpError,
} from "../../../../../lib/packet/net/icmp.ts";
import {
  decodePacket,
  quotedFlowOf,
} from "../../../../../lib/packet/packet.ts";
import { hex, SAMPLES } from "../samples.ts";

const EMPTY = {
  kind: "icmp",
  offset: 0,
  headerLength: 8,
  payloadLength: 0,
  code: 0,
  checksum: 0xabcd,
  identifier: undefined,
  sequence: undefined,
  mtu: undefined,
  gateway: undefined,
  pointer: undefined,
} as const;

Deno.test("decodeIcmp() reads the fields of each type", () => {
  const rows: [string, Partial<IcmpLayer>, boolean][] = [
    [
      "08 00 abcd 1234 5678",
      { type: 8, identifier: 0x1234, sequence: 0x5678 },
      false,
    ],
    [
      "00 00 abcd 1234 5678",
      { type: 0, identifier: 0x1234, sequence: 0x5678 },
      false,
    ],
    [
      "0d 00 abcd 1234 5678",
      { type: 13, identifier: 0x1234, sequence: 0x5678 },
      false,
    ],
    ["03 03 abcd 0000 05dc", { type: 3, code: 3 }, true],
    ["03 04 abcd 0000 05dc", { type: 3, code: 4, mtu: 1500 }, true],
    ["05 01 abcd c000 0201", { type: 5, code: 1, gateway: "192.0.2.1" }, true],
    ["0b 00 abcd 0000 0000", { type: 11 }, true],
    ["0c 00 abcd 1400 0000", { type: 12, pointer: 20 }, true],
    ["63 00 abcd 1400 0000", { type: 99 }, false],
  ];
  for (const [bytes, fields, isError] of rows) {
    const cursor = new PacketCursor(hex(bytes));
    const layer = decodeIcmp(cursor);
    assert.deepEqual(layer, { ...EMPTY, ...fields });
    assert.equal(cursor.space, isError ? Space.QUOTE : Space.NONE);
    assert.equal(layer && isIcmpError(layer), isError);
  }
});

Deno.test("decodeIcmp() needs 8 bytes", () => {
  for (let length = 0; length < 8; length++) {
    const cursor = new PacketCursor(new Uint8Array(length));
    assert.equal(decodeIcmp(cursor), undefined);
    assert.equal(cursor.truncated?.layer, "icmp");
  }
});

Deno.test("decodePacket() tells which packet an error is about", () => {
  const packet = decodePacket(SAMPLES.icmpUnreachable.data, LinkType.ETHERNET);
  assert.deepEqual(packet.layers.map((l) => l.kind), [
    "ethernet",
    "ipv4",
    "icmp",
  ]);
  assert.deepEqual(packet.quoted.map((l) => l.kind), ["ipv4", "udp"]);
  assert.deepEqual(quotedFlowOf(packet), {
    protocol: "udp",
    source: "192.0.2.1",
    sourcePort: 46921,
    destination: "192.0.2.2",
    destinationPort: 9,
  });
});

Deno.test("decodePacket() reads the ports of a quote of 8 bytes", () => {
  const tcp = SAMPLES.tcpSyn.data.subarray(14, 14 + 28);
  const outer = hex("4500 0038 0000 0000 4001 0000 c0000203 c0000201");
  const data = Uint8Array.from([
    ...outer,
    ...hex("0b00 0000 00000000"),
    ...tcp,
  ]);
  const packet = decodePacket(data, LinkType.RAW, {
    originalLength: data.length,
  });
  assert.deepEqual(packet.quoted.map((l) => l.kind), ["ipv4", "ports"]);
  assert.deepEqual(quotedFlowOf(packet), {
    protocol: "tcp",
    source: "192.0.2.1",
    sourcePort: 49962,
    destination: "192.0.2.2",
    destinationPort: 80,
  });
  assert.equal(packet.truncated, undefined);
  assert.equal(packet.malformed, undefined);
});

Deno.test("decodePacket() does not take extensions for the quote", () => {
  const quote =
    "4500 001c 0000 0000 4011 0000 c0000201 c0000202 1234 0009 0008 0000";
  const header = "0b00 0000 00 07 0000";
  const extension = "2000 0000 0008 0101 00010000";
  const data = hex(
    `4500 0044 0000 0000 4001 0000 c0000203 c0000201 ${header} ${quote} ${extension}`,
  );
  const packet = decodePacket(data, LinkType.RAW);
  assert.equal(packet.payloadEnd, 28 + 28);
  assert.deepEqual(packet.quoted.map((l) => l.kind), ["ipv4", "udp"]);
});

Deno.test("decodePacket() does not look into a quoted error", () => {
  const error = SAMPLES.icmpUnreachable.data.subarray(14);
  const outer = hex("4500 0070 0000 0000 4001 0000 c0000203 c0000201");
  const data = Uint8Array.from([
    ...outer,
    ...hex("0300 0000 00000000"),
    ...error,
  ]);
  const packet = decodePacket(data, LinkType.RAW);
  assert.deepEqual(packet.quoted.map((l) => l.kind), ["ipv4", "icmp"]);
});

Deno.test("formatIcmpType() names types", () => {
  assert.equal(formatIcmpType(11), "time-exceeded");
  assert.equal(formatIcmpType(77), "type-77");
});
