/**
 * Finite state entropy tables (RFC 8878 section 4.1).
 *
 * @module
 */

import { type BackwardBits, ForwardBits, highestBit } from "./bits.ts";
import { ZstdError } from "./error.ts";

/** Accuracy is stated as what it exceeds this by. */
const LEAST_ACCURACY = 5;
/** Value of the flag after a probability of 0 that more flags follow. */
const REPEAT_ON = 3;

/** What each state means and which comes next. */
export class FseTable {
  /** Logarithm of the number of states. */
  readonly accuracy: number;
  /** Symbol of each state. */
  readonly symbols: Uint8Array;
  readonly #bits: Uint8Array;
  readonly #bases: Uint16Array;

  /**
   * Builds a table.
   *
   * @param accuracy Logarithm of the number of states.
   * @param frequencies How many states each symbol has; -1 for less than one.
   * @throws {ZstdError} when they do not add up
   */
  constructor(accuracy: number, frequencies: readonly number[]) {
    const size = 1 << accuracy;
    this.accuracy = accuracy;
    this.symbols = new Uint8Array(size);
    this.#bits = new Uint8Array(size);
    this.#bases = new Uint16Array(size);
    const next = this.#spread(frequencies);
    for (let state = 0; state < size; state++) {
      const symbol = this.symbols[state]!;
      const count = next[symbol]!;
      next[symbol] = count + 1;
      const bits = accuracy - highestBit(count);
      this.#bits[state] = bits;
      this.#bases[state] = (count << bits) - size;
    }
  }

  /** A table of one state, which takes no bits. */
  static single(symbol: number): FseTable {
    const table = new FseTable(0, [1]);
    table.symbols[0] = symbol;
    return table;
  }

  /**
   * Reads a table.
   *
   * @param most Most accuracy that is allowed.
   * @returns The table and the index after it.
   * @throws {ZstdError}
   */
  static read(
    bytes: Uint8Array,
    start: number,
    end: number,
    most: number,
  ): { table: FseTable; end: number } {
    const bits = new ForwardBits(bytes, start, end);
    const accuracy = bits.read(4) + LEAST_ACCURACY;
    if (accuracy > most) throw new ZstdError("a table is too large");
    const frequencies = readFrequencies(bits, accuracy);
    return { table: new FseTable(accuracy, frequencies), end: bits.byteAt };
  }

  /** The first state. */
  begin(bits: BackwardBits): number {
    return bits.read(this.accuracy);
  }

  /** The state after `state`. */
  follow(state: number, bits: BackwardBits): number {
    return this.#bases[state]! + bits.read(this.#bits[state]!);
  }

  /** Gives states to symbols; returns how many each has. */
  #spread(frequencies: readonly number[]): Uint16Array {
    const { symbols } = this;
    const size = symbols.length;
    const counts = new Uint16Array(frequencies.length);
    let high = size;
    for (const [symbol, frequency] of frequencies.entries()) {
      counts[symbol] = Math.abs(frequency);
      if (frequency === -1) symbols[--high] = symbol;
    }
    const step = (size >> 1) + (size >> 3) + 3;
    let at = 0;
    for (const [symbol, frequency] of frequencies.entries()) {
      for (let i = 0; i < frequency; i++) {
        symbols[at] = symbol;
        do at = (at + step) & (size - 1); while (at >= high && size > 1);
      }
    }
    if (at !== 0) throw new ZstdError("a table does not add up");
    return counts;
  }
}

function readFrequencies(bits: ForwardBits, accuracy: number): number[] {
  const frequencies: number[] = [];
  let left = 1 << accuracy;
  while (left > 0 && frequencies.length < 256) {
    const frequency = readFrequency(bits, left);
    left -= Math.abs(frequency);
    frequencies.push(frequency);
    if (frequency !== 0) continue;
    let repeat: number;
    do {
      repeat = bits.read(2);
      for (let i = 0; i < repeat; i++) frequencies.push(0);
    } while (repeat === REPEAT_ON);
  }
  if (left !== 0 || frequencies.length > 256) {
    throw new ZstdError("a table does not add up");
  }
  return frequencies;
}

/** Smaller values take a bit less. */
function readFrequency(bits: ForwardBits, left: number): number {
  const width = highestBit(left + 1) + 1;
  const value = bits.read(width);
  const mask = (1 << (width - 1)) - 1;
  const threshold = (1 << width) - 1 - (left + 1);
  if ((value & mask) < threshold) {
    bits.unread();
    return (value & mask) - 1;
  }
  return (value > mask ? value - threshold : value) - 1;
}
