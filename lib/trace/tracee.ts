/**
 * What is known of each traced thread and process.
 *
 * ```text
 *   new ──first stop──▶ running ◀──resume── stopped
 *                          │                   ▲
 *                          └──wait status──────┘──group-stop──▶ listening
 * ```
 *
 * @module
 */
import type { Timestamp } from "../../ffi/clock.ts";
import type { Fd } from "../../ffi/fd.ts";
import { openPidFd } from "../../ffi/process.ts";
import type { Endpoint } from "../../ffi/sockaddr.ts";
import type { SocketCall } from "./call_arguments.ts";

/** A thread group. */
export interface TracedProcess {
  readonly pid: number;
  /** Whether its packets are wanted; false for children with --no-follow. */
  readonly followed: boolean;
  /** Threads that are traced. */
  threads: number;
}

/** What was known of a socket when a watched call began. */
export interface SocketBefore {
  /** SO_COOKIE. */
  readonly cookie: bigint;
  /** IPPROTO_TCP or IPPROTO_UDP. */
  readonly protocol: number;
  /** 0 while there is none. */
  readonly localPort: number;
  /** First of the ends that the call names, as packets will have it. */
  readonly named: Endpoint | undefined;
  /** When the call began. */
  readonly began: Timestamp;
}

/** A watched call between its entry and its exit. */
export interface OpenCall<Call> {
  readonly call: SocketCall;
  /** What to settle; unset when the socket is only looked at afterwards. */
  readonly pending: Call | undefined;
  /** Whether what the socket is afterwards matters to the observer. */
  readonly isObserved: boolean;
  /**
   * Our duplicate of the socket, closed as early as possible; none of one that
   * waits for connections.
   */
  readonly socket: Fd | undefined;
  /** Unset where nobody wants to know. */
  readonly before: SocketBefore | undefined;
  /** When it began, by performance.now(). */
  readonly since: number;
}

/** A traced thread. */
export class Tracee<Call> {
  readonly tid: number;
  readonly process: TracedProcess;
  /** It was interrupted by us and has not reported that stop yet. */
  interrupted = false;
  /** Stopped until the tracer resumes everybody; see `Tracer.attach`. */
  held: { readonly signal: number; readonly listening: boolean } | undefined;
  /** Number among the owners, once it used a socket. */
  owner: number | undefined;
  /** Its next system-call stop is the end of a call that does not matter. */
  passing = false;
  /** It is in pidfd_getfd(2), which may give it a socket. */
  taking = false;
  /** The watched call that it is in. */
  open: OpenCall<Call> | undefined;
  #pidFd: Fd | undefined;

  /** A thread of `process`. */
  constructor(tid: number, process: TracedProcess) {
    this.tid = tid;
    this.process = process;
    process.threads++;
  }

  /** Descriptor of the thread, opened when first needed. */
  pidFd(): Fd | undefined {
    this.#pidFd ??= openPidFd(this.tid, this.process.pid);
    return this.#pidFd;
  }

  /** Ends the watched call, if there is one. */
  closeCall(): void {
    this.open?.socket?.close();
    this.open = undefined;
  }

  /** Forgets descriptors: the thread is gone or became another program. */
  close(): void {
    this.closeCall();
    this.#pidFd?.close();
    this.#pidFd = undefined;
  }
}
