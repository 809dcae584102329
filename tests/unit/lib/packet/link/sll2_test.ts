import assert from "node:assert/strict";
import { PacketCursor, Space } from "../../../../../lib/packet/cursor.ts";
import { decodeSll2 } from "../../../../../lib/packet/link/sll2.ts";
import { hex, SAMPLES } from "../samples.ts";

Deno.test("decodeSll2() reads a cooked header with the interface", () => {
  const cursor = new PacketCursor(SAMPLES.sll2Arp.data);
  assert.deepEqual(decodeSll2(cursor), {
    kind: "sll2",
    offset: 0,
    headerLength: 20,
    payloadLength: 28,
    interfaceIndex: 3,
    packetType: 4,
    hardwareType: 1,
    addressLength: 6,
    address: "02:00:00:00:00:0a",
    protocol: 0x0806,
  });
  assert.equal(cursor.space, Space.ETHER_TYPE);
  assert.equal(cursor.code, 0x0806);
});

Deno.test("decodeSll2() shows at most 8 bytes of an address", () => {
  const header = hex("0800 0000 ffffffff 0020 00 14 0102030405060708");
  const layer = decodeSll2(new PacketCursor(header));
  assert.equal(layer?.address, "01:02:03:04:05:06:07:08");
  assert.equal(layer.addressLength, 20);
  assert.equal(layer.interfaceIndex, 0xffff_ffff);
});

Deno.test("decodeSll2() needs 20 bytes", () => {
  for (let length = 0; length < 20; length++) {
    const cursor = new PacketCursor(SAMPLES.sll2Syn.data.subarray(0, length));
    assert.equal(decodeSll2(cursor), undefined);
    assert.equal(cursor.truncated?.layer, "sll2");
  }
});
