/**
 * wait(2) and its status words.
 *
 * @module
 */
import { Errno, errno, SyscallError } from "./errno.ts";
import { libc } from "./libc.ts";

// linux/wait.h
const WNOHANG = 1;
const WUNTRACED = 2;
const WSTOPPED = 2;
const WEXITED = 4;
const WNOWAIT = 0x0100_0000;
const __WNOTHREAD = 0x2000_0000;
const __WALL = 0x4000_0000;
const P_ALL = 0;
const P_PID = 1;

/** What a status word says; `event` is a PTRACE_EVENT_* number or 0. */
export type WaitStatus =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "signaled"; readonly signal: number }
  | {
    readonly kind: "stopped";
    readonly signal: number;
    readonly event: number;
  };

/** Takes a status word of waitpid(2) apart. */
export function decodeWaitStatus(status: number): WaitStatus {
  const low = status & 0x7f;
  if (low === 0) return { kind: "exited", code: (status >> 8) & 0xff };
  if (low === 0x7f) {
    return {
      kind: "stopped",
      signal: (status >> 8) & 0xff,
      event: status >>> 16,
    };
  }
  return { kind: "signaled", signal: low };
}

const statusWord = new Int32Array(1);

/** Status word that the last successful wait function of this thread left. */
export function lastStatus(): number {
  return statusWord[0]!;
}

function wait(pid: number, options: number): number {
  for (;;) {
    const result = libc().waitpid(pid, statusWord, options);
    if (result >= 0) return result;
    const error = errno();
    if (error === Errno.ECHILD) return -1;
    if (error !== Errno.EINTR) throw new SyscallError("waitpid", error);
  }
}

/**
 * Takes the next event of any child or tracee of this thread without waiting.
 * Children that other threads started (Deno.Command) are not touched.
 *
 * @returns the thread id, 0 when there is none now, -1 without any children
 */
export function waitAnyNow(): number {
  return wait(-1, WNOHANG | __WALL | __WNOTHREAD);
}

/**
 * Waits for the next event of any child or tracee of this thread, until a
 * signal comes (see `Ticks`).
 *
 * @returns the thread id, 0 when a signal came first, -1 without any children
 */
export function waitAny(): number {
  const result = libc().waitpid(-1, statusWord, __WALL | __WNOTHREAD);
  if (result >= 0) return result;
  const error = errno();
  if (error === Errno.ECHILD) return -1;
  if (error === Errno.EINTR) return 0;
  throw new SyscallError("waitpid", error);
}

/** Waits for an event of one child or tracee; -1 when it is not ours. */
export function waitFor(tid: number): number {
  return wait(tid, __WALL | __WNOTHREAD);
}

/**
 * Takes an event of an ordinary child without waiting: its end, or a stop by
 * a signal of job control. 0 when there is none, -1 when it is no child.
 */
export function waitChildNow(pid: number): number {
  return wait(pid, WNOHANG | WUNTRACED);
}

const siginfo = new Uint8Array(128);

/**
 * Settles when an event of some child, or of one, is there to be taken; the
 * event stays. Runs on a pool thread, so timers and messages go on meanwhile.
 *
 * @returns false when this process has no such child
 */
export async function waitReadable(pid?: number): Promise<boolean> {
  const result = await libc().waitidAsync(
    pid === undefined ? P_ALL : P_PID,
    pid ?? 0,
    siginfo,
    WEXITED | WSTOPPED | WNOWAIT | __WALL,
  );
  return result === 0;
}
