/**
 * Writing pieces of memory, one after the other, without bringing them
 * together first: writev(2).
 *
 * @module
 */
import { Errno, errno } from "./errno.ts";
import { libc } from "./libc.ts";

/** Pieces of one call: `UIO_MAXIOV` of linux/uio.h. */
const MOST_PIECES = 1024;
// struct iovec { void *iov_base; size_t iov_len; }, in words
const VECTOR_WORDS = 4;
const BASE = 0;
const LENGTH = 2;
const WORD_RANGE = 2 ** 32;
const UPPER_WORD = 1 / WORD_RANGE;

/** Pieces to be written. Adding and writing them allocates nothing. */
export class GatheredWrite {
  readonly #vectors = new Uint32Array(MOST_PIECES * VECTOR_WORDS);
  #count = 0;
  #length = 0;

  /** Number of pieces. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of all of them. */
  get length(): number {
    return this.#length;
  }

  /** Whether no more can be added before they are written. */
  get isFull(): boolean {
    return this.#count === MOST_PIECES;
  }

  /** Bytes of a piece. */
  lengthOf(piece: number): number {
    return this.#vectors[piece * VECTOR_WORDS + LENGTH]!;
  }

  /** Adds a piece, which stays where it is and as it is until it is written. */
  add(address: number, length: number): void {
    const at = this.#count++ * VECTOR_WORDS;
    const vectors = this.#vectors;
    // Stores take what fits into a word.
    vectors[at + BASE] = address;
    vectors[at + BASE + 1] = address * UPPER_WORD;
    vectors[at + LENGTH] = length;
    this.#length += length;
  }

  /** Forgets the pieces. */
  clear(): void {
    this.#count = 0;
    this.#length = 0;
  }

  /**
   * Writes all pieces; waits while a pipe is full. They are there afterwards
   * as before.
   *
   * @returns how many bytes were written before the error, and the errno value
   * (0 for none)
   */
  write(fd: number): { written: number; errno: number } {
    let vectors = this.#vectors;
    let left = this.#count;
    let written = 0;
    while (left > 0) {
      const count = Number(libc().writev(fd, vectors, left));
      if (count < 0) {
        const error = errno();
        if (error === Errno.EINTR) continue;
        return { written, errno: error };
      }
      written += count;
      if (written === this.#length) break;
      // What is left, as pieces of its own: rare enough to copy them.
      vectors = this.#from(written);
      left = vectors.length / VECTOR_WORDS;
    }
    return { written, errno: 0 };
  }

  /** The pieces without the first so many bytes. */
  #from(written: number): Uint32Array<ArrayBuffer> {
    let first = 0;
    let skipped = written;
    while (skipped >= this.lengthOf(first)) skipped -= this.lengthOf(first++);
    const rest = this.#vectors.slice(
      first * VECTOR_WORDS,
      this.#count * VECTOR_WORDS,
    );
    const address = rest[BASE]! + rest[BASE + 1]! * WORD_RANGE + skipped;
    rest[BASE] = address;
    rest[BASE + 1] = address * UPPER_WORD;
    rest[LENGTH] = rest[LENGTH]! - skipped;
    return rest;
  }
}
