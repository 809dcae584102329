/**
 * Resource limits: `/proc/PID/limits` (proc_pid_limits(5)).
 *
 * @module
 */

import { parseDecimal, PROC_ROOT, readProcText } from "./read.ts";

/** One resource limit; `Infinity` stands for RLIM_INFINITY. */
export interface ResourceLimit {
  /** What the kernel enforces. */
  readonly soft: number;
  /** Up to where the process may raise `soft`. */
  readonly hard: number;
}

/**
 * Reads RLIMIT_NOFILE of a process: how many descriptors it may hold.
 *
 * @param pid Process id.
 * @param root Mount point of procfs.
 * @returns The limit, or `undefined` when there is no such process.
 * @throws {ProcPermissionError} under `hidepid=1`.
 */
export function readOpenFilesLimit(
  pid: number,
  root: string = PROC_ROOT,
): ResourceLimit | undefined {
  const text = readProcText(`${root}/${pid}/limits`);
  return text === undefined ? undefined : parseLimit(text, "Max open files");
}

/**
 * Finds one line of `/proc/PID/limits`.
 *
 * @param text Content of the file.
 * @param name Name in the first column, such as `Max open files`.
 * @returns The limit, or `undefined` when the line is missing or odd.
 */
export function parseLimit(
  text: string,
  name: string,
): ResourceLimit | undefined {
  const line = text.split("\n").find((line) => line.startsWith(`${name} `));
  if (line === undefined) return undefined;
  const [soft = "", hard = ""] = line.slice(name.length).trim().split(/ +/);
  const limit = { soft: parseValue(soft), hard: parseValue(hard) };
  return limit.soft === undefined || limit.hard === undefined
    ? undefined
    : { soft: limit.soft, hard: limit.hard };
}

function parseValue(word: string): number | undefined {
  return word === "unlimited" ? Infinity : parseDecimal(word);
}
