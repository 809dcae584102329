/**
 * Where the program's packets go, in the sniffer's thread.
 *
 * @module
 */
import type { PacketRing } from "../capture/packet_ring.ts";

/** Why a sink takes no more packets. */
export interface SinkEnd {
  /**
   * `closed`: the reader of a pipe went away; `size`, `space`: a limit that
   * the user set was reached.
   */
  readonly reason: "closed" | "failed" | "size" | "space";
  /** What went wrong, for people. */
  readonly error?: string;
  /** With which file. */
  readonly path?: string;
}

/**
 * Takes packets one by one: `place` says where in the ring's memory the cooked
 * packet shall be put together, `take` hands it over. A packet that is placed
 * need not be handed over.
 */
export interface PacketSink {
  /** Set once it takes no more. */
  readonly end: SinkEnd | undefined;
  /** The files that are there, oldest first, if there are several. */
  readonly files?: readonly string[] | undefined;

  /**
   * Makes room for the ring's current packet.
   *
   * @param room most bytes that the cooked packet takes
   * @returns where it shall begin in `ring.bytes`
   */
  place(ring: PacketRing, owner: number, room: number): number;

  /**
   * Takes the cooked packet, which stands where `place` said.
   *
   * @param end where it ends
   * @param owner its owner's number
   * @param sent whether the owner sent it
   * @param first whether it is the first of its connection
   */
  take(
    ring: PacketRing,
    start: number,
    end: number,
    owner: number,
    sent: boolean,
    first: boolean,
  ): void;

  /**
   * Takes the ring's current packet, which has no VLAN tag and is not the first
   * of its connection, without `place`: the quick way for most packets.
   *
   * @param length bytes of the packet to take, from the network header on
   * @returns whether it was taken; false asks for `place` and `take`
   */
  takePlain(ring: PacketRing, length: number): boolean;

  /** The packets that were taken are about to leave the ring. */
  letGo(): void;

  /** Hands on what was taken until now. */
  flush(): void;

  /** The last call: nothing more comes. */
  finish(): void;
}
