import assert from "node:assert/strict";
import { PacketCursor, Space } from "../../../../../lib/packet/cursor.ts";
import { decodeLlc } from "../../../../../lib/packet/link/llc.ts";
import { hex } from "../samples.ts";

Deno.test("decodeLlc() reads a spanning tree header", () => {
  const cursor = new PacketCursor(hex("42 42 03 0000 02"));
  assert.deepEqual(decodeLlc(cursor), {
    kind: "llc",
    offset: 0,
    headerLength: 3,
    payloadLength: 3,
    dsap: 0x42,
    ssap: 0x42,
    control: 3,
    oui: undefined,
    protocol: undefined,
  });
  assert.equal(cursor.offset, 3);
  assert.equal(cursor.space, Space.NONE);
});

Deno.test("decodeLlc() reads SNAP and its EtherType", () => {
  const cursor = new PacketCursor(hex("aa aa 03 000000 0800 45"));
  const layer = decodeLlc(cursor);
  assert.equal(layer?.headerLength, 8);
  assert.equal(layer.oui, 0);
  assert.equal(layer.protocol, 0x0800);
  assert.equal(cursor.space, Space.ETHER_TYPE);
  assert.equal(cursor.code, 0x0800);
});

Deno.test("decodeLlc() takes the protocol of another organization as unknown", () => {
  const cursor = new PacketCursor(hex("aa aa 03 00000c 2000"));
  assert.equal(decodeLlc(cursor)?.oui, 0x0c);
  assert.equal(cursor.space, Space.NONE);
});

Deno.test("decodeLlc() needs 3 bytes, with SNAP 8", () => {
  for (const length of [0, 1, 2]) {
    const cursor = new PacketCursor(hex("4242").subarray(0, length));
    assert.equal(decodeLlc(cursor), undefined);
    assert.equal(cursor.truncated?.layer, "llc");
  }
  for (const length of [3, 7]) {
    const cursor = new PacketCursor(
      hex("aaaa03 0000000800").subarray(0, length),
    );
    assert.equal(decodeLlc(cursor), undefined);
    assert.equal(
      cursor.truncated?.reason,
      `8 bytes needed, ${length} captured`,
    );
  }
});
