/**
 * The literals of a compressed block (RFC 8878 section 3.1.1.3.1).
 *
 * @module
 */

import { ZstdError } from "./error.ts";
import { HuffmanTable } from "./huffman.ts";

/** Most bytes that a block makes. */
export const MAXIMUM_BLOCK_SIZE = 128 << 10;

const Kind = { RAW: 0, REPEATED: 1, COMPRESSED: 2, TREELESS: 3 } as const;
/** Bytes of the lengths of the first three of four streams. */
const JUMP_TABLE_LENGTH = 6;

/** What a header of literals says. */
interface LiteralsHeader {
  readonly kind: number;
  readonly length: number;
  /** Index after the header. */
  readonly at: number;
  /** Bytes that follow. */
  readonly size: number;
  readonly streams: 1 | 4;
}

/** Decodes the literals of one block after the other. */
export class LiteralsDecoder {
  /** The literals of the block that was read last. */
  readonly bytes = new Uint8Array(MAXIMUM_BLOCK_SIZE);
  /** How many there are. */
  length = 0;
  /** A block can take the code of one before. */
  #table: HuffmanTable | undefined;

  /**
   * Reads the literals.
   *
   * @returns The index after them.
   * @throws {ZstdError}
   */
  read(block: Uint8Array, start: number, end: number): number {
    const header = readHeader(block, start, end);
    const { kind, length, size, streams } = header;
    let { at } = header;
    const after = at + size;
    if (length > MAXIMUM_BLOCK_SIZE || after > end) {
      throw new ZstdError("literals are cut");
    }
    this.length = length;
    if (kind === Kind.RAW) this.bytes.set(block.subarray(at, after));
    else if (kind === Kind.REPEATED) this.bytes.fill(block[at]!, 0, length);
    else {
      if (kind === Kind.COMPRESSED) {
        const { table, end: tableEnd } = HuffmanTable.read(block, at, after);
        this.#table = table;
        at = tableEnd;
      }
      this.#decode(block, at, after, streams);
    }
    return after;
  }

  #decode(
    block: Uint8Array,
    start: number,
    end: number,
    streams: 1 | 4,
  ): void {
    const table = this.#table;
    if (table === undefined) throw new ZstdError("a Huffman code is missing");
    const { bytes, length } = this;
    if (streams === 1) {
      table.decode(block, start, end, bytes, 0, length);
      return;
    }
    const each = (length + 3) >> 2;
    let at = start + JUMP_TABLE_LENGTH;
    if (at > end || 3 * each > length) throw new ZstdError("literals are cut");
    for (let i = 0; i < 4; i++) {
      const jump = start + 2 * i;
      const stop = i === 3 ? end : at + (block[jump]! | block[jump + 1]! << 8);
      if (stop > end) throw new ZstdError("literals are cut");
      const until = i === 3 ? length : (i + 1) * each;
      table.decode(block, at, stop, bytes, i * each, until);
      at = stop;
    }
  }
}

function readHeader(
  block: Uint8Array,
  start: number,
  end: number,
): LiteralsHeader {
  const byte = (i: number): number => start + i < end ? block[start + i]! : 0;
  const kind = byte(0) & 3;
  const format = byte(0) >> 2 & 3;
  if (kind === Kind.RAW || kind === Kind.REPEATED) {
    const headerLength = format === 1 ? 2 : format === 3 ? 3 : 1;
    const length = format === 1
      ? byte(0) >> 4 | byte(1) << 4
      : format === 3
      ? byte(0) >> 4 | byte(1) << 4 | byte(2) << 12
      : byte(0) >> 3;
    return {
      kind,
      length,
      at: start + headerLength,
      size: kind === Kind.RAW ? length : 1,
      streams: 1,
    };
  }
  // 10, 14 or 18 bits each, which a double holds together.
  const width = format < 2 ? 10 : format === 2 ? 14 : 18;
  const both = (byte(0) >> 4) + byte(1) * 2 ** 4 + byte(2) * 2 ** 12 +
    (format > 1 ? byte(3) * 2 ** 20 : 0) + (format > 2 ? byte(4) * 2 ** 28 : 0);
  return {
    kind,
    length: both % (1 << width),
    at: start + (format < 2 ? 3 : format + 2),
    size: Math.floor(both / (1 << width)),
    streams: format === 0 ? 1 : 4,
  };
}
