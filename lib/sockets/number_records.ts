/**
 * A queue of small records of numbers. Connections come and go in thousands
 * each second, and some things are remembered of each for a minute: as objects
 * they would keep the garbage collector busier than all the rest.
 *
 * @module
 */

const FIRST_CAPACITY = 64;

/** Records of a fixed number of numbers, oldest first. */
export class NumberRecords {
  readonly #width: number;
  #values: Float64Array;
  /** Where the oldest record begins. */
  #start = 0;
  /** Where the next one will begin. */
  #end = 0;

  /** @param width numbers of a record */
  constructor(width: number) {
    this.#width = width;
    this.#values = new Float64Array(FIRST_CAPACITY * width);
  }

  /** The memory of the records; another one after each `append`. */
  get values(): Float64Array {
    return this.#values;
  }

  /** Number of records. */
  get length(): number {
    return (this.#end - this.#start) / this.#width;
  }

  /** Whether there is none. */
  get isEmpty(): boolean {
    return this.#end === this.#start;
  }

  /** Place in `values` of the first number of the oldest record. */
  get first(): number {
    return this.#start;
  }

  /**
   * Makes room for one more record.
   *
   * @returns the place in `values` of its first number
   */
  append(): number {
    if (this.#end === this.#values.length) this.#makeRoom();
    const at = this.#end;
    this.#end += this.#width;
    return at;
  }

  /** Drops the oldest record. */
  shift(): void {
    this.#start += this.#width;
  }

  /** Whether a record fulfils a condition, given its place in `values`. */
  some(condition: (at: number) => boolean): boolean {
    for (let at = this.#start; at < this.#end; at += this.#width) {
      if (condition(at)) return true;
    }
    return false;
  }

  /** Keeps those that fulfil a condition, given their place in `values`. */
  filter(condition: (at: number) => boolean): void {
    let kept = this.#start;
    for (let at = this.#start; at < this.#end; at += this.#width) {
      if (!condition(at)) continue;
      if (kept !== at) this.#values.copyWithin(kept, at, at + this.#width);
      kept += this.#width;
    }
    this.#end = kept;
  }

  #makeRoom(): void {
    const used = this.#values.subarray(this.#start, this.#end);
    const isFull = used.length > this.#values.length / 2;
    const values = isFull
      ? new Float64Array(2 * this.#values.length)
      : this.#values;
    values.set(used);
    this.#values = values;
    this.#end = used.length;
    this.#start = 0;
  }
}
