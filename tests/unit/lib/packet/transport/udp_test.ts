import assert from "node:assert/strict";
import { PacketCursor, Space } from "../../../../../lib/packet/cursor.ts";
import { decodeUdp } from "../../../../../lib/packet/transport/udp.ts";
import { hex } from "../samples.ts";

Deno.test("decodeUdp() reads every field", () => {
  const cursor = new PacketCursor(hex("b749 0009 000a abcd 6869"));
  assert.deepEqual(decodeUdp(cursor), {
    kind: "udp",
    offset: 0,
    headerLength: 8,
    payloadLength: 2,
    sourcePort: 0xb749,
    destinationPort: 9,
    length: 10,
    checksum: 0xabcd,
  });
  assert.equal(cursor.offset, 8);
  assert.equal(cursor.space, Space.APPLICATION);
  assert.equal(cursor.code, 17);
});

Deno.test("decodeUdp() ends the payload where the length says", () => {
  const cursor = new PacketCursor(hex("b749 0009 000a 0000 6869 eeee"), 12);
  assert.equal(decodeUdp(cursor)?.payloadLength, 2);
  assert.equal(cursor.end, 10);
});

Deno.test("decodeUdp() takes length 0 as everything", () => {
  const cursor = new PacketCursor(hex("b749 0009 0000 0000 6869"), 70_000);
  assert.equal(decodeUdp(cursor)?.payloadLength, 69_992);
  assert.equal(cursor.malformed, undefined);
});

Deno.test("decodeUdp() complains about impossible lengths", () => {
  const short = new PacketCursor(hex("b749 0009 0007 0000 6869"), 10);
  assert.equal(decodeUdp(short)?.sourcePort, 0xb749);
  assert.deepEqual(short.malformed, {
    layer: "udp",
    offset: 4,
    reason: "length 7 is less than 8",
  });
  assert.equal(short.space, Space.NONE);
  const long = new PacketCursor(hex("b749 0009 000b 0000 6869"), 10);
  assert.equal(decodeUdp(long)?.payloadLength, 2);
  assert.equal(long.malformed?.reason, "length 11 exceeds the 10 bytes left");
});

Deno.test("decodeUdp() needs 8 bytes", () => {
  for (let length = 0; length < 8; length++) {
    const cut = new PacketCursor(new Uint8Array(length), 8);
    assert.equal(decodeUdp(cut), undefined);
    assert.equal(cut.truncated?.reason, `8 bytes needed, ${length} captured`);
    const short = new PacketCursor(new Uint8Array(length), length);
    assert.equal(decodeUdp(short), undefined);
    assert.equal(
      short.malformed?.reason,
      `8 bytes needed, the packet has ${length}`,
    );
  }
});
