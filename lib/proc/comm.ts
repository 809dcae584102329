/**
 * Names of processes and threads: `/proc/PID/comm` (proc_pid_comm(5)).
 *
 * @module
 */

import { PROC_ROOT, readProcText } from "./read.ts";

/**
 * Reads the command name (prctl(2) PR_SET_NAME) of a process or thread.
 *
 * @param pid Process or thread id.
 * @param root Mount point of procfs.
 * @returns At most 15 bytes of text (kernel threads: 63), or `undefined` when
 * there is no such process.
 * @throws {ProcPermissionError} under `hidepid=1`.
 */
export function readComm(
  pid: number,
  root: string = PROC_ROOT,
): string | undefined {
  // The kernel adds one newline; one more may belong to the name.
  return readProcText(`${root}/${pid}/comm`)?.replace(/\n$/, "");
}
