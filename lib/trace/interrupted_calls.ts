/**
 * Repair of system calls that the tracer interrupted: the program must not see
 * that they were.
 *
 * @module
 */
import { architecture } from "../../ffi/arch.ts";
import { Registers } from "../../ffi/ptrace.ts";
import { readStatus } from "../proc/status.ts";
import type { Tracee } from "./tracee.ts";

const EINTR = 4;
/** "Start the call again unless a handler runs", linux/errno.h. */
const ERESTARTNOHAND = 514;
/** To be continued by restart_syscall(2). */
const ERESTART_RESTARTBLOCK = 516;

/** Has the kernel start them again. */
export class InterruptedCalls {
  readonly #registers = new Registers();

  /**
   * Repairs the call of a thread that has stopped because it was interrupted.
   *
   * Calls such as epoll_wait(2), or recv(2) with a time limit, return EINTR
   * when PTRACE_INTERRUPT wakes them, which the program did not ask for. The
   * kernel is told to start them again unless a signal handler runs. So it is
   * with what restart_syscall(2) would go on with, such as poll(2), where a
   * filter may not know that call and kill: a time limit begins anew.
   */
  repair(tracee: Pick<Tracee<unknown>, "tid" | "interrupted">): void {
    tracee.interrupted = false;
    const state = this.#registers;
    if (!state.read(tracee.tid)) return;
    const machine = architecture();
    const program = state.isCompatible ? machine.compatible : machine;
    if (program?.registers.originalNumber === undefined) return;
    const { registers, closeCall } = program;
    const call = state.get(program.registers.originalNumber);
    const result = state.get(registers.result);
    const isRestarted = result === -EINTR ||
      result === -ERESTART_RESTARTBLOCK && hasFilter(tracee.tid);
    if (isRestarted && call >= 0 && call !== closeCall) {
      state.set(registers.result, -ERESTARTNOHAND);
      state.write(tracee.tid);
    }
  }
}

/** Whether a thread has a filter for system calls (seccomp). */
function hasFilter(tid: number): boolean {
  return (readStatus(tid)?.seccomp ?? 0) > 0;
}
