/**
 * A trace: packets of a file, an interface or a program, read one by one.
 *
 * @module
 */
import type { ExitStatus } from "../types.ts";
import { TraceStateError, TraceTimeoutError } from "./errors.ts";
import type { Packet } from "./packet.ts";
import {
  changeSettings,
  type TraceConfiguration,
  type TraceSettings,
} from "./settings.ts";
import type { PacketSource } from "./source.ts";
import type { TraceAddress } from "./uri.ts";

/**
 * What a trace is doing.
 *
 * ```text
 *            start           pause
 *  created ─────────▶ running ────▶ paused      close, from anywhere
 *                        ▲            │              ──────▶ closed
 *                        └────────────┘
 *                            start
 * ```
 *
 * See {@linkcode openTrace}.
 */
export type TraceState = "created" | "running" | "paused" | "closed";

/** Figures of a trace since it was first started. See {@linkcode openTrace}. */
export interface TraceStats {
  /** Packets that were read from the trace. */
  readonly accepted: number;
  /**
   * Packets that the filter rejected; undefined for interfaces with a filter,
   * where the kernel rejects without counting.
   */
  readonly filtered: number | undefined;
  /** Packets that came: `captured` and, where it is known, `dropped`. */
  readonly received: number;
  /**
   * Packets that were lost for want of room: by the kernel, or because they
   * were read too slowly. Undefined for files, which do not tell.
   */
  readonly dropped: number | undefined;
  /** Packets that were captured, or read from the file. */
  readonly captured: number;
}

/**
 * What a trace is made of; `openTrace` is how to get one.
 * See {@linkcode openTrace}.
 */
export interface TraceParts {
  /** The name that was given. */
  readonly uri: string;
  /** Which settings it can have. */
  readonly kind: TraceAddress["kind"];
  /** Where its packets come from. */
  readonly source: PacketSource;
  /** What it begins with. */
  readonly settings: TraceSettings;
  /** Closes the trace when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** Somebody waits for packets. */
interface Waiter {
  /** Ends waiting, without a packet or with an error. */
  end(error?: unknown): void;
}

/**
 * A trace. Get one from `openTrace`, then iterate, which starts it and closes
 * it at the end, or start it and call {@linkcode Trace.read} until that gives
 * null.
 *
 * @example Read with one filter, then go on with another
 * ```ts
 * import { openTrace } from "./open_trace.ts";
 * import assert from "node:assert/strict";
 *
 * const file = "tests/golden/data/filter_linktype_1.pcap";
 * await using trace = openTrace(file, { filter: "tcp" });
 * await trace.start();
 * assert.notEqual((await trace.read())?.tcp, undefined);
 * await trace.pause();
 * trace.configure({ filter: "udp" });
 * await trace.start();
 * assert.notEqual((await trace.read())?.udp, undefined);
 * assert.equal(trace.stats().accepted, 2);
 * ```
 */
export class Trace implements AsyncIterable<Packet>, AsyncDisposable {
  /** The name that the trace was opened with. */
  readonly uri: string;
  readonly #kind: TraceAddress["kind"];
  readonly #source: PacketSource;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => {
    this.close().catch(() => {});
  };
  #settings: TraceSettings;
  #state: TraceState = "created";
  /** Starting, pausing and closing, one after the other. */
  #change: Promise<void> = Promise.resolve();
  #batch: readonly Packet[] = [];
  #next = 0;
  #isAtEnd = false;
  /** What the source was asked for and has not given yet. */
  #asked: Promise<readonly Packet[] | undefined> | undefined;
  /** Reads that have not settled, in a chain. */
  #lastRead: Promise<unknown> = Promise.resolve();
  #reads = 0;
  #waiter: Waiter | undefined;
  #accepted = 0;
  #filtered = 0;
  #hadFilter = false;

  /** Puts the parts together; nothing is opened yet. */
  constructor({ uri, kind, source, settings, signal }: TraceParts) {
    this.uri = uri;
    this.#kind = kind;
    this.#source = source;
    this.#settings = settings;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** What the trace is doing. */
  get state(): TraceState {
    return this.#state;
  }

  /**
   * How the command of a `cmd:` trace ended; undefined while it runs, and in
   * all other traces.
   */
  get exit(): ExitStatus | undefined {
    return this.#source.exit;
  }

  /**
   * Changes settings, before the trace starts or while it is paused.
   *
   * @throws {TraceStateError} while it runs and after it was closed
   * @throws {FilterSyntaxError} when the filter has a mistake
   * @throws {RangeError} when a number is out of its range
   * @throws {TraceError} `setting` when this kind of trace has no such setting
   */
  configure(change: TraceConfiguration): void {
    if (this.#state === "running") {
      throw this.#stateError("configure", "it runs; pause it before");
    }
    if (this.#state === "closed") throw this.#stateError("configure");
    this.#settings = changeSettings(
      this.#settings,
      change,
      this.uri,
      this.#kind,
    );
  }

  /**
   * Opens the file, begins to capture, or goes on after a pause. Has no effect
   * on a trace that runs.
   *
   * @throws {TraceStateError} after it was closed
   * @throws {TraceError} when a file cannot be opened
   * @throws {CaptureFormatError} when it is no capture file
   * @throws {CaptureError} when capturing cannot begin
   */
  start(): Promise<void> {
    return this.#inTurn(async () => {
      this.#signal?.throwIfAborted();
      if (this.#state === "closed") throw this.#stateError("start");
      if (this.#state === "running") return;
      this.#hadFilter ||= this.#settings.filter !== undefined;
      await this.#source.start(this.#settings);
      // Closed meanwhile: the source is let go of in its turn.
      if (this.#state !== "closed" as TraceState) this.#state = "running";
    });
  }

  /**
   * Captures nothing until {@linkcode Trace.start}; a file stays where it is.
   * Packets that were captured before are read after the pause. Has no effect
   * on a trace that is paused.
   *
   * @throws {TraceStateError} when it was not started, and after it was closed
   */
  pause(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state === "paused") return;
      if (this.#state !== "running") throw this.#stateError("pause");
      await this.#source.pause();
      if (this.#state === "running") this.#state = "paused";
    });
  }

  /**
   * Ends the trace and lets go of file, interface or program: a running
   * process goes on, a command that the trace started is ended. Reads that
   * wait give null. Has no effect after the first call.
   */
  close(): Promise<void> {
    const isFirst = this.#state !== "closed";
    this.#state = "closed";
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#waiter?.end(this.#abortReason());
    return isFirst ? this.#inTurn(() => this.#source.close()) : this.#change;
  }

  /**
   * The next packet that the filter lets through; waits for it. Reads that
   * overlap get packets in the order in which they were called.
   *
   * @returns null after the last packet
   * @throws {TraceStateError} when the trace is not running
   * @throws {TraceTimeoutError} when none comes in time; the trace goes on
   * @throws {CaptureFormatError} when a file is damaged, after all packets
   * before the damage were read
   * @throws {CaptureError} when the capture broke off
   */
  async read(): Promise<Packet | null> {
    this.#signal?.throwIfAborted();
    if (this.#state !== "running") throw this.#stateError("read from");
    if (this.#reads === 0) {
      const packet = this.#take();
      if (packet !== undefined) return packet;
    }
    this.#reads++;
    const read = this.#lastRead.then(() => this.#readNext());
    this.#lastRead = read.catch(() => {}).finally(() => this.#reads--);
    return await read;
  }

  /**
   * All packets in arrival order. Starts the trace where needed, and closes it
   * at the end, after an error, and when the loop is left.
   *
   * @throws like {@linkcode Trace.start} and {@linkcode Trace.read}
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Packet, void> {
    try {
      if (this.#state === "created") await this.start();
      while (this.#state !== "closed") {
        const packet = await this.read();
        if (packet === null) break;
        yield packet;
      }
      this.#signal?.throwIfAborted();
    } finally {
      await this.close();
    }
  }

  /** Current figures; they stay readable after the end. */
  stats(): TraceStats {
    const { captured, dropped } = this.#source.counts();
    const isUnknown = this.#source.selectsByItself && this.#hadFilter;
    return {
      accepted: this.#accepted,
      filtered: isUnknown ? undefined : this.#filtered,
      received: captured + (dropped ?? 0),
      dropped,
      captured,
    };
  }

  /** Closes the trace: `await using trace = openTrace(…)`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The next packet of those that are here, if there is one. */
  #take(): Packet | undefined {
    const { filter, snaplen } = this.#settings;
    while (this.#next < this.#batch.length) {
      const packet = this.#batch[this.#next++]!;
      if (filter === undefined || filter.matches(packet)) {
        this.#accepted++;
        return packet.cut(snaplen);
      }
      this.#filtered++;
    }
    return undefined;
  }

  async #readNext(): Promise<Packet | null> {
    const { timeout } = this.#settings;
    const deadline = timeout === 0 ? undefined : performance.now() + timeout;
    for (;;) {
      const packet = this.#take();
      if (packet !== undefined) return packet;
      if (this.#state === "closed") this.#signal?.throwIfAborted();
      if (this.#state === "closed" || this.#isAtEnd) return null;
      if (deadline !== undefined && performance.now() > deadline) {
        throw new TraceTimeoutError(this.uri, timeout);
      }
      this.#asked ??= this.#source.read();
      let batch: readonly Packet[] | undefined;
      try {
        batch = await this.#wait(this.#asked, deadline);
      } catch (error) {
        // What the source was asked for may still come after a timeout.
        if (!(error instanceof TraceTimeoutError)) this.#isAtEnd = true;
        throw error;
      }
      this.#asked = undefined;
      this.#isAtEnd = batch === undefined;
      this.#batch = batch ?? [];
      this.#next = 0;
    }
  }

  /** Waits for the source, but not after the deadline or the trace's end. */
  async #wait(
    asked: Promise<readonly Packet[] | undefined>,
    deadline: number | undefined,
  ): Promise<readonly Packet[] | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<
      readonly Packet[] | undefined
    >();
    this.#waiter = {
      end: (error) => error === undefined ? resolve(undefined) : reject(error),
    };
    const timer = deadline === undefined ? undefined : setTimeout(
      () => reject(new TraceTimeoutError(this.uri, this.#settings.timeout)),
      Math.max(0, deadline - performance.now()),
    );
    asked.then(resolve, reject);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiter = undefined;
    }
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const change = this.#change.then(action);
    this.#change = change.catch(() => {});
    return change;
  }

  #abortReason(): unknown {
    return this.#signal?.aborted ? this.#signal.reason : undefined;
  }

  #stateError(action: string, reason?: string): TraceStateError {
    const state = this.#state === "created" ? "not started" : this.#state;
    return new TraceStateError(
      `Cannot ${action} ${this.uri}: ${reason ?? `it is ${state}`}`,
    );
  }
}
