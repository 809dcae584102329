/**
 * The way of a packet in user space: from the ring through the matcher into
 * the file. Runs in a thread of its own and waits for nothing but the ring,
 * the outcome of a call under way, and the file.
 *
 * @module
 */
import { realTime, type Timestamp } from "../../ffi/clock.ts";
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
import { SlotKind, SocketTable } from "../sockets/table.ts";
import { Control, SnifferCommand } from "./control.ts";
import { COOKED_ROOM, cookedLength, cookPacket } from "./cooked_packet.ts";
import type { CaptureStatistics } from "./file_format.ts";
import { type FileSetup, OUTPUT_SIZE } from "./file_sink.ts";
import type { FilterSource } from "./filter_names.ts";
import type { LiveFilter } from "./live_filter.ts";
import { type FlowRow, FlowTable } from "./flow_table.ts";
import type { SharedMemory } from "./messages.ts";
import type { PacketRing } from "../capture/packet_ring.ts";
import type { PacketSink, SinkEnd } from "./packet_sink.ts";
import { mostKept } from "./snaplen.ts";
import type { StreamSetup } from "./stream/stream_sink.ts";
import { addressText } from "./summary.ts";
import { Tap, Taps, type TapSource } from "./taps.ts";

/** What a sniffer needs to know; plain data, sent to its thread. */
export interface SnifferSetup extends SharedMemory {
  /** The packet socket of tracedump's own network namespace. */
  readonly tap: TapSource;
  /** Descriptor of an eventfd that wakes the sniffer. */
  readonly wake: number;
  /** The file that packets go into. */
  readonly file: FileSetup | undefined;
  /** The stream to the main thread that they go into. */
  readonly stream: StreamSetup | undefined;
  /** Bytes kept of each IP packet; 0 keeps all. */
  readonly snaplen: number;
  /** Also take ICMP errors that quote the program's packets. */
  readonly icmp: boolean;
  /** Packets to write at most; 0 for no limit. */
  readonly count: number;
  /** Which of the program's packets; all if unset. */
  readonly filter: FilterSource | undefined;
}

/** Who tells the sniffer's own thread about sockets, before each block. */
export interface SocketEvents {
  /** Descriptor that becomes readable when something must not wait. */
  readonly fd: number;
  /** Takes what was told until now. */
  drain(): void;
  /** Does regular work; called when there are no packets, and now and then. */
  tend(): void;
  /** Whether the program and its connections are over. */
  readonly over: boolean;
}

/** How a sniffer ended. */
export interface SnifferResult {
  readonly reason: "finished" | "count" | SinkEnd["reason"];
  /** Why writing failed. */
  readonly error?: string;
  /** Writing of which file. */
  readonly path?: string;
  /** The files that were written, when there are several. */
  readonly files?: readonly string[] | undefined;
  readonly rows: readonly FlowRow[];
  /** Names from DNS answers, by address text. */
  readonly names: ReadonlyMap<string, string>;
  /** Packets whose owner could not be told in time. */
  readonly undecided: number;
}

/** How long a packet waits for the outcome of a call, milliseconds. */
const PATIENCE = 2000;
/**
 * Packets of several processors stand in the ring in the order of their arrival
 * there, which is that of their time stamps but for less than this, ns.
 */
const DISORDER = 20_000_000;
/** How long to sleep when nothing happens, milliseconds. */
const IDLE = 200;
/** The same where socket events have to be read meanwhile. */
const EVENTS_IDLE = 10;
/** Time between regular work when packets never cease, milliseconds. */
const BUSY_INTERVAL = 20;
/** How often packets are judged again that could not be, ms. */
const RETRY_INTERVAL = 200;
const DNS_PORT = 53;
/** Stands for a packet that is no example for others. */
const NO_FLOW = -1;
const UDP_HEADER_LENGTH = 8;

/** Parts of a sniffer that depend on what is wanted. */
export interface SnifferParts {
  /**
   * Makes the sink.
   *
   * @param ring a ring with {@linkcode OUTPUT_SIZE} bytes behind it
   * @param statistics figures of the capture at any moment
   */
  readonly makeSink: (
    ring: PacketRing,
    statistics: () => CaptureStatistics,
  ) => PacketSink;
  /** Set where this thread learns of sockets by itself. */
  readonly events?: SocketEvents | undefined;
  /** Which of the program's packets are wanted. */
  readonly filter?: LiveFilter | undefined;
}

/** One capture: owns the mapped ring, borrows the descriptors. */
export class Sniffer implements Disposable {
  readonly #setup: SnifferSetup;
  readonly #control: Control;
  readonly #table: SocketTable;
  readonly #taps: Taps;
  /** The tap whose packets are being taken. */
  #tap: Tap;
  #retryAt = 0;
  /** What the table was like when the current packet was looked at. */
  #stamp = 0;
  /** Flow of the current packet, for others like it. */
  #flow = NO_FLOW;
  #tapsAdded = 0;
  readonly #fields = new FlowFields();
  readonly #flows = new FlowTable(() => this.#forgetVerdicts());
  readonly #names = new DnsNames();
  readonly #events: SocketEvents | undefined;
  readonly #filter: LiveFilter | undefined;
  readonly #sink: PacketSink;
  readonly #mostKept: number;
  #packets = 0;
  #bytes = 0;
  #drops = 0;
  #undecided = 0;
  #end: Pick<SnifferResult, "reason" | "error" | "path"> | undefined;
  /** Takes no packets after this moment, once set. */
  #cutoff: Timestamp | undefined;

  /**
   * Maps the ring and writes the file header.
   *
   * @throws {SyscallError}
   */
  constructor(setup: SnifferSetup, parts: SnifferParts) {
    this.#setup = setup;
    this.#events = parts.events;
    this.#filter = parts.filter;
    this.#control = new Control(setup.control);
    this.#table = new SocketTable(setup.table);
    this.#taps = new Taps(setup.wake, parts.events?.fd ?? -1);
    this.#tap = this.#addTap(setup.tap, false);
    this.#mostKept = mostKept(setup.snaplen);
    this.#sink = parts.makeSink(this.#tap.ring, () => this.#statistics());
  }

  /**
   * Takes packets from one more network namespace; its descriptors are the
   * sniffer's from now on.
   *
   * @throws {SyscallError}
   */
  addTap(source: TapSource): void {
    this.#addTap(source, true);
  }

  #addTap(source: TapSource, owns: boolean): Tap {
    const { wake, table } = this.#setup;
    const tap = new Tap(source, wake, table, OUTPUT_SIZE, owns);
    this.#taps.add(tap);
    return tap;
  }

  /** Runs until told to end, or until the output fails or is full. */
  run(): SnifferResult {
    let tendAt = 0;
    for (;;) {
      const { command } = this.#control;
      this.#end ??= this.#sink.end;
      if (command === SnifferCommand.ABORT || this.#end !== undefined) break;
      const over = command === SnifferCommand.FINISH ||
        this.#events?.over === true;
      if (over && this.#cutoff === undefined) {
        this.#cutoff = realTime({ seconds: 0, nanoseconds: 0 });
      }
      this.#adoptTaps();
      this.#retryHeld();
      const tap = this.#taps.next();
      if (tap !== undefined) {
        // Sockets are told of before their first packet.
        this.#events?.drain();
        this.#takeBlock(tap);
        // Blocks of a large ring hold the packets of seconds.
        if (performance.now() > tendAt) {
          this.#events?.tend();
          tendAt = performance.now() + BUSY_INTERVAL;
        }
        continue;
      }
      this.#sink.flush();
      this.#events?.tend();
      if (this.#cutoff === undefined) {
        this.#table.beginRound(this.#now() - 1);
        this.#taps.wait(this.#events === undefined ? IDLE : EVENTS_IDLE);
      } else if (this.#control.sockets === 0 || !this.#taps.waitForLast()) {
        // A program without sockets has no packets to wait for.
        break;
      }
    }
    this.#publish();
    const rows = this.#flows.rows();
    const names = this.#namesOf(rows);
    this.#sink.finish();
    return {
      reason: "finished",
      ...this.#end,
      ...this.#sink.end,
      files: this.#sink.files,
      rows,
      names,
      undecided: this.#undecided,
    };
  }

  #statistics(): CaptureStatistics {
    const { seconds, nanoseconds } = realTime({ seconds: 0, nanoseconds: 0 });
    return {
      drops: this.#drops,
      names: this.#names.all,
      time: BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds),
    };
  }

  #namesOf(rows: readonly FlowRow[]): Map<string, string> {
    const names = new Map<string, string>();
    for (const { remoteAddress } of rows) {
      const address = addressText(remoteAddress);
      const name = this.#names.nameOf(address);
      if (name !== undefined) names.set(address, name);
    }
    return names;
  }

  #now(): number {
    return Math.floor(Date.now() / 1000);
  }

  /** Takes over what the tracker's thread opened. */
  #adoptTaps(): void {
    while (this.#tapsAdded < this.#control.tapCount) {
      this.addTap(this.#control.tap(this.#tapsAdded++));
    }
  }

  #takeBlock(tap: Tap): void {
    const { ring } = tap;
    this.#tap = tap;
    tap.lookAtDevices();
    ring.openBlock();
    while (ring.nextPacket()) {
      if (!this.#takeKnown()) this.#takeInOrder();
    }
    this.#table.beginRound(ring.seconds);
    this.#sink.letGo();
    ring.closeBlock();
    this.#publish();
  }

  /** Entries of the flow table have moved. */
  #forgetVerdicts(): void {
    for (const { verdicts } of this.#taps.all) verdicts.clear();
  }

  /**
   * Takes a packet of a flow whose owner is known.
   *
   * @returns false for others
   */
  #takeKnown(): boolean {
    if (this.#cutoff !== undefined) return false;
    const { ring, verdicts } = this.#tap;
    this.#stamp = this.#table.changes();
    if (!verdicts.find(this.#stamp)) return false;
    const { owner } = verdicts;
    if (owner < 0) return true;
    if (this.#end !== undefined || this.#sink.end !== undefined) return true;
    const { sent, flow } = verdicts;
    const length = Math.min(ring.capturedLength, this.#mostKept);
    if (this.#filter === undefined && this.#sink.takePlain(ring, length)) {
      this.#countMore(flow, sent);
      return true;
    }
    const start = this.#sink.place(ring, owner, length + COOKED_ROOM);
    const cooked = cookPacket(ring, start, length);
    if (
      this.#sink.end !== undefined ||
      this.#isUnwanted(start, cooked, owner, sent)
    ) return true;
    this.#sink.take(ring, start, cooked, owner, sent, false);
    this.#countMore(flow, sent);
    return true;
  }

  /** Remembers the verdict about the current packet, for others like it. */
  #remember(verdict: number): void {
    const { verdicts, matcher } = this.#tap;
    const isTaken = verdict === Match.TAKEN;
    if (!isTaken && (verdict < 0 || this.#flow === NO_FLOW)) return;
    const slot = isTaken ? matcher.taker : verdict;
    verdicts.remember(
      this.#stamp,
      isTaken ? -1 : matcher.ownerOf(slot),
      matcher.sent,
      this.#flow,
      matcher.secondsOf(slot),
      matcher.nanosecondsOf(slot),
    );
  }

  /** Counts the current packet, which was taken, as one more of its flow. */
  #countMore(flow: number, sent: boolean): void {
    const { ring } = this.#tap;
    const { wireLength } = ring;
    const time = ring.seconds + ring.nanoseconds * 1e-9;
    this.#flows.countMore(flow, sent, wireLength, time);
    this.#count(wireLength);
  }

  /** Counts a packet that was taken. */
  #count(wireLength: number): void {
    this.#packets++;
    this.#bytes += wireLength;
    if (this.#packets === this.#setup.count) this.#end = { reason: "count" };
  }

  /** Takes a packet, and those that waited for it. */
  #takeInOrder(): void {
    const fields = this.#fields;
    const { held } = this.#tap;
    fields.fragment = Fragment.NONE;
    this.#flow = NO_FLOW;
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

  /** Judges once more what is held. */
  #retryHeld(): void {
    const now = performance.now();
    if (now < this.#retryAt) return;
    this.#retryAt = now + RETRY_INTERVAL;
    for (const tap of this.#taps.all) {
      if (tap.held.isEmpty) continue;
      this.#tap = tap;
      tap.held.retry(this.#now(), () => this.#takePacket() !== Match.EARLY);
    }
  }

  /** @returns a slot or an answer of the matcher */
  #takePacket(): number {
    const { ring, matcher } = this.#tap;
    const fields = this.#fields;
    const { networkAt, capturedLength, seconds, nanoseconds } = ring;
    if (this.#isLate(seconds, nanoseconds)) return Match.FOREIGN;
    const end = networkAt + capturedLength;
    const plain = fields.parse(ring.bytes, networkAt, end, ring.etherType);
    if (
      !plain && !(this.#setup.icmp &&
        fields.parseQuoted(ring.bytes, networkAt, end, ring.etherType))
    ) {
      return Match.FOREIGN;
    }
    let slot = this.#match(plain);
    if (slot === Match.UNDECIDED) slot = this.#await(plain);
    if (slot >= 0 && plain && this.#takeBeginning()) return this.#takePacket();
    // Looked up all the same: the end of a connection shows in its packets.
    if (
      slot < 0 || !this.#tap.isWanted || this.#end !== undefined ||
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
      first = this.#flows.count(
        fields,
        owner,
        sent,
        matcher.kindOf(slot) === SlotKind.LOCAL,
        wireLength,
        seconds + nanoseconds / 1e9,
      );
      this.#flow = this.#flows.latest;
      if (
        fields.protocol === PROTOCOL_UDP && fields.sourcePort === DNS_PORT &&
        !sent
      ) {
        // Each answer is looked into.
        this.#flow = NO_FLOW;
        this.#names.learn(
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
    const cutoff = this.#cutoff;
    if (cutoff === undefined) return false;
    const late = (seconds - cutoff.seconds) * 1e9 +
      (nanoseconds - cutoff.nanoseconds);
    if (late > DISORDER) {
      this.#tap.over = true;
      if (this.#taps.over) this.#end ??= { reason: "finished" };
    }
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
        this.#control.command === SnifferCommand.ABORT ||
        performance.now() > deadline
      ) {
        this.#undecided++;
        return Match.FOREIGN;
      }
      this.#sink.flush();
      table.waitForVersion(version, 20);
    }
  }

  #publish(): void {
    this.#drops += this.#taps.takeDrops();
    this.#control.publish(this.#packets, this.#bytes, this.#drops);
  }

  /** Unmaps the rings. */
  [Symbol.dispose](): void {
    this.#taps[Symbol.dispose]();
  }
}
