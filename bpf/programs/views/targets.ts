/**
 * The set of watched processes where programs at tracepoints get no typed
 * pointers: what `tracker_process.ts` does, by address.
 *
 * @module
 */
import { and, mov, rsh } from "../../extended/alu.ts";
import {
  type Code,
  label,
  R0,
  R1,
  R10,
  R3,
  R6,
  R7,
  R8,
  R9,
} from "../../extended/instruction.ts";
import { call, exit, jumpIf } from "../../extended/jump.ts";
import { load, store } from "../../extended/load_store.ts";
import { TARGET_FLAG } from "../layout.ts";
import { lookup, remove, result, update } from "../macros.ts";
import { follow } from "../probing.ts";
import type { Program } from "../program.ts";
import { targetPrograms } from "../tracker_process.ts";
import { VIEW_MAP } from "./layout.ts";
import { CALLER_PLACE, ID_PLACE, KEY_PLACE, PROBE_PLACE } from "./places.ts";
import { loadMember, type ViewKernel, viewTracepoint } from "./reading.ts";

/** Builds the programs that follow watched processes. */
export function watchedPrograms(kernel: ViewKernel): Program[] {
  return kernel.abilities.typed
    ? targetPrograms(kernel.types)
    : [forkProgram(kernel), exitProgram(kernel)];
}

/** r0 = flags of the current process or null; r7 = process. */
function lookupCurrent(): Code {
  return [
    call("get_current_pid_tgid"),
    rsh(R0, 32),
    mov(R7, R0),
    store("u32", R10, ID_PLACE, R0),
    lookup(VIEW_MAP.targets, ID_PLACE),
  ];
}

/** Arguments: parent, which is the current task, and child. */
function forkProgram(kernel: ViewKernel): Program {
  return viewTracepoint(kernel, "process_fork", "sched_process_fork", [
    mov(R6, R1),
    lookupCurrent(),
    jumpIf(R0, "==", 0, "done"),
    load("u32", R8, R0, 0),
    mov(R1, R8),
    and(R1, TARGET_FLAG.NO_FOLLOW),
    jumpIf(R1, "!=", 0, "done"),
    load("u64", R9, R6, 8),
    loadMember(kernel, "u32", R9, R9, "task_struct", "tgid"),
    // A thread is watched with its process.
    jumpIf(R9, "==", R7, "done"),
    store("u32", R10, CALLER_PLACE, R9),
    store("u32", R10, KEY_PLACE, TARGET_FLAG.TRACED),
    and(R8, TARGET_FLAG.ONE_GENERATION),
    jumpIf(R8, "==", 0, "inherit"),
    store(
      "u32",
      R10,
      KEY_PLACE,
      TARGET_FLAG.TRACED | TARGET_FLAG.NO_FOLLOW,
    ),
    label("inherit"),
    update(VIEW_MAP.targets, CALLER_PLACE, KEY_PLACE),
    label("done"),
    result(0),
    exit(),
  ]);
}

/** Argument: the task that ends, which is the current one. */
function exitProgram(kernel: ViewKernel): Program {
  const { types } = kernel;
  return viewTracepoint(kernel, "process_exit", "sched_process_exit", [
    load("u64", R3, R1, 0),
    follow(PROBE_PLACE, types.offset("task_struct", "signal")),
    // Threads of the process that are left; this one is not counted any more.
    loadMember(kernel, "u32", R1, R3, "signal_struct", "live"),
    jumpIf(R1, "!=", 0, "done"),
    lookupCurrent(),
    jumpIf(R0, "==", 0, "done"),
    remove(VIEW_MAP.targets, ID_PLACE),
    label("done"),
    result(0),
    exit(),
  ]);
}
