/**
 * A clock that interrupts blocking system calls of the calling thread:
 * timer_create(2) with SIGEV_THREAD_ID.
 *
 * A thread that waits for children cannot wait for anything else, and there is
 * no time limit to waitpid(2). Ticks give it one: the call returns EINTR.
 *
 * @module
 */
import { syscallNumber } from "./arch.ts";
import { check } from "./errno.ts";
import { libc, libcAddresses } from "./libc.ts";
import { addressOf } from "./memory.ts";
import { syscall } from "./syscall.ts";

/** SIGRTMAX: nothing else uses it, no program means anything by it. */
const SIGNAL = 64;
const CLOCK_MONOTONIC = 1;
// SIGEV_SIGNAL | SIGEV_THREAD_ID, asm-generic/siginfo.h
const NOTIFY_THREAD = 4;

// struct sigevent of the kernel: 0 u64 value, 8 int signo, 12 int notify,
// 16 int tid
const event = new Uint8Array(64);
const timerId = new Uint8Array(4);
// struct itimerspec: interval and first time, seconds and nanoseconds each
const interval = new Uint8Array(32);
// struct sigaction of the C library: 0 handler, 8 mask (128 bytes), 136 int
// flags, 144 restorer
const SIGACTION_LENGTH = 152;

/** Interrupts the thread that made it every so often, while it is wanted. */
export class Ticks implements Disposable {
  readonly #timer: number;

  /**
   * Makes a clock that does not tick yet. It is made once and kept: a timer
   * takes one of the signals that its user may have queued (RLIMIT_SIGPENDING),
   * and none may be left later.
   *
   * @throws {SyscallError} EAGAIN when none is left
   */
  constructor() {
    installHandler();
    const view = new DataView(event.buffer);
    view.setInt32(8, SIGNAL, true);
    view.setInt32(12, NOTIFY_THREAD, true);
    view.setInt32(16, syscall(syscallNumber("gettid")), true);
    check(
      "timer_create",
      syscall(
        syscallNumber("timer_create"),
        CLOCK_MONOTONIC,
        addressOf(event),
        addressOf(timerId),
      ),
    );
    this.#timer = new DataView(timerId.buffer).getInt32(0, true);
  }

  /** Ticks so often until what it returns is disposed. */
  every(milliseconds: number): Disposable {
    this.#set(milliseconds);
    return { [Symbol.dispose]: () => this.#set(0) };
  }

  /** @param milliseconds 0 for never */
  #set(milliseconds: number): void {
    const nanoseconds = BigInt(Math.round(milliseconds * 1e6));
    new BigInt64Array(interval.buffer).set([0n, nanoseconds, 0n, nanoseconds]);
    check(
      "timer_settime",
      syscall(
        syscallNumber("timer_settime"),
        this.#timer,
        0,
        addressOf(interval),
      ),
    );
  }

  /** Gives the timer back. */
  [Symbol.dispose](): void {
    syscall(syscallNumber("timer_delete"), this.#timer);
  }
}

let installed = false;

/**
 * A handler that does nothing: with the default action the signal would end
 * this program, and an ignored one would not interrupt. No SA_RESTART.
 */
function installHandler(): void {
  if (installed) return;
  installed = true;
  const action = new Uint8Array(SIGACTION_LENGTH);
  const code = Deno.UnsafePointer.value(libcAddresses().getpid);
  new DataView(action.buffer).setBigUint64(0, code, true);
  check("sigaction", libc().sigaction(SIGNAL, action, 0n));
}
