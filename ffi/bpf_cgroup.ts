/**
 * The root of the cgroup2 hierarchy, to attach programs to.
 *
 * @module
 */
import { errno, SyscallError } from "./errno.ts";
import { Fd, ownFd } from "./fd.ts";
import { libc } from "./libc.ts";
import { addressOf, cString } from "./memory.ts";

// The same number on every machine.
const SYS_FSOPEN = 430n;
const SYS_FSCONFIG = 431n;
const SYS_FSMOUNT = 432n;

// linux/mount.h
const FSOPEN_CLOEXEC = 1n;
const FSMOUNT_CLOEXEC = 1n;
const FSCONFIG_CMD_CREATE = 6n;

// asm-generic/fcntl.h; O_DIRECTORY differs by machine and is not needed.
const O_RDONLY = 0;
const O_CLOEXEC = 0o2000000;

/**
 * Opens the cgroup2 root without needing a visible mount: a mount that is
 * attached nowhere serves as well. Where that is not permitted
 * (CAP_SYS_ADMIN), the first cgroup2 mount of the process is opened.
 *
 * Inside of a cgroup namespace the root covers the namespace's part only.
 *
 * @throws {SyscallError} when the kernel has no cgroup2 or none is visible
 */
export function openCgroupRoot(): Fd {
  try {
    return mountCgroup();
  } catch (error) {
    const path = visibleMount();
    if (path === undefined) throw error;
    return ownFd(
      "open",
      libc().open(cString(path), O_RDONLY | O_CLOEXEC, 0),
      path,
    );
  }
}

function mountCgroup(): Fd {
  const type = cString("cgroup2");
  using context = call(
    "fsopen",
    SYS_FSOPEN,
    BigInt(addressOf(type)),
    FSOPEN_CLOEXEC,
  );
  const created = libc().syscall(
    SYS_FSCONFIG,
    BigInt(context.number),
    FSCONFIG_CMD_CREATE,
    0n,
    0n,
    0n,
    0n,
  );
  if (created < 0) throw new SyscallError("fsconfig", errno(), "cgroup2");
  // `type` must live until here: only its address was handed over.
  const flags = type.length > 0 ? FSMOUNT_CLOEXEC : 0n;
  return call("fsmount", SYS_FSMOUNT, BigInt(context.number), flags);
}

function call(
  name: string,
  number: bigint,
  first: bigint,
  second: bigint,
): Fd {
  const result = libc().syscall(number, first, second, 0n, 0n, 0n, 0n);
  if (result < 0) throw new SyscallError(name, errno(), "cgroup2");
  return new Fd(result);
}

/** Mount point of the first cgroup2 mount, proc_pid_mounts(5). */
function visibleMount(): string | undefined {
  let mounts: string;
  try {
    mounts = Deno.readTextFileSync("/proc/self/mounts");
  } catch {
    return undefined;
  }
  for (const line of mounts.split("\n")) {
    const [, path, type] = line.split(" ");
    if (type === "cgroup2" && path !== undefined) {
      return path.replaceAll("\\040", " ");
    }
  }
  return undefined;
}
