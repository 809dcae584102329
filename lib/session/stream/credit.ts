/**
 * The memory that both ends of a packet stream share: how much is under way,
 * what was lost, and what is wanted.
 *
 * The sending thread never waits for the receiving one: a packet for which
 * there is no room is counted and dropped.
 *
 * @module
 */

// Words.
const RETURNED = 0;
const SNAPLEN = 1;
// From byte 16 on, as 64-bit floats.
const CAPTURED = 2;
const DROPPED = 3;
const PAUSED = 4;
const RESUMED = 5;
const SIZE = 48;

/** Makes the memory. */
export function createCredit(): SharedArrayBuffer {
  return new SharedArrayBuffer(SIZE);
}

/** One end's view. */
export class Credit {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #floats: Float64Array<SharedArrayBuffer>;

  /** Opens memory made by {@linkcode createCredit}. */
  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
    this.#floats = new Float64Array(memory);
  }

  /** Bytes that the receiver has done with, modulo 2³². */
  get returned(): number {
    return Atomics.load(this.#words, RETURNED);
  }

  /** The receiver is done with so many bytes. */
  giveBack(bytes: number): void {
    Atomics.add(this.#words, RETURNED, bytes);
  }

  /** Packets from this time on, in seconds since 1970, are not wanted. */
  pause(time: number): void {
    // Until both are changed, the pause is empty.
    this.#floats[PAUSED] = time;
    this.#floats[RESUMED] = Infinity;
  }

  /** Packets from this time on are wanted again. */
  resume(time: number): void {
    this.#floats[RESUMED] = time;
  }

  /** Whether a packet of this time fell into the pause. */
  isUnwanted(time: number): boolean {
    return time >= this.#floats[PAUSED]! && time < this.#floats[RESUMED]!;
  }

  /** Bytes of each packet that are wanted, link header included; 0 for all. */
  get snaplen(): number {
    return Atomics.load(this.#words, SNAPLEN) >>> 0;
  }

  set snaplen(snaplen: number) {
    Atomics.store(this.#words, SNAPLEN, snaplen);
  }

  /** Packets that were sent. */
  get captured(): number {
    return this.#floats[CAPTURED]!;
  }

  /** Packets for which there was no room. */
  get dropped(): number {
    return this.#floats[DROPPED]!;
  }

  /** The sender's figures. */
  publish(captured: number, dropped: number): void {
    this.#floats[CAPTURED] = captured;
    this.#floats[DROPPED] = dropped;
  }
}
