/**
 * The few words of shared memory with which the main thread steers the
 * sniffer and reads its figures.
 *
 * @module
 */

/** What the sniffer shall do. */
export const SnifferCommand = {
  RUN: 0,
  /** Take what arrived until now, then end. */
  FINISH: 1,
  /** End at once. */
  ABORT: 2,
} as const;

const COMMAND = 0;
const SOCKETS = 1;
const LAUNCHED = 2;
// From byte 16 on, as 64-bit floats.
const PACKETS = 2;
const BYTES = 3;
const DROPS = 4;

/** Control block; each thread opens its own view. */
export class Control {
  readonly #integers: Int32Array<SharedArrayBuffer>;
  readonly #floats: Float64Array<SharedArrayBuffer>;

  /** Opens a block made by {@linkcode createControl}. */
  constructor(readonly memory: SharedArrayBuffer) {
    this.#integers = new Int32Array(memory);
    this.#floats = new Float64Array(memory);
  }

  /** The {@linkcode SnifferCommand} in force. */
  get command(): number {
    return Atomics.load(this.#integers, COMMAND);
  }

  set command(command: number) {
    Atomics.store(this.#integers, COMMAND, command);
  }

  /** Sockets of the program seen so far; written by the tracker. */
  get sockets(): number {
    return Atomics.load(this.#integers, SOCKETS);
  }

  set sockets(count: number) {
    Atomics.store(this.#integers, SOCKETS, count);
  }

  /** Whether the command runs; written by the main thread. */
  get launched(): boolean {
    return Atomics.load(this.#integers, LAUNCHED) !== 0;
  }

  set launched(launched: boolean) {
    Atomics.store(this.#integers, LAUNCHED, launched ? 1 : 0);
  }

  /** Packets written. */
  get packets(): number {
    return this.#floats[PACKETS]!;
  }

  /** Bytes of the packets written. */
  get bytes(): number {
    return this.#floats[BYTES]!;
  }

  /** Packets that the kernel dropped. */
  get drops(): number {
    return this.#floats[DROPS]!;
  }

  /** The sniffer's figures. */
  publish(packets: number, bytes: number, drops: number): void {
    this.#floats[PACKETS] = packets;
    this.#floats[BYTES] = bytes;
    this.#floats[DROPS] = drops;
  }
}

/** Makes the memory of a control block. */
export function createControl(): SharedArrayBuffer {
  return new SharedArrayBuffer(64);
}
