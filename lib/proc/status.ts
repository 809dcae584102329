/**
 * `/proc/PID/status` (proc_pid_status(5)).
 *
 * @module
 */

import { parseDecimal, PROC_ROOT, readProcText } from "./read.ts";

/** Real, effective, saved and file system id, in this order. */
export type Credentials = readonly [
  real: number,
  effective: number,
  saved: number,
  fileSystem: number,
];

/** The fields of `/proc/PID/status` that a tracer needs. */
export interface ProcessStatus {
  /** comm of the thread, with the kernel's escapes undone. */
  readonly name: string;
  /** One letter: `R`, `S`, `D`, `T` (stopped), `t` (traced), `Z`, `X`, ... */
  readonly state: string;
  /** Thread-group id: what users call the process id. */
  readonly tgid: number;
  /** Thread id. */
  readonly pid: number;
  /** Thread-group id of the parent; 0 when it is outside the pid namespace. */
  readonly ppid: number;
  /** Process that traces this one, or 0. */
  readonly tracerPid: number;
  /** User ids. */
  readonly uid: Credentials;
  /** Group ids. */
  readonly gid: Credentials;
  /** Supplementary groups. */
  readonly groups: readonly number[];
  /**
   * Thread id in every pid namespace from the mounter's one inwards; empty
   * before Linux 4.1.
   */
  readonly nsPid: readonly number[];
  /** Number of threads of the process. */
  readonly threads: number;
  /** Blocked signals; bit n-1 stands for signal n. */
  readonly sigBlk: bigint;
  /** Ignored signals. */
  readonly sigIgn: bigint;
  /** Signals with a handler. */
  readonly sigCgt: bigint;
  /** Effective capabilities; bit n stands for capability n. */
  readonly capEff: bigint;
  /** 0 none, 1 strict, 2 filter; `undefined` without CONFIG_SECCOMP. */
  readonly seccomp: number | undefined;
  /** The no_new_privs bit; `undefined` before Linux 4.10. */
  readonly noNewPrivs: boolean | undefined;
  /** `Kthread:`, which Linux has since 6.8; `undefined` before. */
  readonly kernelThread: boolean | undefined;
}

/**
 * Reads the status of a process or thread.
 *
 * @param pid Process or thread id.
 * @param root Mount point of procfs.
 * @returns The status, or `undefined` when there is no such process.
 * @throws {ProcPermissionError} when procfs is mounted with `hidepid=1` and
 * the process belongs to another user.
 */
export function readStatus(
  pid: number,
  root: string = PROC_ROOT,
): ProcessStatus | undefined {
  const text = readProcText(`${root}/${pid}/status`);
  return text === undefined ? undefined : parseStatus(text);
}

/**
 * Decodes the text of `/proc/PID/status`. Missing or odd fields read as 0, an
 * empty list or `undefined`; unknown fields are passed over.
 *
 * @param text Content of the file.
 * @returns The decoded fields.
 */
export function parseStatus(text: string): ProcessStatus {
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const key = line.slice(0, colon);
    // Names are escaped by the kernel, so a field cannot be forged by comm;
    // the first one wins all the same.
    if (!fields.has(key)) fields.set(key, line.slice(colon + 1));
  }
  return {
    name: unescapeName((fields.get("Name") ?? "").replace(/^\t/, "")),
    state: (fields.get("State") ?? "").trim().slice(0, 1),
    tgid: number(fields, "Tgid") ?? 0,
    pid: number(fields, "Pid") ?? 0,
    ppid: number(fields, "PPid") ?? 0,
    tracerPid: number(fields, "TracerPid") ?? 0,
    uid: credentials(fields, "Uid"),
    gid: credentials(fields, "Gid"),
    groups: numbers(fields, "Groups"),
    nsPid: numbers(fields, "NSpid"),
    threads: number(fields, "Threads") ?? 0,
    sigBlk: mask(fields, "SigBlk"),
    sigIgn: mask(fields, "SigIgn"),
    sigCgt: mask(fields, "SigCgt"),
    capEff: mask(fields, "CapEff"),
    seccomp: number(fields, "Seccomp"),
    noNewPrivs: boolean(fields, "NoNewPrivs"),
    kernelThread: boolean(fields, "Kthread"),
  };
}

/**
 * Whether a process is over. One whose first thread has ended is a zombie, too,
 * but its other threads go on.
 *
 * @param status Status of its first thread; `undefined` when there is none.
 */
export function hasEnded(
  status: Pick<ProcessStatus, "state" | "threads"> | undefined,
): boolean {
  const { state, threads } = status ?? { state: "X", threads: 0 };
  return state === "X" || state === "Z" && threads <= 1;
}

type Fields = ReadonlyMap<string, string>;

// fs/proc/array.c prints Name with "\n" and "\\" escaped, and nothing else.
function unescapeName(name: string): string {
  return name.replace(
    /\\([n\\])/g,
    (_, letter) => letter === "n" ? "\n" : "\\",
  );
}

function number(fields: Fields, key: string): number | undefined {
  return parseDecimal((fields.get(key) ?? "").trim());
}

function numbers(fields: Fields, key: string): number[] {
  return (fields.get(key) ?? "").split(/[ \t]+/).flatMap((word) =>
    parseDecimal(word) ?? []
  );
}

function boolean(fields: Fields, key: string): boolean | undefined {
  const value = number(fields, key);
  return value === undefined ? undefined : value !== 0;
}

function credentials(fields: Fields, key: string): Credentials {
  const [real = 0, effective = 0, saved = 0, fileSystem = 0] = numbers(
    fields,
    key,
  );
  return [real, effective, saved, fileSystem];
}

function mask(fields: Fields, key: string): bigint {
  const digits = (fields.get(key) ?? "").trim();
  return /^[0-9a-fA-F]{1,64}$/.test(digits) ? BigInt(`0x${digits}`) : 0n;
}
