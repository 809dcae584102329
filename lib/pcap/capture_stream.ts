/**
 * Reading of capture files of every format: pcap and pcapng, plain or
 * compressed by gzip or zstd.
 *
 * A damaged or cut file gives everything before the damage, then one
 * {@linkcode CaptureFormatError}.
 *
 * @module
 */

import {
  type CaptureInterface,
  CaptureRecord,
  type PacketTest,
} from "./capture_record.ts";
import { decompress, readStart } from "./compression.ts";
import { FILE_HEADER_LENGTH, MAGIC_LENGTH, PCAPNG_MAGIC } from "./format.ts";
import { decodeFileHeader, type PcapFileHeader } from "./header.ts";
import type { CaptureBlock } from "./pcapng/block.ts";
import { BlockCursor } from "./pcapng/block_cursor.ts";
import { viewOf } from "./pcapng/options.ts";
import { RecordCursor } from "./record.ts";

export {
  type CaptureInterface,
  CaptureRecord,
  type PacketDetails,
  type PacketOwner,
  type PacketTest,
} from "./capture_record.ts";
export { CaptureFormatError } from "./error.ts";
export type { PcapFileHeader } from "./header.ts";
export type { CaptureBlock } from "./pcapng/block.ts";

/** Formats of capture files. See {@linkcode CaptureStream}. */
export type CaptureFormat = "pcap" | "pcapng";

/** What cuts a file into records, as its bytes are pushed. */
interface Cursor {
  readonly interfaces: readonly CaptureInterface[];
  push(chunk: Uint8Array): void;
  complete(): void;
  keep(): void;
  next(select?: PacketTest): CaptureRecord | CaptureBlock | undefined;
}

/** How a source of bytes behaves. */
export interface OpenOptions {
  /**
   * The source uses the memory of a chunk again once the next one is asked
   * for: packets of a batch are valid until the next batch.
   */
  readonly reused?: boolean;
}

/** What is wanted of a file. See {@linkcode CaptureStream}. */
export interface SelectOptions {
  /** Leaves out other packets before anything is made for them. */
  readonly select?: PacketTest | undefined;
}

/**
 * Reads a capture file as it arrives. Memory is bounded by the longest record
 * and chunk.
 *
 * Records are views on the chunks: the source must not reuse these, unless it
 * says so.
 *
 * @example Count the packets of a file
 * ```ts
 * import { CaptureStream } from "./capture_stream.ts";
 * import assert from "node:assert/strict";
 *
 * const file = await Deno.open("tests/golden/data/processes.pcapng");
 * const stream = await CaptureStream.open(file.readable);
 * assert.equal(stream.format, "pcapng");
 * let count = 0;
 * for await (const batch of stream.batches()) count += batch.length;
 * assert(count > 0);
 * ```
 */
export class CaptureStream implements AsyncIterable<CaptureRecord> {
  /** The file's format. */
  readonly format: CaptureFormat;
  /** What the header of a pcap file says. */
  readonly header: PcapFileHeader | undefined;
  /** The header of a pcap file as it stands there; empty for pcapng. */
  readonly rawHeader: Uint8Array;
  readonly #cursor: Cursor;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #isReused: boolean;

  private constructor(
    start: Uint8Array,
    chunks: AsyncIterator<Uint8Array>,
    isReused: boolean,
  ) {
    this.#chunks = chunks;
    this.#isReused = isReused;
    if (beginsPcapng(start)) {
      this.format = "pcapng";
      this.rawHeader = new Uint8Array(0);
      this.#cursor = new BlockCursor();
      this.#cursor.push(start);
      return;
    }
    this.format = "pcap";
    this.header = decodeFileHeader(start);
    this.rawHeader = start.slice(0, FILE_HEADER_LENGTH);
    this.#cursor = new RecordCursor(this.header);
    this.#cursor.push(start.subarray(FILE_HEADER_LENGTH));
  }

  /**
   * Waits for the beginning of the file, which tells its format.
   *
   * @param chunks The file in pieces, for example a `ReadableStream`. It is
   *   released at the end, on errors and when iteration stops early.
   * @param options See {@linkcode OpenOptions}.
   * @throws {CaptureFormatError} When it does not begin like a capture file
   *   that can be read.
   */
  static async open(
    chunks: AsyncIterable<Uint8Array>,
    { reused = false }: OpenOptions = {},
  ): Promise<CaptureStream> {
    const plain = await decompress(chunks);
    const iterator = plain[Symbol.asyncIterator]();
    const start = await readStart(iterator, FILE_HEADER_LENGTH);
    try {
      return new CaptureStream(start, iterator, reused);
    } catch (error) {
      await iterator.return?.();
      throw error;
    }
  }

  /** Interfaces that are described in the part that was read until now. */
  get interfaces(): readonly CaptureInterface[] {
    return this.#cursor.interfaces;
  }

  /**
   * The packets, as many at a time as each chunk completes: the fast way to
   * read a large file. A file can be iterated once.
   *
   * @param options Which packets are wanted; all by default.
   * @throws {CaptureFormatError} Where the file is damaged or cut, after all
   *   records before were given.
   */
  async *batches(
    options: SelectOptions = {},
  ): AsyncGenerator<CaptureRecord[], void> {
    for await (const items of this.items(options)) {
      const records = items.filter((item) => item instanceof CaptureRecord);
      if (records.length > 0) yield records;
    }
  }

  /**
   * Like {@linkcode CaptureStream.batches}, with all other blocks of a pcapng
   * file in their places.
   *
   * @throws {CaptureFormatError}
   */
  async *items(
    { select }: SelectOptions = {},
  ): AsyncGenerator<(CaptureRecord | CaptureBlock)[], void> {
    let isOver = false;
    try {
      while (!isOver) {
        const { batch, failure } = this.#readBatch(select);
        if (batch.length > 0) yield batch;
        if (failure !== undefined) throw failure.error;
        if (this.#isReused) this.#cursor.keep();
        const { done, value } = await this.#chunks.next();
        if (done) {
          isOver = true;
          this.#cursor.complete();
        } else {
          this.#cursor.push(value);
        }
      }
    } finally {
      if (!isOver) await this.#chunks.return?.();
    }
    const { batch, failure } = this.#readBatch(select);
    if (batch.length > 0) yield batch;
    if (failure !== undefined) throw failure.error;
  }

  /** The packets one by one; throws like {@linkcode CaptureStream.batches}. */
  async *[Symbol.asyncIterator](): AsyncGenerator<CaptureRecord, void> {
    for await (const batch of this.batches()) yield* batch;
  }

  /** Releases the source; needed only when nothing was iterated. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.();
  }

  #readBatch(select: PacketTest | undefined): {
    batch: (CaptureRecord | CaptureBlock)[];
    failure?: { error: unknown };
  } {
    const batch: (CaptureRecord | CaptureBlock)[] = [];
    try {
      for (let item; (item = this.#cursor.next(select));) batch.push(item);
      return { batch };
    } catch (error) {
      return { batch, failure: { error } };
    }
  }
}

function beginsPcapng(start: Uint8Array): boolean {
  return start.length >= MAGIC_LENGTH &&
    viewOf(start).getUint32(0) === PCAPNG_MAGIC;
}
