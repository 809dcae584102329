import assert from "node:assert/strict";
import { PacketCursor, Space } from "../../../../../lib/packet/cursor.ts";
import { LinkType } from "../../../../../lib/bytes/link_type.ts";
import { decodeIpv6 } from "../../../../../lib/packet/net/ipv6.ts";
import {
  decodePacket,
  findLayer,
  flowOf,
} from "../../../../../lib/packet/packet.ts";
import { hex, SAMPLES } from "../samples.ts";

const ADDRESSES =
  "20010db8000000000000000000000001 20010db8000000000000000000000002";
const UDP = "b2fd 0009 000a 0000 6869";

/** An IPv6 packet: traffic class 0xab, flow label 0xcdef1, 64 hops. */
function packet(length: number, next: string, rest: string): Uint8Array {
  const field = length.toString(16).padStart(4, "0");
  return hex(`6abcdef1 ${field} ${next} 40 ${ADDRESSES} ${rest}`);
}

Deno.test("decodeIpv6() reads every field", () => {
  const cursor = new PacketCursor(packet(10, "11", UDP));
  assert.deepEqual(decodeIpv6(cursor), {
    kind: "ipv6",
    offset: 0,
    headerLength: 40,
    payloadLength: 10,
    trafficClass: 0xab,
    flowLabel: 0xcdef1,
    length: 10,
    nextHeader: 17,
    hopLimit: 64,
    source: "2001:db8::1",
    destination: "2001:db8::2",
    extensions: [],
    protocol: 17,
    moreFragments: false,
    fragmentOffset: 0,
    identification: undefined,
  });
  assert.equal(cursor.space, Space.IP_PROTOCOL);
  assert.equal(cursor.code, 17);
});

Deno.test("decodeIpv6() walks along extension headers", () => {
  const layer = findLayer(
    decodePacket(SAMPLES.udp6Options.data, LinkType.ETHERNET),
    "ipv6",
  );
  assert.deepEqual(layer?.extensions, [
    { protocol: 0, offset: 54, length: 8 },
    { protocol: 60, offset: 62, length: 8 },
  ]);
  assert.equal(layer.nextHeader, 0);
  assert.equal(layer.protocol, 17);
  assert.equal(layer.headerLength, 56);
  assert.equal(layer.payloadLength, 15);
});

Deno.test("decodeIpv6() knows the lengths of every kind of header", () => {
  const chain = [
    "2b01" + "00".repeat(14), // hop-by-hop
    "3300" + "00".repeat(6), // routing
    "8702" + "00".repeat(14), // authentication: 4 * (2 + 2)
    "8b00" + "00".repeat(6), // mobility
    "8c00" + "00".repeat(6), // host identity
    "1100" + "00".repeat(6), // shim6
  ].join("");
  const bytes = packet(chain.length / 2 + 10, "00", chain + UDP);
  const decoded = decodePacket(bytes, LinkType.RAW);
  const layer = findLayer(decoded, "ipv6");
  assert.deepEqual(
    layer?.extensions.map(({ protocol, length }) => [protocol, length]),
    [[0, 16], [43, 8], [51, 16], [135, 8], [139, 8], [140, 8]],
  );
  assert.equal(flowOf(decoded)?.destinationPort, 9);
});

Deno.test("decodeIpv6() reads fragment headers", () => {
  const first = findLayer(
    decodePacket(SAMPLES.fragment6First.data, LinkType.ETHERNET),
    "ipv6",
  );
  assert.equal(first?.moreFragments, true);
  assert.equal(first.fragmentOffset, 0);
  assert.equal(first.identification, 1126009749);
  const later = decodePacket(SAMPLES.fragment6Later.data, LinkType.ETHERNET);
  const layer = findLayer(later, "ipv6");
  assert.equal(layer?.moreFragments, false);
  assert.equal(layer.fragmentOffset, 1448);
  assert.equal(layer.protocol, 17);
  assert.equal(later.layers.at(-1), layer);
});

Deno.test("decodeIpv6() does not look behind a later fragment's header", () => {
  const bytes = packet(18, "2c", `3c00 0008 00000001 ${UDP}`);
  const layer = findLayer(decodePacket(bytes, LinkType.RAW), "ipv6");
  assert.equal(layer?.protocol, 60);
  assert.equal(layer.headerLength, 48);
});

Deno.test("decodeIpv6() takes the length of a jumbogram", () => {
  const bytes = packet(0, "00", `1100 c204 00010008 ${UDP}`);
  const cursor = new PacketCursor(bytes, 40 + 0x10008);
  assert.equal(decodeIpv6(cursor)?.payloadLength, 0x10000);
  assert.equal(cursor.malformed, undefined);
});

Deno.test("decodeIpv6() finds the jumbo option among others only", () => {
  const rows: [string, number | undefined][] = [
    ["1101 00 0100 c204 00020000 0000000000", 0x20000],
    ["1101 0501aa c204 00020000 0000000000", 0x20000],
    // Not whole within the header, and of a wrong length.
    ["1100 01020000 c204", undefined],
    ["1100 c203 00020000", undefined],
  ];
  for (const [header, length] of rows) {
    const bytes = packet(0, "00", `${header} ${UDP}`);
    const cursor = new PacketCursor(bytes);
    decodeIpv6(cursor);
    const wireEnd = length === undefined ? bytes.length : 40 + length;
    assert.equal(cursor.wireEnd, wireEnd, header);
  }
});

Deno.test("decodeIpv6() takes length 0 as everything", () => {
  const cursor = new PacketCursor(packet(0, "11", UDP), 70_000);
  assert.equal(decodeIpv6(cursor)?.payloadLength, 69_960);
});

Deno.test("decodeIpv6() gives the headers before a cut", () => {
  const { data } = SAMPLES.udp6Options;
  for (let length = 0; length < 16 + 40; length++) {
    const cursor = new PacketCursor(data.subarray(0, 14 + length), 85, 14);
    const layer = decodeIpv6(cursor);
    assert.equal(cursor.truncated?.layer, "ipv6");
    assert.equal(cursor.malformed, undefined);
    assert.equal(layer !== undefined, length >= 40);
    if (layer === undefined) continue;
    assert.equal(layer.extensions.length, length >= 48 ? 1 : 0);
    assert.equal(layer.protocol, length >= 48 ? 60 : 0);
    assert.equal(cursor.space, Space.NONE);
  }
});

Deno.test("decodeIpv6() complains about a chain that outruns the packet", () => {
  const bytes = packet(8, "00", "1104 000000000000 ffffffff");
  const cursor = new PacketCursor(bytes, bytes.length);
  decodeIpv6(cursor);
  assert.deepEqual(cursor.malformed, {
    layer: "ipv6",
    offset: 40,
    reason: "40 bytes needed, the packet has 8",
  });
  assert.equal(cursor.truncated, undefined);
});

Deno.test("decodeIpv6() refuses another version", () => {
  const bytes = packet(10, "11", UDP);
  bytes[0] = 0x4a;
  const cursor = new PacketCursor(bytes);
  assert.equal(decodeIpv6(cursor), undefined);
  assert.equal(cursor.malformed?.reason, "IP version is 4 instead of 6");
});
