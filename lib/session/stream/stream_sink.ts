/**
 * The sending end of a packet stream: hands packets over to another thread,
 * many at a time, and never waits for it.
 *
 * @module
 */
import { interfaceName } from "../../../ffi/packet.ts";
import type { PacketRing } from "../../capture/packet_ring.ts";
import type { PacketSink } from "../packet_sink.ts";
import { BatchWriter, recordLength } from "./batch.ts";
import { Credit } from "./credit.ts";

/** What the sending end needs to know; plain data. */
export interface StreamSetup {
  /** See {@linkcode Credit}. */
  readonly credit: SharedArrayBuffer;
  /** Bytes that may be under way. */
  readonly room: number;
}

/**
 * Sends a batch to the receiving thread; the memory goes with it.
 *
 * @param interfaces names of interfaces that appear in it for the first time
 */
export type SendBatch = (
  bytes: ArrayBuffer,
  interfaces: readonly string[],
) => void;

/** Tells the name of an interface in the network namespace of a ring. */
export type NameInterface = (ring: PacketRing, index: number) => string;

/** What packets look like when they are handed over. */
export interface PacketShape {
  /** LINKTYPE_ number. */
  readonly linkType: number;
  /** Bytes that the ring's current packet had, link header included. */
  wireLength(ring: PacketRing): number;
}

/** See the module's text. */
export class StreamSink implements PacketSink {
  readonly end = undefined;
  readonly #credit: Credit;
  readonly #room: number;
  readonly #shape: PacketShape;
  readonly #send: SendBatch;
  readonly #name: NameInterface;
  readonly #interfaces = new Map<PacketRing, Map<number, number>>();
  #interfaceCount = 0;
  /** Names that were not sent yet. */
  #names: string[] = [];
  readonly #batch = new BatchWriter();
  /** One for all packets, so that none is made for each. */
  readonly #packet = {
    seconds: 0,
    nanoseconds: 0,
    wireLength: 0,
    linkType: 0,
    interface: 0,
    owner: 0,
    packetType: 0,
  };
  /** Bytes sent, modulo 2³². */
  #sent = 0;
  #captured = 0;
  #dropped = 0;

  /** @param send called when there is enough, and when there is no more */
  constructor(
    setup: StreamSetup,
    shape: PacketShape,
    send: SendBatch,
    name: NameInterface = nameInterface,
  ) {
    this.#credit = new Credit(setup.credit);
    this.#room = setup.room;
    this.#shape = shape;
    this.#packet.linkType = shape.linkType;
    this.#send = send;
    this.#name = name;
  }

  place(ring: PacketRing): number {
    return ring.tailAt;
  }

  take(
    ring: PacketRing,
    start: number,
    end: number,
    owner: number,
  ): void {
    const credit = this.#credit;
    if (credit.isUnwanted(ring.seconds + ring.nanoseconds / 1e9)) return;
    const { snaplen } = credit;
    const kept = snaplen === 0 ? end : Math.min(end, start + snaplen);
    const length = kept - start;
    const underWay = (this.#sent - credit.returned) | 0;
    if (underWay + this.#batch.length + recordLength(length) > this.#room) {
      credit.publish(this.#captured, ++this.#dropped);
      return;
    }
    if (!this.#batch.hasRoom(length)) this.#sendBatch();
    const packet = this.#packet;
    packet.seconds = ring.seconds;
    packet.nanoseconds = ring.nanoseconds;
    packet.wireLength = this.#shape.wireLength(ring);
    packet.interface = this.#interfaceOf(ring);
    packet.owner = owner;
    packet.packetType = ring.packetType;
    this.#batch.append(packet, ring.bytes, start, kept);
    credit.publish(++this.#captured, this.#dropped);
  }

  takePlain(): boolean {
    return false;
  }

  letGo(): void {
    // Batches are copies.
  }

  flush(): void {
    if (this.#batch.length > 0) this.#sendBatch();
  }

  finish(): void {
    this.flush();
  }

  /** Number of the interface of the ring's current packet. */
  #interfaceOf(ring: PacketRing): number {
    const { interfaceIndex } = ring;
    let numbers = this.#interfaces.get(ring);
    if (numbers === undefined) {
      numbers = new Map();
      this.#interfaces.set(ring, numbers);
    }
    let number = numbers.get(interfaceIndex);
    if (number === undefined) {
      number = this.#interfaceCount++;
      numbers.set(interfaceIndex, number);
      this.#names.push(this.#name(ring, interfaceIndex));
    }
    return number;
  }

  #sendBatch(): void {
    this.#sent = (this.#sent + this.#batch.length) | 0;
    const names = this.#names;
    this.#names = [];
    this.#send(this.#batch.take(), names);
  }
}

function nameInterface(ring: PacketRing, index: number): string {
  return interfaceName(ring.socket, index) ?? `if${index}`;
}
