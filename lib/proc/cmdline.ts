/**
 * `/proc/PID/cmdline` (proc_pid_cmdline(5)).
 *
 * @module
 */

import { PROC_ROOT, readProcText } from "./read.ts";

/**
 * Reads the command line of a process. Programs may overwrite it; then it is
 * whatever they wrote, often as one single argument.
 *
 * @param pid Process id.
 * @param root Mount point of procfs.
 * @returns The arguments; empty for kernel threads and zombies; `undefined`
 * when there is no such process.
 * @throws {ProcPermissionError} under `hidepid=1`.
 */
export function readCommandLine(
  pid: number,
  root: string = PROC_ROOT,
): string[] | undefined {
  const text = readProcText(`${root}/${pid}/cmdline`);
  return text === undefined ? undefined : parseCommandLine(text);
}

/**
 * Splits the content of `/proc/PID/cmdline`.
 *
 * @param text Arguments, each followed by a NUL byte. A title that a program
 * wrote over its arguments may lack the last NUL, or be padded with many.
 * @returns The arguments. Empty ones at the end are dropped: they cannot be
 * told from such padding.
 */
export function parseCommandLine(text: string): string[] {
  const end = text.replace(/\0+$/, "");
  return end === "" ? [] : end.split("\0");
}
