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
/** Packets that are gone, before the queue is made shorter. */
const MOST_GONE = 1024;

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
  /** Where the next one is put: the oldest ones are behind this place. */
  #next: number;
  /** In the order in which they came; some are gone already. */
  #queue: HeldPacket[] = [];
  #oldest = 0;
  readonly #byKey = new Map<number, HeldPacket[]>();

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
    return this.#byKey.size === 0;
  }

  /** Whether some of a number are held. */
  has(key: number): boolean {
    return this.#byKey.has(key);
  }

  /** Copies the ring's current packet, to be found again by a number. */
  hold(key: number): void {
    const ring = this.#ring;
    const from = ring.at;
    const { seconds } = ring;
    const length = ring.networkAt - from + ring.capturedLength;
    if (this.#start + length > this.#end) return;
    let at = this.#next;
    if (at + length > this.#end) {
      this.#evict((oldest) => oldest.at >= at);
      at = this.#start;
    }
    const end = align(at + length);
    this.#evict((oldest) =>
      oldest.at < end && oldest.end > at ||
      seconds - oldest.seconds > PATIENCE
    );
    ring.bytes.copyWithin(at, from, from + length);
    const packet = { at, end, key, seconds };
    this.#queue.push(packet);
    const same = this.#byKey.get(key);
    if (same === undefined) this.#byKey.set(key, [packet]);
    else same.push(packet);
    this.#next = end;
  }

  /**
   * Gives up the packets of a number, in the order in which they came: each in
   * turn becomes the ring's current packet.
   */
  *release(key: number): Generator<void> {
    const { seconds } = this.#ring;
    const packets = this.#byKey.get(key) ?? [];
    this.#byKey.delete(key);
    for (const packet of packets) {
      if (seconds - packet.seconds > PATIENCE) continue;
      this.#ring.at = packet.at;
      yield;
    }
  }

  /**
   * Makes each packet in turn the ring's current one, and gives up those that
   * can be judged now or were held for too long.
   *
   * @param now seconds since 1970
   */
  retry(now: number, isJudged: () => boolean): void {
    for (const [key, packets] of [...this.#byKey]) {
      this.#byKey.delete(key);
      const left = packets.filter((packet) => {
        if (now - packet.seconds > PATIENCE + 1) return false;
        this.#ring.at = packet.at;
        return !isJudged();
      });
      if (left.length > 0) this.#byKey.set(key, left);
    }
  }

  /** Gives up the oldest packets for as long as that is wanted. */
  #evict(isWanted: (oldest: HeldPacket) => boolean): void {
    const queue = this.#queue;
    while (this.#oldest < queue.length && isWanted(queue[this.#oldest]!)) {
      const oldest = queue[this.#oldest++]!;
      const same = this.#byKey.get(oldest.key);
      if (same?.[0] !== oldest) continue;
      if (same.length === 1) this.#byKey.delete(oldest.key);
      else same.shift();
    }
    if (this.#oldest < MOST_GONE) return;
    this.#queue = queue.slice(this.#oldest);
    this.#oldest = 0;
  }
}

function align(at: number): number {
  return (at + ALIGNMENT - 1) & -ALIGNMENT;
}
