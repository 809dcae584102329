/**
 * A running capture: its threads, what they say, and its end.
 *
 * @module
 */
import { signalEventFd } from "../../ffi/file.ts";
import { createTable } from "../sockets/table.ts";
import { createOwnerTable, OwnerTable } from "../trace/owner_table.ts";
import { Control, createControl, SnifferCommand } from "./control.ts";
import { CaptureReporter } from "./capture_reporter.ts";
import { type CaptureThreads, startTracer } from "./capture_threads.ts";
import { packetSocketFailure } from "./failures.ts";
import { keyLogEnvironment } from "./key_log.ts";
import type { RawSocketEvent } from "./events/raw_event.ts";
import { LaunchedCommand } from "./launched_command.ts";
import type {
  CapturedProcess,
  SharedMemory,
  SnifferCommandMessage,
  SnifferMessage,
  TrackerCommand,
  TrackerMessage,
} from "./messages.ts";
import type { Resources } from "./resources.ts";
import type { SnifferResult } from "./sniffer.ts";
import type { PacketStream } from "./stream/packet_stream.ts";
import { summarize } from "./summary.ts";
import {
  ebpfSetup,
  isOutputTaken,
  snifferSetup,
  trackerSetup,
} from "./thread_setup.ts";
import {
  type Capture,
  type CaptureEndReason,
  CaptureError,
  type CaptureErrorCode,
  type CaptureObserver,
  type CaptureOptions,
  type CaptureResult,
  type CaptureStatus,
  type ExitStatus,
} from "./types.ts";

type ReadyMessage = Extract<SnifferMessage, { type: "ready" }>;

/** How long the tracer may take to let go of everybody, ms. */
const DETACH_PATIENCE = 5000;
/** How long the sniffer may take to let go of what it prepared, ms. */
const RELEASE_PATIENCE = 2000;

/** The same as {@linkcode CaptureOptions}, and packets may go into a stream. */
export interface LiveOptions extends CaptureOptions {
  /** Takes the packets besides the output, or instead of it. */
  readonly stream?: PacketStream | undefined;
  /** Told of sockets. */
  readonly onSocket?: (event: RawSocketEvent) => void;
  /** Bytes of the ring of eBPF events: a power of two, and whole pages. */
  readonly eventRing?: number;
}

/** See the module's text. */
export class LiveCapture implements Capture {
  readonly finished: Promise<CaptureResult>;
  readonly #options: LiveOptions;
  readonly #observer: CaptureObserver;
  readonly #reporter: CaptureReporter;
  readonly #resources: Resources;
  readonly #control = new Control(createControl());
  readonly #memory: SharedMemory = {
    table: createTable(),
    owners: createOwnerTable(),
    control: this.#control.memory,
  };
  #tracer: Worker | undefined;
  /** The command where nobody traces it. */
  #child: LaunchedCommand | undefined;
  readonly #sniffer: Worker;
  readonly #finish: (result: CaptureResult) => void;
  readonly #trackerReady = Promise.withResolvers<readonly CapturedProcess[]>();
  readonly #snifferReady = Promise.withResolvers<ReadyMessage>();
  readonly #snifferReleased = Promise.withResolvers<void>();
  #tracing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #began = performance.now();
  #reason: CaptureEndReason | undefined;
  #error: Error | undefined;
  #exit: ExitStatus | undefined;
  #running = false;
  /** The tracer's thread has nothing more to do. */
  #tracked = false;
  #result: SnifferResult | undefined;

  constructor(
    options: LiveOptions,
    observer: CaptureObserver,
    threads: CaptureThreads,
    resources: Resources,
  ) {
    this.#options = options;
    this.#observer = observer;
    this.#reporter = new CaptureReporter(observer);
    this.#resources = resources;
    const { promise, resolve } = Promise.withResolvers<CaptureResult>();
    this.finished = promise;
    this.#finish = resolve;
    this.#tracer = threads.tracer;
    this.#sniffer = threads.sniffer;
    this.#sniffer.onmessage = (event: MessageEvent<SnifferMessage>) =>
      this.#fromSniffer(event.data);
    this.#sniffer.onerror = (event) => {
      event.preventDefault();
      this.#snifferReleased.resolve();
      this.#snifferFailed(`The sniffer failed: ${event.message}`);
    };
  }

  async begin(): Promise<void> {
    this.#startSniffer();
    const ready = this.#options.tracker === "ptrace"
      // The kernel keeps packets in the ring until the sniffer takes them.
      ? (await Promise.all([this.#snifferReady.promise, this.#trace()]))[0]
      : await this.#snifferReady.promise;
    let processes: readonly CapturedProcess[];
    const { tracker = "auto" } = this.#options;
    this.#reporter.tracker(tracker, ready.ebpf?.variant, ready.probes);
    if (ready.ebpf !== undefined) {
      processes = this.#follow(ready.ebpf);
    } else {
      processes = await this.#trace();
    }
    this.#nameStream(processes[0]?.pid);
    this.#toSniffer({ type: "run", command: this.#child?.pid });
    this.#running = true;
    this.#began = performance.now();
    const { duration, output } = this.#options;
    this.#reporter.beginning(processes, output);
    if (duration !== undefined) {
      this.#timer = setTimeout(() => this.#endCapturing("duration"), duration);
    }
  }

  get #stream(): PacketStream | undefined {
    return this.#options.stream;
  }

  /** Says whose packets come; `pid` is the first process. */
  #nameStream(pid: number | undefined): void {
    const { target } = this.#options;
    this.#stream?.begin(
      new OwnerTable(this.#memory.owners),
      target.kind === "processes" || pid === undefined
        ? undefined
        : { pid, args: [target.command, ...target.args] },
    );
  }

  #startSniffer(): void {
    this.#toSniffer({
      type: "start",
      setup: snifferSetup(this.#options, this.#resources, this.#memory),
      ebpf: ebpfSetup(this.#options),
    });
  }

  /** eBPF serves: launches the command as an ordinary child. */
  #follow(
    ebpf: NonNullable<ReadyMessage["ebpf"]>,
  ): readonly CapturedProcess[] {
    const { target } = this.#options;
    if (target.kind === "processes") {
      this.#tracked = true;
      return ebpf.processes;
    }
    const child = LaunchedCommand.start(
      target,
      this.#resources.user,
      isOutputTaken(this.#options),
      keyLogEnvironment(this.#resources.keyLog),
      {
        suspended: (signal) => this.#observer.suspended?.(signal),
        ended: (status) => this.#commandEnded(status),
      },
    );
    this.#child = child;
    this.#control.launched = true;
    return [{ pid: child.pid, comm: child.comm }];
  }

  #commandEnded(status: ExitStatus): void {
    this.#exit = status;
    this.#tracked = true;
    if (!this.#running) return;
    signalEventFd(this.#resources.wake.number);
    this.#finishIfDone();
  }

  /** Has the tracer's thread launch or attach. */
  #trace(): Promise<readonly CapturedProcess[]> {
    if (this.#tracing) return this.#trackerReady.promise;
    this.#tracing = true;
    const tracer = this.#tracer ?? startTracer();
    this.#tracer = tracer;
    tracer.onmessage = (event: MessageEvent<TrackerMessage>) =>
      this.#fromTracker(event.data);
    tracer.onerror = (event) => {
      event.preventDefault();
      this.#trackerFailed(new Error(`The tracer failed: ${event.message}`));
    };
    const setup = trackerSetup(this.#options, this.#resources, this.#memory);
    this.#toTracker({ type: "start", setup });
    return this.#trackerReady.promise;
  }

  status(): CaptureStatus {
    return {
      elapsed: performance.now() - this.#began,
      packets: this.#control.packets,
      bytes: this.#control.bytes,
      sockets: this.#control.sockets,
      drops: this.#control.drops,
    };
  }

  stop(): void {
    this.#endCapturing("stopped");
    if (this.#options.target.kind === "processes") return;
    // Nobody waits for the command any more, or for its processes. Those that
    // are traced end with their tracer, which closes what it opened.
    if (this.#tracked || !this.#tracing) this.#trackingEnded();
    else this.#endTracing("end");
  }

  forwardSignal(signal: number): void {
    if (this.#child !== undefined) {
      if (!this.#child.forwardSignal(signal)) this.stop();
      return;
    }
    if (this.#tracked) return;
    // Nobody is left to take it but processes in the background.
    if (this.#exit !== undefined) this.stop();
    else this.#toTracker({ type: "signal", signal });
  }

  /** Ends everything, after a failed beginning. */
  async abort(): Promise<void> {
    this.#tracer?.terminate();
    this.#toSniffer({ type: "release" });
    this.#timer = setTimeout(this.#snifferReleased.resolve, RELEASE_PATIENCE);
    await this.#snifferReleased.promise;
    clearTimeout(this.#timer);
    this.#sniffer.terminate();
    this.#resources[Symbol.dispose]();
  }

  /** Takes no more packets; a launched command goes on to its end. */
  #endCapturing(reason: CaptureEndReason): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    clearTimeout(this.#timer);
    this.#control.command = SnifferCommand.FINISH;
    signalEventFd(this.#resources.wake.number);
    if (this.#options.target.kind === "processes") {
      this.#detach();
    } else if (!this.#tracked && reason !== "exited" && reason !== "stopped") {
      this.#reporter.complete();
    }
  }

  /** Lets go of the processes; they go on as if nothing had been. */
  #detach(): void {
    if (this.#tracked) {
      this.#finishIfDone();
      return;
    }
    this.#endTracing("detach");
  }

  #endTracing(type: "detach" | "end"): void {
    this.#toTracker({ type });
    // The kernel detaches or ends everything when the tracer's thread ends.
    this.#timer = setTimeout(() => this.#trackingEnded(), DETACH_PATIENCE);
  }

  #trackingEnded(): void {
    clearTimeout(this.#timer);
    this.#tracked = true;
    this.#tracer?.terminate();
    this.#finishIfDone();
  }

  #fromTracker(message: TrackerMessage): void {
    switch (message.type) {
      case "ready":
        this.#trackerReady.resolve(message.processes);
        return;
      case "notice":
        this.#observer.notice?.(message.notice);
        return;
      case "socket":
        this.#options.onSocket?.(message.event);
        return;
      case "suspended":
        this.#observer.suspended?.(message.signal);
        return;
      case "exited":
        this.#exit = message.status;
        this.#reporter.others(message.others);
        return;
      case "done":
        this.#tracked = true;
        this.#endCapturing("exited");
        this.#trackingEnded();
        return;
      case "failed":
        this.#trackerFailed(failureOf(message, message.code));
        return;
    }
  }

  #trackerFailed(error: Error): void {
    if (!this.#running) {
      this.#trackerReady.reject(error);
      return;
    }
    this.#error ??= error;
    this.#endCapturing("failed");
    this.#trackingEnded();
  }

  #fromSniffer(message: SnifferMessage): void {
    switch (message.type) {
      case "socket":
        this.#options.onSocket?.(message.event);
        return;
      case "released":
        this.#snifferReleased.resolve();
        return;
      case "ready":
        this.#snifferReady.resolve(message);
        return;
      case "notice":
        this.#observer.notice?.(message.notice);
        return;
      case "packets":
        this.#stream?.push(message.bytes, message.interfaces);
        return;
      case "done":
        this.#snifferEnded(message.result);
        return;
      case "failed":
        this.#snifferFailed(
          message.message,
          message.code === undefined
            ? undefined
            : failureOf(message, message.code),
        );
        return;
    }
  }

  #snifferFailed(message: string, error?: CaptureError): void {
    this.#snifferReady.reject(
      error ?? packetSocketFailure(new Error(message)),
    );
    this.#error ??= error ?? new Error(message);
    this.#snifferEnded({
      reason: "failed",
      rows: [],
      names: new Map(),
      undecided: 0,
    });
  }

  #snifferEnded(result: SnifferResult): void {
    this.#result = result;
    if (result.error !== undefined) {
      this.#error ??= new CaptureError(
        "output",
        `Cannot write ${result.path ?? this.#options.output}: ${result.error}`,
        { hint: "What was written until then is complete and readable" },
      );
    }
    this.#endCapturing(
      result.reason === "finished" ? "exited" : result.reason,
    );
    this.#finishIfDone();
  }

  #finishIfDone(): void {
    const result = this.#result;
    if (result === undefined || !this.#tracked || !this.#running) return;
    this.#running = false;
    this.#reporter.undecided(result.undecided);
    const status = this.status();
    this.#sniffer.terminate();
    try {
      this.#resources.sync();
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      this.#error ??= error;
    }
    this.#resources[Symbol.dispose]();
    this.#finish({
      ...status,
      reason: this.#error === undefined ? this.#reason ?? "exited" : "failed",
      ...(this.#error === undefined ? {} : { error: this.#error }),
      ...(this.#exit === undefined ? {} : { exit: this.#exit }),
      ...(result.files === undefined ? {} : { files: result.files }),
      processes: summarize(
        result.rows,
        new OwnerTable(this.#memory.owners),
        result.names,
      ),
    });
  }

  #toTracker(command: TrackerCommand): void {
    this.#tracer?.postMessage(command);
  }

  #toSniffer(message: SnifferCommandMessage): void {
    this.#sniffer.postMessage(message);
  }
}

/** What a thread could not do. */
function failureOf(
  { message, hint }: { readonly message: string; readonly hint?: string },
  code: CaptureErrorCode,
): CaptureError {
  return new CaptureError(code, message, hint === undefined ? {} : { hint });
}
