/**
 * Following processes: the set of traced ones is kept in the kernel, so a
 * child is traced before its first instruction. The same in every variant of
 * the tracker.
 *
 * @module
 */

import { add, and, mov, rsh, sub } from "../extended/alu.ts";
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
  R9,
} from "../extended/instruction.ts";
import { call, exit, jumpIf } from "../extended/jump.ts";
import { load, loadMap, store } from "../extended/load_store.ts";
import type { KernelTypes, Tracepoint } from "./kernel_types.ts";
import {
  ARGUMENTS_LENGTH,
  COUNTERS,
  EVENT,
  EVENT_TYPE,
  MAP,
  TARGET_FLAG,
} from "./layout.ts";
import { lookup, remove, result, update } from "./macros.ts";
import { type Program, program } from "./program.ts";
import {
  beginEvent,
  countLoss,
  describeCurrent,
  endEvent,
  EVENT_PLACE,
  functions,
  NO_WAKEUP,
} from "./tracker_functions.ts";

const KEY = EVENT_PLACE - 8;
const CHILD = EVENT_PLACE - 16;
const VALUE = EVENT_PLACE - 24;

/** Builds the programs at fork, exec and exit of processes. */
export function processPrograms(types: KernelTypes): Program[] {
  return [
    forkProgram(types, true),
    execProgram(types),
    exitProgram(types, true),
  ];
}

/** The same without events: only the set of traced processes is kept. */
export function targetPrograms(types: KernelTypes): Program[] {
  return [forkProgram(types, false), exitProgram(types, false)];
}

/** A program at a tracepoint; r1 points to its arguments, 8 bytes each. */
export function tracepointProgram(
  types: KernelTypes,
  name: string,
  tracepoint: Tracepoint,
  code: Code,
): Program {
  return program(name, "TRACING", {
    kind: "tracing",
    type: "TRACE_RAW_TP",
    btfId: types.tracepoint(tracepoint),
  }, code);
}

/** r0 = flags of the current process in `targets` or null; r7 = process. */
function lookupCurrent(): Code {
  return [
    call("get_current_pid_tgid"),
    rsh(R0, 32),
    mov(R7, R0),
    store("u32", R10, KEY, R0),
    lookup(MAP.targets, KEY),
  ];
}

/** Arguments: parent, which is the current task, and child. */
function forkProgram(types: KernelTypes, tells: boolean): Program {
  return tracepointProgram(types, "process_fork", "sched_process_fork", [
    mov(R6, R1),
    lookupCurrent(),
    jumpIf(R0, "==", 0, "done"),
    load("u32", R8, R0, 0),
    mov(R1, R8),
    and(R1, TARGET_FLAG.NO_FOLLOW),
    jumpIf(R1, "!=", 0, "done"),
    load("u64", R1, R6, 8),
    load("u32", R9, R1, types.offset("task_struct", "tgid")),
    // A thread is traced with its process.
    jumpIf(R9, "==", R7, "done"),
    store("u32", R10, CHILD, R9),
    store("u32", R10, VALUE, TARGET_FLAG.TRACED),
    and(R8, TARGET_FLAG.ONE_GENERATION),
    jumpIf(R8, "==", 0, "inherit"),
    store("u32", R10, VALUE, TARGET_FLAG.TRACED | TARGET_FLAG.NO_FOLLOW),
    label("inherit"),
    update(MAP.targets, CHILD, VALUE),
    !tells ? [] : [
      jumpIf(R0, "==", 0, "added"),
      countLoss(COUNTERS.lostProcesses),
      label("added"),
      beginEvent(EVENT_TYPE.FORKED),
      store("u32", R10, EVENT_PLACE + EVENT.extra, R9),
      describeCurrent(),
      endEvent(),
    ],
    label("done"),
    result(0),
    exit(),
    tells ? functions("emit") : [],
  ]);
}

/** First argument: the task, which is the current one. */
function execProgram(types: KernelTypes): Program {
  return tracepointProgram(types, "process_exec", "sched_process_exec", [
    mov(R6, R1),
    lookupCurrent(),
    jumpIf(R0, "==", 0, "done"),
    load("u32", R1, R0, 0),
    and(R1, TARGET_FLAG.TRACED),
    jumpIf(R1, "==", 0, "done"),
    beginEvent(EVENT_TYPE.EXECUTED),
    describeNamespace(types),
    describeCurrent(),
    endEvent(),
    tellArguments(types),
    label("done"),
    result(0),
    exit(),
    functions("emit"),
  ]);
}

/**
 * Tells the command line of the current process, r7, while it is there: many
 * programs have ended before user space can look. r6 points to the context.
 */
function tellArguments(types: KernelTypes): Code {
  const start = types.offset("mm_struct", "arg_start");
  const end = types.offset("mm_struct", "arg_end");
  return [
    loadMap(R1, MAP.events),
    mov(R2, EVENT.size + ARGUMENTS_LENGTH),
    mov(R3, 0),
    call("ringbuf_reserve"),
    jumpIf(R0, "==", 0, "done"),
    mov(R9, R0),
    store("u32", R9, EVENT.type, EVENT_TYPE.ARGUMENTS),
    store("u32", R9, EVENT.tgid, R7),
    load("u64", R1, R6, 0),
    load("u64", R1, R1, types.offset("task_struct", "mm")),
    load("u64", R3, R1, start),
    load("u64", R2, R1, end),
    sub(R2, R3),
    jumpIf(R2, "<=", ARGUMENTS_LENGTH, "length"),
    mov(R2, ARGUMENTS_LENGTH),
    label("length"),
    store("u32", R9, EVENT.extra, R2),
    mov(R1, R9),
    add(R1, EVENT.size),
    call("probe_read_user"),
    jumpIf(R0, "==", 0, "submit"),
    store("u32", R9, EVENT.extra, 0),
    label("submit"),
    mov(R1, R9),
    mov(R2, NO_WAKEUP),
    call("ringbuf_submit"),
  ];
}

/** Network namespace of the task in the context that r6 points to. */
function describeNamespace(types: KernelTypes): Code {
  const cookie = types.optionalOffset("net", "net_cookie");
  if (cookie === undefined) return [];
  return [
    load("u64", R1, R6, 0),
    load("u64", R1, R1, types.offset("task_struct", "nsproxy")),
    load("u64", R1, R1, types.offset("nsproxy", "net_ns")),
    load("u64", R1, R1, cookie),
    store("u64", R10, EVENT_PLACE + EVENT.netns, R1),
  ];
}

/** Argument: the task that ends, which is the current one. */
function exitProgram(types: KernelTypes, tells: boolean): Program {
  const live = types.offset("signal_struct", "live");
  return tracepointProgram(types, "process_exit", "sched_process_exit", [
    // Threads of the process that are left; this one is not counted any more.
    load("u64", R1, R1, 0),
    load("u64", R1, R1, types.offset("task_struct", "signal")),
    load("u32", R1, R1, live),
    jumpIf(R1, "!=", 0, "done"),
    lookupCurrent(),
    jumpIf(R0, "==", 0, "done"),
    load("u32", R8, R0, 0),
    remove(MAP.targets, KEY),
    !tells ? [] : [
      and(R8, TARGET_FLAG.TRACED),
      jumpIf(R8, "==", 0, "done"),
      beginEvent(EVENT_TYPE.EXITED),
      describeCurrent(),
      endEvent(),
    ],
    label("done"),
    result(0),
    exit(),
    tells ? functions("emit") : [],
  ]);
}
