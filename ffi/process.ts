/**
 * Processes: descriptors of them, their sockets, limits, signals, and users.
 *
 * @module
 */
import { syscallNumber } from "./arch.ts";
import { check, Errno, errno, SyscallError } from "./errno.ts";
import { Fd } from "./fd.ts";
import { libc } from "./libc.ts";
import { cString, textAt } from "./memory.ts";
import { syscall } from "./syscall.ts";

/** PIDFD_THREAD = O_EXCL: the descriptor of a thread. Requires Linux 6.9. */
const PIDFD_THREAD = 0x80;

/**
 * A descriptor of a thread whose own descriptor table is looked at, or where
 * the kernel cannot do that, of its process.
 *
 * @returns undefined when the thread is gone
 */
export function openPidFd(tid: number, tgid: number): Fd | undefined {
  const open = syscallNumber("pidfd_open");
  let fd = syscall(open, tid, PIDFD_THREAD);
  if (fd < 0 && errno() === Errno.EINVAL) fd = syscall(open, tgid, 0);
  if (fd >= 0) return new Fd(fd);
  const error = errno();
  if (error === Errno.EMFILE) throw new SyscallError("pidfd_open", error);
  return undefined;
}

/**
 * Duplicates descriptor `targetFd` of another process. Close it soon: while
 * it is open, the program's own close() ends nothing.
 *
 * @returns undefined when there is no such descriptor or process (any more)
 * @throws {SyscallError} EPERM without the right to look into the process
 */
export function duplicateFd(pidFd: Fd, targetFd: number): Fd | undefined {
  const fd = syscall(
    syscallNumber("pidfd_getfd"),
    pidFd.number,
    targetFd,
  );
  if (fd >= 0) return new Fd(fd);
  const error = errno();
  if (error === Errno.EPERM || error === Errno.EMFILE) {
    throw new SyscallError("pidfd_getfd", error);
  }
  return undefined;
}

/** Sends a signal; false when there is no such process. */
export function kill(pid: number, signal: number): boolean {
  return libc().kill(pid, signal) >= 0;
}

/** RLIMIT_CORE, asm-generic/resource.h. */
export const RLIMIT_CORE = 4;
/** RLIMIT_NOFILE. */
export const RLIMIT_NOFILE = 7;

/** Soft and hard limit of a process; 2^64-1 is no limit. */
export interface ResourceLimit {
  readonly soft: bigint;
  readonly hard: bigint;
}

/**
 * Limit of a process, by default of this one.
 *
 * @throws {SyscallError} EPERM, ESRCH
 */
export function resourceLimit(resource: number, pid = 0): ResourceLimit {
  const old = new BigUint64Array(2);
  check("prlimit", libc().prlimit(pid, resource, null, old));
  return { soft: old[0]!, hard: old[1]! };
}

/**
 * Changes a limit of this process.
 *
 * @throws {SyscallError}
 */
export function setResourceLimit(resource: number, limit: ResourceLimit): void {
  const words = BigUint64Array.of(limit.soft, limit.hard);
  check("prlimit", libc().prlimit(0, resource, words, null));
}

/** Makes a death by signal leave no core file of this process. */
export function setCoreLimitZero(): void {
  setResourceLimit(RLIMIT_CORE, {
    soft: 0n,
    hard: resourceLimit(RLIMIT_CORE).hard,
  });
}

/** Allows as many open descriptors as the hard limit permits. */
export function raiseDescriptorLimit(): void {
  const { hard } = resourceLimit(RLIMIT_NOFILE);
  setResourceLimit(RLIMIT_NOFILE, { soft: hard, hard });
}

/** A user of the system (getpwnam(3)) with all groups. */
export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly home: string;
  readonly shell: string;
}

// struct passwd: 0 pw_name, 8 pw_passwd, 16 pw_uid, 20 pw_gid, 24 pw_gecos,
// 32 pw_dir, 40 pw_shell (64-bit glibc)
function userAt(pointer: Deno.PointerValue): User | undefined {
  if (pointer === null) return undefined;
  const view = new Deno.UnsafePointerView(pointer);
  const name = textAt(view.getPointer(0));
  const gid = view.getUint32(20);
  const groups = new Uint32Array(1024);
  const count = Int32Array.of(groups.length);
  const found = libc().getgrouplist(cString(name), gid, groups, count);
  return {
    name,
    uid: view.getUint32(16),
    gid,
    groups: found < 0 ? [gid] : [...groups.subarray(0, count[0])],
    home: textAt(view.getPointer(32)),
    shell: textAt(view.getPointer(40)),
  };
}

/**
 * The number of a user or a group from decimal digits; directories give out
 * numbers of up to ten. The greatest one means none: chown(2).
 */
export function parseId(text: string): number | undefined {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : NO_ID;
  return id < NO_ID ? id : undefined;
}

const NO_ID = 0xffff_ffff;

/** Looks a user up by name or numeric id. */
export function findUser(nameOrId: string): User | undefined {
  const byName = userAt(libc().getpwnam(cString(nameOrId)));
  if (byName !== undefined) return byName;
  const id = parseId(nameOrId);
  return id === undefined ? undefined : userAt(libc().getpwuid(id));
}

/**
 * Runs `body` with the file-system rights of another user, in this thread
 * only (setfsuid(2), setgroups(2) as a bare system call). `body` must not
 * await. Root's capabilities to override permissions are off meanwhile.
 *
 * @throws {SyscallError} when the groups cannot be changed
 */
export function withFileRightsOf<T>(
  user: Pick<User, "uid" | "gid" | "groups">,
  body: () => T,
): T {
  const ownGroups = new Uint32Array(1024);
  const getgroups = libc().syscallBuffer(
    BigInt(GETGROUPS[Deno.build.arch] ?? 115),
    BigInt(ownGroups.length),
    ownGroups,
    0n,
    0n,
  );
  check("getgroups", getgroups);
  setGroups(Uint32Array.from(user.groups));
  const gid = syscall(syscallNumber("setfsgid"), user.gid);
  const uid = syscall(syscallNumber("setfsuid"), user.uid);
  try {
    return body();
  } finally {
    syscall(syscallNumber("setfsuid"), uid);
    syscall(syscallNumber("setfsgid"), gid);
    setGroups(ownGroups.slice(0, getgroups));
  }
}

const GETGROUPS: Readonly<Record<string, number>> = {
  x86_64: 115,
  aarch64: 158,
};

function setGroups(groups: Uint32Array<ArrayBuffer>): void {
  check(
    "setgroups",
    libc().syscallBuffer(
      BigInt(syscallNumber("setgroups")),
      BigInt(groups.length),
      groups,
      0n,
      0n,
    ),
  );
}
