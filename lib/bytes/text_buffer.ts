/**
 * Text that grows as UTF-8 bytes. Memory is used again after
 * {@linkcode TextBuffer.clear}, so that a long output makes no strings.
 *
 * @module
 */

const FIRST_CAPACITY = 1 << 10;
/** UTF-8 bytes of one UTF-16 unit, at most. */
const UNIT_LENGTH = 3;
/** Digits of a number below 2^31. */
const MAX_DIGITS = 10;
const MAX_SMALL = 0x7fff_ffff;
/** Powers of ten: reading them takes less time than computing them. */
const SCALES = [1, 10, 100, 1000, 1e4, 1e5, 1e6] as const;
/** What has more digits than the place says. */
const LIMITS = [0, 10, 100, 1000, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9] as const;
const ZERO = 0x30;
const MINUS = 0x2d;
const POINT = 0x2e;
const SPACE = 0x20;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * A text under way.
 *
 * @example Put a line together
 * ```ts
 * import { TextBuffer } from "./text_buffer.ts";
 * import assert from "node:assert/strict";
 *
 * const text = new TextBuffer();
 * text.text("ms=");
 * text.number(1.5, 2);
 * assert.equal(text.toString(), "ms=1.50");
 * text.clear();
 * assert.equal(text.length, 0);
 * ```
 */
export class TextBuffer {
  #bytes = new Uint8Array(FIRST_CAPACITY);
  #length = 0;

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** The bytes so far, until the text changes. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Begins again. */
  clear(): void {
    this.#length = 0;
  }

  /** Appends one ASCII character. */
  character(code: number): void {
    const bytes = this.#reserve(1);
    bytes[this.#length++] = code;
  }

  /** Appends a text. */
  text(text: string): void {
    const { length } = text;
    const bytes = this.#reserve(UNIT_LENGTH * length);
    let at = this.#length;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) {
        const rest = encoder.encodeInto(text, bytes.subarray(this.#length));
        this.#length += rest.written;
        return;
      }
      bytes[at++] = code;
    }
    this.#length = at;
  }

  /**
   * Appends a number.
   *
   * @param digits Digits behind the point; the last one is rounded.
   */
  number(value: number, digits = 0): void {
    if (digits === 0) {
      if (value >= 0 && value <= MAX_SMALL && (value | 0) === value) {
        this.#digits(value, 1);
      } else this.text(value.toFixed(0));
      return;
    }
    const scale = SCALES[digits] ?? 10 ** digits;
    const total = Math.round(Math.abs(value) * scale);
    const whole = Math.floor(total / scale);
    if (!(whole <= MAX_SMALL)) {
      this.text(value.toFixed(digits));
      return;
    }
    if (value < 0 && total > 0) this.character(MINUS);
    this.#digits(whole, 1);
    this.character(POINT);
    this.#digits(total - whole * scale, digits);
  }

  /**
   * Inserts spaces.
   *
   * @param offset Where, in bytes.
   */
  pad(offset: number, count: number): void {
    if (count <= 0) return;
    const bytes = this.#reserve(count);
    bytes.copyWithin(offset + count, offset, this.#length);
    bytes.fill(SPACE, offset, offset + count);
    this.#length += count;
  }

  /** The text so far. */
  toString(): string {
    return decoder.decode(this.bytes);
  }

  /** Appends a number below 2^31 with at least so many digits. */
  #digits(value: number, least: number): void {
    const bytes = this.#reserve(MAX_DIGITS);
    let count = least;
    while (count < MAX_DIGITS && value >= LIMITS[count]!) count++;
    let rest = value | 0;
    for (let at = this.#length + count - 1; at >= this.#length; at--) {
      const next = rest / 10 | 0;
      bytes[at] = ZERO + rest - 10 * next;
      rest = next;
    }
    this.#length += count;
  }

  /** Makes room behind what is there. */
  #reserve(count: number): Uint8Array<ArrayBuffer> {
    const needed = this.#length + count;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    return this.#bytes;
  }
}
