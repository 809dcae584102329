import assert from "node:assert/strict";
import { PacketCursor, Space } from "../../../../../lib/packet/cursor.ts";
import { decodeEthernet } from "../../../../../lib/packet/link/ethernet.ts";
import { hex, SAMPLES } from "../samples.ts";

Deno.test("decodeEthernet() reads addresses and EtherType", () => {
  const cursor = new PacketCursor(SAMPLES.arpReply.data);
  assert.deepEqual(decodeEthernet(cursor), {
    kind: "ethernet",
    offset: 0,
    headerLength: 14,
    payloadLength: 28,
    destination: "02:00:00:00:00:0a",
    source: "02:00:00:00:00:0b",
    etherType: 0x0806,
  });
  assert.equal(cursor.offset, 14);
  assert.equal(cursor.space, Space.ETHER_TYPE);
  assert.equal(cursor.code, 0x0806);
});

Deno.test("decodeEthernet() takes a small type as a length", () => {
  const frame = hex("0180c2000000 020000000001 0005 424203aabb eeee");
  const cursor = new PacketCursor(frame, frame.length);
  assert.equal(decodeEthernet(cursor)?.payloadLength, 5);
  assert.equal(cursor.space, Space.LLC);
  assert.equal(cursor.end, 19);
});

Deno.test("decodeEthernet() needs 14 bytes", () => {
  for (let length = 0; length < 14; length++) {
    const cursor = new PacketCursor(SAMPLES.arpReply.data.subarray(0, length));
    assert.equal(decodeEthernet(cursor), undefined);
    assert.deepEqual(cursor.truncated, {
      layer: "ethernet",
      offset: 0,
      reason: `14 bytes needed, ${length} captured`,
    });
  }
});
