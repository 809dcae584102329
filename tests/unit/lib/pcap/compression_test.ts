import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { CaptureFormatError } from "../../../../lib/pcap/error.ts";
import { encodeFileHeader, encodeRecord } from "../../../../lib/pcap/writer.ts";
import { readRecords } from "./chunked.ts";
import { concat } from "./pcapng/sample_blocks.ts";

const OPTIONS = { linkType: 1, snaplen: 262_144, nanoseconds: false };

/** A file whose packets do not compress well. */
function sampleFile(packets: number): Uint8Array {
  let state = 1;
  return concat([
    encodeFileHeader(OPTIONS),
    ...Array.from({ length: packets }, (_, i) =>
      encodeRecord({
        timestamp: BigInt(i) * 1_000_000n,
        originalLength: 100,
        data: new Uint8Array(100).map(() =>
          (state = Math.imul(state, 1_103_515_245) + 12_345) >>> 16
        ),
      }, OPTIONS)),
  ]);
}

const FILE = sampleFile(1000);
const COMPRESSED = new Uint8Array(gzipSync(FILE));
const OFFSETS = (await readRecords(FILE)).records.map(({ offset }) => offset);

Deno.test("CaptureStream reads gzip files", async () => {
  for (const size of [1, 10_000, COMPRESSED.length]) {
    const { records, error } = await readRecords(COMPRESSED, size);
    assert.equal(error, undefined);
    assert.deepEqual(records.map(({ offset }) => offset), OFFSETS);
  }
});

Deno.test("CaptureStream reads gzip members one after the other", async () => {
  const first = new Uint8Array(gzipSync(FILE.subarray(0, 5000)));
  const joined = concat([
    first,
    new Uint8Array(gzipSync(FILE.subarray(5000))),
  ]);
  for (const size of [999, first.length, joined.length]) {
    const { records, error } = await readRecords(joined, size);
    assert.equal(error, undefined);
    assert.deepEqual(records.map(({ offset }) => offset), OFFSETS);
  }
});

Deno.test("CaptureStream gives what stands before a cut in gzip data", async () => {
  const { records, error } = await readRecords(COMPRESSED.slice(0, -9), 4096);
  assert(error instanceof CaptureFormatError);
  assert.match(
    error.message,
    /^Cannot read gzip data after \d+ bytes of the capture file: unexpected end of file$/,
  );
  assert(records.length > 990, String(records.length));
  assert.deepEqual(
    records.map(({ offset }) => offset),
    OFFSETS.slice(0, records.length),
  );
  assert(error.offset > OFFSETS[990]!);
});

Deno.test("CaptureStream gives what stands before damage in gzip data", async () => {
  const damaged = COMPRESSED.slice();
  const middle = damaged.length >> 1;
  damaged.fill(0xff, middle, middle + 100);
  const { records, error } = await readRecords(damaged, 1000);
  assert(error instanceof CaptureFormatError);
  // Inflating goes on for a while, so that records look damaged first.
  assert(records.length > 400, String(records.length));
});

Deno.test("CaptureStream passes over zeros behind gzip data", async () => {
  const padded = concat([COMPRESSED, new Uint8Array(100_000)]);
  const { records, error } = await readRecords(padded, 10_000);
  assert.equal(error, undefined);
  assert.equal(records.length, OFFSETS.length);
});
