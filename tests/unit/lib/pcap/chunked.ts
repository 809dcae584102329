/**
 * Files that arrive in pieces.
 *
 * @module
 */

import type {
  CaptureBlock,
  CaptureRecord,
} from "../../../../lib/pcap/capture_stream.ts";
import { CaptureStream } from "../../../../lib/pcap/capture_stream.ts";

/** Cuts a file into pieces of the same size. */
export async function* chunked(
  bytes: Uint8Array,
  size: number,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    yield await Promise.resolve(bytes.slice(at, at + size));
  }
}

/** What was read of a file, and the error that ended it. */
export interface Reading<T> {
  readonly records: T[];
  readonly error: unknown;
}

/** All records of a stream. */
export async function readRecords(
  bytes: Uint8Array,
  size: number = bytes.length || 1,
): Promise<Reading<CaptureRecord>> {
  const records: CaptureRecord[] = [];
  try {
    const stream = await CaptureStream.open(chunked(bytes, size));
    for await (const record of stream) records.push(record);
    return { records, error: undefined };
  } catch (error) {
    return { records, error };
  }
}

/** All records and other blocks of a stream; errors are thrown. */
export async function readItems(
  bytes: Uint8Array,
  size: number = bytes.length || 1,
): Promise<(CaptureRecord | CaptureBlock)[]> {
  const stream = await CaptureStream.open(chunked(bytes, size));
  const items: (CaptureRecord | CaptureBlock)[] = [];
  for await (const batch of stream.items()) items.push(...batch);
  return items;
}
