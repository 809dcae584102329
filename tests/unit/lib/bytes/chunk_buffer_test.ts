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
