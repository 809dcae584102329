/**
 * What a wait status means for the tracer. Pure: `wait → classify → act`.
 *
 * ```text
 *  wait status
 *   ├─ exited / killed                                → gone
 *   └─ stopped, by signal
 *       ├─ event FORK, VFORK, CLONE                   → newTask
 *       ├─ event EXEC                                 → exec
 *       ├─ event SECCOMP                              → seccomp
 *       ├─ event STOP, signal SIGTRAP                 → interrupted: after
 *       │                   PTRACE_INTERRUPT, SIGCONT, or at the very start
 *       ├─ event STOP, a stopping signal              → groupStop
 *       ├─ no event, SIGTRAP | 0x80                   → syscall
 *       └─ no event, any other signal                 → signal: on its way in
 * ```
 *
 * Source: ptrace(2), for tracees attached with PTRACE_SEIZE and
 * PTRACE_O_TRACESYSGOOD.
 *
 * @module
 */
import { PtraceEvent } from "../../ffi/ptrace.ts";
import type { WaitStatus } from "../../ffi/wait.ts";

const SIGTRAP = 5;
/** Set in the stop signal of system-call stops: PTRACE_O_TRACESYSGOOD. */
const SYSGOOD = 0x80;

/** Events of a tracee; the comments say what the tracer has to do. */
export type TraceEvent =
  /** Forget the thread. */
  | { readonly kind: "gone"; readonly status: WaitStatus }
  /** Register the thread that PTRACE_GETEVENTMSG names, let this one go on. */
  | { readonly kind: "newTask" }
  /** Another program runs; the thread has the process's id from now on. */
  | { readonly kind: "exec" }
  /** A watched system call begins. */
  | { readonly kind: "seccomp" }
  /** Let it go on with nothing. */
  | { readonly kind: "interrupted" }
  /** Keep it stopped with PTRACE_LISTEN, until SIGCONT. */
  | { readonly kind: "groupStop"; readonly signal: number }
  /** Entry or exit of a system call. */
  | { readonly kind: "syscall" }
  /** Let it go on with this signal. */
  | { readonly kind: "signal"; readonly signal: number };

/** Classifies a wait status. */
export function classify(status: WaitStatus): TraceEvent {
  if (status.kind !== "stopped") return { kind: "gone", status };
  const { signal, event } = status;
  switch (event) {
    case PtraceEvent.FORK:
    case PtraceEvent.VFORK:
    case PtraceEvent.CLONE:
      return { kind: "newTask" };
    case PtraceEvent.EXEC:
      return { kind: "exec" };
    case PtraceEvent.SECCOMP:
      return { kind: "seccomp" };
    case PtraceEvent.STOP:
      return signal === SIGTRAP
        ? { kind: "interrupted" }
        : { kind: "groupStop", signal };
    default:
      return signal === (SIGTRAP | SYSGOOD)
        ? { kind: "syscall" }
        : { kind: "signal", signal };
  }
}
