/**
 * Namespaces of a process: `/proc/PID/ns` (proc_pid_ns(5), namespaces(7)).
 *
 * @module
 */

import { parseDecimal, PROC_ROOT, readProcLink } from "./read.ts";

/**
 * Reads which network namespace a process or thread is in.
 *
 * @param pid Process or thread id; threads may differ (setns(2)).
 * @param root Mount point of procfs.
 * @returns The namespace's inode, which is unique while the namespace lives;
 * `undefined` when there is no such process, or it is a zombie.
 * @throws {ProcPermissionError} without the right to trace the process
 * (PTRACE_MODE_READ_FSCREDS).
 */
export function networkNamespace(
  pid: number,
  root: string = PROC_ROOT,
): number | undefined {
  return parseNamespaceLink(readProcLink(`${root}/${pid}/ns/net`) ?? "", "net");
}

/**
 * Decodes the target of a namespace link.
 *
 * @param target Text such as `net:[4026531840]`.
 * @param kind Kind of namespace that is expected, such as `net`.
 * @returns The inode, or `undefined` for anything else.
 */
export function parseNamespaceLink(
  target: string,
  kind: string,
): number | undefined {
  const prefix = `${kind}:[`;
  return target.startsWith(prefix) && target.endsWith("]")
    ? parseDecimal(target.slice(prefix.length, -1))
    : undefined;
}
