/**
 * The sequences of a compressed block: which literals are copied, and which
 * bytes before are repeated (RFC 8878 section 3.1.1.3.2).
 *
 * @module
 */

import { BackwardBits } from "./bits.ts";
import { ZstdError } from "./error.ts";
import { FseTable } from "./fse.ts";

const Mode = { PREDEFINED: 0, SINGLE: 1, COMPRESSED: 2, REPEATED: 3 } as const;

/** A code stands for a base and so many bits that are added to it. */
interface Codes {
  readonly bases: readonly number[];
  readonly bits: readonly number[];
  /** Most accuracy of a table. */
  readonly accuracy: number;
  readonly predefined: FseTable;
}

const LITERAL_LENGTHS: Codes = {
  ...codesOf(0, [
    ...new Array<number>(16).fill(0),
    ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
  ]),
  accuracy: 9,
  predefined: new FseTable(6, [
    ...[4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2],
    ...[2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1],
  ]),
};
const MATCH_LENGTHS: Codes = {
  ...codesOf(3, [
    ...new Array<number>(32).fill(0),
    ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
  ]),
  accuracy: 9,
  predefined: new FseTable(6, [
    ...[1, 4, 3, 2, 2, 2, 2, 2, 2, ...new Array<number>(37).fill(1)],
    ...[-1, -1, -1, -1, -1, -1, -1],
  ]),
};
const OFFSETS: Codes = {
  bases: Array.from({ length: 32 }, (_, code) => 2 ** code),
  bits: Array.from({ length: 32 }, (_, code) => code),
  accuracy: 8,
  predefined: new FseTable(5, [
    ...[1, 1, 1, 1, 1, 1, 2, 2, 2, ...new Array<number>(15).fill(1)],
    ...[-1, -1, -1, -1, -1],
  ]),
};

/** Each base follows the last value of the code before. */
function codesOf(
  first: number,
  bits: readonly number[],
): Pick<Codes, "bases" | "bits"> {
  const bases: number[] = [];
  let base = first;
  for (const count of bits) {
    bases.push(base);
    base += 1 << count;
  }
  return { bases, bits };
}

/** Takes the sequences of a block, one after the other. */
export type TakeSequence = (
  literals: number,
  offset: number,
  length: number,
) => void;

/** Decodes the sequences of the blocks of one frame. */
export class SequencesDecoder {
  /** A block can take the tables of one before. */
  readonly #tables = new Map<Codes, FseTable>();
  /** The last three offsets. */
  readonly #offsets = [1, 4, 8];

  /**
   * Reads the sequences.
   *
   * @param take Gets each of them.
   * @throws {ZstdError}
   */
  read(
    block: Uint8Array,
    start: number,
    end: number,
    take: TakeSequence,
  ): void {
    const { count, at } = readCount(block, start, end);
    if (count === 0) {
      if (at !== end) throw new ZstdError("a block is too long");
      return;
    }
    if (at >= end) throw new ZstdError("sequences are cut");
    const modes = block[at]!;
    let next = at + 1;
    for (
      const [codes, mode] of [
        [LITERAL_LENGTHS, modes >> 6],
        [OFFSETS, modes >> 4 & 3],
        [MATCH_LENGTHS, modes >> 2 & 3],
      ] as const
    ) next = this.#readTable(codes, mode, block, next, end);
    this.#decode(new BackwardBits(block, next, end), count, take);
  }

  #readTable(
    codes: Codes,
    mode: number,
    block: Uint8Array,
    start: number,
    end: number,
  ): number {
    switch (mode) {
      case Mode.PREDEFINED:
        this.#tables.set(codes, codes.predefined);
        return start;
      case Mode.SINGLE:
        if (start >= end) throw new ZstdError("sequences are cut");
        this.#tables.set(codes, FseTable.single(block[start]!));
        return start + 1;
      case Mode.COMPRESSED: {
        const read = FseTable.read(block, start, end, codes.accuracy);
        this.#tables.set(codes, read.table);
        return read.end;
      }
      default:
        if (!this.#tables.has(codes)) throw new ZstdError("a table is missing");
        return start;
    }
  }

  #decode(bits: BackwardBits, count: number, take: TakeSequence): void {
    const literalTable = this.#tables.get(LITERAL_LENGTHS)!;
    const offsetTable = this.#tables.get(OFFSETS)!;
    const matchTable = this.#tables.get(MATCH_LENGTHS)!;
    let literalState = literalTable.begin(bits);
    let offsetState = offsetTable.begin(bits);
    let matchState = matchTable.begin(bits);
    for (let i = 1;; i++) {
      const offset = readValue(
        OFFSETS,
        offsetTable.symbols[offsetState]!,
        bits,
      );
      const match = readValue(
        MATCH_LENGTHS,
        matchTable.symbols[matchState]!,
        bits,
      );
      const literals = readValue(
        LITERAL_LENGTHS,
        literalTable.symbols[literalState]!,
        bits,
      );
      if (bits.left < 0) throw new ZstdError("sequences are cut");
      take(literals, this.#resolve(offset, literals), match);
      if (i === count) break;
      literalState = literalTable.follow(literalState, bits);
      matchState = matchTable.follow(matchState, bits);
      offsetState = offsetTable.follow(offsetState, bits);
    }
    if (bits.left !== 0) throw new ZstdError("sequences are damaged");
  }

  /** The values 1 to 3 stand for one of the last offsets. */
  #resolve(value: number, literals: number): number {
    const recent = this.#offsets;
    if (value > 3) {
      recent.unshift(value - 3);
      recent.pop();
      return value - 3;
    }
    const index = value - (literals === 0 ? 0 : 1);
    if (index === 0) return recent[0]!;
    const offset = index === 3 ? recent[0]! - 1 : recent[index]!;
    recent.splice(Math.min(index, 2), 1);
    recent.unshift(offset);
    return offset;
  }
}

function readValue(codes: Codes, code: number, bits: BackwardBits): number {
  const base = codes.bases[code];
  if (base === undefined) throw new ZstdError("a code is unknown");
  return base + bits.read(codes.bits[code]!);
}

function readCount(
  block: Uint8Array,
  start: number,
  end: number,
): { count: number; at: number } {
  const byte = (i: number): number => start + i < end ? block[start + i]! : 0;
  const first = byte(0);
  if (start >= end) throw new ZstdError("sequences are cut");
  if (first < 128) return { count: first, at: start + 1 };
  return first < 255
    ? { count: (first - 128 << 8) + byte(1), at: start + 2 }
    : { count: byte(1) + (byte(2) << 8) + 0x7f00, at: start + 3 };
}
