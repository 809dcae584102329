import assert from "node:assert/strict";
import fc from "fast-check";
import { CaptureRecord } from "../../../../lib/pcap/capture_record.ts";
import { CaptureStream } from "../../../../lib/pcap/capture_stream.ts";
import { CaptureMerger } from "../../../../lib/pcap/merge.ts";
import { encodeFileHeader, encodeRecord } from "../../../../lib/pcap/writer.ts";
import { chunked } from "./chunked.ts";
import { concat } from "./pcapng/sample_blocks.ts";

const OPTIONS = { linkType: 1, snaplen: 262_144, nanoseconds: true };

/** A file whose packets tell where they are from. */
function fileOf(stream: number, times: readonly number[]): Uint8Array {
  return concat([
    encodeFileHeader(OPTIONS),
    ...times.map((time, i) =>
      encodeRecord({
        timestamp: BigInt(time) * 500_000_000n,
        originalLength: 2,
        data: Uint8Array.of(stream, i),
      }, OPTIONS)
    ),
  ]);
}

async function merge(
  files: readonly Uint8Array[],
  size: number,
): Promise<{ merged: number[][]; failures: [number, string][] }> {
  const merger = new CaptureMerger(
    await Promise.all(
      files.map((file) => CaptureStream.open(chunked(file, size))),
    ),
  );
  const merged: number[][] = [];
  for await (const runs of merger.runs()) {
    for (const { stream, items, start, end } of runs) {
      for (const item of items.slice(start, end)) {
        assert(item instanceof CaptureRecord);
        const [from, index] = item.data;
        assert.equal(from, stream);
        merged.push([Number(item.timestamp / 500_000_000n), stream, index!]);
      }
    }
  }
  return {
    merged,
    failures: merger.failures.map(({ stream, error }) => [
      stream,
      error instanceof Error ? error.message : String(error),
    ]),
  };
}

Deno.test("CaptureMerger sorts by time and keeps the order of each file", async () => {
  await fc.assert(fc.asyncProperty(
    fc.array(fc.array(fc.nat(9), { maxLength: 9 }), {
      minLength: 1,
      maxLength: 4,
    }),
    fc.integer({ min: 1, max: 100 }),
    async (times, size) => {
      for (const list of times) list.sort((one, two) => one - two);
      const files = times.map((list, stream) => fileOf(stream, list));
      const expected = times.flatMap((list, stream) =>
        list.map((time, i) => [time, stream, i])
      ).sort((one, two) => one[0]! - two[0]! || one[1]! - two[1]!);
      assert.deepEqual(await merge(files, size), {
        merged: expected,
        failures: [],
      });
    },
  ));
});

Deno.test("CaptureMerger loses nothing of files that are out of order", async () => {
  const { merged } = await merge([fileOf(0, [5, 1, 7]), fileOf(1, [2, 6])], 30);
  assert.deepEqual(merged, [[2, 1, 0], [5, 0, 0], [1, 0, 1], [6, 1, 1], [
    7,
    0,
    2,
  ]]);
});

Deno.test("CaptureMerger goes on with the others when a file is damaged", async () => {
  const cut = fileOf(0, [1, 2, 3]).slice(0, -1);
  assert.deepEqual(await merge([cut, fileOf(1, [2, 9])], 25), {
    merged: [[1, 0, 0], [2, 0, 1], [2, 1, 0], [9, 1, 1]],
    failures: [[
      0,
      "Cannot read pcap record at offset 60: the file ends after 1 of 2 data bytes",
    ]],
  });
});

Deno.test("CaptureMerger releases all files when reading stops", async () => {
  let released = 0;
  async function* source(file: Uint8Array): AsyncGenerator<Uint8Array> {
    try {
      yield* chunked(file, 20);
    } finally {
      released++;
    }
  }
  const files = [fileOf(0, [1, 2]), fileOf(1, [1, 2])];
  const merger = new CaptureMerger(
    await Promise.all(files.map((file) => CaptureStream.open(source(file)))),
  );
  for await (const _runs of merger.runs()) break;
  assert.equal(released, 2);
});
