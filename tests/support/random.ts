/**
 * Random numbers that come again with the same seed.
 *
 * @module
 */

/** Random 32-bit numbers (xorshift). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  /** Less than `limit`. */
  below(limit: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state % limit;
  }

  /** One of several. */
  one<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
}
