/**
 * The bytes that were decompressed last, to which sequences refer.
 *
 * @module
 */

import { ZstdError } from "./error.ts";
import { MAXIMUM_BLOCK_SIZE } from "./literals.ts";

/** What is not longer is copied byte by byte. */
const LONG_COPY = 32;

/** Keeps at least so many bytes as a frame says. */
export class Window {
  readonly #size: number;
  #bytes: Uint8Array;
  /** Index after the last byte. */
  #at = 0;
  #blockAt = 0;

  /**
   * Begins empty.
   *
   * @param size How far back can be referred to.
   */
  constructor(size: number) {
    this.#size = size;
    this.#bytes = new Uint8Array(2 * MAXIMUM_BLOCK_SIZE);
  }

  /** Makes room for a block. */
  beginBlock(): void {
    if (this.#at + MAXIMUM_BLOCK_SIZE > this.#bytes.length) this.#makeRoom();
    this.#blockAt = this.#at;
  }

  /** A copy of what was added since the block began. */
  endBlock(): Uint8Array {
    return this.#bytes.slice(this.#blockAt, this.#at);
  }

  /** Adds the bytes from `start` to `end`. */
  append(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    const length = end - start;
    this.#checkRoom(length);
    if (length > LONG_COPY) {
      this.#bytes.set(bytes.subarray(start, end), this.#at);
    } else {
      for (let i = 0; i < length; i++) {
        this.#bytes[this.#at + i] = bytes[start + i]!;
      }
    }
    this.#at += length;
  }

  /** Adds a byte so many times. */
  fill(byte: number, length: number): void {
    this.#checkRoom(length);
    this.#bytes.fill(byte, this.#at, this.#at + length);
    this.#at += length;
  }

  /**
   * Adds again what stands `offset` bytes before.
   *
   * @throws {ZstdError} when nothing stands there
   */
  repeat(offset: number, length: number): void {
    if (offset > this.#at || offset > this.#size || offset === 0) {
      throw new ZstdError("a sequence refers to what is not there");
    }
    this.#checkRoom(length);
    const bytes = this.#bytes;
    const from = this.#at - offset;
    if (length > LONG_COPY && offset >= length) {
      bytes.copyWithin(this.#at, from, from + length);
    } else {
      for (let i = 0; i < length; i++) bytes[this.#at + i] = bytes[from + i]!;
    }
    this.#at += length;
  }

  #checkRoom(length: number): void {
    if (this.#at + length - this.#blockAt > MAXIMUM_BLOCK_SIZE) {
      throw new ZstdError("a block is too large");
    }
  }

  /** Drops what is too old, or takes more memory as long as nothing is. */
  #makeRoom(): void {
    const most = 2 * (this.#size + MAXIMUM_BLOCK_SIZE);
    if (this.#bytes.length < most) {
      const larger = new Uint8Array(Math.min(most, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#at));
      this.#bytes = larger;
      if (this.#at + MAXIMUM_BLOCK_SIZE <= larger.length) return;
    }
    const start = Math.max(0, this.#at - this.#size);
    this.#bytes.copyWithin(0, start, this.#at);
    this.#at -= start;
  }
}
