/**
 * Texts of fields that come again and again: addresses and names.
 *
 * @module
 */

/** Texts that are remembered; a power of two. */
const PLACES = 1 << 11;

/**
 * Remembers what the bytes of a field mean. Each value has one place, where
 * the next value of that place replaces it: nothing grows.
 */
export class KnownTexts {
  readonly #words: number;
  readonly #keys: Int32Array;
  readonly #texts: (string | undefined)[] = new Array(PLACES);
  readonly #decode: (offset: number) => string;

  /**
   * Begins empty.
   *
   * @param words Length of the field in words of 4 bytes.
   * @param decode Text of the field at an offset.
   */
  constructor(words: number, decode: (offset: number) => string) {
    this.#words = words;
    this.#keys = new Int32Array(words * PLACES);
    this.#decode = decode;
  }

  /** Text of the field at an offset. */
  at(view: DataView, offset: number): string {
    const words = this.#words;
    let hash = 0;
    for (let i = 0; i < words; i++) {
      // Addresses differ in their last byte, the upper one of the word.
      hash ^= view.getInt32(offset + 4 * i, true);
      hash = Math.imul(hash ^ hash >>> 16, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    const place = hash & PLACES - 1;
    const first = words * place;
    const keys = this.#keys;
    let isKnown = true;
    for (let i = 0; i < words; i++) {
      const word = view.getInt32(offset + 4 * i, true);
      if (keys[first + i] !== word) isKnown = false;
      keys[first + i] = word;
    }
    const known = this.#texts[place];
    if (isKnown && known !== undefined) return known;
    const text = this.#decode(offset);
    this.#texts[place] = text;
    return text;
  }
}
