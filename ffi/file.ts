/**
 * Plain files by descriptor: open(2), write(2), ftruncate(2).
 *
 * @module
 */
import { check, Errno, errno, SyscallError } from "./errno.ts";
import { type Fd, ownFd } from "./fd.ts";
import { libc } from "./libc.ts";
import { cString } from "./memory.ts";

// asm-generic/fcntl.h
const O_WRONLY = 1;
const O_CREAT = 0o100;
const O_TRUNC = 0o1000;
const O_CLOEXEC = 0o2000000;
const SEEK_CUR = 1;

/**
 * Opens a file for writing, made anew or emptied.
 *
 * @throws {SyscallError}
 */
export function createFile(path: string, mode = 0o666): Fd {
  return ownFd(
    "open",
    libc().open(cString(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode),
    path,
  );
}

/**
 * Takes the last `length` written bytes back. Files only: pipes cannot.
 *
 * @returns whether it was possible
 */
export function takeBack(fd: number, length: number): boolean {
  const end = libc().lseek(fd, 0n, SEEK_CUR);
  if (end < 0n) return false;
  const kept = end - BigInt(length);
  if (libc().ftruncate(fd, kept) < 0) return false;
  libc().lseek(fd, -BigInt(length), SEEK_CUR);
  return true;
}

/**
 * Waits until the file is on the disk; pipes and devices have nothing to do.
 *
 * @throws {SyscallError}
 */
export function sync(fd: number): void {
  if (libc().fsync(fd) < 0) {
    const error = errno();
    if (error !== Errno.EINVAL) throw new SyscallError("fsync", error);
  }
}

/**
 * Makes a descriptor mean another open file; what it meant is closed.
 *
 * @param fd the number that stays
 * @param replacement closed, since `fd` takes its place
 * @throws {SyscallError}
 */
export function replaceFile(fd: number, replacement: Fd): void {
  using source = replacement;
  check("dup3", libc().dup3(source.number, fd, O_CLOEXEC));
}

// struct statvfs of 64-bit Linux: 0 f_bsize, 8 f_frsize, 32 f_bavail
const STATVFS_LENGTH = 112;

/**
 * Bytes that are free for ordinary users on the disk of a file.
 *
 * @returns undefined where the descriptor has no disk
 */
export function freeSpace(fd: number): number | undefined {
  const buffer = new BigUint64Array(STATVFS_LENGTH / 8);
  if (libc().fstatvfs(fd, buffer) < 0) return undefined;
  return Number(buffer[1]! * buffer[4]!);
}

/** Whether a descriptor is a terminal. */
export function isTerminal(fd: number): boolean {
  return libc().isatty(fd) === 1;
}

/** An event counter for waking a poll(2) in another thread; eventfd(2). */
export function openEventFd(): Fd {
  const EFD_NONBLOCK = 0o4000;
  return ownFd("eventfd", libc().eventfd(0, O_CLOEXEC | EFD_NONBLOCK));
}

/** Makes an eventfd readable. */
export function signalEventFd(fd: number): void {
  check("write", libc().write(fd, BigUint64Array.of(1n), 8n));
}

const eventCount = new BigUint64Array(1);

/** Makes an eventfd unreadable again. */
export function drainEventFd(fd: number): void {
  // EAGAIN: somebody else was faster, or it was not readable.
  libc().read(fd, eventCount, 8n);
}
