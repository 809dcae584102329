/**
 * Reading a BPF ring buffer through shared memory: no system call and no
 * allocation per record.
 *
 * Layout (Documentation/bpf/ringbuf.rst):
 *
 * ```text
 * page 0, writable     u64 consumer position
 * page 1, read-only    u64 producer position
 * from page 2 on       the data, mapped twice in a row: no record wraps
 * record               u32 length · bit 31 busy, bit 30 discarded
 *                      u32 (kernel's own) · data · padding to 8 bytes
 * ```
 *
 * @module
 */
import type { BpfMap } from "./bpf_map.ts";
import { libc } from "./libc.ts";
import { MAP_SHARED, Mapping, PROT_READ, PROT_WRITE } from "./memory.ts";

const BUSY_BIT = 0x8000_0000;
const DISCARD_BIT = 0x4000_0000;
const LENGTH_MASK = 0x3fff_ffff;
const RECORD_HEADER = 8;

/**
 * Called for each record with its place in {@linkcode BpfRingBuffer.view};
 * the bytes are valid until it returns.
 */
export type RecordCallback = (offset: number, length: number) => void;

/** The reading end of a ring buffer; there must be only one. */
export class BpfRingBuffer implements Disposable {
  /** The data area, mapped twice in a row. */
  readonly view: DataView;
  /** The same as bytes. */
  readonly bytes: Uint8Array;
  readonly #consumerPage: Mapping;
  readonly #producerPages: Mapping;
  readonly #consumer: Int32Array;
  readonly #consumerWide: BigInt64Array;
  readonly #producer: Int32Array;
  readonly #words: Int32Array;
  readonly #mask: number;

  /**
   * Maps the buffer.
   *
   * @param map A map of type RINGBUF.
   * @param size Its `maxEntries`: bytes, a power of two.
   * @throws {SyscallError}
   */
  constructor(map: Pick<BpfMap, "fd">, size: number) {
    const page = libc().getpagesize();
    this.#consumerPage = Mapping.ofFd(
      map.fd,
      page,
      PROT_READ | PROT_WRITE,
      MAP_SHARED,
    );
    try {
      this.#producerPages = Mapping.ofFd(
        map.fd,
        page + 2 * size,
        PROT_READ,
        MAP_SHARED,
        page,
      );
    } catch (error) {
      this.#consumerPage.close();
      throw error;
    }
    const consumerPage = this.#consumerPage.buffer();
    const producerPages = this.#producerPages.buffer();
    this.#consumer = new Int32Array(consumerPage, 0, 2);
    this.#consumerWide = new BigInt64Array(consumerPage, 0, 1);
    this.#producer = new Int32Array(producerPages, 0, 2);
    this.#words = new Int32Array(producerPages, page, size / 2);
    this.view = new DataView(producerPages, page, 2 * size);
    this.bytes = new Uint8Array(producerPages, page, 2 * size);
    this.#mask = size - 1;
  }

  /** Bytes that wait to be read; an atomic load, nothing more. */
  get pending(): number {
    return Atomics.load(this.#producer, 0) -
        Atomics.load(this.#consumer, 0) >>> 0;
  }

  /**
   * Where the next record will begin, for {@linkcode BpfRingBuffer.hasRead}.
   */
  get end(): number {
    return Atomics.load(this.#producer, 0);
  }

  /** Whether all records before an `end` of a moment ago were handed over. */
  hasRead(end: number): boolean {
    return (Atomics.load(this.#consumer, 0) - end | 0) >= 0;
  }

  /**
   * Hands over complete records, oldest first, up to one that is being written:
   * complete ones may stand behind it. Those that come meanwhile are left for
   * the next time: there may be no end of them.
   *
   * @returns the number of records
   */
  read(callback: RecordCallback): number {
    let count = 0;
    // Lower halves: the distance is always below the buffer's size.
    let position = Atomics.load(this.#consumer, 0);
    const { end } = this;
    while (position !== end) {
      const start = position & this.#mask;
      const header = Atomics.load(this.#words, start >> 2);
      if (header & BUSY_BIT) break;
      const length = header & LENGTH_MASK;
      if ((header & DISCARD_BIT) === 0) {
        count++;
        callback(start + RECORD_HEADER, length);
      }
      const next = position + (RECORD_HEADER + length + 7 & ~7) | 0;
      this.#advance(position, next);
      position = next;
    }
    return count;
  }

  /** Unmaps the memory; the view must not be used any more. */
  close(): void {
    this.#consumerPage.close();
    this.#producerPages.close();
  }

  /** Same as {@linkcode BpfRingBuffer.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Frees space up to a position. */
  #advance(from: number, to: number): void {
    if (from < 0 && to >= 0) {
      // The lower half wraps: the kernel must never see one half alone.
      const high = BigInt(Atomics.load(this.#consumer, 1) + 1 | 0);
      Atomics.store(this.#consumerWide, 0, high << 32n | BigInt(to));
    } else {
      Atomics.store(this.#consumer, 0, to);
    }
  }
}
