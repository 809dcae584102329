/**
 * Packets that came before a ring was there: a socket without one has received
 * them, and the ring goes on where it ends.
 *
 * @module
 */
import { DROP_ALL } from "../../bpf/capture_filter.ts";
import { assembleClassic } from "../../bpf/classic/instruction.ts";
import { realTime } from "../../ffi/clock.ts";
import { SyscallError } from "../../ffi/errno.ts";
import type { Fd } from "../../ffi/fd.ts";
import {
  bindPacketSocket,
  PacketField,
  readStatistics,
  receiveAsInRing,
} from "../../ffi/packet.ts";
import { attachFilter } from "../../ffi/socket.ts";
import type { PacketRing } from "./packet_ring.ts";

/** Bytes of packets that came before the ring was there. */
export const EARLY_SIZE: number = 16 << 20;
/** Room that the longest packet needs. */
const LONGEST = 1 << 17;
/** Blocks that may have packets that came before, too. */
const TWIN_BLOCKS = 64;

/** What is needed of the ring: its memory, and its current packet. */
type Ring = Pick<
  PacketRing,
  | "at"
  | "address"
  | "bytes"
  | "view"
  | "words"
  | "networkAt"
  | "capturedLength"
  | "wireLength"
  | "interfaceIndex"
  | "packetType"
>;

/** What another socket has received, as a block before the first one. */
export class EarlyPackets {
  readonly #ring: Ring;
  /** Those that the ring may have, too. */
  #twins: number[];
  #twinBlocks = TWIN_BLOCKS;
  #lost = 0;

  /** Where they begin. */
  readonly at: number;
  /** How many there are that were not taken yet. */
  count = 0;

  /**
   * Has a ring go on where a socket began, so that each packet is there once.
   *
   * @param early socket of `openEarlySocket`; closed
   * @param own that of the ring, of `openLateSocket`
   * @param at where {@linkcode EARLY_SIZE} bytes of the tail are for packets
   * @throws {SyscallError}
   */
  constructor(ring: Ring, early: Fd, own: Fd, at: number) {
    this.#ring = ring;
    this.at = at;
    const { packets, drops } = readStatistics(early.number);
    this.#lost += drops;
    bindPacketSocket(own, 0);
    // Both get what comes between these two.
    const errno = attachFilter(early.number, assembleClassic(DROP_ALL));
    if (errno !== 0) throw new SyscallError("SO_ATTACH_FILTER", errno);
    const received = this.#receive(early);
    this.#twins = received.slice(packets - drops);
    early.close();
  }

  /**
   * Puts what a socket has received behind the ring.
   *
   * @returns where each packet is
   */
  #receive(early: Fd): number[] {
    const end = this.at + EARLY_SIZE;
    const received: number[] = [];
    for (let at = this.at;;) {
      const room = Math.min(LONGEST, end - at);
      const size = receiveAsInRing(early.number, this.#ring, at, room);
      if (size === 0) break;
      if (size < 0) {
        this.#lost++;
        continue;
      }
      received.push(at);
      at += size;
    }
    this.count = received.length;
    this.#correctTimes(received);
    this.#lost += readStatistics(early.number).drops;
    return received;
  }

  /**
   * The kernel begins to note times some moments after it was asked to; before,
   * packets get the time at which they are received here. None came later than
   * the one after it.
   */
  #correctTimes(packets: readonly number[]): void {
    const { words } = this.#ring;
    let { seconds, nanoseconds } = realTime({ seconds: 0, nanoseconds: 0 });
    for (const at of packets.toReversed()) {
      const own = words[(at + PacketField.SECONDS) >> 2]!;
      const fraction = words[(at + PacketField.NANOSECONDS) >> 2]!;
      if (own < seconds || own === seconds && fraction < nanoseconds) {
        seconds = own;
        nanoseconds = fraction;
      }
      words[(at + PacketField.SECONDS) >> 2] = seconds;
      words[(at + PacketField.NANOSECONDS) >> 2] = nanoseconds;
    }
  }

  /** Packets that had no room; told once. */
  takeLost(): number {
    const lost = this.#lost;
    this.#lost = 0;
    return lost;
  }

  /** Whether the ring's current packet came before, too; each counts once. */
  takeTwin(): boolean {
    if (this.#twins.length === 0) return false;
    const index = this.#twins.findIndex((twin) => this.#isCurrent(twin));
    if (index < 0) return false;
    this.#twins.splice(index, 1);
    return true;
  }

  /** A block of the ring was taken; twins are in the first ones at most. */
  closeBlock(): void {
    if (this.#twinBlocks > 0 && --this.#twinBlocks === 0) this.#twins = [];
  }

  /** Whether the packet at `twin` and the current one are the same. */
  #isCurrent(twin: number): boolean {
    const ring = this.#ring;
    const { at, words, bytes, networkAt, capturedLength, wireLength } = ring;
    const isAlike =
      words[(twin + PacketField.SNAPLEN) >> 2] === capturedLength &&
      words[(twin + PacketField.LENGTH) >> 2] === wireLength &&
      words[(twin + PacketField.IFINDEX) >> 2] === ring.interfaceIndex &&
      bytes[twin + PacketField.PACKET_TYPE] === ring.packetType;
    if (!isAlike) return false;
    ring.at = twin;
    const start = ring.networkAt;
    ring.at = at;
    for (let i = 0; i < capturedLength; i++) {
      if (bytes[start + i] !== bytes[networkAt + i]) return false;
    }
    return true;
  }
}
