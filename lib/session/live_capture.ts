/**
 * A running capture: its threads, what they say, and its end.
 *
 * @module
 */
import type { Fd } from "../../ffi/fd.ts";
import { signalEventFd, sync } from "../../ffi/file.ts";
import type { User } from "../../ffi/process.ts";
import { createTable } from "../sockets/table.ts";
import { createOwnerTable, OwnerTable } from "../trace/owner_table.ts";
import { Control, createControl, SnifferCommand } from "./control.ts";
import type { FilterSource } from "./filter_names.ts";
import { ebpfFailure, probeLines, trackerNotice } from "./ebpf_report.ts";
import { packetSocketFailure } from "./failures.ts";
import { keyLogEnvironment, type KeyLogFile } from "./key_log.ts";
import { LaunchedCommand } from "./launched_command.ts";
import type {
  CapturedProcess,
  SharedMemory,
  SnifferCommandMessage,
  SnifferMessage,
  TrackerCommand,
  TrackerMessage,
} from "./messages.ts";
import { readRights } from "../proc/rights.ts";
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
  type CaptureObserver,
  type CaptureOptions,
  type CaptureResult,
  type CaptureStatus,
  type ExitStatus,
} from "./types.ts";

type ReadyMessage = Extract<SnifferMessage, { type: "ready" }>;

/** How long the tracer may take to let go of everybody, ms. */
const DETACH_PATIENCE = 2000;
/** How long the sniffer may take to let go of what it prepared, ms. */
const RELEASE_PATIENCE = 2000;

/** The threads of a capture; see the design's table of threads. */
export interface CaptureThreads {
  readonly sniffer: Worker;
  /** Started when it is needed. */
  readonly tracer: Worker | undefined;
}

/** Starts the tracer's thread; it waits for its setup. */
export function startTracer(): Worker {
  const url = new URL("./tracer_worker.ts", import.meta.url);
  return new Worker(url, { type: "module" });
}

/** Starts the sniffer's thread; it waits for its setup. */
export function startSniffer(): Worker {
  const url = new URL("./sniffer_worker.ts", import.meta.url);
  return new Worker(url, { type: "module" });
}

/** The same as {@linkcode CaptureOptions}, and packets may go into a stream. */
export interface LiveOptions extends CaptureOptions {
  /** Takes the packets besides the output, or instead of it. */
  readonly stream?: PacketStream | undefined;
}

/** What a capture needs from the machine; it closes the descriptors. */
export interface Resources {
  /** Packet socket with ring, which passes nothing yet. */
  readonly socket: Fd;
  /** Unset when packets go into a stream only. */
  readonly output: Fd | undefined;
  /** When the output was named, in seconds since 1970. */
  readonly began: number;
  /** The command's TLS keys. */
  readonly keyLog: KeyLogFile | undefined;
  /** An eventfd that wakes the sniffer. */
  readonly wake: Fd;
  /** Whom the command runs as. */
  readonly user: User | undefined;
  /** Which of its packets. */
  readonly filter: FilterSource | undefined;
  /** Interface indexes; empty for all. */
  readonly interfaces: readonly number[];
}

/** See the module's text. */
export class LiveCapture implements Capture {
  readonly finished: Promise<CaptureResult>;
  readonly #options: LiveOptions;
  readonly #observer: CaptureObserver;
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
    this.#explain(ready);
    if (ready.ebpf !== undefined) {
      processes = this.#follow(ready.ebpf);
    } else {
      processes = await this.#trace();
    }
    this.#nameStream(processes[0]?.pid);
    this.#toSniffer({ type: "run" });
    this.#running = true;
    this.#began = performance.now();
    this.#announce(processes);
    const { duration } = this.#options;
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

  /** Says what follows the sockets and why, or that nothing can. */
  #explain({ ebpf, probes }: ReadyMessage): void {
    const { tracker = "auto" } = this.#options;
    for (const line of probeLines(probes)) this.#debug(line);
    if (tracker === "ptrace") return;
    const rights = readRights();
    if (tracker === "auto") {
      this.#observer.notice?.(trackerNotice(ebpf?.variant, probes, rights));
    } else if (ebpf === undefined) {
      const hooks = tracker === "ebpf" ? undefined : tracker;
      throw ebpfFailure(hooks, probes, rights);
    }
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

  #announce(processes: readonly CapturedProcess[]): void {
    const names = processes.map(({ pid, comm }) => `${pid} (${comm})`);
    const shown = names.slice(0, 4).join(", ");
    const more = names.length > 4 ? ` and ${names.length - 4} more` : "";
    const { output } = this.#options;
    const into = output === undefined
      ? ""
      : ` into ${output === "-" ? "standard output" : output}`;
    this.#notice(
      "info",
      `capturing process${names.length > 1 ? "es" : ""} ${shown}${more}${into}`,
    );
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
    // are traced end with their tracer.
    this.#trackingEnded();
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
    this.#close();
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
      this.#notice(
        "info",
        "the capture is complete; the command goes on until it ends",
      );
    }
  }

  /** Lets go of the processes; they go on as if nothing had been. */
  #detach(): void {
    if (this.#tracked) {
      this.#finishIfDone();
      return;
    }
    this.#toTracker({ type: "detach" });
    // The kernel detaches everything when the tracer's thread ends.
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
      case "suspended":
        this.#observer.suspended?.(message.signal);
        return;
      case "exited":
        this.#exit = message.status;
        if (message.others > 0) {
          this.#notice(
            "info",
            `the command ended, ${message.others} of its processes go on ` +
              "(Ctrl-C ends them)",
          );
        }
        return;
      case "done":
        this.#tracked = true;
        this.#endCapturing("exited");
        this.#trackingEnded();
        return;
      case "failed":
        this.#trackerFailed(
          new CaptureError(
            message.code,
            message.message,
            message.hint === undefined ? {} : { hint: message.hint },
          ),
        );
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
          message.code === undefined ? undefined : new CaptureError(
            message.code,
            message.message,
            message.hint === undefined ? {} : { hint: message.hint },
          ),
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
    if (result.undecided > 0) {
      this.#notice(
        "warning",
        `${result.undecided} packets were left out: their owner could not be ` +
          "told in time",
      );
    }
    const status = this.status();
    this.#sniffer.terminate();
    try {
      const { output } = this.#resources;
      if (output !== undefined) sync(output.number);
    } catch (error) {
      this.#error ??= new CaptureError(
        "output",
        `Cannot write ${this.#options.output}: ${
          error instanceof Error ? error.message : error
        }`,
      );
    }
    this.#close();
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

  #close(): void {
    const { socket, wake, output, keyLog } = this.#resources;
    keyLog?.[Symbol.dispose]();
    socket.close();
    wake.close();
    if (this.#options.output === "-") output?.disown();
    else output?.close();
  }

  #notice(severity: "info" | "warning", text: string): void {
    this.#observer.notice?.({ severity, text });
  }

  #debug(text: string): void {
    const level = 1;
    this.#observer.notice?.({ severity: "debug", level, text });
  }

  #toTracker(command: TrackerCommand): void {
    this.#tracer?.postMessage(command);
  }

  #toSniffer(message: SnifferCommandMessage): void {
    this.#sniffer.postMessage(message);
  }
}
