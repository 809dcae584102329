/**
 * Time stamps of pcapng: 64-bit counts of a unit that the interface names.
 *
 * @module
 */

/** Unit of interfaces that name none: microseconds. */
export const DEFAULT_RESOLUTION = 6;

const NANOSECONDS = 1_000_000_000;
const HALF = 0x1_0000;
const WORD = 0x1_0000_0000;
/** Bit of a resolution that makes it a power of 2. */
const BINARY_BIT = 0x80;
/** Units up to here can be divided in doubles without a rounding error. */
const MOST_EXACT_UNITS = 2 ** 36;
/** Fractions below this can be multiplied by 10^9 in the same way. */
const MOST_EXACT_FRACTION = 2 ** 23;

/**
 * Turns counts into seconds and nanoseconds, which it keeps in fields: nothing
 * is allocated for a packet.
 */
export class TimeScale {
  /** How many units a second has. */
  readonly unitsPerSecond: bigint;
  /** Seconds since 1970 of the count that was set last. */
  seconds = 0;
  /** Nanoseconds after `seconds`, rounded down. */
  nanoseconds = 0;
  readonly #offset: number;
  readonly #units: number;
  /** Whether doubles are exact. */
  readonly #isExact: boolean;

  /**
   * Makes the scale of an interface.
   *
   * @param resolution Value of `if_tsresol`: the exponent of 10, or with the
   *   high bit of 2, negated.
   * @param offset Value of `if_tsoffset`: seconds to add.
   */
  constructor(resolution: number = DEFAULT_RESOLUTION, offset = 0n) {
    const isBinary = (resolution & BINARY_BIT) !== 0;
    const exponent = BigInt(resolution & ~BINARY_BIT);
    this.unitsPerSecond = (isBinary ? 2n : 10n) ** exponent;
    this.#offset = Number(offset);
    this.#units = Number(this.unitsPerSecond);
    this.#isExact = isBinary
      ? this.#units <= MOST_EXACT_FRACTION
      : this.#units <= NANOSECONDS && this.#units <= MOST_EXACT_UNITS;
  }

  /**
   * Sets `seconds` and `nanoseconds` from both halves of a count.
   *
   * @param upper Upper 32 bits.
   * @param lower Lower 32 bits.
   */
  set(upper: number, lower: number): void {
    if (!this.#isExact) {
      this.#setLarge(upper, lower);
      return;
    }
    // Long division with digits of 32, 16 and 16 bits.
    const units = this.#units;
    const first = Math.floor(upper / units);
    let rest = (upper - first * units) * HALF + (lower >>> 16);
    const second = Math.floor(rest / units);
    rest = (rest - second * units) * HALF + (lower & 0xffff);
    const third = Math.floor(rest / units);
    rest -= third * units;
    this.seconds = this.#offset + first * WORD + second * HALF + third;
    this.nanoseconds = Math.floor(rest * NANOSECONDS / units);
  }

  #setLarge(upper: number, lower: number): void {
    const units = this.unitsPerSecond;
    const count = BigInt(upper) << 32n | BigInt(lower);
    this.seconds = this.#offset + Number(count / units);
    this.nanoseconds = Number(count % units * BigInt(NANOSECONDS) / units);
  }
}
