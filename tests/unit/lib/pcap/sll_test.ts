import assert from "node:assert/strict";
import {
  decodeSllHeader,
  PacketType,
  SLL_HEADER_LENGTH,
  writeSllHeader,
} from "../../../../lib/pcap/sll.ts";

const MAC = Uint8Array.of(0x02, 0x42, 0xac, 0x11, 0x00, 0x02);

/** Writes a header with an address among other bytes. */
function write(
  bytes: Uint8Array,
  offset: number,
  packetType: number,
  hardwareType: number,
  length: number,
  address: Uint8Array,
  protocol: number,
): void {
  const words = new DataView(new ArrayBuffer(8));
  for (let i = 0; i < 8; i++) words.setUint8(i, address[i] ?? 0xee);
  writeSllHeader(
    new DataView(bytes.buffer, bytes.byteOffset),
    offset,
    packetType,
    hardwareType,
    length,
    words.getInt32(0, true),
    words.getInt32(4, true),
    protocol,
  );
}

Deno.test("writeSllHeader() writes big-endian fields and zero padding", () => {
  const bytes = new Uint8Array(20).fill(0xee);
  write(bytes, 2, PacketType.OUTGOING, 772, 6, MAC, 0x86dd);
  // deno-fmt-ignore
  assert.deepEqual(bytes, Uint8Array.of(
    0xee, 0xee,
    0, 4, 3, 4, 0, 6, 0x02, 0x42, 0xac, 0x11, 0x00, 0x02, 0, 0, 0x86, 0xdd,
    0xee, 0xee,
  ));
});

Deno.test("writeSllHeader() keeps 8 bytes of a longer address", () => {
  const bytes = new Uint8Array(SLL_HEADER_LENGTH);
  const address = Uint8Array.from({ length: 20 }, (_, i) => i + 1);
  write(bytes, 0, PacketType.HOST, 32, 20, address, 0x0800);
  const header = decodeSllHeader(bytes);
  assert.equal(header?.addressLength, 20);
  assert.deepEqual(header.address, address.subarray(0, 8));
});

Deno.test("writeSllHeader() writes no address of length 0", () => {
  const bytes = new Uint8Array(SLL_HEADER_LENGTH).fill(0xee);
  write(bytes, 0, PacketType.HOST, 65534, 0, MAC, 0x0800);
  assert.deepEqual(bytes.subarray(4, 14), new Uint8Array(10));
});

Deno.test("writeSllHeader() leaves out what is behind the address", () => {
  const address = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  for (let length = 0; length <= 8; length++) {
    const bytes = new Uint8Array(SLL_HEADER_LENGTH).fill(0xee);
    write(bytes, 0, PacketType.HOST, 1, length, address, 0x0800);
    const expected = address.map((byte, i) => i < length ? byte : 0);
    assert.deepEqual(bytes.subarray(6, 14), expected);
  }
});

Deno.test("decodeSllHeader() gives back what was written", () => {
  const bytes = new Uint8Array(3 + SLL_HEADER_LENGTH);
  write(bytes, 3, PacketType.BROADCAST, 1, 6, MAC, 0x0806);
  assert.deepEqual(decodeSllHeader(bytes, 3), {
    packetType: PacketType.BROADCAST,
    hardwareType: 1,
    addressLength: 6,
    address: MAC,
    protocol: 0x0806,
  });
});

Deno.test("decodeSllHeader() needs all 16 bytes", () => {
  const bytes = new Uint8Array(SLL_HEADER_LENGTH);
  for (let length = 0; length < SLL_HEADER_LENGTH; length++) {
    assert.equal(decodeSllHeader(bytes.subarray(0, length)), undefined);
  }
  assert.equal(decodeSllHeader(bytes, 1), undefined);
  assert.equal(decodeSllHeader(bytes, -1), undefined);
});
