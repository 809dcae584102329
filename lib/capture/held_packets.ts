/**
 * Packets that cannot be judged yet, copied out of their block: it goes back
 * to the kernel before they can be.
 *
 * @module
 */
import type { PacketRing } from "./packet_ring.ts";

/** How long a packet is held, seconds; see the matcher's fragments. */
const PATIENCE = 2;
/** Packets begin at multiples of this, as in the ring. */
const ALIGNMENT = 16;

/** What is needed of a ring: a cursor over packets in memory. */
export type PacketCursor =
  & Pick<PacketRing, "bytes" | "networkAt" | "capturedLength" | "seconds">
  & { at: number };

interface HeldPacket {
  /** Where it begins in the ring's bytes. */
  readonly at: number;
  readonly end: number;
  readonly key: number;
  readonly seconds: number;
}

/** A few packets, kept in the memory behind a ring; the oldest ones go. */
export class HeldPackets {
  readonly #ring: PacketCursor;
  readonly #start: number;
  readonly #end: number;
  #next: number;
  #packets: HeldPacket[] = [];

  /**
   * @param start where the memory begins in the ring's bytes
   * @param size bytes of the memory; longer packets are not held
   */
  constructor(ring: PacketCursor, start: number, size: number) {
    this.#ring = ring;
    this.#start = start;
    this.#end = start + size;
    this.#next = start;
  }

  /** Whether none is held. */
  get isEmpty(): boolean {
    return this.#packets.length === 0;
  }

  /** Copies the ring's current packet, to be found again by a number. */
  hold(key: number): void {
    const ring = this.#ring;
    const from = ring.at;
    const length = ring.networkAt - from + ring.capturedLength;
    let at = this.#next;
    if (at + length > this.#end) at = this.#start;
    const end = align(at + length);
    if (at + length > this.#end) return;
    const { seconds } = ring;
    this.#packets = this.#packets.filter((packet) =>
      (packet.end <= at || packet.at >= end) &&
      seconds - packet.seconds <= PATIENCE
    );
    ring.bytes.copyWithin(at, from, from + length);
    this.#packets.push({ at, end, key, seconds });
    this.#next = end;
  }

  /**
   * Gives up the packets of a number, in the order in which they came: each in
   * turn becomes the ring's current packet.
   */
  *release(key: number): Generator<void> {
    const { seconds } = this.#ring;
    const released = this.#packets.filter((packet) => packet.key === key);
    if (released.length === 0) return;
    this.#packets = this.#packets.filter((packet) => packet.key !== key);
    for (const packet of released) {
      if (seconds - packet.seconds > PATIENCE) continue;
      this.#ring.at = packet.at;
      yield;
    }
  }
}

function align(at: number): number {
  return (at + ALIGNMENT - 1) & -ALIGNMENT;
}
