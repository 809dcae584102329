/**
 * The thread that packets go through in user space: from the rings into the
 * file. It waits for nothing but the rings, the outcome of a call under way,
 * and the file.
 *
 * @module
 */
import { realTime } from "../../ffi/clock.ts";
import { SocketTable } from "../sockets/table.ts";
import { Control, SnifferCommand } from "./control.ts";
import type { CaptureStatistics } from "./file_format.ts";
import { type FileSetup, OUTPUT_SIZE } from "./file_sink.ts";
import type { FilterSource } from "./filter_names.ts";
import type { LiveFilter } from "./live_filter.ts";
import type { FlowRow } from "./flow_table.ts";
import type { SharedMemory } from "./messages.ts";
import type { PacketRing } from "../capture/packet_ring.ts";
import type { PacketSink } from "./packet_sink.ts";
import { PacketTaker, type TakerEnd } from "./packet_taker.ts";
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
export interface SnifferResult extends TakerEnd {
  /** The files that were written, when there are several. */
  readonly files?: readonly string[] | undefined;
  readonly rows: readonly FlowRow[];
  /** Names from DNS answers, by address text. */
  readonly names: ReadonlyMap<string, string>;
  /** Packets whose owner could not be told in time. */
  readonly undecided: number;
}

/** How long to sleep when nothing happens, milliseconds. */
const IDLE = 200;
/** The same where socket events have to be read meanwhile. */
const EVENTS_IDLE = 10;
/** Time between regular work when packets never cease, milliseconds. */
const BUSY_INTERVAL = 20;
/** How often packets are judged again that could not be, ms. */
const RETRY_INTERVAL = 200;

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
  #tapsAdded = 0;
  readonly #events: SocketEvents | undefined;
  readonly #sink: PacketSink;
  readonly #taker: PacketTaker;
  #retryAt = 0;
  #drops = 0;

  /**
   * Maps the ring and writes the file header.
   *
   * @throws {SyscallError}
   */
  constructor(setup: SnifferSetup, parts: SnifferParts) {
    this.#setup = setup;
    this.#events = parts.events;
    this.#control = new Control(setup.control);
    this.#table = new SocketTable(setup.table);
    this.#taps = new Taps(setup.wake, parts.events?.fd ?? -1);
    const { ring } = this.#addTap(setup.tap, false);
    const sink = parts.makeSink(ring, () => this.#statistics());
    this.#sink = sink;
    this.#taker = new PacketTaker({
      taps: this.#taps,
      table: this.#table,
      control: this.#control,
      sink,
      filter: parts.filter,
      snaplen: setup.snaplen,
      icmp: setup.icmp,
      count: setup.count,
    });
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
    const taker = this.#taker;
    let tendAt = 0;
    for (;;) {
      const { command } = this.#control;
      taker.end ??= this.#sink.end;
      if (command === SnifferCommand.ABORT || taker.end !== undefined) break;
      const over = command === SnifferCommand.FINISH ||
        this.#events?.over === true;
      if (over && taker.cutoff === undefined) {
        taker.cutoff = realTime({ seconds: 0, nanoseconds: 0 });
      }
      this.#adoptTaps();
      if (performance.now() > this.#retryAt) {
        this.#retryAt = performance.now() + RETRY_INTERVAL;
        taker.retryHeld(this.#now());
      }
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
      if (taker.cutoff === undefined) {
        this.#table.beginRound(this.#now() - 1);
        this.#taps.wait(this.#events === undefined ? IDLE : EVENTS_IDLE);
      } else if (this.#control.sockets === 0 || !this.#taps.waitForLast()) {
        // A program without sockets has no packets to wait for. Whose those
        // are that are held may be known by now.
        taker.retryHeld(this.#now());
        break;
      }
    }
    this.#publish();
    const rows = taker.flows.rows();
    const names = this.#namesOf(rows);
    this.#sink.finish();
    return {
      reason: "finished",
      ...taker.end,
      ...this.#sink.end,
      files: this.#sink.files,
      rows,
      names,
      undecided: taker.undecided,
    };
  }

  #statistics(): CaptureStatistics {
    const { seconds, nanoseconds } = realTime({ seconds: 0, nanoseconds: 0 });
    return {
      drops: this.#drops,
      names: this.#taker.names.all,
      time: BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds),
    };
  }

  #namesOf(rows: readonly FlowRow[]): Map<string, string> {
    const names = new Map<string, string>();
    for (const { remoteAddress } of rows) {
      const address = addressText(remoteAddress);
      const name = this.#taker.names.nameOf(address);
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
    tap.lookAtDevices();
    ring.openBlock();
    this.#taker.takeBlock(tap);
    tap.progress = ring.seconds;
    this.#table.beginRound(this.#taps.progress(ring.seconds));
    this.#sink.letGo();
    ring.closeBlock();
    this.#publish();
  }

  #publish(): void {
    const { packets, bytes } = this.#taker;
    this.#drops += this.#taps.takeDrops();
    this.#control.publish(packets, bytes, this.#drops);
  }

  /** Unmaps the rings. */
  [Symbol.dispose](): void {
    this.#taps[Symbol.dispose]();
  }
}
