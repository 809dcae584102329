/**
 * Network namespaces: network_namespaces(7), setns(2), ioctl_nsfs(2).
 *
 * @module
 */
import { check, Errno, errno, SyscallError } from "./errno.ts";
import { Fd, ownFd } from "./fd.ts";
import { libc } from "./libc.ts";
import { cString } from "./memory.ts";

/** linux/sched.h */
const CLONE_NEWNET = 0x4000_0000;
/** linux/sockios.h */
const SIOCGSKNS = 0x894c;
const O_RDONLY = 0;
const O_CLOEXEC = 0o2000000;

/**
 * Opens a namespace by a path such as `/proc/PID/ns/net` or `/run/netns/NAME`.
 *
 * @returns undefined when there is none
 * @throws {SyscallError} EACCES, EPERM without the right to trace the process
 */
export function openNamespace(path: string): Fd | undefined {
  const fd = libc().open(cString(path), O_RDONLY | O_CLOEXEC, 0);
  if (fd >= 0) return new Fd(fd);
  const error = errno();
  if (error === Errno.ENOENT || error === Errno.ESRCH) return undefined;
  throw new SyscallError("open", error, path);
}

/**
 * The network namespace that a socket of ours belongs to. Requires
 * CAP_NET_ADMIN there.
 *
 * @throws {SyscallError} EPERM
 */
export function namespaceOfSocket(socket: number): Fd {
  return ownFd("SIOCGSKNS", libc().ioctlInteger(socket, BigInt(SIOCGSKNS), 0n));
}

/**
 * Runs `body` while this thread, and no other one, is in a network namespace.
 * Sockets that it opens stay there. `body` must not await. Requires
 * CAP_SYS_ADMIN in both namespaces.
 *
 * @throws {SyscallError} EPERM
 */
export function inNetworkNamespace<T>(namespace: Fd, body: () => T): T {
  using own = openNamespace("/proc/thread-self/ns/net");
  if (own === undefined) throw new SyscallError("open", Errno.ENOENT);
  check("setns", libc().setns(namespace.number, CLONE_NEWNET));
  try {
    return body();
  } finally {
    check("setns", libc().setns(own.number, CLONE_NEWNET));
  }
}
