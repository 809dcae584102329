/**
 * Damaged capture files: whatever the bytes are, reading, decoding and
 * converting end, and end with nothing but a {@linkcode CaptureFormatError}.
 *
 * `TRACEDUMP_FUZZ_FILES` sets how many files are tried, and
 * `TRACEDUMP_FUZZ_SEED` where the random numbers begin; a failure names the
 * seed and the number of the file.
 *
 * @module
 */

import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import {
  CaptureFormatError,
  CaptureRecord,
  CaptureStream,
} from "../../lib/pcap/capture_stream.ts";
import { captureEncoder, MixedLinkTypesError } from "../../lib/pcap/convert.ts";
import { CaptureMerger } from "../../lib/pcap/merge.ts";
import type { CaptureBlock } from "../../lib/pcap/pcapng/block.ts";
import {
  decodeDecryptionSecrets,
  decodeInterfaceStatistics,
  decodeNameResolution,
  decodeProcessBlock,
  decodeProcessEvent,
  decodeSectionHeader,
} from "../../lib/pcap/pcapng/blocks.ts";
import { Random } from "../support/random.ts";
import { concat } from "../unit/lib/pcap/pcapng/sample_blocks.ts";
import { SAMPLE_FILES } from "../unit/lib/pcap/sample_files.ts";

const FILES = Number(Deno.env.get("TRACEDUMP_FUZZ_FILES") ?? 1_500);
const SEED = Number(
  Deno.env.get("TRACEDUMP_FUZZ_SEED") ?? Math.floor(Math.random() * 2 ** 32),
);
/** Numbers that sit where code has its limits. */
const ODD_NUMBERS: readonly number[] = [
  0,
  1,
  3,
  4,
  11,
  12,
  0x7fff,
  0xffff,
  0x1_0000,
  0x0800_0000,
  0x7fff_ffff,
  0x8000_0000,
  0xffff_fffc,
  0xffff_ffff,
];
/** Bytes of the shortest record or block. */
const SHORTEST = 12;

const ORIGINALS = [
  ...SAMPLE_FILES,
  ...SAMPLE_FILES.slice(0, 2).map((file) => new Uint8Array(gzipSync(file))),
];

/** A sample file after a few accidents. */
function mutate(random: Random): Uint8Array {
  let file: Uint8Array = random.one(ORIGINALS).slice();
  for (let count = 1 + random.below(5); count > 0; count--) {
    const at = random.below(file.length + 1);
    switch (random.below(7)) {
      case 0:
        file = file.slice(0, at);
        break;
      case 1:
        file = concat([file.subarray(0, at), random.one(ORIGINALS).slice(at)]);
        break;
      case 2:
        file = concat([file.subarray(0, at), file.subarray(at >> 1)]);
        break;
      case 3:
        file = concat([file.subarray(0, at), file.subarray(at + 4)]);
        break;
      case 4:
      case 5: {
        const word = at & ~3;
        if (word + 4 > file.length) break;
        new DataView(file.buffer, file.byteOffset).setUint32(
          word,
          random.one(ODD_NUMBERS),
          random.below(2) === 0,
        );
        break;
      }
      default:
        if (at < file.length) file[at] = random.below(256);
    }
  }
  return file;
}

async function* pieces(
  file: Uint8Array,
  size: number,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.length; at += size) {
    yield file.slice(at, at + size);
  }
}

/** Asks an item for everything. */
function look(item: CaptureRecord | CaptureBlock): void {
  if (item instanceof CaptureRecord) {
    assert.equal(item.data.length, item.capturedLength);
    assert(item.raw.length >= item.capturedLength);
    assert.equal(typeof item.timestamp, "bigint");
    assert(Array.isArray(item.details.comments));
    return;
  }
  decodeSectionHeader(item);
  decodeNameResolution(item);
  decodeInterfaceStatistics(item);
  decodeDecryptionSecrets(item);
  decodeProcessEvent(item);
  decodeProcessBlock(item);
}

/** Reads files to their end and makes another of them. */
async function convert(
  files: readonly Uint8Array[],
  size: number,
  format: "pcap" | "pcapng",
): Promise<Uint8Array> {
  const streams = await Promise.all(
    files.map((file) => CaptureStream.open(pieces(file, size))),
  );
  const encoder = captureEncoder(streams, { format, application: "test" });
  const merger = new CaptureMerger(streams);
  const written: Uint8Array[] = [];
  let items = 0;
  for await (const runs of merger.runs()) {
    for (const { stream, items: list, start, end } of runs) {
      for (const item of list.slice(start, end)) {
        items++;
        look(item);
        written.push(encoder.encode(stream, item).slice());
      }
    }
  }
  for (const { error } of merger.failures) {
    if (!(error instanceof CaptureFormatError)) throw error;
    assert(error.offset >= 0);
  }
  const length = files.reduce((sum, file) => sum + file.length, 0);
  // Compressed bytes may hold more, but not in files as small as these.
  assert(items <= 100 * length / SHORTEST, `${items} items`);
  written.push(encoder.finish().slice());
  return concat(written);
}

/** Whether an error is one that a file may cause. */
function isExpected(error: unknown): boolean {
  return error instanceof CaptureFormatError ||
    error instanceof MixedLinkTypesError;
}

async function check(random: Random): Promise<void> {
  const files = Array.from(
    { length: 1 + random.below(2) },
    () => mutate(random),
  );
  const size = 1 + random.below(700);
  const format = random.one(["pcap", "pcapng"] as const);
  let written: Uint8Array;
  try {
    written = await convert(files, size, format);
  } catch (error) {
    if (isExpected(error)) return;
    throw error;
  }
  // What was made of it is sound, or its one file was copied with its faults.
  try {
    await convert([written], 1000, "pcapng");
  } catch (error) {
    if (!isExpected(error)) throw error;
  }
}

Deno.test(`${FILES} damaged files are read (seed ${SEED})`, async () => {
  const random = new Random(SEED);
  for (let i = 0; i < FILES; i++) {
    try {
      await check(random);
    } catch (cause) {
      throw new Error(
        `Cannot handle a damaged file: seed ${SEED}, file ${i}`,
        { cause },
      );
    }
  }
});
