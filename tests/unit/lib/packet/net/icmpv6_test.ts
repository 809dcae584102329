import assert from "node:assert/strict";
import { LinkType } from "../../../../../lib/bytes/link_type.ts";
import { PacketCursor, Space } from "../../../../../lib/packet/cursor.ts";
import {
  decodeIcmpv6,
  formatIcmpv6Type,
  type Icmpv6Layer,
  isIcmpv6Error,
} from "../../../../../lib/packet/net/icmpv6.ts";
import {
  decodePacket,
  quotedFlowOf,
} from "../../../../../lib/packet/packet.ts";
import { hex, SAMPLES } from "../samples.ts";

const EMPTY = {
  kind: "icmpv6",
  offset: 0,
  headerLength: 8,
  payloadLength: 0,
  code: 0,
  checksum: 0xabcd,
  identifier: undefined,
  sequence: undefined,
  mtu: undefined,
  pointer: undefined,
  target: undefined,
  redirected: undefined,
  options: [],
} as const;
const TARGET = "20010db8 00000000 00000000 00000002";
const LINK_LAYER = "02 01 020000000001";
const LINK_LAYER_OPTION = { type: 2, data: hex("020000000001") };

Deno.test("decodeIcmpv6() reads the fields of each type", () => {
  const rows: [string, Partial<Icmpv6Layer>, boolean][] = [
    ["80 00 abcd 1234 5678", {
      type: 128,
      identifier: 0x1234,
      sequence: 0x5678,
    }, false],
    ["81 00 abcd 1234 5678", {
      type: 129,
      identifier: 0x1234,
      sequence: 0x5678,
    }, false],
    ["01 04 abcd 0000 0000", { type: 1, code: 4 }, true],
    ["02 00 abcd 0000 0500", { type: 2, mtu: 1280 }, true],
    ["04 01 abcd 0000 0028", { type: 4, code: 1, pointer: 40 }, true],
    ["85 00 abcd 0000 0000", { type: 133 }, false],
    [`85 00 abcd 0000 0000 ${LINK_LAYER}`, {
      type: 133,
      headerLength: 16,
      options: [LINK_LAYER_OPTION],
    }, false],
    [`86 00 abcd 4000 0708 00000000 00000000 ${LINK_LAYER}`, {
      type: 134,
      headerLength: 24,
      options: [LINK_LAYER_OPTION],
    }, false],
    [`87 00 abcd 0000 0000 ${TARGET}`, {
      type: 135,
      headerLength: 24,
      target: "2001:db8::2",
    }, false],
    [`88 00 abcd 6000 0000 ${TARGET} ${LINK_LAYER}`, {
      type: 136,
      headerLength: 32,
      target: "2001:db8::2",
      options: [LINK_LAYER_OPTION],
    }, false],
    [`89 00 abcd 0000 0000 ${TARGET} fe80${"00".repeat(13)}01`, {
      type: 137,
      headerLength: 40,
      target: "2001:db8::2",
      redirected: "fe80::1",
    }, false],
    ["8f 00 abcd 0000 0000", { type: 143 }, false],
  ];
  for (const [bytes, fields, isError] of rows) {
    const cursor = new PacketCursor(hex(bytes));
    const layer = decodeIcmpv6(cursor);
    assert.deepEqual(layer, { ...EMPTY, ...fields }, bytes);
    assert.equal(cursor.space, isError ? Space.QUOTE : Space.NONE);
    assert.equal(layer && isIcmpv6Error(layer), isError);
    assert.equal(cursor.truncated, undefined);
  }
});

Deno.test("decodeIcmpv6() gives the options before a cut", () => {
  const message = SAMPLES.neighborAdvertisement.data.subarray(54);
  for (let length = 0; length < message.length; length++) {
    const cursor = new PacketCursor(message.subarray(0, length), 32);
    const layer = decodeIcmpv6(cursor);
    assert.equal(cursor.truncated?.layer, "icmpv6");
    assert.equal(cursor.malformed, undefined);
    assert.equal(layer !== undefined, length >= 8);
    assert.equal(layer?.target !== undefined, length >= 24);
    assert.deepEqual(layer?.options ?? [], []);
  }
});

Deno.test("decodeIcmpv6() stops at an option of length 0", () => {
  const message = hex(`87 00 0000 0000 0000 ${TARGET} 01 00 ffff ffff ffff`);
  assert.deepEqual(decodeIcmpv6(new PacketCursor(message))?.options, []);
});

Deno.test("decodeIcmpv6() does not take extensions for the quote", () => {
  const quote = "00".repeat(48);
  const extension = "2000 0000 0008 0101 00010000";
  for (const [type, end] of [["01", 56], ["03", 56], ["02", 68]]) {
    const message = hex(`${type}00 0000 06000000 ${quote} ${extension}`);
    const cursor = new PacketCursor(message);
    decodeIcmpv6(cursor);
    assert.equal(cursor.end, end, `type ${type}`);
  }
});

Deno.test("decodePacket() tells which packet an error is about", () => {
  const packet = decodePacket(SAMPLES.icmp6Unreachable.data, LinkType.ETHERNET);
  assert.deepEqual(quotedFlowOf(packet), {
    protocol: "udp",
    source: "2001:db8::1",
    sourcePort: 45821,
    destination: "2001:db8::2",
    destinationPort: 9,
  });
});

Deno.test("formatIcmpv6Type() names types", () => {
  assert.equal(formatIcmpv6Type(135), "neighbor-solicitation");
  assert.equal(formatIcmpv6Type(200), "type-200");
});
