/**
 * Which process of the machine is which process of a PID namespace: programs
 * in the kernel see the numbers of the outermost namespace.
 *
 * @module
 */

import { add, mov, rsh } from "../extended/alu.ts";
import {
  type Code,
  label,
  R0,
  R1,
  R10,
  R2,
  R3,
  R6,
  R7,
  R8,
} from "../extended/instruction.ts";
import { call, exit, jumpIf } from "../extended/jump.ts";
import { load, store } from "../extended/load_store.ts";
import type { KernelTypes } from "./kernel_types.ts";
import { clearStack, result, stackAddress } from "./macros.ts";
import { type Program, program } from "./program.ts";

/** Namespaces inside of each other that the kernel permits, and one more. */
const MAX_LEVELS = 33;

/** `struct upid`: the number, and a pointer to the namespace. */
const UPID_SIZE = 16;

/** Levels that a record has room for: more are unheard of. */
const LEVELS = 8;

/** What the iterator writes for each process. */
export const PROCESS_RECORD = {
  /** u32, number in the outermost namespace. */
  tgid: 0,
  /** u32, 1 for the process that reads. */
  isReader: 4,
  /** u32, depth of the process's own namespace; 0 is the outermost. */
  level: 8,
  /** `struct upid` of each level, the outermost first. */
  numbers: 16,
  size: 16 + LEVELS * UPID_SIZE,
} as const;

const RECORD = -PROCESS_RECORD.size;

/**
 * Builds the iterator, which visits the threads of the reader's namespace.
 * Requires kernel 5.8; lockdown in the mode "confidentiality" forbids it.
 *
 * Context: pointers to `struct bpf_iter_meta`, whose first member is the
 * output, and to the task, null at the end.
 */
export function processIterator(types: KernelTypes): Program {
  const task = (member: string): number => types.offset("task_struct", member);
  return program("process_ids", "TRACING", {
    kind: "tracing",
    type: "TRACE_ITER",
    btfId: types.function("bpf_iter_task"),
  }, [
    mov(R6, R1),
    load("u64", R7, R6, 8),
    jumpIf(R7, "==", 0, "done"),
    // Only leaders of thread groups.
    load("u32", R8, R7, task("tgid")),
    load("u32", R1, R7, task("pid")),
    jumpIf(R1, "!=", R8, "done"),
    clearStack(RECORD, PROCESS_RECORD.size),
    store("u32", R10, RECORD + PROCESS_RECORD.tgid, R8),
    markReader(),
    load("u64", R7, R7, task("thread_pid")),
    jumpIf(R7, "==", 0, "done"),
    load("u32", R1, R7, types.offset("pid", "level")),
    jumpIf(R1, ">=", MAX_LEVELS, "done"),
    store("u32", R10, RECORD + PROCESS_RECORD.level, R1),
    // The array has no fixed length, so plain loads are refused. What lies
    // behind the last level is never looked at.
    stackAddress(R1, RECORD + PROCESS_RECORD.numbers),
    mov(R2, LEVELS * UPID_SIZE),
    mov(R3, R7),
    add(R3, types.offset("pid", "numbers")),
    call("probe_read_kernel"),
    load("u64", R1, R6, 0),
    load("u64", R1, R1, 0),
    stackAddress(R2, RECORD),
    mov(R3, PROCESS_RECORD.size),
    call("seq_write"),
    label("done"),
    result(0),
    exit(),
  ]);
}

/** Sets the flag when the task is of the process that reads. */
function markReader(): Code {
  return [
    call("get_current_pid_tgid"),
    rsh(R0, 32),
    jumpIf(R0, "!=", R8, "not the reader"),
    store("u32", R10, RECORD + PROCESS_RECORD.isReader, 1),
    label("not the reader"),
  ];
}

/** Numbers of the processes of one namespace. */
export interface ProcessNumbers {
  /** Number in the namespace → number in the outermost one. */
  readonly outer: ReadonlyMap<number, number>;
  /** The other way round. */
  readonly inner: ReadonlyMap<number, number>;
}

/**
 * Reads what the iterator wrote.
 *
 * @returns `undefined` when the reader is not among the processes
 */
export function readProcessNumbers(
  bytes: Uint8Array,
): ProcessNumbers | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const last = bytes.length - PROCESS_RECORD.size;
  let depth: number | undefined;
  for (let at = 0; at <= last; at += PROCESS_RECORD.size) {
    if (view.getUint32(at + PROCESS_RECORD.isReader, true) === 1) {
      depth = view.getUint32(at + PROCESS_RECORD.level, true);
    }
  }
  if (depth === undefined || depth >= LEVELS) return undefined;
  const outer = new Map<number, number>();
  const inner = new Map<number, number>();
  for (let at = 0; at <= last; at += PROCESS_RECORD.size) {
    const level = view.getUint32(at + PROCESS_RECORD.level, true);
    if (level < depth) continue;
    const tgid = view.getUint32(at + PROCESS_RECORD.tgid, true);
    const place = at + PROCESS_RECORD.numbers + depth * UPID_SIZE;
    const number = view.getUint32(place, true);
    outer.set(number, tgid);
    inner.set(tgid, number);
  }
  return { outer, inner };
}
