/**
 * The tracer: waits for events of the traced threads, classifies them, acts,
 * and lets the threads go on. One thread of this program runs it from
 * beginning to end, because ptrace(2) belongs to threads.
 *
 * @module
 */
import {
  cont,
  contToSyscall,
  detach,
  eventMessage,
  interrupt,
  listen,
  PtraceOption,
  seize,
  SyscallInfo,
  SyscallStop,
} from "../../ffi/ptrace.ts";
import { Ticks } from "../../ffi/ticks.ts";
import {
  decodeWaitStatus,
  lastStatus,
  waitReadable,
  type WaitStatus,
} from "../../ffi/wait.ts";
import { readStatus } from "../proc/status.ts";
import type { CallTracker } from "./call_tracker.ts";
import { classify, type TraceEvent } from "./classify.ts";
import { InterruptedCalls } from "./interrupted_calls.ts";
import type { Tracee } from "./tracee.ts";
import { Tracees } from "./tracees.ts";
import { handleUntil, takeTurn, type TurnWork } from "./turn.ts";
import { type CallKind, callKind } from "./watched_calls.ts";

/** How threads are traced. */
export type TraceMode =
  /** Launched with our seccomp filter: only watched calls stop. */
  | "seccomp"
  /** Attached to: every system call stops, twice. */
  | "syscall";

/** Options of every tracee; inherited by its children. */
export const FOLLOW_OPTIONS: number = PtraceOption.TRACESYSGOOD |
  PtraceOption.TRACEFORK | PtraceOption.TRACEVFORK | PtraceOption.TRACECLONE |
  PtraceOption.TRACEEXEC | PtraceOption.TRACESECCOMP;

/** How long a thread may be at something that nothing interrupts, ms. */
const SLEEP_PATIENCE = 50;

/** What the tracer reports; called between events. */
export interface TracerListener {
  /** A process ended. */
  processEnded(pid: number, status: WaitStatus): void;
  /** A process was stopped by a signal of job control. */
  processStopped(pid: number, signal: number): void;
  /** A signal is delivered to a process. */
  signalDelivered(pid: number, signal: number): void;
}

/** Traces processes; see the module's text. */
export class Tracer<Call> implements Disposable {
  readonly #mode: TraceMode;
  readonly #calls: CallTracker<Call>;
  readonly #listener: TracerListener;
  readonly #tracees: Tracees<Call>;
  readonly #info = new SyscallInfo();
  readonly #interruptedCalls = new InterruptedCalls();
  readonly #ticks = new Ticks();
  /** While set, stopped threads stay stopped. */
  #holding = false;
  #stopWaiting: () => void = () => {};
  #looking: ReturnType<typeof setTimeout> | undefined;

  /** @param follow whether children's packets are wanted */
  constructor(
    mode: TraceMode,
    follow: boolean,
    calls: CallTracker<Call>,
    listener: TracerListener,
  ) {
    this.#mode = mode;
    this.#tracees = new Tracees(follow);
    this.#calls = calls;
    this.#listener = listener;
  }

  /** Ids of the traced processes. */
  get processIds(): number[] {
    return this.#tracees.processIds;
  }

  /** Ids of those whose packets are wanted. */
  get followedIds(): number[] {
    return this.#tracees.followedIds;
  }

  /** Registers a thread that is traced and stopped already (launching). */
  adopt(tid: number): Tracee<Call> {
    return this.#tracees.register(tid, tid, true);
  }

  /** Lets a thread that `adopt` registered run. */
  start(tracee: Tracee<Call>): void {
    this.#resume(tracee, 0);
  }

  /**
   * Attaches to a thread and asks it to stop; it is held until `release`.
   *
   * @returns false when there is no such thread or it is traced already
   * @throws {SyscallError} EPERM
   */
  seize(tid: number, pid: number): boolean {
    if (this.#tracees.has(tid)) return false;
    this.#holding = true;
    if (!seize(tid, FOLLOW_OPTIONS)) return false;
    const tracee = this.#tracees.register(tid, pid, true);
    tracee.interrupted = true;
    interrupt(tid);
    return true;
  }

  /**
   * Handles events until every tracee is held, or none comes any more.
   *
   * A thread in vfork(2) stops when its child is done, which may be held; it
   * runs nothing of the program until then, and is not waited for.
   */
  holdAll(milliseconds: number): void {
    const patience = performance.now() + SLEEP_PATIENCE;
    handleUntil(
      this.#ticks,
      () => this.#allHeld(performance.now() > patience),
      milliseconds,
      (tid) => this.#handle(tid),
    );
  }

  /** @param butSleepers whether those count whose sleep nothing interrupts */
  #allHeld(butSleepers: boolean): boolean {
    for (const { tid, held } of this.#tracees) {
      if (held !== undefined) continue;
      if (!butSleepers || readStatus(tid)?.state !== "D") return false;
    }
    return true;
  }

  /** One thread of each traced process. */
  leaders(): Generator<Tracee<Call>> {
    return this.#tracees.leaders();
  }

  /** Lets everybody run who was held. */
  release(): void {
    this.#holding = false;
    for (const tracee of this.#tracees) {
      const { held } = tracee;
      if (held === undefined) continue;
      tracee.held = undefined;
      tracee.interrupted = false;
      if (held.listening) listen(tracee.tid);
      else this.#resume(tracee, held.signal);
    }
  }

  /**
   * Ends tracing and leaves everybody running. A thread is let go only where
   * the kernel starts its interrupted call again: not at the entry of a call,
   * which would fail with EINTR.
   *
   * @param milliseconds how long threads may take to stop; the kernel lets go
   * of the others when this thread ends
   */
  detachAll(milliseconds: number): void {
    this.#holding = true;
    for (const tracee of this.#tracees) {
      if (tracee.held !== undefined) continue;
      tracee.interrupted = true;
      interrupt(tracee.tid);
    }
    this.holdAll(milliseconds);
    for (const tracee of this.#tracees) {
      const { held } = tracee;
      // A thread in group-stop stays stopped when this thread ends.
      if (held?.listening === false) detach(tracee.tid, held.signal);
      this.#calls.abandon(tracee);
      tracee.close();
    }
    this.#tracees.clear();
    this.#stopWaiting();
  }

  /** Runs until no tracee is left. */
  async run(): Promise<void> {
    const work: TurnWork = {
      handle: (tid) => this.#handle(tid),
      tick: () => {
        if (this.#calls.waiting) this.#calls.lookAgain();
      },
    };
    // Once everybody was let go of, whoever stops yet runs on when this thread
    // ends, and must not be held here.
    while (this.#tracees.size > 0 && takeTurn(this.#ticks, work)) {
      if (this.#calls.waiting) this.#keepLooking();
      await this.#waitForEvent();
    }
  }

  /**
   * Waits for a child's event, or until everybody is let go of: that takes the
   * last events itself, before or after the waiting thread sees them.
   */
  #waitForEvent(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stopWaiting = resolve;
    waitReadable().then(() => resolve());
    return promise;
  }

  /** Looks at long calls while the tracer sleeps. */
  #keepLooking(): void {
    this.#looking ??= setTimeout(() => {
      this.#looking = undefined;
      this.#calls.lookAgain();
      if (this.#calls.waiting) this.#keepLooking();
    }, 1);
  }

  #handle(tid: number): void {
    const event = classify(decodeWaitStatus(lastStatus()));
    let tracee = this.#tracees.get(tid);
    if (tracee === undefined) {
      if (event.kind === "gone") return;
      // A child may stop before its parent reports it.
      tracee = this.#tracees.discover(tid);
      if (tracee === undefined) return;
    }
    if (event.kind !== "syscall") tracee.passing = false;
    this.#act(tracee, event);
  }

  #act(tracee: Tracee<Call>, event: TraceEvent): void {
    switch (event.kind) {
      case "gone":
        this.#forget(tracee, event.status);
        return;
      case "newTask": {
        const child = eventMessage(tracee.tid);
        if (child > 0 && !this.#tracees.has(child)) {
          const status = readStatus(child);
          // It may have stopped before, and have been let go of since.
          if ((status?.tracerPid ?? 0) > 0) {
            this.#tracees.discover(child, status);
          }
        }
        this.#resume(tracee, 0);
        return;
      }
      case "exec":
        this.#becomeOther(tracee);
        return;
      case "seccomp":
        this.#enterCall(tracee);
        return;
      case "syscall":
        this.#stopAtCall(tracee);
        return;
      case "interrupted":
        if (this.#leaveAlone(tracee)) return;
        if (tracee.interrupted) this.#interruptedCalls.repair(tracee);
        this.#resume(tracee, 0);
        return;
      case "groupStop":
        tracee.interrupted = false;
        if (tracee.tid === tracee.process.pid) {
          this.#listener.processStopped(tracee.process.pid, event.signal);
        }
        if (this.#holding) tracee.held = { signal: 0, listening: true };
        else listen(tracee.tid);
        return;
      case "signal":
        this.#listener.signalDelivered(tracee.process.pid, event.signal);
        this.#resume(tracee, event.signal);
        return;
    }
  }

  #resume(tracee: Tracee<Call>, signal: number): void {
    if (this.#holding) {
      tracee.held = { signal, listening: false };
    } else if (
      this.#mode === "syscall" || tracee.open !== undefined || tracee.taking
    ) {
      contToSyscall(tracee.tid, signal);
    } else {
      cont(tracee.tid, signal);
    }
  }

  /**
   * Lets go of a child that is not wanted. Launched ones have to stay: their
   * seccomp filter needs a tracer.
   */
  #leaveAlone(tracee: Tracee<Call>): boolean {
    if (tracee.process.followed || this.#mode === "seccomp") return false;
    detach(tracee.tid, 0);
    tracee.close();
    this.#tracees.remove(tracee);
    if (tracee.process.threads === 0) {
      this.#tracees.removeProcess(tracee.process);
    }
    return true;
  }

  /** Entry of a call that the seccomp filter selected. */
  #enterCall(tracee: Tracee<Call>): void {
    const info = this.#info;
    if (!info.read(tracee.tid)) return;
    const kind = this.#kindOf(info);
    if (kind !== undefined) this.#calls.enter(tracee, info, kind);
    this.#resume(tracee, 0);
  }

  #kindOf({ arch, number }: SyscallInfo): CallKind | undefined {
    return callKind(arch, number, this.#calls.tellsNews);
  }

  /** Entry or exit of any call. */
  #stopAtCall(tracee: Tracee<Call>): void {
    if (tracee.passing && !tracee.interrupted) {
      tracee.passing = false;
      this.#resume(tracee, 0);
      return;
    }
    const info = this.#info;
    if (!info.read(tracee.tid)) return;
    if (info.op === SyscallStop.ENTRY) {
      const kind = this.#kindOf(info);
      tracee.passing = kind === undefined ||
        !this.#calls.enter(tracee, info, kind);
      if (tracee.interrupted) {
        // This stop took the place of the one that was asked for.
        contToSyscall(tracee.tid, 0);
        interrupt(tracee.tid);
        return;
      }
    } else if (info.op === SyscallStop.EXIT) {
      this.#calls.leave(tracee, info);
      if (tracee.interrupted) this.#interruptedCalls.repair(tracee);
    }
    this.#resume(tracee, 0);
  }

  /**
   * execve(2) succeeded. All other threads are gone, and whichever thread
   * called it has the id of the process now.
   */
  #becomeOther(tracee: Tracee<Call>): void {
    const former = eventMessage(tracee.tid);
    if (former > 0 && former !== tracee.tid) {
      const caller = this.#tracees.get(former);
      if (caller !== undefined) {
        this.#calls.abandon(caller);
        caller.close();
        this.#tracees.remove(caller);
      }
    }
    this.#calls.executed(tracee);
    tracee.close();
    this.#resume(tracee, 0);
  }

  #forget(tracee: Tracee<Call>, status: WaitStatus): void {
    this.#calls.abandon(tracee);
    tracee.close();
    this.#tracees.remove(tracee);
    const { process } = tracee;
    // The leader's status is the process's, and comes last.
    if (tracee.tid === process.pid || process.threads === 0) {
      if (this.#tracees.removeProcess(process)) {
        this.#listener.processEnded(process.pid, status);
      }
    }
  }

  /** Traces no more, after `run` or instead of it. */
  [Symbol.dispose](): void {
    for (const tracee of this.#tracees) tracee.close();
    this.#ticks[Symbol.dispose]();
  }
}
