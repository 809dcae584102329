/**
 * `/proc/PID/stat` (proc_pid_stat(5)).
 *
 * ```text
 * 4242 (my (odd) name) S 4200 4242 4200 34816 4242 4194304 ... 1234567 ...
 *  1    2              3  4                         9          22
 *  pid  comm           state ppid                   flags      starttime
 * ```
 *
 * comm is not escaped here: it may hold spaces, parentheses and newlines. The
 * numbers after it cannot hold a parenthesis, so the last one closes comm.
 *
 * @module
 */

import { parseDecimal, PROC_ROOT, readProcText } from "./read.ts";

// Positions among the words that follow comm, which is field 2.
const STATE = 3 - 3;
const PPID = 4 - 3;
const FLAGS = 9 - 3;
const START_TIME = 22 - 3;

/** The fields of `/proc/PID/stat` that a tracer needs. */
export interface ProcessStat {
  /** Process or thread id. */
  readonly pid: number;
  /** comm as the kernel holds it. */
  readonly comm: string;
  /** One letter, as in {@linkcode ProcessStatus.state}. */
  readonly state: string;
  /** Thread-group id of the parent. */
  readonly ppid: number;
  /** PF_* bits (include/linux/sched.h). */
  readonly flags: number;
  /**
   * Clock ticks (sysconf(_SC_CLK_TCK) a second) from boot to start. Together
   * with the pid it names one process for ever: pids are used again.
   */
  readonly startTime: number;
}

/**
 * Reads the stat line of a process or thread.
 *
 * @param pid Process or thread id.
 * @param root Mount point of procfs.
 * @returns The fields, or `undefined` when there is no such process.
 * @throws {ProcPermissionError} under `hidepid=1`.
 */
export function readStat(
  pid: number,
  root: string = PROC_ROOT,
): ProcessStat | undefined {
  const text = readProcText(`${root}/${pid}/stat`);
  return text === undefined ? undefined : parseStat(text);
}

/**
 * Decodes the text of `/proc/PID/stat`.
 *
 * @param text Content of the file.
 * @returns The fields, or `undefined` when the text is not a stat line.
 */
export function parseStat(text: string): ProcessStat | undefined {
  const open = text.indexOf(" (");
  const close = text.lastIndexOf(") ");
  if (open < 0 || close < open + 2) return undefined;
  const pid = parseDecimal(text.slice(0, open));
  const words = text.slice(close + 2).split(" ");
  const ppid = parseDecimal(words[PPID] ?? "");
  if (pid === undefined || ppid === undefined) return undefined;
  return {
    pid,
    comm: text.slice(open + 2, close),
    state: words[STATE] ?? "",
    ppid,
    flags: parseDecimal(words[FLAGS] ?? "") ?? 0,
    startTime: parseDecimal(words[START_TIME] ?? "") ?? 0,
  };
}
