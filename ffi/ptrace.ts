/**
 * ptrace(2): one typed function per request. Every call must come from the
 * thread that attached.
 *
 * Constants: linux/ptrace.h, linux/elf.h.
 *
 * @module
 */
import { Errno, errno, SyscallError } from "./errno.ts";
import { architecture } from "./arch.ts";
import { addressOf } from "./memory.ts";
import { libc } from "./libc.ts";

const PTRACE_CONT = 7;
const PTRACE_DETACH = 17;
const PTRACE_SYSCALL = 24;
const PTRACE_GETEVENTMSG = 0x4201;
const PTRACE_GETREGSET = 0x4204;
const PTRACE_SETREGSET = 0x4205;
const PTRACE_SEIZE = 0x4206;
const PTRACE_INTERRUPT = 0x4207;
const PTRACE_LISTEN = 0x4208;
const PTRACE_SETSIGMASK = 0x420b;
const PTRACE_GET_SYSCALL_INFO = 0x420e;

/** PTRACE_O_TRACE* options. */
export const PtraceOption = {
  TRACESYSGOOD: 0x01,
  TRACEFORK: 0x02,
  TRACEVFORK: 0x04,
  TRACECLONE: 0x08,
  TRACEEXEC: 0x10,
  TRACESECCOMP: 0x80,
  EXITKILL: 0x10_0000,
} as const;

/** PTRACE_EVENT_* numbers. */
export const PtraceEvent = {
  FORK: 1,
  VFORK: 2,
  CLONE: 3,
  EXEC: 4,
  SECCOMP: 7,
  STOP: 128,
} as const;

const NT_PRSTATUS = 1;

/**
 * Runs a request.
 *
 * @returns false when the thread is gone (ESRCH): its death is still to be
 * reported by wait, so callers carry on
 */
function request(
  name: string,
  number: number,
  tid: number,
  address: number,
  data: number,
): boolean {
  if (libc().ptrace(number, tid, BigInt(address), BigInt(data)) >= 0) {
    return true;
  }
  const error = errno();
  if (error === Errno.ESRCH) return false;
  throw new SyscallError(`ptrace(${name})`, error, `thread ${tid}`);
}

/**
 * Attaches without stopping the thread.
 *
 * @returns false when there is no such thread
 * @throws {SyscallError} EPERM where tracing is not permitted or the thread
 * is being traced already
 */
export function seize(tid: number, options: number): boolean {
  return request("PTRACE_SEIZE", PTRACE_SEIZE, tid, 0, options);
}

/** Asks a running thread to stop (PTRACE_EVENT_STOP). */
export function interrupt(tid: number): boolean {
  return request("PTRACE_INTERRUPT", PTRACE_INTERRUPT, tid, 0, 0);
}

/** Lets a stopped thread run to its next event, delivering `signal`. */
export function cont(tid: number, signal: number): boolean {
  return request("PTRACE_CONT", PTRACE_CONT, tid, 0, signal);
}

/** Lets a stopped thread run to its next system-call entry or exit. */
export function contToSyscall(tid: number, signal: number): boolean {
  return request("PTRACE_SYSCALL", PTRACE_SYSCALL, tid, 0, signal);
}

/** Lets a thread in group-stop stay stopped and wait for SIGCONT. */
export function listen(tid: number): boolean {
  return request("PTRACE_LISTEN", PTRACE_LISTEN, tid, 0, 0);
}

/** Ends tracing of a stopped thread, delivering `signal`. */
export function detach(tid: number, signal: number): boolean {
  return request("PTRACE_DETACH", PTRACE_DETACH, tid, 0, signal);
}

const message = new BigUint64Array(1);

/**
 * The number that came with the event: the new thread's id, or the former id
 * of a thread that called execve(2). -1 when the thread is gone.
 */
export function eventMessage(tid: number): number {
  const result = libc().ptraceBuffer(PTRACE_GETEVENTMSG, tid, 0n, message);
  return result < 0 ? -1 : Number(message[0]!);
}

/** Kinds of stops that PTRACE_GET_SYSCALL_INFO tells apart. */
export const SyscallStop = {
  NONE: 0,
  ENTRY: 1,
  EXIT: 2,
  SECCOMP: 3,
} as const;

// struct ptrace_syscall_info (linux/ptrace.h), 88 bytes:
//  0 u8 op, 4 u32 arch, 8 u64 instruction_pointer, 16 u64 stack_pointer,
// 24 entry/seccomp: u64 nr, u64 args[6]     exit: s64 rval, u8 is_error
const SYSCALL_INFO_LENGTH = 88;
const syscallInfoBytes = new Uint8Array(SYSCALL_INFO_LENGTH);
const syscallInfoWords = new Uint32Array(syscallInfoBytes.buffer);
const syscallInfoLongs = new BigUint64Array(syscallInfoBytes.buffer);

/**
 * The system call that a stopped thread is in. One object per thread of ours,
 * overwritten by each {@linkcode SyscallInfo.read}.
 */
export class SyscallInfo {
  /** A {@linkcode SyscallStop}. */
  op = 0;
  /** AUDIT_ARCH_* of the call. */
  arch = 0;
  /** Call number, at entry and seccomp stops. */
  number = 0;

  /**
   * Asks the kernel; false when the thread is gone. Requires Linux 5.3.
   */
  read(tid: number): boolean {
    const length = libc().ptraceBuffer(
      PTRACE_GET_SYSCALL_INFO,
      tid,
      BigInt(SYSCALL_INFO_LENGTH),
      syscallInfoBytes,
    );
    if (length < 0) {
      const error = errno();
      if (error === Errno.ESRCH) return false;
      throw new SyscallError(
        "ptrace(PTRACE_GET_SYSCALL_INFO)",
        error,
        `thread ${tid}`,
      );
    }
    this.op = syscallInfoBytes[0]!;
    this.arch = syscallInfoWords[1]!;
    this.number = syscallInfoWords[6]!;
    return true;
  }

  /** Argument `index` (0 to 5), at entry and seccomp stops. */
  argument(index: number): bigint {
    return syscallInfoLongs[4 + index]!;
  }

  /** Argument `index` as the 32-bit signed integer that it is in C. */
  intArgument(index: number): number {
    return syscallInfoWords[8 + 2 * index]! | 0;
  }

  /** Return value at an exit stop: negative errno on failure. */
  get returnValue(): number {
    return syscallInfoWords[6]! | 0;
  }
}

// struct iovec { base, length } for the register sets.
const registerVector = new BigUint64Array(2);

/** General registers of a stopped thread, as 64-bit words. */
export class Registers {
  /** The words, in the order of `architecture().registers`. */
  readonly words: BigInt64Array<ArrayBuffer>;
  /** The same memory, for a program that `isCompatible`. */
  readonly #narrow: Int32Array<ArrayBuffer>;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** Makes room for the machine's registers. */
  constructor() {
    this.words = new BigInt64Array(architecture().registers.words);
    this.#narrow = new Int32Array(this.words.buffer);
    this.#bytes = new Uint8Array(this.words.buffer);
  }

  /** Whether what was read is of a 32-bit program, which has fewer and others. */
  get isCompatible(): boolean {
    return this.#length < this.#bytes.length;
  }

  /** A register as a signed number, in the order of the program's own. */
  get(register: number): number {
    return this.isCompatible
      ? this.#narrow[register]!
      : Number(this.words[register]);
  }

  /** Changes a register, alike. */
  set(register: number, value: number): void {
    if (this.isCompatible) this.#narrow[register] = value;
    else this.words[register] = BigInt(value);
  }

  /** Reads the registers; false when the thread is gone. */
  read(tid: number): boolean {
    return this.#transfer("PTRACE_GETREGSET", PTRACE_GETREGSET, tid);
  }

  /** Writes the registers; false when the thread is gone. */
  write(tid: number): boolean {
    return this.#transfer("PTRACE_SETREGSET", PTRACE_SETREGSET, tid);
  }

  #transfer(name: string, number: number, tid: number): boolean {
    registerVector[0] = BigInt(addressOf(this.#bytes));
    registerVector[1] = BigInt(this.#bytes.length);
    if (
      libc().ptraceBuffer(number, tid, BigInt(NT_PRSTATUS), registerVector) >= 0
    ) {
      this.#length = Number(registerVector[1]);
      return true;
    }
    const error = errno();
    if (error === Errno.ESRCH) return false;
    throw new SyscallError(`ptrace(${name})`, error, `thread ${tid}`);
  }
}

/** Sets the mask of blocked signals (bit n-1 for signal n). */
export function setSignalMask(tid: number, mask: bigint): void {
  const words = BigUint64Array.of(mask);
  if (libc().ptraceBuffer(PTRACE_SETSIGMASK, tid, 8n, words) < 0) {
    throw new SyscallError("ptrace(PTRACE_SETSIGMASK)", errno());
  }
}
