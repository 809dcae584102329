/**
 * What a live capture is asked to do and what it reports back: plain data,
 * shared by the command line and by programs that import the library.
 *
 * @module
 */

import type { Packet } from "./trace/packet.ts";

/** The program whose packets are wanted. See {@linkcode startCapture}. */
export type CaptureTarget =
  | {
    readonly kind: "processes";
    /** Process (thread-group) ids that are running now. */
    readonly pids: readonly number[];
  }
  | {
    readonly kind: "command";
    /** Program name, searched in `PATH` like execvp(3) does. */
    readonly command: string;
    /** Arguments after the program name. */
    readonly args: readonly string[];
    /** Run the command as this user (name or numeric id). */
    readonly user?: string;
    /**
     * Signals that the command shall begin with as ignored, as nohup(1) does;
     * those that were ignored when this program began. Default none.
     */
    readonly ignoredSignals?: readonly number[];
  };

/**
 * How the program's sockets are followed: `auto` takes eBPF where the kernel
 * and the rights permit it, else ptrace. `cg`, `fe` and `tp` are the variants
 * of `ebpf`, by the hooks that they use.
 *
 * See {@linkcode startCapture}.
 */
export type TrackerChoice = "auto" | "ebpf" | "ptrace" | "cg" | "fe" | "tp";

/**
 * How the kernel selects packets: `map` is an eBPF program with maps,
 * `classic` a classic BPF program that is made anew; `auto` takes the first
 * where it is permitted.
 *
 * See {@linkcode startCapture}.
 */
export type KernelFilterChoice = "auto" | "map" | "classic";

/** Formats of capture files. See {@linkcode captureFormat}. */
export type CaptureFormat = "pcap" | "pcapng";

/**
 * Which packets of a pcapng file tell their process as a comment; `first`: the
 * first packet of each connection.
 *
 * See {@linkcode startCapture}.
 */
export type CommentChoice = "first" | "all" | "none";

/**
 * When a capture goes on in a new file, and how many are kept.
 * See {@linkcode startCapture}.
 */
export interface RotationOptions {
  /** Bytes that a file has at most. */
  readonly size?: number;
  /** Seconds of packets that a file holds at most. */
  readonly seconds?: number;
  /** Files kept, the newest ones. Default all. */
  readonly files?: number;
}

/** How packets are taken and where they go. See {@linkcode startCapture}. */
export interface CaptureOptions {
  /** Whose packets. */
  readonly target: CaptureTarget;
  /**
   * File name, or `-` for standard output; what a launched command writes to
   * standard output then goes to standard error. Left out, packets go to the
   * observer only.
   */
  readonly output?: string;
  /**
   * What a launched command writes to standard output goes to standard error,
   * because standard output is needed otherwise. Default false.
   */
  readonly outputToStderr?: boolean;
  /** Bytes kept of each IP packet; 0 keeps all. */
  readonly snaplen: number;
  /**
   * Also take ICMP errors that quote the program's packets. Default false.
   */
  readonly icmp?: boolean;
  /** Nanosecond time stamps in a pcap file instead of microseconds. */
  readonly nanoseconds: boolean;
  /** Default `pcapng` when the file's name ends so, else `pcap`. */
  readonly format?: CaptureFormat;
  /** For pcapng. Default `first`. */
  readonly comments?: CommentChoice;
  /** Wireshark's process blocks in a pcapng file. Default false. */
  readonly processBlocks?: boolean;
  /**
   * Set SSLKEYLOGFILE for the command and put its TLS keys into the pcapng
   * file. Default false.
   */
  readonly tlsKeys?: boolean;
  /** Default one file. */
  readonly rotation?: RotationOptions;
  /** Stop before the files together are larger than this, in bytes. */
  readonly maxSize?: number;
  /** Stop before less than this is free on the disk, in bytes. */
  readonly minFree?: number;
  /** Write each packet at once instead of many together. Default false. */
  readonly unbuffered?: boolean;
  /** Stop after this many packets. */
  readonly count?: number;
  /** Stop after this many milliseconds. */
  readonly duration?: number;
  /**
   * Of the program's packets, only those that match this expression of
   * pcap-filter(7), with the terms `pid N`, `comm NAME` and `proc in|out`
   * besides. Default all.
   */
  readonly filter?: string;
  /** Interface names; empty means all. */
  readonly interfaces: readonly string[];
  /** Capture child processes and new threads' processes too. */
  readonly follow: boolean;
  /** Kernel packet buffer, in MiB. */
  readonly bufferSize: number;
  /** How long to wait for the last packets after the command ended, ms. */
  readonly linger: number;
  /** Default `auto`. */
  readonly tracker?: TrackerChoice;
  /** Default `auto`. */
  readonly kernelFilter?: KernelFilterChoice;
  /**
   * Highest level of debug notices: 0 none, 2 processes, 5 socket calls.
   * Default 0.
   */
  readonly debug?: number;
}

/** Figures of a running capture. See {@linkcode startCapture}. */
export interface CaptureStatus {
  /** Milliseconds since capturing began. */
  readonly elapsed: number;
  /** Packets written to the output. */
  readonly packets: number;
  /** Bytes of these packets on the wire (IP packet lengths). */
  readonly bytes: number;
  /** Sockets of the program seen so far. */
  readonly sockets: number;
  /** Packets that the kernel dropped because its buffer was full. */
  readonly drops: number;
}

/** Why a capture ended. See {@linkcode startCapture}. */
export type CaptureEndReason =
  | "exited" // the command, or every watched process, ended
  | "stopped" // stop() was called (Ctrl-C)
  | "count" // the packet count was reached
  | "duration" // the time was over
  | "size" // the files have their greatest size
  | "space" // the disk has no more room to spare
  | "closed" // the reader of the output pipe went away
  | "failed"; // see CaptureResult.error

/**
 * Traffic of one process with one remote endpoint.
 * See {@linkcode startCapture}.
 */
export interface PeerSummary {
  /** Transport protocol. */
  readonly protocol: "tcp" | "udp" | "udplite";
  /** Remote address in text form (RFC 5952 for IPv6). */
  readonly address: string;
  /** Remote port; the own port where the remote side began (`incoming`). */
  readonly port: number;
  /** Which side began, as far as the packets tell. */
  readonly direction: "outgoing" | "incoming";
  /** Name that the program's own DNS answers gave for the address. */
  readonly name?: string;
  /** Packets from the process. */
  readonly packetsSent: number;
  /** Packets to the process. */
  readonly packetsReceived: number;
  /** Bytes of the IP packets sent. */
  readonly bytesSent: number;
  /** Bytes of the IP packets received. */
  readonly bytesReceived: number;
  /** Milliseconds from the first to the last packet. */
  readonly duration: number;
  /** Connections or, for UDP, socket pairs counted into this row. */
  readonly flows: number;
  /** Connections that were refused, reset before being set up, or unanswered. */
  readonly failed: number;
}

/** Traffic of one process. See {@linkcode startCapture}. */
export interface ProcessSummary {
  /** Process id. */
  readonly pid: number;
  /** comm of the process (proc(5), at most 15 bytes). */
  readonly comm: string;
  /** Connections and datagram exchanges, counted by their ends. */
  readonly flows: number;
  /** Busiest first. */
  readonly peers: readonly PeerSummary[];
}

/**
 * How the launched command ended, as wait(2) tells.
 * See {@linkcode startCapture}.
 */
export type ExitStatus =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "signaled"; readonly signal: number };

/** What a finished capture leaves behind. See {@linkcode startCapture}. */
export interface CaptureResult extends CaptureStatus {
  /** Why it ended. */
  readonly reason: CaptureEndReason;
  /** Set when `reason` is "failed": one clear sentence in `message`. */
  readonly error?: Error;
  /** Packets that the observer did not get because it was too slow. */
  readonly missed?: number;
  /**
   * The files that hold the packets, oldest first; unset when there is just
   * the one that was asked for.
   */
  readonly files?: readonly string[];
  /** The launched command's end; unset for processes that were attached to. */
  readonly exit?: ExitStatus;
  /** Who talked to whom, the busiest process first. */
  readonly processes: readonly ProcessSummary[];
}

/**
 * Things worth telling a person while capturing.
 * See {@linkcode startCapture}.
 */
export interface CaptureNotice {
  /** `debug` notices carry a level from 1 (rare) to 9 (each event). */
  readonly severity: "info" | "warning" | "debug";
  /** Debug level. */
  readonly level?: number;
  /** One sentence without a final period. */
  readonly text: string;
}

/**
 * Callbacks of a capture; each is called on the main thread.
 * See {@linkcode startCapture}.
 */
export interface CaptureObserver {
  /**
   * The program's packets, as they come. The program and the file never wait
   * for this: what comes while too many are waiting is left out here, and
   * counted as `missed`.
   */
  packets?(packets: readonly Packet[]): void;
  /** Something worth telling happened. */
  notice?(notice: CaptureNotice): void;
  /** The command was stopped by a terminal signal (SIGTSTP, SIGTTIN, SIGTTOU). */
  suspended?(signal: number): void;
}

/** A running capture. See {@linkcode startCapture}. */
export interface Capture {
  /** Current figures; cheap. */
  status(): CaptureStatus;
  /**
   * Ends the capture: attached programs are left running, the file is
   * completed. Has no effect after the first call.
   */
  stop(): void;
  /**
   * Passes a signal on to the launched command unless the command got the
   * same signal by itself (from the terminal) at the same moment.
   */
  forwardSignal(signal: number): void;
  /** Settles when everything is written; never rejects. */
  readonly finished: Promise<CaptureResult>;
}

/**
 * A reason why a capture cannot begin.
 *
 * `code` tells the kinds apart: `not-found` and `not-executable` are about the
 * command (shell exit statuses 127 and 126).
 *
 * @example Tell why nothing can be captured
 * ```ts
 * import { openTrace } from "./trace/open_trace.ts";
 * import { CaptureError } from "./types.ts";
 * import assert from "node:assert/strict";
 *
 * await using trace = openTrace("pid:4194304");
 * await assert.rejects(
 *   trace.start(),
 *   (error) => error instanceof CaptureError && error.code === "no-process",
 * );
 * ```
 */
export class CaptureError extends Error {
  /** Name of the class. */
  override readonly name = "CaptureError";
  /** Machine-readable kind. */
  readonly code: CaptureErrorCode;
  /** One line that says what to do, if there is something to do. */
  readonly hint: string | undefined;

  /** Makes the error; `message` is one sentence without a final period. */
  constructor(
    code: CaptureErrorCode,
    message: string,
    options: { hint?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

/** Kinds of {@linkcode CaptureError}. */
export type CaptureErrorCode =
  | "permission" // a capability or right is missing
  | "no-process" // no such process, or it went away
  | "already-traced" // another debugger holds the process
  | "kernel-thread"
  | "not-found"
  | "not-executable"
  | "no-user"
  | "no-interface"
  | "output" // the output file cannot be opened or written
  | "unsupported"; // the kernel lacks something that is needed
