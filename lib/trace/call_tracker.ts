/**
 * Follows socket calls from their entry to their exit: looks at the socket
 * through a duplicate of its descriptor, tells the observer before the call
 * goes on, and again when the outcome is known.
 *
 * Nothing of the program is changed: its memory is read, its registers are
 * left alone, and the duplicate is closed as soon as possible, because while
 * it is open the program's close(2) would not end the connection.
 *
 * @module
 */
import { realTime, type Timestamp } from "../../ffi/clock.ts";
import { SyscallError } from "../../ffi/errno.ts";
import type { Fd } from "../../ffi/fd.ts";
import { duplicateFd } from "../../ffi/process.ts";
import type { SyscallInfo } from "../../ffi/ptrace.ts";
import {
  emptySocketState,
  IPPROTO_TCP,
  isTcpClosed,
  otherProtocol,
  readSocketState,
  type SocketState,
} from "../../ffi/socket.ts";
import { readFds } from "../proc/fd.ts";
import { readSocketCall, type SocketCall } from "./call_arguments.ts";
import { beginCall, socketBefore } from "./call_entry.ts";
import type { CallTrackerNotices } from "./call_notices.ts";
import { formatCall } from "./call_text.ts";
import type { Owners } from "./owners.ts";
import type { SocketObserver } from "./socket_observer.ts";
import type { OpenCall, Tracee } from "./tracee.ts";
import type { CallKind } from "./watched_calls.ts";

/** A duplicate is looked at again when its call takes longer than this, ms. */
const LOOK_AGAIN_AFTER = 0.5;

/**
 * Errors after which a connection may still come about: the handshake goes on
 * (EINPROGRESS, EALREADY, EINTR), is there already (EISCONN), or the call will
 * be made again (the kernel's own restart codes, errno 512 to 516).
 */
const UNDECIDED_ERRORS: ReadonlySet<number> = new Set([
  4,
  106,
  114,
  115,
  512,
  513,
  514,
  516,
]);

/** Turns system-call stops into socket events. */
export class CallTracker<Call> {
  readonly #observer: SocketObserver<Call>;
  readonly #owners: Owners;
  readonly #notices: CallTrackerNotices;
  readonly #state: SocketState = emptySocketState();
  readonly #now: Timestamp = { seconds: 0, nanoseconds: 0 };
  readonly #waiting = new Set<Tracee<Call>>();
  #unconnected: { state: SocketState; owner: number }[] = [];

  /** What the tracker finds goes to the observer. */
  constructor(
    observer: SocketObserver<Call>,
    owners: Owners,
    notices: CallTrackerNotices,
  ) {
    this.#observer = observer;
    this.#owners = owners;
    this.#notices = notices;
  }

  /** Whether calls are told of, and accept(2) is to be watched, too. */
  get tellsNews(): boolean {
    return this.#notices.news !== undefined;
  }

  /** Whether some calls took long and `lookAgain` is worth calling. */
  get waiting(): boolean {
    return this.#waiting.size > 0;
  }

  /**
   * A watched call begins.
   *
   * @returns whether its exit matters
   */
  enter(tracee: Tracee<Call>, info: SyscallInfo, kind: CallKind): boolean {
    const { process } = tracee;
    if (!process.followed) return false;
    if (kind === "io_uring_setup") {
      this.#notices.ioUring(process.pid);
      return false;
    }
    if (kind === "pidfd_getfd") {
      tracee.taking = true;
      return true;
    }
    const call = readSocketCall(tracee.tid, info, kind);
    if (call === undefined) return false;
    if (call.kind === "accept") return this.#beginAccept(tracee, call);
    const socket = this.#duplicate(tracee, call.fd);
    if (socket === undefined) return false;
    const state = this.#state;
    if (!readSocketState(socket.number, state)) {
      const other = otherProtocol(socket.number);
      if (other !== undefined) this.#notices.missed(process.pid, other);
      socket.close();
      return false;
    }
    if (!this.#notices.isSeen(state.netns, socket.number, process.pid)) {
      socket.close();
      return false;
    }
    const begun = beginCall(
      this.#observer,
      call,
      state,
      this.#ownerOf(tracee),
      realTime(this.#now),
    );
    // Of datagrams, only the first one is told of.
    if (
      begun === undefined &&
      (!this.tellsNews || call.kind.startsWith("send"))
    ) {
      socket.close();
      return false;
    }
    tracee.closeCall();
    tracee.open = {
      call,
      socket,
      pending: begun?.pending,
      isObserved: begun !== undefined,
      before: this.tellsNews ? socketBefore(call, state) : undefined,
      since: performance.now(),
    };
    if (begun?.pending !== undefined) this.#waiting.add(tracee);
    return true;
  }

  /** The socket that waits must not be held: the program may close it. */
  #beginAccept(tracee: Tracee<Call>, call: SocketCall): boolean {
    if (!this.tellsNews) return false;
    tracee.closeCall();
    tracee.open = {
      call,
      socket: undefined,
      pending: undefined,
      isObserved: false,
      before: undefined,
      since: performance.now(),
    };
    return true;
  }

  /** The watched call of a thread ended. */
  leave(tracee: Tracee<Call>, info: SyscallInfo): void {
    const { open, process } = tracee;
    const { returnValue } = info;
    if (tracee.taking) {
      tracee.taking = false;
      const now = realTime(this.#now);
      this.#look(tracee, returnValue, now);
      this.#observer.apply();
    }
    if (open === undefined) return;
    this.#waiting.delete(tracee);
    this.#notices.call?.(
      process.pid,
      tracee.tid,
      formatCall(open.call, returnValue),
    );
    const failed = returnValue < 0 && !UNDECIDED_ERRORS.has(-returnValue);
    const now = realTime(this.#now);
    let state: SocketState | undefined;
    if (open.socket !== undefined && !open.socket.closed) {
      state = readSocketState(open.socket.number, this.#state)
        ? this.#state
        : undefined;
      if (open.pending !== undefined) {
        this.#observer.settle(open.pending, state, failed, now);
      } else if (state !== undefined && open.isObserved) {
        this.#observer.observe(state, this.#ownerOf(tracee), now, now);
      }
      this.#observer.apply();
    }
    const { call, before } = open;
    if (call.kind === "accept") state = this.#stateOf(tracee, returnValue);
    else if (state === undefined && before !== undefined) {
      // It took long, and our duplicate was closed.
      const found = this.#stateOf(tracee, call.fd);
      if (found?.cookie === before.cookie) state = found;
    }
    this.#tell(tracee, open, state, returnValue);
    tracee.closeCall();
  }

  #stateOf(tracee: Tracee<Call>, fd: number): SocketState | undefined {
    using socket = this.#duplicate(tracee, fd);
    return socket !== undefined && readSocketState(socket.number, this.#state)
      ? this.#state
      : undefined;
  }

  #tell(
    { tid, process }: Tracee<Call>,
    { call, before }: OpenCall<Call>,
    state: SocketState | undefined,
    result?: number,
  ): void {
    this.#notices.news?.({
      pid: process.pid,
      tid,
      kind: call.kind,
      before,
      state,
      result,
      isUndecided: result !== undefined && UNDECIDED_ERRORS.has(-result),
      now: this.#now,
    });
  }

  /** The thread ended in the midst of a call, or became another program. */
  abandon(tracee: Tracee<Call>): void {
    const { open } = tracee;
    tracee.taking = false;
    this.#waiting.delete(tracee);
    const { socket } = open ?? {};
    if (
      open?.pending !== undefined && socket !== undefined && !socket.closed
    ) {
      const state = this.#state;
      const readable = readSocketState(socket.number, state);
      this.#observer.settle(
        open.pending,
        readable ? state : undefined,
        false,
        realTime(this.#now),
      );
      this.#observer.apply();
    }
    tracee.closeCall();
  }

  /** A process became another program, which its first thread runs. */
  executed(tracee: Tracee<Call>): void {
    this.abandon(tracee);
    tracee.owner = undefined;
    this.#owners.executed(tracee.process.pid);
  }

  /**
   * Settles calls that take long, such as a connect(2) that waits for a slow
   * host: the local port is known soon after the call began.
   */
  lookAgain(): void {
    const since = performance.now() - LOOK_AGAIN_AFTER;
    const state = this.#state;
    for (const tracee of this.#waiting) {
      const { open } = tracee;
      if (open === undefined) {
        this.#waiting.delete(tracee);
        continue;
      }
      if (open.since > since || open.socket === undefined) continue;
      const { number } = open.socket;
      if (!readSocketState(number, state) || state.local.port === 0) continue;
      // A port that an earlier connection left says nothing.
      if (state.protocol === IPPROTO_TCP && isTcpClosed(number)) continue;
      this.#waiting.delete(tracee);
      if (open.pending === undefined) continue;
      this.#observer.settle(open.pending, state, false, realTime(this.#now));
      this.#observer.apply();
      this.#tell(tracee, open, state);
      open.socket.close();
    }
  }

  /**
   * Observes the sockets that a process has now; the caller applies. The
   * process should be stopped, or be about to start.
   *
   * @returns how many TCP and UDP sockets it has
   */
  scan(tracee: Tracee<Call>): number {
    const { process } = tracee;
    if (!process.followed) return 0;
    let count = 0;
    const now = realTime(this.#now);
    for (const { fd } of readFds(process.pid, tracee.tid).sockets) {
      const state = this.#look(tracee, fd, now);
      if (state === undefined) continue;
      count++;
      const owner = this.#ownerOf(tracee);
      this.#notices.existing?.(state, process.pid);
      if (
        state.protocol === IPPROTO_TCP && !state.listening &&
        state.local.port !== 0 && state.remote.port === 0
      ) {
        this.#unconnected.push({ state: structuredClone(state), owner });
      }
    }
    return count;
  }

  /** Observes a socket that was not opened under our eyes. */
  #look(
    tracee: Tracee<Call>,
    fd: number,
    now: Timestamp,
  ): SocketState | undefined {
    using socket = this.#duplicate(tracee, fd);
    if (socket === undefined) return undefined;
    const state = this.#state;
    if (
      !readSocketState(socket.number, state) ||
      !this.#notices.isSeen(state.netns, socket.number, tracee.process.pid)
    ) {
      return undefined;
    }
    this.#observer.observe(state, this.#ownerOf(tracee), now, now);
    return state;
  }

  /**
   * Bound TCP sockets that the scans found without a peer: some of them may be
   * connecting at this moment.
   */
  takeUnconnected(): { state: SocketState; owner: number }[] {
    const found = this.#unconnected;
    this.#unconnected = [];
    return found;
  }

  #ownerOf(tracee: Tracee<Call>): number {
    tracee.owner ??= this.#owners.numberOf(tracee.process.pid, tracee.tid);
    return tracee.owner;
  }

  #duplicate(tracee: Tracee<Call>, fd: number): Fd | undefined {
    if (fd < 0) return undefined;
    const pidFd = tracee.pidFd();
    if (pidFd === undefined) return undefined;
    try {
      return duplicateFd(pidFd, fd);
    } catch (error) {
      // EPERM: a descriptor of a program whose memory we may not see.
      if (error instanceof SyscallError && error.code === "EPERM") {
        return undefined;
      }
      throw error;
    }
  }
}
