/**
 * Reading of classic pcap files: every magic number, both byte orders, whole
 * in memory or as a stream.
 *
 * A damaged or cut file gives everything before the damage, then one
 * {@linkcode CaptureFormatError}.
 *
 * @module
 */

import { FILE_HEADER_LENGTH } from "./format.ts";
import { decodeFileHeader, type PcapFileHeader } from "./header.ts";
import { type PcapRecord, RecordCursor } from "./record.ts";

export { CaptureFormatError } from "./error.ts";
export type { PcapFileHeader } from "./header.ts";
export type { PcapRecord } from "./record.ts";

/** Reads the records of a pcap file that is in memory. */
export class PcapReader implements Iterable<PcapRecord> {
  /** What the file's header says. */
  readonly header: PcapFileHeader;
  readonly #cursor: RecordCursor;
  #isEnded = false;

  /**
   * Reads the file header.
   *
   * @param bytes The whole file. Records are views on it.
   * @throws {CaptureFormatError} When it does not begin like a pcap file that
   *   can be read.
   */
  constructor(bytes: Uint8Array) {
    this.header = decodeFileHeader(bytes);
    this.#cursor = new RecordCursor(this.header);
    this.#cursor.push(bytes.subarray(FILE_HEADER_LENGTH));
    this.#cursor.complete();
  }

  /**
   * The next record, or `undefined` at the end and after an error.
   *
   * @throws {CaptureFormatError} Once, when the file is damaged or cut here.
   */
  next(): PcapRecord | undefined {
    if (this.#isEnded) return undefined;
    // Stays set when the cursor throws.
    this.#isEnded = true;
    const record = this.#cursor.next();
    this.#isEnded = record === undefined;
    return record;
  }

  /** The records from here on; throws like {@linkcode PcapReader.next}. */
  *[Symbol.iterator](): Generator<PcapRecord, void> {
    for (let record = this.next(); record; record = this.next()) yield record;
  }
}

/**
 * Reads the records of a pcap file as it arrives. Memory is bounded by the
 * longest record and chunk.
 *
 * Records are views on the chunks: the source must not reuse these.
 */
export class PcapStream implements AsyncIterable<PcapRecord> {
  /** What the file's header says. */
  readonly header: PcapFileHeader;
  readonly #cursor: RecordCursor;
  readonly #chunks: AsyncIterator<Uint8Array>;

  private constructor(
    header: PcapFileHeader,
    rest: Uint8Array,
    chunks: AsyncIterator<Uint8Array>,
  ) {
    this.header = header;
    this.#cursor = new RecordCursor(header);
    this.#cursor.push(rest);
    this.#chunks = chunks;
  }

  /**
   * Waits for the file header.
   *
   * @param chunks The file in pieces, for example a `ReadableStream`. It is
   *   released at the end, on errors and when iteration stops early.
   * @throws {CaptureFormatError} When it does not begin like a pcap file that
   *   can be read.
   */
  static async open(chunks: AsyncIterable<Uint8Array>): Promise<PcapStream> {
    const iterator = chunks[Symbol.asyncIterator]();
    let start = new Uint8Array(0);
    while (start.length < FILE_HEADER_LENGTH) {
      const { done, value } = await iterator.next();
      if (done) break;
      const longer = new Uint8Array(start.length + value.length);
      longer.set(start);
      longer.set(value, start.length);
      start = longer;
    }
    try {
      const header = decodeFileHeader(start);
      const rest = start.subarray(FILE_HEADER_LENGTH);
      return new PcapStream(header, rest, iterator);
    } catch (error) {
      await iterator.return?.();
      throw error;
    }
  }

  /**
   * The records, as many at a time as each chunk completes: the fast way to
   * read a large file. Can be iterated once.
   *
   * @throws {CaptureFormatError} Where the file is damaged or cut, after all
   *   records before were given.
   */
  async *batches(): AsyncGenerator<PcapRecord[], void> {
    let isOver = false;
    try {
      while (!isOver) {
        const { batch, failure } = this.#readBatch();
        if (batch.length > 0) yield batch;
        if (failure !== undefined) throw failure.error;
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
    const { batch, failure } = this.#readBatch();
    if (batch.length > 0) yield batch;
    if (failure !== undefined) throw failure.error;
  }

  /** The records one by one; throws like {@linkcode PcapStream.batches}. */
  async *[Symbol.asyncIterator](): AsyncGenerator<PcapRecord, void> {
    for await (const batch of this.batches()) yield* batch;
  }

  /** Releases the source; needed only when nothing was iterated. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.();
  }

  #readBatch(): { batch: PcapRecord[]; failure?: { error: unknown } } {
    const batch: PcapRecord[] = [];
    try {
      for (let record; (record = this.#cursor.next());) batch.push(record);
      return { batch };
    } catch (error) {
      return { batch, failure: { error } };
    }
  }
}
