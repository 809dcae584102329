/**
 * What a capture file is made of, as the file sink needs it.
 *
 * @module
 */
import type { PacketRing } from "../capture/packet_ring.ts";

/** A format of capture files. */
export interface FileFormat {
  /** Bytes of a record before the packet. */
  readonly headLength: number;

  /**
   * Makes the ring's current packet, which has no VLAN tag, a record where it
   * is. Set where records are put together in the ring itself: their head is
   * short, and nothing stands between and behind them.
   *
   * @param length bytes of the packet to take, from the network header on
   * @returns where the record begins; it ends with the packet
   */
  wrap?(ring: PacketRing, length: number): number;

  /** Most bytes of a record after the packet, for an owner. */
  tailLength(owner: number): number;

  /** What each file begins with. */
  begin(): Uint8Array;

  /**
   * Anything that has to stand before the record of the ring's current packet:
   * asked once for each packet, rarely answered.
   */
  before(ring: PacketRing, owner: number): Uint8Array | undefined;

  /**
   * Whether there may be secrets: packets are then kept for a moment, so that
   * the secrets can stand before them.
   */
  readonly hasSecrets: boolean;

  /** Secrets that became known since the last time. */
  secrets(): Uint8Array | undefined;

  /**
   * Puts head and tail around a packet in `ring.bytes`; there is room for both.
   * Allocates nothing but for the first packets of something new.
   *
   * @param start where the packet begins; the head ends there
   * @param end where it ends
   * @param sent whether the owner sent it
   * @param first whether it is the first of its connection
   * @returns where the record ends; it begins at `start - headLength`
   */
  record(
    ring: PacketRing,
    start: number,
    end: number,
    owner: number,
    sent: boolean,
    first: boolean,
  ): number;

  /** What each file ends with. */
  end(statistics: CaptureStatistics): Uint8Array | undefined;

  /** Bytes of the records in `bytes` that are complete. */
  completeLength(bytes: Uint8Array): number;
}

/** Figures that a file may end with. */
export interface CaptureStatistics {
  /** Packets that the kernel dropped for lack of room. */
  readonly drops: number;
  /** Names from DNS answers, by address text. */
  readonly names: ReadonlyMap<string, string>;
  /** Now, in nanoseconds since 1970. */
  readonly time: bigint;
}
