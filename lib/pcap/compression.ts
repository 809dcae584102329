/**
 * Compressed capture files.
 *
 * @module
 */

import { isZstd } from "../bytes/zstd/magic.ts";
import { CaptureFormatError } from "./error.ts";
import { viewOf } from "./pcapng/options.ts";

/** Bytes that tell the kind of compression. */
const MAGIC_LENGTH = 4;
/** First two bytes of a gzip member (RFC 1952 section 2.3.1). */
const GZIP_MAGIC = 0x1f8b;
/** Bytes that are decompressed at a time. */
const PIECE_SIZE = 256 << 10;

/**
 * Undoes the compression of a file, if it is compressed.
 *
 * @param chunks The file in pieces; released at the end and when reading stops
 *   early.
 * @returns What was compressed, or the file as it is. Where compressed data are
 *   damaged or cut, everything before comes first, then a
 *   {@linkcode CaptureFormatError}.
 */
export async function decompress(
  chunks: AsyncIterable<Uint8Array>,
): Promise<AsyncIterable<Uint8Array>> {
  const iterator = chunks[Symbol.asyncIterator]();
  const start = await readStart(iterator, MAGIC_LENGTH);
  const whole = prepend(start, iterator);
  if (start.length < MAGIC_LENGTH) return whole;
  if (viewOf(start).getUint16(0) === GZIP_MAGIC) return gunzip(whole);
  return isZstd(viewOf(start).getUint32(0, true)) ? unzstd(whole) : whole;
}

/**
 * Reads until there are enough bytes, or no more.
 *
 * @param chunks Where to read; not released.
 * @param length Number of bytes that are enough.
 */
export async function readStart(
  chunks: AsyncIterator<Uint8Array>,
  length: number,
): Promise<Uint8Array> {
  let start: Uint8Array = new Uint8Array(0);
  while (start.length < length) {
    const { done, value } = await chunks.next();
    if (done) break;
    if (start.length === 0) {
      // What is too short is joined later, when its memory may have changed.
      start = value.length < length ? value.slice() : value;
      continue;
    }
    const longer = new Uint8Array(start.length + value.length);
    longer.set(start);
    longer.set(value, start.length);
    start = longer;
  }
  return start;
}

async function* prepend(
  start: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield start;
    for (;;) {
      const { done, value } = await rest.next();
      if (done) return;
      yield value;
    }
  } finally {
    await rest.return?.();
  }
}

/** Takes several members one after the other, as `cat` joins them. */
async function* gunzip(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  const { createGunzip } = await import("node:zlib");
  const inflater = createGunzip({ chunkSize: PIECE_SIZE });
  const ready: Uint8Array[] = [];
  let failure: Error | undefined;
  let length = 0;
  let proceed = (): void => {};
  inflater.on("data", (bytes: Uint8Array) => {
    ready.push(bytes);
    length += bytes.length;
  });
  // Not every runtime calls back what it was doing when that failed.
  inflater.on("error", (error: Error) => {
    failure ??= error;
    proceed();
  });
  // What follows the last member, zeros of a tape for example, is nothing.
  let isOver = false;
  inflater.on("end", () => {
    isOver = true;
    proceed();
  });
  const done = (start: () => void): Promise<void> =>
    new Promise((resolve) => {
      proceed = resolve;
      start();
    });
  try {
    for await (const chunk of chunks) {
      await done(() => inflater.write(chunk, () => proceed()));
      yield* ready.splice(0);
      if (failure !== undefined || isOver) break;
    }
    if (failure === undefined && !isOver) {
      await done(() => inflater.end());
      yield* ready.splice(0);
    }
  } finally {
    inflater.destroy();
  }
  if (failure !== undefined) throw damage("gzip", length, failure);
}

async function* unzstd(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  // Loaded only where it is needed.
  const { ZstdDecoder, ZstdError } = await import("../bytes/zstd/decoder.ts");
  const decoder = new ZstdDecoder();
  let length = 0;
  function* pieces(): Generator<Uint8Array, void> {
    try {
      for (let piece; (piece = decoder.next()) !== undefined;) {
        length += piece.length;
        yield piece;
      }
    } catch (error) {
      if (!(error instanceof ZstdError)) throw error;
      throw damage("zstd", length, error);
    }
  }
  for await (const chunk of chunks) {
    decoder.push(chunk);
    yield* pieces();
    decoder.keep();
  }
  decoder.complete();
  yield* pieces();
}

function damage(
  kind: "gzip" | "zstd",
  length: number,
  error: Error,
): CaptureFormatError {
  return new CaptureFormatError(
    `Cannot read ${kind} data after ${length} bytes of the capture file: ` +
      error.message,
    length,
  );
}
