import assert from "node:assert/strict";
import { PacketCursor, Space } from "../../../../lib/packet/cursor.ts";

Deno.test("PacketCursor.has() tells cut from contradictory packets", () => {
  const rows: [number | undefined, "truncated" | "malformed", string][] = [
    [undefined, "truncated", "5 bytes needed, 4 captured"],
    [9, "truncated", "5 bytes needed, 4 captured"],
    [4, "malformed", "5 bytes needed, the packet has 4"],
    // An original length below the captured one is not believed.
    [1, "malformed", "5 bytes needed, the packet has 4"],
  ];
  for (const [originalLength, kind, reason] of rows) {
    const cursor = new PacketCursor(new Uint8Array(4), originalLength);
    cursor.space = Space.ETHER_TYPE;
    assert.equal(cursor.has("x", 4), true);
    assert.equal(cursor.has("x", 5), false);
    assert.deepEqual(cursor[kind], { layer: "x", offset: 0, reason });
    assert.equal(
      cursor[kind === "truncated" ? "malformed" : "truncated"],
      undefined,
    );
    assert.equal(cursor.space, Space.NONE);
  }
});

Deno.test("PacketCursor.limit() narrows, and keeps what it cannot believe", () => {
  const cursor = new PacketCursor(new Uint8Array(10), 20);
  cursor.limit("x", 15);
  assert.deepEqual([cursor.end, cursor.wireEnd], [10, 15]);
  cursor.limit("x", 8);
  assert.deepEqual([cursor.end, cursor.wireEnd], [8, 8]);
  cursor.limit("y", 9);
  assert.deepEqual([cursor.end, cursor.wireEnd], [8, 8]);
  assert.equal(cursor.malformed?.reason, "length 9 exceeds the 8 bytes left");
});

Deno.test("PacketCursor.limit() closes a packet of unknown length", () => {
  const cursor = new PacketCursor(new Uint8Array(10));
  assert(cursor.isOpen);
  cursor.limit("x", 15);
  assert.equal(cursor.isOpen, false);
  assert.equal(cursor.wireEnd, 15);
  assert.equal(cursor.payloadLength(4), 11);
  assert.equal(cursor.payloadLength(99), 0);
});

Deno.test("PacketCursor.advance() moves on and names what follows", () => {
  const cursor = new PacketCursor(new Uint8Array(10));
  cursor.advance("x", 4, Space.IP_PROTOCOL, 6);
  assert.equal(cursor.offset, 4);
  assert.equal(cursor.space, Space.IP_PROTOCOL);
  assert.equal(cursor.code, 6);
  cursor.advance("x", 7, Space.IP_PROTOCOL, 6);
  assert.equal(cursor.offset, 10);
  assert.equal(cursor.space, Space.NONE);
  assert.equal(cursor.truncated?.offset, 4);
});

Deno.test("PacketCursor keeps the first fault of each kind", () => {
  const cursor = new PacketCursor(new Uint8Array(1));
  cursor.reject("x", 0, "first");
  cursor.complain("y", 1, "second");
  assert.equal(cursor.malformed?.reason, "first");
  cursor.runOut("x", 0, 2);
  cursor.runOut("y", 0, 3);
  assert.equal(cursor.truncated?.layer, "x");
});
