/**
 * Huffman codes of literals (RFC 8878 section 4.2).
 *
 * @module
 */

import { BackwardBits, highestBit } from "./bits.ts";
import { ZstdError } from "./error.ts";
import { FseTable } from "./fse.ts";

/** Longest code. */
const MOST_BITS = 11;
/** Most accuracy of a table of weights. */
const WEIGHTS_ACCURACY = 6;
/** From here on the first byte says how many weights stand there plainly. */
const PLAIN_WEIGHTS = 127;
const MOST_SYMBOLS = 256;

/** Which symbol a code stands for. */
export class HuffmanTable {
  readonly #width: number;
  readonly #symbols: Uint8Array;
  readonly #bits: Uint8Array;

  /**
   * Builds the table.
   *
   * @param weights Of all symbols but the last one, whose weight follows.
   * @throws {ZstdError} when they do not add up
   */
  constructor(weights: readonly number[]) {
    const sum = weights.reduce(
      (total, weight) => total + (weight > 0 ? 1 << (weight - 1) : 0),
      0,
    );
    const width = highestBit(sum) + 1;
    const left = (1 << width) - sum;
    const last = highestBit(left);
    if (
      sum === 0 || width > MOST_BITS || left !== 1 << last ||
      weights.length >= MOST_SYMBOLS
    ) throw new ZstdError("a Huffman code does not add up");
    this.#width = width;
    this.#symbols = new Uint8Array(1 << width);
    this.#bits = new Uint8Array(1 << width);
    this.#fill([...weights, last + 1]);
  }

  /**
   * Reads a table.
   *
   * @returns The table and the index after it.
   * @throws {ZstdError}
   */
  static read(
    bytes: Uint8Array,
    start: number,
    end: number,
  ): { table: HuffmanTable; end: number } {
    const head = start < end ? bytes[start]! : 0;
    const isPlain = head > PLAIN_WEIGHTS;
    const count = head - PLAIN_WEIGHTS;
    const after = start + 1 + (isPlain ? (count + 1) >> 1 : head);
    if (after > end) throw new ZstdError("a Huffman code is cut");
    const weights = isPlain
      ? Array.from(
        { length: count },
        (_, i) => bytes[start + 1 + (i >> 1)]! >> (i % 2 === 0 ? 4 : 0) & 0xf,
      )
      : readWeights(bytes, start + 1, after);
    return { table: new HuffmanTable(weights), end: after };
  }

  /**
   * Decodes a stream.
   *
   * @param target Where to put the symbols, from `at` to `until`.
   * @throws {ZstdError} when there are more or fewer
   */
  decode(
    bytes: Uint8Array,
    start: number,
    end: number,
    target: Uint8Array,
    at: number,
    until: number,
  ): void {
    const stream = new BackwardBits(bytes, start, end);
    const width = this.#width;
    const symbols = this.#symbols;
    const bits = this.#bits;
    for (let i = at; i < until; i++) {
      const code = stream.peek(width);
      target[i] = symbols[code]!;
      stream.left -= bits[code]!;
    }
    if (stream.left !== 0) throw new ZstdError("literals are damaged");
  }

  /** Longer codes come first, and symbols in their order. */
  #fill(weights: readonly number[]): void {
    let at = 0;
    for (let weight = 1; weight <= this.#width; weight++) {
      const length = 1 << (weight - 1);
      for (const [symbol, own] of weights.entries()) {
        if (own !== weight) continue;
        this.#symbols.fill(symbol, at, at + length);
        this.#bits.fill(this.#width + 1 - weight, at, at + length);
        at += length;
      }
    }
  }
}

/** Two states take turns until the bits are used up. */
function readWeights(
  bytes: Uint8Array,
  start: number,
  end: number,
): number[] {
  const { table, end: at } = FseTable.read(bytes, start, end, WEIGHTS_ACCURACY);
  const bits = new BackwardBits(bytes, at, end);
  const weights: number[] = [];
  let state = table.begin(bits);
  let other = table.begin(bits);
  if (bits.left < 0) throw new ZstdError("a Huffman code is cut");
  while (weights.length < MOST_SYMBOLS) {
    weights.push(table.symbols[state]!);
    const next = table.follow(state, bits);
    if (bits.left < 0) {
      weights.push(table.symbols[other]!);
      return weights;
    }
    state = other;
    other = next;
  }
  throw new ZstdError("a Huffman code is too long");
}
