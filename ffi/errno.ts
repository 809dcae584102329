/**
 * errno(3): names, texts, and the error that carries them.
 *
 * @module
 */
import { libc } from "./libc.ts";

/** errno values of asm-generic/errno-base.h and errno.h with their texts. */
const ERRNO: Readonly<Record<number, readonly [code: string, text: string]>> = {
  1: ["EPERM", "Operation not permitted"],
  2: ["ENOENT", "No such file or directory"],
  3: ["ESRCH", "No such process"],
  4: ["EINTR", "Interrupted system call"],
  5: ["EIO", "Input/output error"],
  6: ["ENXIO", "No such device or address"],
  7: ["E2BIG", "Argument list too long"],
  8: ["ENOEXEC", "Exec format error"],
  9: ["EBADF", "Bad file descriptor"],
  10: ["ECHILD", "No child processes"],
  11: ["EAGAIN", "Resource temporarily unavailable"],
  12: ["ENOMEM", "Cannot allocate memory"],
  13: ["EACCES", "Permission denied"],
  14: ["EFAULT", "Bad address"],
  16: ["EBUSY", "Device or resource busy"],
  17: ["EEXIST", "File exists"],
  19: ["ENODEV", "No such device"],
  20: ["ENOTDIR", "Not a directory"],
  21: ["EISDIR", "Is a directory"],
  22: ["EINVAL", "Invalid argument"],
  23: ["ENFILE", "Too many open files in system"],
  24: ["EMFILE", "Too many open files"],
  26: ["ETXTBSY", "Text file busy"],
  27: ["EFBIG", "File too large"],
  28: ["ENOSPC", "No space left on device"],
  30: ["EROFS", "Read-only file system"],
  32: ["EPIPE", "Broken pipe"],
  34: ["ERANGE", "Numerical result out of range"],
  36: ["ENAMETOOLONG", "File name too long"],
  38: ["ENOSYS", "Function not implemented"],
  40: ["ELOOP", "Too many levels of symbolic links"],
  88: ["ENOTSOCK", "Socket operation on non-socket"],
  90: ["EMSGSIZE", "Message too long"],
  92: ["ENOPROTOOPT", "Protocol not available"],
  93: ["EPROTONOSUPPORT", "Protocol not supported"],
  95: ["EOPNOTSUPP", "Operation not supported"],
  97: ["EAFNOSUPPORT", "Address family not supported by protocol"],
  98: ["EADDRINUSE", "Address already in use"],
  99: ["EADDRNOTAVAIL", "Cannot assign requested address"],
  100: ["ENETDOWN", "Network is down"],
  101: ["ENETUNREACH", "Network is unreachable"],
  104: ["ECONNRESET", "Connection reset by peer"],
  105: ["ENOBUFS", "No buffer space available"],
  106: ["EISCONN", "Transport endpoint is already connected"],
  107: ["ENOTCONN", "Transport endpoint is not connected"],
  110: ["ETIMEDOUT", "Connection timed out"],
  111: ["ECONNREFUSED", "Connection refused"],
  113: ["EHOSTUNREACH", "No route to host"],
  114: ["EALREADY", "Operation already in progress"],
  115: ["EINPROGRESS", "Operation now in progress"],
  122: ["EDQUOT", "Disk quota exceeded"],
  524: ["ENOTSUPP", "Operation not supported by the kernel"],
};

/** errno numbers by name, for comparisons. */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EBADF: 9,
  ECHILD: 10,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EEXIST: 17,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  EMFILE: 24,
  ENOSPC: 28,
  EPIPE: 32,
  ENOSYS: 38,
  ELOOP: 40,
  ENOTCONN: 107,
  ENETDOWN: 100,
  ENOBUFS: 105,
  EINPROGRESS: 115,
} as const;

/** Name of an errno value, such as `EPERM`; `errno 4711` for an unknown one. */
export function errnoName(errno: number): string {
  return ERRNO[errno]?.[0] ?? `errno ${errno}`;
}

/** Text of an errno value as strerror(3) gives it in the C locale. */
export function errnoText(errno: number): string {
  return ERRNO[errno]?.[1] ?? `Unknown error ${errno}`;
}

let location: Deno.UnsafePointerView | undefined;

/**
 * The calling thread's errno. Only meaningful directly after a synchronous
 * call that failed: errno belongs to a thread, and this module is loaded once
 * per thread.
 */
export function errno(): number {
  if (location === undefined) {
    const pointer = libc().__errno_location();
    if (pointer === null) {
      throw new Error("Cannot find errno: __errno_location returned NULL");
    }
    location = new Deno.UnsafePointerView(pointer);
  }
  return location.getInt32();
}

/** A system call that failed. */
export class SyscallError extends Error {
  override readonly name = "SyscallError";
  /** What was called, such as `bind` or `ptrace(PTRACE_SEIZE)`. */
  readonly syscall: string;
  /** The errno value. */
  readonly errno: number;
  /** The errno name, such as `EPERM`. */
  readonly code: string;

  /** Makes the error; `detail` names the object, such as a file. */
  constructor(syscall: string, errno: number, detail?: string) {
    super(
      `${syscall}${detail === undefined ? "" : ` of ${detail}`} failed with ${
        errnoName(errno)
      } (${errnoText(errno)})`,
    );
    this.syscall = syscall;
    this.errno = errno;
    this.code = errnoName(errno);
  }
}

/**
 * Passes a result on, or throws what errno says when it is negative.
 *
 * @throws {SyscallError}
 */
export function check(
  syscall: string,
  result: number,
  detail?: string,
): number {
  if (result < 0) throw new SyscallError(syscall, errno(), detail);
  return result;
}
