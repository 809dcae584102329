/**
 * Decompression of Zstandard data, RFC 8878.
 *
 * ```
 * Frame
 *  +-------+------------+--------+-------+-----+----------+
 *  | magic | descriptor | window | block | ... | checksum |
 *  +-------+------------+--------+-------+-----+----------+
 * Block: 3 bytes, little-endian, and its data
 *   23      3 2    1    0
 *  +---------+------+------+
 *  | size    | kind | last |
 *  +---------+------+------+
 * ```
 *
 * Dictionaries are not supported. The checksum at the end of a frame is passed
 * over.
 *
 * @module
 */

import { ChunkBuffer } from "../chunk_buffer.ts";
import { ZstdError } from "./error.ts";
import { isSkippable, isZstd } from "./magic.ts";
import { LiteralsDecoder, MAXIMUM_BLOCK_SIZE } from "./literals.ts";
import { SequencesDecoder } from "./sequences.ts";
import { Window } from "./window.ts";

export { ZstdError } from "./error.ts";

/** Largest window that is taken, as of the program zstd. */
const MAXIMUM_WINDOW_SIZE = 128 << 20;

const MAGIC_LENGTH = 4;
const SKIPPABLE_HEADER_LENGTH = 8;
const BLOCK_HEADER_LENGTH = 3;
const CHECKSUM_LENGTH = 4;

const BlockKind = { RAW: 0, REPEATED: 1, COMPRESSED: 2 } as const;
/** Bytes of a dictionary's number, and of the content size, by their flags. */
const DICTIONARY_LENGTHS: readonly number[] = [0, 1, 2, 4];
const CONTENT_SIZE_LENGTHS: readonly number[] = [0, 2, 4, 8];

/** What is needed to decode the blocks of a frame. */
interface Frame {
  readonly hasChecksum: boolean;
  readonly window: Window;
  readonly literals: LiteralsDecoder;
  readonly sequences: SequencesDecoder;
}

/** Decompresses frames as their bytes are pushed. */
export class ZstdDecoder {
  readonly #buffer = new ChunkBuffer();
  #frame: Frame | undefined;
  #toSkip = 0;
  #isComplete = false;

  /** Appends bytes, which are kept until they are decompressed. */
  push(chunk: Uint8Array): void {
    this.#buffer.push(chunk);
  }

  /** States that no more bytes come. */
  complete(): void {
    this.#isComplete = true;
  }

  /** Copies what was not read yet, so that pushed chunks can change. */
  keep(): void {
    this.#buffer.keep();
  }

  /**
   * The next piece of what was compressed; may be empty.
   *
   * @returns `undefined` when more bytes are needed or, after
   *   {@linkcode ZstdDecoder.complete}, at the end.
   * @throws {ZstdError} when the data are damaged or cut here
   */
  next(): Uint8Array | undefined {
    for (;;) {
      if (!this.#skip()) return this.#needMore();
      if (this.#frame !== undefined) return this.#readBlock(this.#frame);
      if (!this.#readFrame()) return this.#needMore();
    }
  }

  #needMore(): undefined {
    const { remaining } = this.#buffer;
    const isInside = this.#frame !== undefined || this.#toSkip > 0;
    if (this.#isComplete && (remaining > 0 || isInside)) {
      throw new ZstdError("unexpected end of file");
    }
  }

  /** Passes over what is of no interest; false when it is not all there. */
  #skip(): boolean {
    const length = Math.min(this.#toSkip, this.#buffer.remaining);
    if (length > 0 && this.#buffer.has(length)) {
      this.#buffer.consume(length);
      this.#toSkip -= length;
    }
    return this.#toSkip === 0;
  }

  /** Reads a frame's header; false when it is not all there. */
  #readFrame(): boolean {
    const buffer = this.#buffer;
    if (!buffer.has(MAGIC_LENGTH + 1)) return false;
    const magic = buffer.view.getUint32(buffer.position, true);
    if (isSkippable(magic)) {
      if (!buffer.has(SKIPPABLE_HEADER_LENGTH)) return false;
      this.#toSkip = buffer.view.getUint32(
        buffer.position + MAGIC_LENGTH,
        true,
      );
      buffer.consume(SKIPPABLE_HEADER_LENGTH);
      return true;
    }
    if (!isZstd(magic)) {
      throw new ZstdError("a frame has no magic number");
    }
    const descriptor = buffer.bytes[buffer.position + MAGIC_LENGTH]!;
    const isSingle = (descriptor & 0x20) !== 0;
    const dictionaryLength = DICTIONARY_LENGTHS[descriptor & 3]!;
    const sizeLength = CONTENT_SIZE_LENGTHS[descriptor >> 6]! ||
      (isSingle ? 1 : 0);
    const windowLength = isSingle ? 0 : 1;
    const length = MAGIC_LENGTH + 1 + windowLength + dictionaryLength +
      sizeLength;
    if (!buffer.has(length)) return false;
    const { bytes, position } = buffer;
    const at = position + MAGIC_LENGTH + 1;
    const dictionaryAt = at + windowLength;
    if (readNumber(bytes, dictionaryAt, dictionaryLength) !== 0) {
      throw new ZstdError("a dictionary is needed");
    }
    const size = isSingle
      ? readNumber(bytes, dictionaryAt + dictionaryLength, sizeLength) +
        (sizeLength === 2 ? 256 : 0)
      : windowSize(bytes[at]!);
    if (size > MAXIMUM_WINDOW_SIZE) {
      throw new ZstdError(`a window of ${size} bytes is too large`);
    }
    buffer.consume(length);
    this.#frame = {
      hasChecksum: (descriptor & 4) !== 0,
      window: new Window(size),
      literals: new LiteralsDecoder(),
      sequences: new SequencesDecoder(),
    };
    return true;
  }

  #readBlock(frame: Frame): Uint8Array | undefined {
    const buffer = this.#buffer;
    if (!buffer.has(BLOCK_HEADER_LENGTH)) return this.#needMore();
    const header = readNumber(buffer.bytes, buffer.position, 3);
    const kind = header >> 1 & 3;
    const size = header >> 3;
    const length = kind === BlockKind.REPEATED ? 1 : size;
    if (size > MAXIMUM_BLOCK_SIZE) throw new ZstdError("a block is too large");
    if (!buffer.has(BLOCK_HEADER_LENGTH + length)) return this.#needMore();
    const start = buffer.position + BLOCK_HEADER_LENGTH;
    const data = buffer.bytes.subarray(start, start + length);
    buffer.consume(BLOCK_HEADER_LENGTH + length);
    if ((header & 1) !== 0) {
      this.#frame = undefined;
      this.#toSkip = frame.hasChecksum ? CHECKSUM_LENGTH : 0;
    }
    return decodeBlock(frame, kind, size, data);
  }
}

function decodeBlock(
  { window, literals, sequences }: Frame,
  kind: number,
  size: number,
  data: Uint8Array,
): Uint8Array {
  window.beginBlock();
  switch (kind) {
    case BlockKind.RAW:
      window.append(data);
      break;
    case BlockKind.REPEATED:
      window.fill(data[0]!, size);
      break;
    case BlockKind.COMPRESSED: {
      const at = literals.read(data, 0, data.length);
      let taken = 0;
      sequences.read(data, at, data.length, (count, offset, length) => {
        if (taken + count > literals.length) {
          throw new ZstdError("there are too few literals");
        }
        window.append(literals.bytes, taken, taken + count);
        taken += count;
        window.repeat(offset, length);
      });
      window.append(literals.bytes, taken, literals.length);
      break;
    }
    default:
      throw new ZstdError("a block is of an unknown kind");
  }
  return window.endBlock();
}

/** A little-endian number of up to 8 bytes; large ones lose their end. */
function readNumber(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = length - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!;
  return value;
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + base / 8 * (descriptor & 7);
}
