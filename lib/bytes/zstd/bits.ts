/**
 * Bit streams of Zstandard.
 *
 * @module
 */

import { ZstdError } from "./error.ts";

/** Most bits that are read from one window of bytes. */
const MOST_BITS = 16;

/** Index of the highest bit that is set; -1 for 0. */
export function highestBit(value: number): number {
  return 31 - Math.clz32(value);
}

/** Reads bits from the first to the last, the lowest of a byte first. */
export class ForwardBits {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  /** Reads the bytes from `start` to `end`. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start * 8;
    this.#end = end * 8;
  }

  /** Index of the first byte that was not touched. */
  get byteAt(): number {
    return (this.#at + 7) >>> 3;
  }

  /**
   * Reads up to 16 bits.
   *
   * @throws {ZstdError} at the end
   */
  read(count: number): number {
    if (this.#at + count > this.#end) throw new ZstdError("a table is cut");
    const value = windowAt(this.#bytes, this.#at) & ((1 << count) - 1);
    this.#at += count;
    return value;
  }

  /** Goes back by one bit. */
  unread(): void {
    this.#at--;
  }
}

/**
 * Reads bits from the last to the first. What would stand before the first is
 * zero, and makes {@linkcode BackwardBits.left} negative.
 */
export class BackwardBits {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  /** How many bits are left. */
  left: number;

  /**
   * Begins below the highest bit that is set in the last byte.
   *
   * @throws {ZstdError} when there is none
   */
  constructor(bytes: Uint8Array, start: number, end: number) {
    const last = end > start ? bytes[end - 1]! : 0;
    if (last === 0) throw new ZstdError("a bit stream has no end");
    this.#bytes = bytes;
    this.#start = start * 8;
    this.left = (end - 1 - start) * 8 + highestBit(last);
  }

  /** The next up to 16 bits, without reading them. */
  peek(count: number): number {
    const from = this.left - count;
    if (from >= 0) {
      return windowAt(this.#bytes, this.#start + from) & ((1 << count) - 1);
    }
    if (this.left <= 0) return 0;
    const rest = windowAt(this.#bytes, this.#start) & ((1 << this.left) - 1);
    return rest << -from;
  }

  /** Reads up to 31 bits. */
  read(count: number): number {
    if (count > MOST_BITS) {
      const upper = this.read(count - MOST_BITS);
      return upper * (1 << MOST_BITS) + this.read(MOST_BITS);
    }
    const value = this.peek(count);
    this.left -= count;
    return value;
  }
}

/** At least 17 bits from a bit on. */
function windowAt(bytes: Uint8Array, bitAt: number): number {
  const at = bitAt >>> 3;
  // Beyond the end stand zeros.
  return (bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16) >>>
    (bitAt & 7);
}
