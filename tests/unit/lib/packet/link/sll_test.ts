import assert from "node:assert/strict";
import { PacketCursor, Space } from "../../../../../lib/packet/cursor.ts";
import {
  cookedSpace,
  decodeSll,
  formatPacketType,
} from "../../../../../lib/packet/link/sll.ts";
import {
  decodeSllHeader,
  PacketType,
  writeSllHeader,
} from "../../../../../lib/pcap/sll.ts";
import { SAMPLES } from "../samples.ts";

Deno.test("decodeSll() reads a cooked header", () => {
  const cursor = new PacketCursor(SAMPLES.sll6Out.data);
  assert.deepEqual(decodeSll(cursor), {
    kind: "sll",
    offset: 0,
    headerLength: 16,
    payloadLength: 58,
    packetType: 4,
    hardwareType: 1,
    addressLength: 6,
    address: "02:00:00:00:00:0a",
    protocol: 0x86dd,
  });
  assert.equal(cursor.space, Space.ETHER_TYPE);
  assert.equal(cursor.code, 0x86dd);
});

Deno.test("decodeSll() reads what the writer of files writes", () => {
  const low = 0x0403_0201;
  const high = 0x0807_0605;
  for (const length of [0, 4, 6, 8, 10]) {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    writeSllHeader(view, 0, PacketType.HOST, 32, length, low, high, 0x0800);
    const layer = decodeSll(new PacketCursor(bytes));
    const header = decodeSllHeader(bytes)!;
    assert.equal(layer?.addressLength, length);
    assert.equal(
      layer.address.replaceAll(":", ""),
      [...header.address].map((b) => b.toString(16).padStart(2, "0")).join(""),
    );
    assert.equal(layer.hardwareType, header.hardwareType);
    assert.equal(layer.packetType, header.packetType);
    assert.equal(layer.protocol, header.protocol);
  }
});

Deno.test("decodeSll() needs 16 bytes", () => {
  for (let length = 0; length < 16; length++) {
    const cursor = new PacketCursor(SAMPLES.sllSyn.data.subarray(0, length));
    assert.equal(decodeSll(cursor), undefined);
    assert.equal(cursor.truncated?.layer, "sll");
  }
});

Deno.test("cookedSpace() knows when the protocol is no EtherType", () => {
  assert.equal(cookedSpace(1, 0x0800), Space.ETHER_TYPE);
  assert.equal(cookedSpace(772, 0x86dd), Space.ETHER_TYPE);
  assert.equal(cookedSpace(1, 4), Space.LLC);
  assert.equal(cookedSpace(1, 1), Space.NONE);
  assert.equal(cookedSpace(824, 0x0800), Space.NONE);
});

Deno.test("formatPacketType() names directions", () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5].map(formatPacketType),
    ["In", "B", "M", "P", "Out", "5"],
  );
});
