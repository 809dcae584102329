/**
 * Sockets among the file descriptors of a process: `/proc/PID/fd`
 * (proc_pid_fd(5)).
 *
 * @module
 */

import {
  parseDecimal,
  PROC_ROOT,
  readProcLink,
  readProcNumbers,
} from "./read.ts";

/** A descriptor that is a socket. */
export interface SocketFd {
  /** File descriptor number in the process. */
  readonly fd: number;
  /** Inode of the socket on sockfs, as sock_diag(7) reports it. */
  readonly inode: number;
}

/**
 * Lists the sockets that a process holds open. io_uring direct descriptors
 * are not among them.
 *
 * @param pid Process id.
 * @param tid Thread whose descriptor table is meant, when it may have left
 * the process' own by unshare(CLONE_FILES).
 * @param root Mount point of procfs.
 * @returns Descriptors in ascending order; empty when there is no such
 * process.
 * @throws {ProcPermissionError} without the right to trace the process
 * (PTRACE_MODE_READ_FSCREDS).
 */
export function socketFds(
  pid: number,
  tid?: number,
  root: string = PROC_ROOT,
): SocketFd[] {
  const directory = tid === undefined
    ? `${root}/${pid}/fd`
    : `${root}/${pid}/task/${tid}/fd`;
  const sockets: SocketFd[] = [];
  for (const fd of readProcNumbers(directory) ?? []) {
    const inode = parseSocketLink(readProcLink(`${directory}/${fd}`) ?? "");
    if (inode !== undefined) sockets.push({ fd, inode });
  }
  return sockets;
}

/**
 * Reads one descriptor's socket.
 *
 * @param pid Process or thread id.
 * @param fd Descriptor number.
 * @param root Mount point of procfs.
 * @returns The socket's inode; `undefined` when the descriptor is closed or
 * something else.
 * @throws {ProcPermissionError} without the right to trace the process.
 */
export function socketInode(
  pid: number,
  fd: number,
  root: string = PROC_ROOT,
): number | undefined {
  return parseSocketLink(readProcLink(`${root}/${pid}/fd/${fd}`) ?? "");
}

/**
 * Decodes the target of a descriptor link.
 *
 * @param target Text such as `socket:[12345]`.
 * @returns The inode, or `undefined` for files, pipes and so on.
 */
export function parseSocketLink(target: string): number | undefined {
  return target.startsWith("socket:[") && target.endsWith("]")
    ? parseDecimal(target.slice("socket:[".length, -1))
    : undefined;
}
