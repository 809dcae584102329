/**
 * prctl(2), PR_SET_DUMPABLE: who may look into this process.
 *
 * @module
 */
import { syscallNumber } from "./arch.ts";
import { syscall } from "./syscall.ts";

// linux/prctl.h
const PR_GET_DUMPABLE = 3;
const PR_SET_DUMPABLE = 4;
const SUID_DUMP_DISABLE = 0;
const SUID_DUMP_USER = 1;

/**
 * Runs `body` while children that share this process' memory may be traced by
 * it without CAP_SYS_PTRACE. The kernel forbids it to programs that have file
 * capabilities, see ptrace(2), "Ptrace access mode checking". Others still
 * need at least the capabilities of this process.
 */
export function whileDumpable<T>(body: () => T): T {
  const prctl = syscallNumber("prctl");
  if (syscall(prctl, PR_GET_DUMPABLE) === SUID_DUMP_USER) return body();
  syscall(prctl, PR_SET_DUMPABLE, SUID_DUMP_USER);
  try {
    return body();
  } finally {
    syscall(prctl, PR_SET_DUMPABLE, SUID_DUMP_DISABLE);
  }
}
