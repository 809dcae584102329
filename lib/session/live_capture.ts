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
import { keyLogEnvironment } from "./key_log.ts";
import { LaunchedCommand } from "./launched_command.ts";
import type { LiveOptions } from "./live_options.ts";
import type {
  CapturedProcess,
  SharedMemory,
  TrackerCommand,
  TrackerMessage,
} from "./messages.ts";
import type { Resources } from "./resources.ts";
import type { SnifferResult } from "./sniffer.ts";
import { type SnifferReady, SnifferThread } from "./sniffer_thread.ts";
import { summarize } from "./summary.ts";
import { threadFailure } from "./thread_failure.ts";
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
  type CaptureObserver,
  type CaptureResult,
  type CaptureStatus,
  type ExitStatus,
} from "./types.ts";

/** How long the tracer may take to let go of everybody, ms. */
const DETACH_PATIENCE = 5000;

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
  readonly #sniffer: SnifferThread;
  readonly #finish: (result: CaptureResult) => void;
  readonly #trackerReady = Promise.withResolvers<readonly CapturedProcess[]>();
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
    this.#sniffer = new SnifferThread(threads.sniffer, {
      notice: (notice) => observer.notice?.(notice),
      socket: (event) => options.onSocket?.(event),
      packets: (bytes, interfaces) => options.stream?.push(bytes, interfaces),
      ended: (result) => this.#snifferEnded(result),
      failed: (error) => this.#snifferFailed(error),
    });
  }

  async begin(): Promise<void> {
    this.#sniffer.start(
      snifferSetup(this.#options, this.#resources, this.#memory),
      ebpfSetup(this.#options),
    );
    const ready = this.#options.tracker === "ptrace"
      // The kernel keeps packets in the ring until the sniffer takes them.
      ? (await Promise.all([this.#sniffer.ready, this.#trace()]))[0]
      : await this.#sniffer.ready;
    let processes: readonly CapturedProcess[];
    const { tracker = "auto" } = this.#options;
    this.#reporter.tracker(tracker, ready.ebpf?.variant, ready.probes);
    if (ready.ebpf !== undefined) {
      processes = this.#follow(ready.ebpf);
    } else {
      processes = await this.#trace();
    }
    // A thread may have failed after it was ready.
    if (this.#error !== undefined) throw this.#error;
    this.#nameStream(processes[0]?.pid);
    this.#sniffer.run(this.#child?.pid);
    this.#running = true;
    this.#began = performance.now();
    const { duration, output } = this.#options;
    this.#reporter.beginning(processes, output);
    if (duration !== undefined) {
      this.#timer = setTimeout(() => this.#endCapturing("duration"), duration);
    }
  }

  /** Says whose packets come; `pid` is the first process. */
  #nameStream(pid: number | undefined): void {
    const { target } = this.#options;
    this.#options.stream?.begin(
      new OwnerTable(this.#memory.owners),
      target.kind === "processes" || pid === undefined
        ? undefined
        : { pid, args: [target.command, ...target.args] },
    );
  }

  /** eBPF serves: launches the command as an ordinary child. */
  #follow(
    ebpf: NonNullable<SnifferReady["ebpf"]>,
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
    await this.#sniffer.release();
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
    clearTimeout(this.#timer);
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
        this.#trackerFailed(threadFailure(message, message.code));
        return;
    }
  }

  #trackerFailed(error: Error): void {
    this.#error ??= error;
    if (!this.#running) {
      this.#trackerReady.reject(error);
      return;
    }
    this.#endCapturing("failed");
    this.#trackingEnded();
  }

  #snifferFailed(error: Error): void {
    this.#error ??= error;
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
    clearTimeout(this.#timer);
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
}
