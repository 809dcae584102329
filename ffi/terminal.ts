/**
 * The controlling terminal: tty_ioctl(4).
 *
 * @module
 */
import { syscallNumber } from "./arch.ts";
import { Fd } from "./fd.ts";
import { libc } from "./libc.ts";
import { cString } from "./memory.ts";
import { syscall } from "./syscall.ts";

const O_CLOEXEC_NOCTTY = 0o2000000 | 0o400;
const TIOCGPGRP = 0x540f;

/**
 * Whether this process belongs to the job that the terminal's keys are for.
 * False without a controlling terminal.
 */
export function isForegroundJob(): boolean {
  const number = libc().open(cString("/dev/tty"), O_CLOEXEC_NOCTTY, 0);
  if (number < 0) return false;
  using terminal = new Fd(number);
  const group = new Int32Array(1);
  if (libc().ioctl(terminal.number, BigInt(TIOCGPGRP), group) < 0) return false;
  return syscall(syscallNumber("getpgid")) === group[0];
}
