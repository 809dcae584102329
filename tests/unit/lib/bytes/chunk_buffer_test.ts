import assert from "node:assert/strict";
import fc from "fast-check";
import { ChunkBuffer } from "../../../../lib/bytes/chunk_buffer.ts";

Deno.test("ChunkBuffer keeps a chunk that needs no joining", () => {
  const buffer = new ChunkBuffer(100);
  const chunk = Uint8Array.of(1, 2, 3);
  buffer.push(chunk);
  assert.equal(buffer.has(4), false);
  assert.equal(buffer.has(3), true);
  assert.equal(buffer.bytes, chunk);
  buffer.consume(2);
  assert.equal(buffer.offset, 102);
  assert.equal(buffer.remaining, 1);
});

Deno.test("ChunkBuffer copies no more of a chunk than a unit needs", () => {
  const buffer = new ChunkBuffer();
  const second = Uint8Array.of(3, 4, 5, 6);
  buffer.push(Uint8Array.of(1, 2));
  buffer.push(second);
  assert(buffer.has(3));
  assert.deepEqual([...buffer.bytes], [1, 2, 3]);
  buffer.consume(3);
  assert(buffer.has(3));
  assert.equal(buffer.bytes.buffer, second.buffer);
  assert.equal(buffer.offset, 3);
});

Deno.test("ChunkBuffer keeps what is left when chunks change", () => {
  const buffer = new ChunkBuffer(10);
  const first = Uint8Array.of(1, 2, 3);
  const second = Uint8Array.of(4, 5);
  buffer.push(first);
  assert(buffer.has(1));
  buffer.consume(1);
  buffer.push(second);
  buffer.keep();
  first.fill(0);
  second.fill(0);
  assert.equal(buffer.offset, 11);
  assert(buffer.has(4));
  assert.deepEqual([...buffer.bytes], [2, 3, 4, 5]);
});

Deno.test("ChunkBuffer gives the same units however the bytes are chunked", () => {
  fc.assert(fc.property(
    fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 12 }),
    fc.array(fc.nat(20), { maxLength: 20 }),
    (chunks, lengths) => {
      const all = chunks.flatMap((chunk) => [...chunk]);
      const buffer = new ChunkBuffer();
      const waiting = chunks.slice();
      let at = 0;
      for (const length of lengths) {
        while (!buffer.has(length)) {
          const chunk = waiting.shift();
          if (chunk === undefined) {
            assert(at + length > all.length);
            return;
          }
          buffer.push(chunk);
        }
        const { bytes, view, position } = buffer;
        assert.deepEqual(
          [...bytes.subarray(position, position + length)],
          all.slice(at, at + length),
        );
        if (length > 0) assert.equal(view.getUint8(position), all[at]);
        buffer.consume(length);
        at += length;
        assert.equal(buffer.offset, at);
      }
    },
  ));
});
