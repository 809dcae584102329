/**
 * Putting a block together, little-endian.
 *
 * @module
 */

import { BLOCK_HEAD_LENGTH, BLOCK_LENGTH_OFFSET, padded } from "./format.ts";
import { MAXIMUM_OPTION_LENGTH } from "./options.ts";

const ENCODER = new TextEncoder();
const FIRST_SIZE = 256;
/** UTF-8: bytes that go on with a character have these bits. */
const CONTINUATION_MASK = 0xc0;
const CONTINUATION = 0x80;

/** Grows as fields and options are added. */
export class BlockBuilder {
  #bytes = new Uint8Array(FIRST_SIZE);
  #view = new DataView(this.#bytes.buffer);
  #length = BLOCK_HEAD_LENGTH;
  #hasOptions = false;

  /**
   * Begins a block.
   *
   * @param type See {@linkcode BlockType}.
   */
  constructor(type: number) {
    this.#view.setUint32(0, type, true);
  }

  /** Adds 16 bits. */
  uint16(value: number): this {
    this.#grow(2);
    this.#view.setUint16(this.#length, value, true);
    this.#length += 2;
    return this;
  }

  /** Adds 32 bits. */
  uint32(value: number): this {
    this.#grow(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
    return this;
  }

  /** Adds 64 bits. */
  uint64(value: bigint): this {
    this.#grow(8);
    this.#view.setBigUint64(this.#length, value, true);
    this.#length += 8;
    return this;
  }

  /** Adds a time: 64 bits, of which the upper half comes first. */
  time(value: bigint): this {
    return this.uint32(Number(value >> 32n & 0xffff_ffffn))
      .uint32(Number(value & 0xffff_ffffn));
  }

  /** Adds bytes, padded to 4 with zeros. */
  bytes(value: Uint8Array): this {
    this.#grow(padded(value.length));
    this.#bytes.set(value, this.#length);
    this.#length += padded(value.length);
    return this;
  }

  /**
   * Adds an option.
   *
   * @throws {RangeError} When the value is longer than 65535 bytes.
   */
  option(code: number, value: Uint8Array): this {
    if (value.length > MAXIMUM_OPTION_LENGTH) {
      throw new RangeError(
        `Cannot encode pcapng option ${code}: ` +
          `it has ${value.length} bytes, the most is ${MAXIMUM_OPTION_LENGTH}`,
      );
    }
    this.#hasOptions = true;
    return this.uint16(code).uint16(value.length).bytes(value);
  }

  /** Adds an option of one byte. */
  optionByte(code: number, value: number | undefined): this {
    return value === undefined ? this : this.option(code, Uint8Array.of(value));
  }

  /** Adds an option of 64 bits, unless there is nothing to say. */
  optionLong(code: number, value: bigint | undefined): this {
    if (value === undefined) return this;
    this.#hasOptions = true;
    return this.uint16(code).uint16(8).uint64(value);
  }

  /** Adds an option that is a time, unless there is nothing to say. */
  optionTime(code: number, value: bigint | undefined): this {
    if (value === undefined) return this;
    this.#hasOptions = true;
    return this.uint16(code).uint16(8).time(value);
  }

  /** Adds text, cut to what an option holds, unless there is none. */
  optionText(code: number, text: string | undefined): this {
    return text === undefined ? this : this.option(code, encodeText(text));
  }

  /** Ends the options, if there are any, and the block. */
  finish(): Uint8Array {
    if (this.#hasOptions) this.uint32(0);
    const length = this.#length + BLOCK_LENGTH_OFFSET;
    this.uint32(length);
    this.#view.setUint32(BLOCK_LENGTH_OFFSET, length, true);
    return this.#bytes.slice(0, length);
  }

  /** Makes room for `length` more bytes, which are zero. */
  #grow(length: number): void {
    const needed = this.#length + length;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/**
 * Encodes text as an option holds it.
 *
 * @returns UTF-8, at most 65535 bytes, of whole characters.
 */
export function encodeText(text: string): Uint8Array {
  const bytes = ENCODER.encode(text);
  if (bytes.length <= MAXIMUM_OPTION_LENGTH) return bytes;
  let end = MAXIMUM_OPTION_LENGTH;
  while ((bytes[end]! & CONTINUATION_MASK) === CONTINUATION) end--;
  return bytes.subarray(0, end);
}
