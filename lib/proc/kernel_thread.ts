/**
 * Telling kernel threads from programs: they have no system calls to trace.
 *
 * @module
 */

import { PROC_ROOT } from "./read.ts";
import { readStat } from "./stat.ts";
import { readStatus } from "./status.ts";

/** PF_KTHREAD of include/linux/sched.h. */
const PF_KTHREAD = 0x0020_0000;

/**
 * Says whether a process is a thread of the kernel.
 *
 * @param pid Process id.
 * @param root Mount point of procfs.
 * @returns `undefined` when there is no such process.
 * @throws {ProcPermissionError} under `hidepid=1`.
 */
export function isKernelThread(
  pid: number,
  root: string = PROC_ROOT,
): boolean | undefined {
  const told = readStatus(pid, root)?.kernelThread;
  if (told !== undefined) return told;
  // Before Linux 6.8 only the flags word tells.
  const stat = readStat(pid, root);
  return stat === undefined ? undefined : (stat.flags & PF_KTHREAD) !== 0;
}
