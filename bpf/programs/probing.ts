/**
 * Pieces of programs that read memory of the kernel by address.
 *
 * Requires CAP_PERFMON; lockdown in the mode "confidentiality" forbids it.
 *
 * @module
 */
import { add, lsh, mov } from "../extended/alu.ts";
import {
  type Code,
  R0,
  R1,
  R10,
  R2,
  R3,
  R6,
  R9,
} from "../extended/instruction.ts";
import { call } from "../extended/jump.ts";
import { load } from "../extended/load_store.ts";
import type { KernelTypes } from "./kernel_types.ts";
import { stackAddress } from "./macros.ts";

/** Copies `size` bytes at the address in r3 to the stack; r0 to r5 are lost. */
export function probe(place: number, size: number): Code {
  return [stackAddress(R1, place), mov(R2, size), call("probe_read_kernel")];
}

/**
 * r3 = pointer that stands `offset` behind the address in r3; it is on the
 * stack, too. r0 to r5 are lost.
 */
export function follow(place: number, offset: number): Code {
  return [add(R3, offset), probe(place, 8), load("u64", R3, R10, place)];
}

/**
 * r3 = the `struct file` of the current process's descriptor in r9, which is
 * lost with r0 to r5 and 8 bytes of the stack. What is no descriptor leads
 * anywhere; reading there does no harm.
 *
 * @param typed Whether the task's pointers may be followed: kernel 5.11, in
 * tracing programs.
 */
export function fileOfDescriptor(
  types: KernelTypes,
  place: number,
  typed = false,
): Code {
  const files = types.offset("task_struct", "files");
  const table = types.offset("files_struct", "fdt");
  const descriptors = types.offset("fdtable", "fd");
  return [
    typed
      ? [
        call("get_current_task_btf"),
        load("u64", R1, R0, files),
        load("u64", R1, R1, table),
        load("u64", R3, R1, descriptors),
      ]
      : [
        call("get_current_task"),
        mov(R3, R0),
        follow(place, files),
        follow(place, table),
        follow(place, descriptors),
      ],
    lsh(R9, 3),
    add(R3, R9),
    follow(place, 0),
  ];
}

/** r3 = the `struct sock` of a socket's `struct file` in r3; alike. */
export function socketOfFile(types: KernelTypes, place: number): Code {
  return [
    follow(place, types.offset("file", "private_data")),
    follow(place, types.offset("socket", "sk")),
  ];
}

/** Member of `struct pt_regs` that holds the number, on x86. */
const X86_NUMBER = "orig_ax";

/** Whether the kernel's registers are those of x86. */
export function isX86(types: KernelTypes): boolean {
  return types.optionalOffset("pt_regs", X86_NUMBER) !== undefined;
}

/** Member of `struct pt_regs` that holds the number of a system call. */
export function callNumber(types: KernelTypes): string {
  return isX86(types) ? X86_NUMBER : "syscallno";
}

/**
 * r1 = number of the system call that ended (tracepoint sys_exit, context in
 * r6).
 */
export function loadCallNumber(types: KernelTypes): Code {
  return [
    load("u64", R1, R6, 0),
    load("u32", R1, R1, types.offset("pt_regs", callNumber(types))),
  ];
}
