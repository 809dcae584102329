/**
 * A queue of keys with times, without an object for each.
 *
 * @module
 */

/** Keys that a new queue has room for. */
const FIRST_CAPACITY = 256;

/** Keys of one size in the order in which they came. */
export class KeyQueue {
  readonly #keySize: number;
  readonly #maxLength: number;
  #capacity: number;
  #keys: Uint8Array;
  #dues: Float64Array;
  #head = 0;
  #length = 0;

  /** Makes an empty queue that grows up to a number of keys. */
  constructor(keySize: number, maxLength: number) {
    this.#keySize = keySize;
    this.#maxLength = Math.max(1, maxLength);
    this.#capacity = Math.min(FIRST_CAPACITY, this.#maxLength);
    this.#keys = new Uint8Array(this.#capacity * keySize);
    this.#dues = new Float64Array(this.#capacity);
  }

  /** Number of keys. */
  get length(): number {
    return this.#length;
  }

  /** Whether another key would be too much. */
  get isFull(): boolean {
    return this.#length === this.#maxLength;
  }

  /** Time of the first key; infinite when there is none. */
  get due(): number {
    return this.#length === 0 ? Infinity : this.#dues[this.#head]!;
  }

  /**
   * Appends a key.
   *
   * @throws {RangeError} when the queue is full
   */
  push(key: Uint8Array, due: number): void {
    if (this.isFull) throw new RangeError("Cannot append to a full queue");
    if (this.#length === this.#capacity) this.#grow();
    const at = (this.#head + this.#length) % this.#capacity;
    this.#keys.set(key, at * this.#keySize);
    this.#dues[at] = due;
    this.#length++;
  }

  /** Moves the first key into `target`; false when there is none. */
  shift(target: Uint8Array): boolean {
    if (this.#length === 0) return false;
    const start = this.#head * this.#keySize;
    // Keys are short: a view on one takes longer to make than to copy.
    for (let i = 0; i < this.#keySize; i++) target[i] = this.#keys[start + i]!;
    this.#head = (this.#head + 1) % this.#capacity;
    this.#length--;
    return true;
  }

  #grow(): void {
    const capacity = Math.min(this.#capacity * 2, this.#maxLength);
    const keys = new Uint8Array(capacity * this.#keySize);
    const dues = new Float64Array(capacity);
    // The part from the head to the end comes first.
    const first = this.#head * this.#keySize;
    keys.set(this.#keys.subarray(first));
    keys.set(this.#keys.subarray(0, first), this.#keys.length - first);
    dues.set(this.#dues.subarray(this.#head));
    dues.set(this.#dues.subarray(0, this.#head), this.#capacity - this.#head);
    this.#capacity = capacity;
    this.#keys = keys;
    this.#dues = dues;
    this.#head = 0;
  }
}
