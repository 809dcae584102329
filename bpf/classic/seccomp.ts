/**
 * What a seccomp filter sees and answers.
 *
 * `struct seccomp_data` (linux/seccomp.h), in host byte order:
 *
 * ```text
 *  0        4        8                    16                        64
 * +--------+--------+---------------------+-------+-- ... --+-------+
 * |   nr   |  arch  | instruction_pointer | arg 0 |         | arg 5 |
 * +--------+--------+---------------------+-------+-- ... --+-------+
 * ```
 *
 * @module
 */

/** Bytes of `struct seccomp_data`. */
export const SECCOMP_DATA_LENGTH = 64;
/** Offset of the system call number. */
export const SECCOMP_NR_OFFSET = 0;
/** Offset of the AUDIT_ARCH_* number. */
export const SECCOMP_ARCH_OFFSET = 4;
/** Offset of the instruction pointer. */
export const SECCOMP_IP_OFFSET = 8;
/** Offset of the first of six 64-bit arguments. */
export const SECCOMP_ARGS_OFFSET = 16;
/** Number of arguments. */
export const SECCOMP_ARGS_COUNT = 6;
/** Bytes of one argument; its low half comes first on little endian. */
export const SECCOMP_ARG_LENGTH = 8;

/**
 * Verdict: stop the caller for its tracer (PTRACE_EVENT_SECCOMP).
 * See {@linkcode encodeSeccompData}.
 */
export const SECCOMP_RET_TRACE = 0x7ff00000;
/** Verdict: let the call pass. See {@linkcode encodeSeccompData}. */
export const SECCOMP_RET_ALLOW = 0x7fff0000;

/**
 * A system call, as far as a filter can know it.
 * See {@linkcode encodeSeccompData}.
 */
export interface SeccompData {
  /** System call number. */
  readonly nr: number;
  /** AUDIT_ARCH_* number. */
  readonly arch: number;
  /** Address of the calling instruction; 0 if left out. */
  readonly instructionPointer?: bigint;
  /** Arguments, up to six; missing ones are 0. */
  readonly args?: readonly bigint[];
}

/**
 * Packs a `struct seccomp_data`.
 *
 * @example Run a filter for system calls
 * ```ts
 * import { compileSyscallFilter } from "../syscall_filter.ts";
 * import {
 *   encodeSeccompData,
 *   SECCOMP_RET_ALLOW,
 *   SECCOMP_RET_TRACE,
 * } from "./seccomp.ts";
 * import { ClassicMachine } from "./vm.ts";
 * import assert from "node:assert/strict";
 *
 * const arch = 0xc000003e; // AUDIT_ARCH_X86_64
 * const machine = new ClassicMachine(
 *   compileSyscallFilter([{ auditArch: arch, calls: [{ nr: 42 }] }]),
 *   "seccomp",
 * );
 * const run = (nr: number): number =>
 *   machine.runSeccomp(encodeSeccompData({ arch, nr }));
 * assert.equal(run(42), SECCOMP_RET_TRACE);
 * assert.equal(run(43), SECCOMP_RET_ALLOW);
 * ```
 */
export function encodeSeccompData(call: SeccompData): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SECCOMP_DATA_LENGTH);
  const view = new DataView(bytes.buffer);
  view.setUint32(SECCOMP_NR_OFFSET, call.nr, true);
  view.setUint32(SECCOMP_ARCH_OFFSET, call.arch, true);
  view.setBigUint64(SECCOMP_IP_OFFSET, call.instructionPointer ?? 0n, true);
  for (let index = 0; index < SECCOMP_ARGS_COUNT; index++) {
    const at = SECCOMP_ARGS_OFFSET + index * SECCOMP_ARG_LENGTH;
    view.setBigUint64(at, call.args?.[index] ?? 0n, true);
  }
  return bytes;
}
