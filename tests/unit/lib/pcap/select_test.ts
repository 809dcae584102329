import assert from "node:assert/strict";
import fc from "fast-check";
import { CaptureStream } from "../../../../lib/pcap/capture_stream.ts";
import {
  encodeInterface,
  encodePacket,
  encodeSectionHeader,
} from "../../../../lib/pcap/pcapng/encode.ts";
import { encodeFileHeader, encodeRecord } from "../../../../lib/pcap/writer.ts";
import { concat } from "./pcapng/sample_blocks.ts";

/** A file with packets of these lengths, whose bytes are their numbers. */
function fileOf(format: "pcap" | "pcapng", lengths: number[]): Uint8Array {
  const options = { linkType: 1, snaplen: 262_144, nanoseconds: false };
  const packets = lengths.map((length, i) => ({
    data: new Uint8Array(length).fill(i),
    originalLength: length + 1,
  }));
  return format === "pcap"
    ? concat([
      encodeFileHeader(options),
      ...packets.map((packet) =>
        encodeRecord({ ...packet, timestamp: 0n }, options)
      ),
    ])
    : concat([
      encodeSectionHeader({}),
      encodeInterface(options),
      ...packets.map((packet) =>
        encodePacket({ ...packet, interface: 0, time: 0n })
      ),
    ]);
}

/** Gives every piece in the same memory. */
async function* reused(
  bytes: Uint8Array,
  size: number,
): AsyncGenerator<Uint8Array> {
  const chunk = new Uint8Array(size);
  for (let at = 0; at < bytes.length; at += size) {
    const part = bytes.subarray(at, at + size);
    chunk.fill(0xee);
    chunk.set(part);
    yield await Promise.resolve(chunk.subarray(0, part.length));
  }
}

Deno.test("CaptureStream tests each packet once and gives those wanted", async () => {
  await fc.assert(fc.asyncProperty(
    fc.constantFrom("pcap" as const, "pcapng" as const),
    fc.array(fc.nat(60), { maxLength: 12 }),
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 200 }),
    async (format, lengths, step, size) => {
      const isWanted = (i: number): boolean => i % step === 0;
      const seen: number[][] = [];
      const stream = await CaptureStream.open(
        reused(fileOf(format, lengths), size),
        { reused: true },
      );
      const batches = stream.batches({
        select(chunk, start, end, originalLength, from): boolean {
          assert.equal(from.linkType, 1);
          assert(chunk.subarray(start, end).every((b) => b === seen.length));
          seen.push([end - start, originalLength]);
          return isWanted(seen.length - 1);
        },
      });
      const records: number[][] = [];
      for await (const batch of batches) {
        for (const { data, capturedLength } of batch) {
          records.push([capturedLength, ...data.subarray(0, 1)]);
        }
      }
      assert.deepEqual(seen, lengths.map((length) => [length, length + 1]));
      assert.deepEqual(
        records,
        lengths.flatMap((length, i) =>
          isWanted(i) ? [length > 0 ? [length, i] : [0]] : []
        ),
      );
    },
  ));
});
