/**
 * What the threads of a capture say to each other.
 *
 * @module
 */
import type { RingOptions } from "../../ffi/packet.ts";
import type { User } from "../../ffi/process.ts";
import type { Variant } from "../trace/ebpf_loader.ts";
import type { RawSocketEvent } from "./events/raw_event.ts";
import type { Probe } from "./ebpf_report.ts";
import type { EbpfSetup } from "./ebpf_setup.ts";
import type { SnifferResult, SnifferSetup } from "./sniffer.ts";
import type {
  CaptureErrorCode,
  CaptureNotice,
  ExitStatus,
  KernelFilterChoice,
} from "./types.ts";

/** Memory that the threads share. */
export interface SharedMemory {
  /** The socket table, written by the thread that follows the program. */
  readonly table: SharedArrayBuffer;
  /** The owner table, written by the same thread. */
  readonly owners: SharedArrayBuffer;
  /** The control block. */
  readonly control: SharedArrayBuffer;
}

/** A process that is captured. */
export interface CapturedProcess {
  readonly pid: number;
  /** Its name (proc_pid_comm(5)). */
  readonly comm: string;
}

/** What the tracer's thread needs to know. */
export interface TrackerSetup extends SharedMemory {
  /** Descriptor of the packet socket whose filter follows the sockets. */
  readonly socket: number;
  /** Descriptor of the eventfd that wakes the sniffer. */
  readonly wake: number;
  /** Ring of packet sockets in other network namespaces. */
  readonly ring: RingOptions;
  /** Names of interfaces to take packets from; empty for all. */
  readonly interfaces: readonly string[];
  /** Bytes of each packet that the kernel shall hand over, 0 for all. */
  readonly snaplen: number;
  readonly icmp: boolean;
  readonly follow: boolean;
  /** How long to wait for last packets after the end, milliseconds. */
  readonly linger: number;
  /** Highest level of debug notices. */
  readonly debug: number;
  readonly kernelFilter: KernelFilterChoice;
  /** Tell what happens to sockets. */
  readonly sockets: boolean;
  readonly target:
    | { readonly kind: "processes"; readonly pids: readonly number[] }
    | {
      readonly kind: "command";
      readonly command: string;
      readonly args: readonly string[];
      readonly user: User | undefined;
      readonly ignoredSignals?: readonly number[];
      readonly outputToStderr: boolean;
      /** Variables that it gets besides those of this process. */
      readonly environment: Readonly<Record<string, string>>;
    };
}

/** To the tracer's thread. */
export type TrackerCommand =
  | { readonly type: "start"; readonly setup: TrackerSetup }
  | { readonly type: "signal"; readonly signal: number }
  /** Let go of the processes that were attached to. */
  | { readonly type: "detach" }
  /** End the command and whatever it started. */
  | { readonly type: "end" };

/** From the tracer's thread. */
export type TrackerMessage =
  | { readonly type: "ready"; readonly processes: readonly CapturedProcess[] }
  | { readonly type: "notice"; readonly notice: CaptureNotice }
  /** What happened to a socket, where that is wanted. */
  | { readonly type: "socket"; readonly event: RawSocketEvent }
  /** The launched command was stopped by a signal. */
  | { readonly type: "suspended"; readonly signal: number }
  /** The launched command ended; descendants may go on. */
  | {
    readonly type: "exited";
    readonly status: ExitStatus;
    readonly others: number;
  }
  /** Every process ended, and their last packets are out. */
  | { readonly type: "done" }
  | {
    readonly type: "failed";
    readonly code: CaptureErrorCode;
    readonly message: string;
    readonly hint?: string;
  };

/** To the sniffer's thread. */
export type SnifferCommandMessage =
  | {
    readonly type: "start";
    readonly setup: SnifferSetup;
    /** Set to follow the program with eBPF, if that is possible. */
    readonly ebpf: EbpfSetup | undefined;
  }
  /** What `start` prepared may run; sent after the command was launched. */
  | {
    readonly type: "run";
    /** Process of the command where nobody traces it. */
    readonly command: number | undefined;
  }
  /** What `start` prepared is not wanted any more. */
  | { readonly type: "release" };

/** From the sniffer's thread. */
export type SnifferMessage =
  /** Ready to run; follows with eBPF when it says so. */
  | {
    readonly type: "ready";
    readonly ebpf:
      | {
        readonly variant: Variant;
        readonly processes: readonly CapturedProcess[];
      }
      | undefined;
    /** How each trial of eBPF ended; empty when it was not asked for. */
    readonly probes: readonly Probe[];
  }
  /** Nothing of this thread is left in the kernel. */
  | { readonly type: "released" }
  | { readonly type: "notice"; readonly notice: CaptureNotice }
  /** What happened to a socket, where that is wanted. */
  | { readonly type: "socket"; readonly event: RawSocketEvent }
  /** A batch of packets, for a stream. */
  | {
    readonly type: "packets";
    readonly bytes: ArrayBuffer;
    /** Names of interfaces that appear for the first time. */
    readonly interfaces: readonly string[];
  }
  | {
    readonly type: "done";
    readonly result: SnifferResult;
  }
  | {
    readonly type: "failed";
    /** Unset for what nobody expected. */
    readonly code?: CaptureErrorCode;
    readonly message: string;
    readonly hint?: string;
  };
