/**
 * A bounds-checked cursor over bytes, for everything whose length the data
 * itself decides.
 *
 * @module
 */

/**
 * Thrown by {@linkcode ByteReader} when the data end too early. Decoders catch
 * it at the border of their layer; it never reaches a user.
 */
export class Truncated extends RangeError {
  /** Tells it from other errors. */
  override readonly name = "Truncated";
  /** Offset at which the bytes were wanted. */
  readonly offset: number;
  /** How many bytes were wanted there. */
  readonly needed: number;
  /** How many bytes were there. */
  readonly available: number;

  /** Makes the error. */
  constructor(offset: number, needed: number, available: number) {
    super(
      `Cannot read ${needed} bytes at offset ${offset}: only ${available} left`,
    );
    this.offset = offset;
    this.needed = needed;
    this.available = available;
  }
}

/** Reads numbers and byte runs one after the other. */
export class ByteReader {
  /** The bytes that are read, whole. */
  readonly bytes: Uint8Array;
  /** Offset after the last readable byte. */
  readonly end: number;
  #offset: number;
  #littleEndian: boolean;

  /**
   * Begins at `start`.
   *
   * @param bytes Data; not copied.
   * @param start Offset of the first readable byte.
   * @param end Offset after the last readable byte, cut to the data's length.
   * @param littleEndian Byte order of numbers; network order by default.
   */
  constructor(
    bytes: Uint8Array,
    start = 0,
    end: number = bytes.length,
    littleEndian = false,
  ) {
    this.bytes = bytes;
    this.end = Math.min(end, bytes.length);
    this.#offset = start;
    this.#littleEndian = littleEndian;
  }

  /** Offset in `bytes` of the next byte to read. */
  get offset(): number {
    return this.#offset;
  }

  /** How many bytes are left; 0 when the offset was moved past the end. */
  get remaining(): number {
    return Math.max(0, this.end - this.#offset);
  }

  /**
   * Moves to an offset in `bytes`. Reading checks it, moving does not.
   *
   * @param offset Not negative.
   */
  seek(offset: number): void {
    this.#offset = offset;
  }

  /**
   * Moves forward over `length` bytes.
   *
   * @throws {Truncated} When fewer are left.
   */
  skip(length: number): void {
    this.#take(length);
  }

  /**
   * Reads an unsigned 8-bit number.
   *
   * @throws {Truncated} At the end of the data.
   */
  u8(): number {
    return this.bytes[this.#take(1)]!;
  }

  /**
   * Reads an unsigned 16-bit number.
   *
   * @throws {Truncated} When fewer than 2 bytes are left.
   */
  u16(): number {
    const at = this.#take(2);
    const first = this.bytes[at]!;
    const second = this.bytes[at + 1]!;
    return this.#littleEndian ? first | (second << 8) : (first << 8) | second;
  }

  /**
   * Reads an unsigned 32-bit number.
   *
   * @throws {Truncated} When fewer than 4 bytes are left.
   */
  u32(): number {
    const at = this.#take(4);
    const a = this.bytes[at]!;
    const b = this.bytes[at + 1]!;
    const c = this.bytes[at + 2]!;
    const d = this.bytes[at + 3]!;
    return this.#littleEndian
      ? (a | (b << 8) | (c << 16) | (d << 24)) >>> 0
      : ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  }

  /**
   * Reads an unsigned 64-bit number.
   *
   * @throws {Truncated} When fewer than 8 bytes are left.
   */
  u64(): bigint {
    if (this.remaining < 8) this.#take(8);
    const first = BigInt(this.u32());
    const second = BigInt(this.u32());
    return this.#littleEndian
      ? first | (second << 32n)
      : (first << 32n) | second;
  }

  /**
   * Reads `length` bytes.
   *
   * @returns A view on the data, not a copy.
   * @throws {Truncated} When fewer are left.
   */
  take(length: number): Uint8Array {
    const at = this.#take(length);
    return this.bytes.subarray(at, at + length);
  }

  #take(length: number): number {
    const at = this.#offset;
    if (at + length > this.end) {
      throw new Truncated(at, length, this.remaining);
    }
    this.#offset = at + length;
    return at;
  }
}
