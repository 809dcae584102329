import assert from "node:assert/strict";
import { ByteReader, Truncated } from "../../../../lib/bytes/reader.ts";

const BYTES = Uint8Array.of(0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88);

Deno.test("ByteReader reads numbers in network order", () => {
  const reader = new ByteReader(BYTES);
  assert.equal(reader.u8(), 0x81);
  assert.equal(reader.u16(), 0x8283);
  assert.equal(reader.u32(), 0x84858687);
  assert.equal(reader.remaining, 1);
  assert.equal(reader.offset, 7);
  assert.equal(new ByteReader(BYTES).u64(), 0x8182838485868788n);
});

Deno.test("ByteReader reads numbers in little-endian order", () => {
  const reader = new ByteReader(BYTES, 0, BYTES.length, true);
  assert.equal(reader.u8(), 0x81);
  assert.equal(reader.u16(), 0x8382);
  assert.equal(reader.u32(), 0x87868584);
  assert.equal(
    new ByteReader(BYTES, 0, BYTES.length, true).u64(),
    0x8887868584838281n,
  );
});

Deno.test("ByteReader.take() gives a view without copying", () => {
  const taken = new ByteReader(BYTES, 2).take(3);
  assert.deepEqual(taken, Uint8Array.of(0x83, 0x84, 0x85));
  assert.equal(taken.buffer, BYTES.buffer);
});

Deno.test("ByteReader stops at its end, not at the end of the bytes", () => {
  const reads: [string, number, (reader: ByteReader) => unknown][] = [
    ["u8", 1, (reader) => reader.u8()],
    ["u16", 2, (reader) => reader.u16()],
    ["u32", 4, (reader) => reader.u32()],
    ["u64", 8, (reader) => reader.u64()],
    ["take", 5, (reader) => reader.take(5)],
    ["skip", 5, (reader) => reader.skip(5)],
  ];
  const bytes = new Uint8Array(32);
  for (const [name, length, read] of reads) {
    const enough = new ByteReader(bytes, 4, 4 + length);
    read(enough);
    assert.equal(enough.remaining, 0, name);
    const short = new ByteReader(bytes, 4, 3 + length);
    assert.throws(() => read(short), (error) => {
      assert(error instanceof Truncated, name);
      assert.equal(error.offset, 4, name);
      assert.equal(error.needed, length, name);
      assert.equal(error.available, length - 1, name);
      return true;
    });
    assert.equal(short.offset, 4, `${name} moved`);
  }
});

Deno.test("ByteReader cuts an end beyond the bytes", () => {
  const reader = new ByteReader(BYTES, 6, 100);
  assert.equal(reader.remaining, 2);
  reader.seek(50);
  assert.equal(reader.remaining, 0);
  assert.throws(() => reader.u8(), Truncated);
});
