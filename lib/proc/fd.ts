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
  readProcText,
} from "./read.ts";

/** A descriptor that is a socket. */
export interface SocketFd {
  /** File descriptor number in the process. */
  readonly fd: number;
  /** Inode of the socket on sockfs, as sock_diag(7) reports it. */
  readonly inode: number;
}

/** What {@linkcode readFds} found. */
export interface ProcessFds {
  /** Sockets, in ascending order of the descriptor. */
  readonly sockets: readonly SocketFd[];
  /** Descriptors that are io_uring(7) instances. */
  readonly rings: readonly number[];
  /** Whether some are processes (pidfd_open(2)), whose descriptors it may get. */
  readonly hasPidfds: boolean;
}

/**
 * Reads the descriptor table of a process.
 *
 * @param pid Process id.
 * @param tid Thread whose table is meant, when it may have left the process'
 * own by unshare(CLONE_FILES).
 * @param root Mount point of procfs.
 * @returns What is of interest in it; nothing when there is no such process.
 * @throws {ProcPermissionError} without the right to trace the process
 * (PTRACE_MODE_READ_FSCREDS).
 */
export function readFds(
  pid: number,
  tid?: number,
  root: string = PROC_ROOT,
): ProcessFds {
  const directory = tid === undefined
    ? `${root}/${pid}/fd`
    : `${root}/${pid}/task/${tid}/fd`;
  const sockets: SocketFd[] = [];
  const rings: number[] = [];
  let hasPidfds = false;
  for (const fd of readProcNumbers(directory) ?? []) {
    const target = readProcLink(`${directory}/${fd}`) ?? "";
    const inode = parseSocketLink(target);
    if (inode !== undefined) sockets.push({ fd, inode });
    else if (target === "anon_inode:[io_uring]") rings.push(fd);
    // The latter since Linux 6.9.
    else if (/^(anon_inode:\[pidfd\]|pidfd:\[)/.test(target)) hasPidfds = true;
  }
  return { sockets, rings, hasPidfds };
}

/**
 * Lists the sockets that a process holds open by descriptors; the parameters
 * are those of {@linkcode readFds}. Sockets that only an io_uring instance
 * holds are told by {@linkcode ringSocketInodes}.
 *
 * @returns Descriptors in ascending order; empty when there is no such
 * process.
 * @throws {ProcPermissionError} without the right to trace the process.
 */
export function socketFds(
  pid: number,
  tid?: number,
  root: string = PROC_ROOT,
): readonly SocketFd[] {
  return readFds(pid, tid, root).sockets;
}

/**
 * Lists the sockets among the direct descriptors of an io_uring instance,
 * which are files without a descriptor: `/proc/PID/fdinfo/FD`.
 *
 * @param pid Process or thread id.
 * @param fd Descriptor of the io_uring instance.
 * @param root Mount point of procfs.
 * @returns Inodes; empty when the instance is gone.
 * @throws {ProcPermissionError} without the right to trace the process.
 */
export function ringSocketInodes(
  pid: number,
  fd: number,
  root: string = PROC_ROOT,
): number[] {
  return parseRingSockets(readProcText(`${root}/${pid}/fdinfo/${fd}`) ?? "");
}

/**
 * Decodes the list of direct descriptors in the text of `/proc/PID/fdinfo/FD`
 * (io_uring_show_fdinfo() of the kernel):
 *
 * ```text
 * UserFiles:\t2
 *     0: socket:[12345]
 *     1: /dev/null
 * UserBufs:\t0
 * ```
 *
 * @param text Content of the file.
 * @returns Inodes of sockets; empty for anything but an io_uring instance.
 */
export function parseRingSockets(text: string): number[] {
  const inodes: number[] = [];
  for (const [, target = ""] of text.matchAll(RING_FILE_REGEXP)) {
    const inode = parseSocketLink(target);
    if (inode !== undefined) inodes.push(inode);
  }
  return inodes;
}

const RING_FILE_REGEXP = /^ *[0-9]+: (socket:\[[0-9]+\])$/gm;

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
