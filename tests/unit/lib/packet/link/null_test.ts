import assert from "node:assert/strict";
import { LinkType } from "../../../../../lib/bytes/link_type.ts";
import { PacketCursor, Space } from "../../../../../lib/packet/cursor.ts";
import { decodeNull } from "../../../../../lib/packet/link/null.ts";
import { decodePacket } from "../../../../../lib/packet/packet.ts";
import { hex, SAMPLES } from "../samples.ts";

Deno.test("decodeNull() reads families of every system in both orders", () => {
  const rows: [string, number, number][] = [
    ["02000000", 2, 0x0800],
    ["00000002", 2, 0x0800],
    ["0a000000", 10, 0x86dd],
    ["18000000", 24, 0x86dd],
    ["0000001c", 28, 0x86dd],
    ["1e000000", 30, 0x86dd],
  ];
  for (const [bytes, family, etherType] of rows) {
    const cursor = new PacketCursor(hex(bytes));
    assert.deepEqual(decodeNull(cursor), {
      kind: "null",
      offset: 0,
      headerLength: 4,
      payloadLength: 0,
      family,
    });
    assert.equal(cursor.space, Space.ETHER_TYPE);
    assert.equal(cursor.code, etherType);
  }
});

Deno.test("decodeNull() stops at an unknown family", () => {
  const cursor = new PacketCursor(hex("00000007 45"));
  assert.equal(decodeNull(cursor)?.family, 7);
  assert.equal(cursor.space, Space.NONE);
});

Deno.test("decodeNull() needs 4 bytes", () => {
  for (let length = 0; length < 4; length++) {
    const cursor = new PacketCursor(new Uint8Array(length));
    assert.equal(decodeNull(cursor), undefined);
    assert.equal(cursor.truncated?.layer, "null");
  }
});

Deno.test("decodePacket() takes NULL and LOOP alike", () => {
  const ip = SAMPLES.udp.data.subarray(14);
  const data = Uint8Array.from([...hex("00000002"), ...ip]);
  for (const linkType of [LinkType.NULL, LinkType.LOOP]) {
    assert.deepEqual(
      decodePacket(data, linkType).layers.map((layer) => layer.kind),
      ["null", "ipv4", "udp"],
    );
  }
});
