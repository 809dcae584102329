/**
 * Packets that go two ways.
 *
 * @module
 */
import type { PacketRing } from "../capture/packet_ring.ts";
import type { PacketSink, SinkEnd } from "./packet_sink.ts";

/** The first sink says where packets are put together, the second copies. */
export class TeeSink implements PacketSink {
  readonly #first: PacketSink;
  readonly #second: PacketSink;

  /** @param second must not care where packets are placed */
  constructor(first: PacketSink, second: PacketSink) {
    this.#first = first;
    this.#second = second;
  }

  get end(): SinkEnd | undefined {
    return this.#first.end ?? this.#second.end;
  }

  get files(): readonly string[] | undefined {
    return this.#first.files;
  }

  place(ring: PacketRing, owner: number, room: number): number {
    return this.#first.place(ring, owner, room);
  }

  take(
    ring: PacketRing,
    start: number,
    end: number,
    owner: number,
    sent: boolean,
    first: boolean,
  ): void {
    // Before the first one may write it out.
    this.#second.take(ring, start, end, owner, sent, first);
    this.#first.take(ring, start, end, owner, sent, first);
  }

  takePlain(): boolean {
    return false;
  }

  letGo(): void {
    this.#first.letGo();
    this.#second.letGo();
  }

  flush(): void {
    this.#first.flush();
    this.#second.flush();
  }

  finish(): void {
    this.#first.finish();
    this.#second.finish();
  }
}
