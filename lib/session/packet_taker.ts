/**
 * Judging packets one by one, and taking those that are the program's.
 *
 * @module
 */
import type { Timestamp } from "../../ffi/clock.ts";
import { ARPHRD_LOOPBACK } from "../../ffi/packet.ts";
import { DnsNames } from "../packet/dns_names.ts";
import {
  FlowFields,
  Fragment,
  PROTOCOL_UDP,
  TcpFlag,
} from "../packet/flow_fields.ts";
import { connectionKey, fragmentKey } from "../sockets/fragments.ts";
import { Match } from "../sockets/matcher.ts";
import { SlotKind, type SocketTable } from "../sockets/table.ts";
import { type Control, SnifferCommand } from "./control.ts";
import { COOKED_ROOM, cookedLength, cookPacket } from "./cooked_packet.ts";
import { FlowTable } from "./flow_table.ts";
import type { LiveFilter } from "./live_filter.ts";
import type { PacketSink, SinkEnd } from "./packet_sink.ts";
import { mostKept } from "./snaplen.ts";
import type { Tap, Taps } from "./taps.ts";

/** What judging and taking need. */
export interface PacketTakerParts {
  /** Where packets come from. */
  readonly taps: Taps;
  /** What the program's packets are. */
  readonly table: SocketTable;
  readonly control: Control;
  /** Where they go. */
  readonly sink: PacketSink;
  /** Which of the program's packets are wanted; all if unset. */
  readonly filter: LiveFilter | undefined;
  /** Bytes kept of each IP packet; 0 keeps all. */
  readonly snaplen: number;
  /** Also take ICMP errors that quote the program's packets. */
  readonly icmp: boolean;
  /** Packets to take at most; 0 for no limit. */
  readonly count: number;
}

/** Why no more packets are taken. */
export interface TakerEnd {
  readonly reason: "finished" | "count" | SinkEnd["reason"];
  /** Why writing failed. */
  readonly error?: string;
  /** Writing of which file. */
  readonly path?: string;
}

/** How long a packet waits for the outcome of a call, milliseconds. */
const PATIENCE = 2000;
/**
 * Packets of several processors stand in the ring in the order of their arrival
 * there, which is that of their time stamps but for less than this, ns.
 */
const DISORDER = 20_000_000;
const DNS_PORT = 53;
const UDP_HEADER_LENGTH = 8;
/** Stands for a packet that is no example for others. */
const NO_FLOW = -1;

/** Takes packets from the rings into a sink. Allocates nothing for each. */
export class PacketTaker {
  readonly #parts: PacketTakerParts;
  readonly #table: SocketTable;
  readonly #sink: PacketSink;
  readonly #filter: LiveFilter | undefined;
  readonly #mostKept: number;
  readonly #fields = new FlowFields();
  /** The tap whose packets are being taken. */
  #tap: Tap;
  /** What the table was like when the current packet was looked at. */
  #stamp = 0;
  /** Flow of the current packet, for others like it. */
  #flow = NO_FLOW;

  /** Who talked to whom. */
  readonly flows: FlowTable = new FlowTable(() => this.#forgetVerdicts());
  /** Names from DNS answers that the program got. */
  readonly names: DnsNames = new DnsNames();
  /** Packets taken, and their bytes. */
  packets = 0;
  bytes = 0;
  /** Packets whose owner could not be told in time. */
  undecided = 0;
  /** Set once no more packets are to be taken. */
  end: TakerEnd | undefined;
  /** Takes no packets after this moment, once set. */
  cutoff: Timestamp | undefined;

  /** Begins with nothing. There must be a tap. */
  constructor(parts: PacketTakerParts) {
    this.#parts = parts;
    this.#table = parts.table;
    this.#sink = parts.sink;
    this.#filter = parts.filter;
    this.#mostKept = mostKept(parts.snaplen);
    this.#tap = parts.taps.all[0]!;
  }

  /** Takes the packets of the block that a tap's ring has opened. */
  takeBlock(tap: Tap): void {
    this.#tap = tap;
    const { ring } = tap;
    while (ring.nextPacket()) {
      if (!this.#takeKnown()) this.#takeInOrder();
    }
  }

  /**
   * Judges once more what is held.
   *
   * @param now seconds since 1970
   */
  retryHeld(now: number): void {
    for (const tap of this.#parts.taps.all) {
      if (tap.held.isEmpty) continue;
      this.#tap = tap;
      tap.held.retry(now, () => this.#takePacket() !== Match.EARLY);
    }
  }

  /** Entries of the flow table have moved. */
  #forgetVerdicts(): void {
    for (const { verdicts } of this.#parts.taps.all) verdicts.clear();
  }

  /**
   * Takes a packet of a flow whose owner is known.
   *
   * @returns false for others
   */
  #takeKnown(): boolean {
    if (this.cutoff !== undefined) return false;
    const { ring, verdicts } = this.#tap;
    this.#stamp = this.#table.changes();
    if (!verdicts.find(this.#stamp)) return false;
    const { owner, ends } = verdicts;
    if (owner < 0) return true;
    if (ends !== 0) {
      // It may end what the other side has of the connection, too.
      if (ring.hardwareType === ARPHRD_LOOPBACK) return false;
      this.#noteEnd(ends);
    }
    if (this.end !== undefined || this.#sink.end !== undefined) return true;
    const { sent, flow } = verdicts;
    const length = Math.min(ring.capturedLength, this.#mostKept);
    if (this.#filter === undefined && this.#sink.takePlain(ring, length)) {
      this.#countMore(flow, sent, ends);
      return true;
    }
    const start = this.#sink.place(ring, owner, length + COOKED_ROOM);
    const cooked = cookPacket(ring, start, length);
    if (
      this.#sink.end !== undefined ||
      this.#isUnwanted(start, cooked, owner, sent)
    ) return true;
    this.#sink.take(ring, start, cooked, owner, sent, false);
    this.#countMore(flow, sent, ends);
    return true;
  }

  /** The current packet, whose verdict is known, ends its connection. */
  #noteEnd(ends: number): void {
    const { matcher, ring, verdicts } = this.#tap;
    const { slot, sent } = verdicts;
    matcher.noteEnd(slot, ends, sent, ring.seconds, ring.nanoseconds);
  }

  /** Remembers the verdict about the current packet, for others like it. */
  #remember(verdict: number): void {
    const { verdicts, matcher } = this.#tap;
    const isTaken = verdict === Match.TAKEN;
    if (!isTaken && (verdict < 0 || this.#flow === NO_FLOW)) return;
    if (!matcher.holds) return;
    const slot = isTaken ? matcher.taker : verdict;
    verdicts.remember(
      this.#stamp,
      isTaken ? -1 : matcher.ownerOf(slot),
      matcher.sent,
      this.#flow,
      slot,
      matcher.secondsOf(slot),
      matcher.nanosecondsOf(slot),
    );
  }

  /** Counts the current packet, which was taken, as one more of its flow. */
  #countMore(flow: number, sent: boolean, ends: number): void {
    const { ring } = this.#tap;
    const { wireLength } = ring;
    const time = ring.seconds + ring.nanoseconds * 1e-9;
    this.flows.countMore(flow, sent, ends, wireLength, time);
    this.#count(wireLength);
  }

  /** Counts a packet that was taken. */
  #count(wireLength: number): void {
    this.packets++;
    this.bytes += wireLength;
    if (this.packets === this.#parts.count) this.end = { reason: "count" };
  }

  /** Takes a packet, and those that waited for it. */
  #takeInOrder(): void {
    const fields = this.#fields;
    const { held } = this.#tap;
    fields.fragment = Fragment.NONE;
    const verdict = this.#takePacket();
    if (verdict === Match.EARLY) {
      this.#hold();
    } else if (fields.fragment === Fragment.FIRST && !held.isEmpty) {
      const key = fragmentKey(fields);
      for (const _ of held.release(key)) this.#takePacket();
    } else {
      this.#remember(verdict);
    }
  }

  /** Keeps a packet that cannot be judged yet. */
  #hold(): void {
    const fields = this.#fields;
    const { held } = this.#tap;
    if (fields.fragment !== Fragment.NONE) {
      held.hold(fragmentKey(fields));
      return;
    }
    // Of a connection at a shared port, all that follows its beginning.
    const key = connectionKey(fields);
    const begins = (fields.tcpFlags & TcpFlag.SYN) !== 0;
    if (begins || held.has(key)) held.hold(key);
  }

  /**
   * Takes what was held of the connection of the current packet, now that it
   * is known to be the program's.
   *
   * @returns whether the current packet has to be looked at again
   */
  #takeBeginning(): boolean {
    const { held, ring } = this.#tap;
    if (held.isEmpty) return false;
    const key = connectionKey(this.#fields);
    if (!held.has(key)) return false;
    const { at } = ring;
    for (const _ of held.release(key)) this.#takePacket();
    ring.at = at;
    return true;
  }

  /** @returns a slot or an answer of the matcher */
  #takePacket(): number {
    const { ring, matcher } = this.#tap;
    const fields = this.#fields;
    const { networkAt, capturedLength, seconds, nanoseconds } = ring;
    this.#flow = NO_FLOW;
    if (this.#isLate(seconds, nanoseconds)) return Match.FOREIGN;
    const end = networkAt + capturedLength;
    const plain = fields.parse(ring.bytes, networkAt, end, ring.etherType);
    if (
      !plain && !(this.#parts.icmp &&
        fields.parseQuoted(ring.bytes, networkAt, end, ring.etherType))
    ) {
      return Match.FOREIGN;
    }
    let slot = this.#match(plain);
    if (slot === Match.UNDECIDED) slot = this.#await(plain);
    if (slot >= 0 && plain && this.#takeBeginning()) return this.#takePacket();
    // Looked up all the same: the end of a connection shows in its packets.
    if (
      slot < 0 || !this.#tap.isWanted || this.end !== undefined ||
      this.#sink.end !== undefined
    ) return slot;
    const owner = matcher.ownerOf(slot);
    const { sent } = matcher;
    const length = Math.min(capturedLength, this.#mostKept);
    const start = this.#sink.place(ring, owner, length + COOKED_ROOM);
    const cooked = cookPacket(ring, start, length);
    if (
      this.#sink.end !== undefined ||
      this.#isUnwanted(start, cooked, owner, sent)
    ) return slot;
    const { wireLength } = ring;
    let first = false;
    if (plain && fields.fragment !== Fragment.LATER) {
      first = this.flows.count(
        fields,
        owner,
        sent,
        matcher.kindOf(slot) === SlotKind.LOCAL,
        wireLength,
        seconds + nanoseconds / 1e9,
      );
      this.#flow = this.flows.latest;
      const { receiver } = matcher;
      if (receiver >= 0) this.flows.answer(fields, matcher.ownerOf(receiver));
      if (
        fields.protocol === PROTOCOL_UDP && fields.sourcePort === DNS_PORT &&
        !sent
      ) {
        // Each answer is looked into.
        this.#flow = NO_FLOW;
        this.names.learn(
          ring.bytes.slice(
            fields.transportAt + UDP_HEADER_LENGTH,
            networkAt + capturedLength,
          ),
        );
      }
    }
    this.#sink.take(ring, start, cooked, owner, sent, first);
    this.#count(wireLength);
    return slot;
  }

  /**
   * Whether a packet came after the end. Foreign packets that pass the kernel's
   * filter count, too: there may be no end of them.
   */
  #isLate(seconds: number, nanoseconds: number): boolean {
    const cutoff = this.cutoff;
    if (cutoff === undefined) return false;
    const late = (seconds - cutoff.seconds) * 1e9 +
      (nanoseconds - cutoff.nanoseconds);
    if (late > DISORDER) this.#tap.over = true;
    return late > 0;
  }

  /** Whether the user's filter leaves a cooked packet out. */
  #isUnwanted(
    start: number,
    end: number,
    owner: number,
    sent: boolean,
  ): boolean {
    const filter = this.#filter;
    if (filter === undefined) return false;
    const { ring } = this.#tap;
    const length = cookedLength(ring);
    return !filter.matches(ring.bytes, start, end, length, owner, sent);
  }

  /** Looks the current packet up, or the one that it quotes. */
  #match(plain: boolean): number {
    const { ring, matcher } = this.#tap;
    const { packetType, hardwareType, seconds, nanoseconds } = ring;
    const loopback = hardwareType === ARPHRD_LOOPBACK;
    const fields = this.#fields;
    return plain
      ? matcher.match(fields, packetType, loopback, seconds, nanoseconds)
      : matcher.matchQuoted(fields, packetType, loopback, seconds, nanoseconds);
  }

  /** Waits for the outcome of the call that the packet may belong to. */
  #await(plain: boolean): number {
    const table = this.#table;
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const version = table.version();
      const slot = this.#match(plain);
      if (slot !== Match.UNDECIDED) return slot;
      if (
        this.#parts.control.command === SnifferCommand.ABORT ||
        performance.now() > deadline
      ) {
        this.undecided++;
        return Match.FOREIGN;
      }
      this.#sink.flush();
      table.waitForVersion(version, 20);
    }
  }
}
