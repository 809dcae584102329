/**
 * Owned file descriptors.
 *
 * @module
 */
import { check } from "./errno.ts";
import { libc } from "./libc.ts";

/**
 * A file descriptor that is closed by its owner, once. Raw numbers are handed
 * to system calls only through {@linkcode Fd.number}.
 */
export class Fd implements Disposable {
  #number: number;

  /** Takes ownership of an open descriptor. */
  constructor(number: number) {
    if (!Number.isInteger(number) || number < 0) {
      throw new RangeError(`Cannot own file descriptor ${number}`);
    }
    this.#number = number;
  }

  /**
   * The descriptor's number.
   *
   * @throws {TypeError} after it was closed or given away
   */
  get number(): number {
    if (this.#number < 0) {
      throw new TypeError("Cannot use a closed file descriptor");
    }
    return this.#number;
  }

  /** Whether it was closed or given away. */
  get closed(): boolean {
    return this.#number < 0;
  }

  /** Gives the descriptor away: it will not be closed by this object. */
  disown(): number {
    const number = this.number;
    this.#number = -1;
    return number;
  }

  /** Closes the descriptor; has no effect the second time. */
  close(): void {
    if (this.#number < 0) return;
    // close(2): the descriptor is gone even when an error is reported.
    libc().close(this.#number);
    this.#number = -1;
  }

  /** Same as {@linkcode Fd.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** fcntl(2) */
const F_GETFD = 1;
const FD_CLOEXEC = 1;

/** Whether a descriptor of this process goes on to programs that it starts. */
export function isInherited(fd: number): boolean {
  const flags = libc().fcntl(fd, F_GETFD, 0);
  return flags >= 0 && (flags & FD_CLOEXEC) === 0;
}

/**
 * Takes ownership of what a system call returned.
 *
 * @throws {SyscallError} when `result` is negative
 */
export function ownFd(syscall: string, result: number, detail?: string): Fd {
  return new Fd(check(syscall, result, detail));
}
