/**
 * The receiving end of a packet stream.
 *
 * @module
 */
import type { OwnerTable } from "../../trace/owner_table.ts";
import { directionOf, Packet } from "../trace/packet.ts";
import { NO_OWNER, readBatch, type TransferredPacket } from "./batch.ts";
import { createCredit, Credit } from "./credit.ts";
import { type Launched, PacketOwners } from "./packet_owners.ts";
import type { StreamSetup } from "./stream_sink.ts";

/** Packets that another thread sends, until they are read. */
export class PacketStream {
  /** What the sending end needs to know. */
  readonly setup: StreamSetup;
  readonly #credit: Credit;
  /** Names of interfaces, by number. */
  readonly #interfaces: string[] = [];
  #owners: PacketOwners | undefined;
  #batches: ArrayBuffer[] = [];
  #isEnded = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  /** @param room bytes that may wait to be read; what is too much is dropped */
  constructor(room: number) {
    this.setup = { credit: createCredit(), room };
    this.#credit = new Credit(this.setup.credit);
  }

  /**
   * Says whose the packets are.
   *
   * @param owners where that is written down
   * @param launched the command that was started, if any
   */
  begin(owners: Pick<OwnerTable, "get">, launched?: Launched): void {
    this.#owners = new PacketOwners(owners, launched);
  }

  /**
   * Takes a batch from the sender.
   *
   * @param interfaces names of those that appear for the first time
   */
  push(bytes: ArrayBuffer, interfaces: readonly string[]): void {
    if (this.#isEnded) return;
    this.#interfaces.push(...interfaces);
    this.#batches.push(bytes);
    this.#wake?.();
  }

  /** Nothing more comes; an error is told after all packets were read. */
  finish(error?: Error): void {
    this.#isEnded = true;
    this.#error = error;
    this.#wake?.();
  }

  /** Forgets what was not read; nothing more comes. */
  discard(): void {
    this.#batches = [];
    this.finish();
  }

  /** The next packets; undefined at the end. One call at a time. */
  async read(): Promise<readonly Packet[] | undefined> {
    while (this.#batches.length === 0) {
      if (this.#error !== undefined) throw this.#error;
      if (this.#isEnded) return undefined;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
      this.#wake = undefined;
    }
    const bytes = this.#batches.shift()!;
    this.#credit.giveBack(bytes.byteLength);
    return readBatch(bytes, (packet, data) => this.#packetOf(packet, data));
  }

  /**
   * Packets from a time on are wanted.
   *
   * @param time seconds since 1970
   * @param snaplen bytes of each, link header included; 0 for all
   */
  resume(time: number, snaplen: number): void {
    this.#credit.snaplen = snaplen;
    this.#credit.resume(time);
  }

  /** Packets from a time on are not wanted. */
  pause(time: number): void {
    this.#credit.pause(time);
  }

  /** Packets that were sent, and packets for which there was no room. */
  counts(): { captured: number; dropped: number } {
    const { captured, dropped } = this.#credit;
    return { captured, dropped };
  }

  #packetOf(packet: TransferredPacket, data: Uint8Array): Packet {
    const { owner, packetType } = packet;
    return new Packet({
      timestamp: BigInt(packet.seconds) * 1_000_000_000n +
        BigInt(packet.nanoseconds),
      linkType: packet.linkType,
      data,
      wireLength: packet.wireLength,
      interface: this.#interfaces[packet.interface],
      direction: directionOf(packetType),
      process: owner === NO_OWNER ? undefined : this.#owners?.get(owner),
    });
  }
}
