/**
 * The few words of shared memory with which the main thread steers the
 * sniffer and reads its figures.
 *
 * @module
 */

import type { TapSource } from "./taps.ts";

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
const TAPS = 3;
// From byte 16 on, as 64-bit floats.
const PACKETS = 2;
const BYTES = 3;
const DROPS = 4;

/** Network namespaces beside that of tracedump. */
export const MOST_TAPS = 256;
/** Interfaces that are named by index in each. */
const MOST_INTERFACES = 9;
// From word 16 on, for each tap: 0 socket, 1 links, 2 namespace, 3-5 the ring,
// 6 number of interfaces or -1 for all, 7-15 their indexes.
const TAPS_AT = 16;
const TAP_WORDS = 7 + MOST_INTERFACES;

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

  /** Packet sockets that the tracker opened in other namespaces. */
  get tapCount(): number {
    return Atomics.load(this.#integers, TAPS);
  }

  /**
   * Hands a packet socket over to the sniffer.
   *
   * @returns false when there is no room for more
   */
  addTap({ socket, links, netns, ring, interfaces }: TapSource): boolean {
    const count = this.tapCount;
    if (count === MOST_TAPS) return false;
    const at = TAPS_AT + count * TAP_WORDS;
    const indexes = interfaces?.slice(0, MOST_INTERFACES);
    const { blockCount, blockSize } = ring;
    this.#integers.set(
      [socket, links, netns, blockCount, blockSize, ring.timeout],
      at,
    );
    this.#integers.set([indexes?.length ?? -1, ...indexes ?? []], at + 6);
    Atomics.store(this.#integers, TAPS, count + 1);
    return true;
  }

  /** One of the packet sockets, by number from 0 on. */
  tap(number: number): TapSource {
    const at = TAPS_AT + number * TAP_WORDS;
    const [socket, links, netns, ...rest] = this.#integers.subarray(
      at,
      at + TAP_WORDS,
    );
    const [blockCount, blockSize, timeout, count, ...indexes] = rest;
    return {
      socket: socket!,
      links: links!,
      netns: netns!,
      ring: {
        blockCount: blockCount!,
        blockSize: blockSize!,
        timeout: timeout!,
      },
      ...(count! < 0 ? {} : { interfaces: indexes.slice(0, count) }),
    };
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
  return new SharedArrayBuffer(4 * (TAPS_AT + MOST_TAPS * TAP_WORDS));
}
