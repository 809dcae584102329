/**
 * Threads and descendants of processes.
 *
 * Every answer is a snapshot: processes start and end while it is taken.
 * Callers that need all of them repeat until a pass finds nothing new.
 *
 * @module
 */

import {
  parseDecimal,
  PROC_ROOT,
  ProcPermissionError,
  readProcNumbers,
  readProcText,
} from "./read.ts";
import { readStat } from "./stat.ts";

/**
 * Lists the threads of a process.
 *
 * @param pid Process id.
 * @param root Mount point of procfs.
 * @returns Thread ids in ascending order; empty when there is no such process.
 * @throws {ProcPermissionError} under `hidepid=1`.
 */
export function threadIds(pid: number, root: string = PROC_ROOT): number[] {
  return readProcNumbers(`${root}/${pid}/task`) ?? [];
}

/**
 * Lists all processes that procfs shows, without their threads.
 *
 * @param root Mount point of procfs.
 * @returns Process ids in ascending order.
 */
export function processIds(root: string = PROC_ROOT): number[] {
  return readProcNumbers(root) ?? [];
}

/**
 * Lists the children that one thread made, from `/proc/PID/task/TID/children`
 * (Linux 3.5 with CONFIG_CHECKPOINT_RESTORE, since 4.2 CONFIG_PROC_CHILDREN).
 * The kernel may skip some while others of them exit.
 *
 * @param tid Thread id.
 * @param root Mount point of procfs.
 * @returns Process ids; `undefined` when there is no such thread or the
 * kernel lacks the file.
 * @throws {ProcPermissionError} under `hidepid=1`.
 */
export function childrenOfThread(
  tid: number,
  root: string = PROC_ROOT,
): number[] | undefined {
  return readChildren(tid, tid, root);
}

/**
 * Lists the children of a process, whichever of its threads made them.
 *
 * @param pid Process id.
 * @param root Mount point of procfs.
 * @returns Process ids in ascending order; empty when there is no such
 * process.
 * @throws {ProcPermissionError} under `hidepid=1`.
 */
export function childrenOf(pid: number, root: string = PROC_ROOT): number[] {
  return readProcessChildren(pid, root) ?? scanChildren(root).get(pid) ?? [];
}

/**
 * Lists a process and all its descendants, parents before their children.
 * Daemons that were adopted by init or a subreaper are not found.
 *
 * @param pid Process id.
 * @param root Mount point of procfs.
 * @returns Process ids; empty when there is no such process.
 * @throws {ProcPermissionError} under `hidepid=1`.
 */
export function processTree(pid: number, root: string = PROC_ROOT): number[] {
  if (threadIds(pid, root).length === 0) return [];
  const found = new Set([pid]);
  let scan: ReadonlyMap<number, number[]> | undefined;
  // A Set yields what is added while it is walked: this is breadth first.
  for (const parent of found) {
    const children = scan?.get(parent) ?? readProcessChildren(parent, root) ??
      (scan ??= scanChildren(root)).get(parent) ?? [];
    for (const child of children) found.add(child);
  }
  return [...found];
}

/** `undefined`: the process has threads, but none has a `children` file. */
function readProcessChildren(
  pid: number,
  root: string,
): number[] | undefined {
  const children: number[] = [];
  const threads = threadIds(pid, root);
  let known = threads.length === 0;
  for (const tid of threads) {
    const some = readChildren(pid, tid, root);
    if (some === undefined) continue;
    known = true;
    children.push(...some);
  }
  return known ? children.sort((a, b) => a - b) : undefined;
}

function readChildren(
  pid: number,
  tid: number,
  root: string,
): number[] | undefined {
  return readProcText(`${root}/${pid}/task/${tid}/children`)?.split(" ")
    .flatMap((word) => parseDecimal(word.trim()) ?? []);
}

/** Children by parent, from one walk over all processes. */
function scanChildren(root: string): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const pid of processIds(root)) {
    const ppid = readParent(pid, root);
    if (ppid === undefined) continue;
    const siblings = children.get(ppid);
    if (siblings === undefined) children.set(ppid, [pid]);
    else siblings.push(pid);
  }
  return children;
}

function readParent(pid: number, root: string): number | undefined {
  try {
    return readStat(pid, root)?.ppid;
  } catch (error) {
    // Another user's process under hidepid: not one that could be traced.
    if (error instanceof ProcPermissionError) return undefined;
    throw error;
  }
}
