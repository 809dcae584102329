/**
 * Process ids across PID namespaces: the tracker's programs know processes by
 * their numbers in the machine's outermost namespace, this process may not.
 *
 * @module
 */
import type { KernelTypes } from "../../bpf/programs/kernel_types.ts";
import {
  processIterator,
  type ProcessNumbers,
  readProcessNumbers,
} from "../../bpf/programs/process_ids.ts";
import { runIterator } from "../../ffi/bpf_link.ts";
import type { BpfProgram } from "../../ffi/bpf_program.ts";
import { loadProgram } from "./ebpf_attach.ts";

/** Inode of the outermost PID namespace (PROC_PID_INIT_INO). */
const OUTERMOST = "pid:[4026531836]";

/** Whether this process is in a PID namespace of its own. */
export function isInPidNamespace(): boolean {
  return Deno.readLinkSync("/proc/self/ns/pid") !== OUTERMOST;
}

/** Translates process ids between this process and the kernel's programs. */
export interface ProcessIds {
  /** Number in the outermost namespace; `undefined` for no such process. */
  toOuter(pid: number): number | undefined;
  /**
   * Number here; `undefined` when the process is not seen from here, or ended
   * before it was asked for.
   */
  toInner(tgid: number): number | undefined;
}

/** For the outermost namespace. */
export const SAME_IDS: ProcessIds = {
  toOuter: (pid) => pid,
  toInner: (tgid) => tgid,
};

/** Asks the kernel whenever a number is not known yet. */
export class NamespaceIds implements ProcessIds, Disposable {
  readonly #program: BpfProgram;
  #outer: ProcessNumbers["outer"] = new Map();
  /** Also of processes that have ended: events about them come later. */
  readonly #inner = new Map<number, number>();

  /**
   * Loads the program that lists processes.
   *
   * @throws {ProgramLoadError} when the kernel refuses it
   */
  constructor(types: KernelTypes) {
    this.#program = loadProgram(processIterator(types), {});
  }

  /** A number may have been given to another process: asks each time. */
  toOuter(pid: number): number | undefined {
    this.#refresh();
    return this.#outer.get(pid);
  }

  /** Asks when the number is new. */
  toInner(tgid: number): number | undefined {
    if (!this.#inner.has(tgid)) this.#refresh();
    return this.#inner.get(tgid);
  }

  /** Closes the program. */
  close(): void {
    this.#program.close();
  }

  /** Same as {@linkcode NamespaceIds.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #refresh(): void {
    const numbers = readProcessNumbers(runIterator(this.#program));
    if (numbers === undefined) return;
    this.#outer = numbers.outer;
    for (const [tgid, pid] of numbers.inner) this.#inner.set(tgid, pid);
  }
}
