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

/** Verdict: stop the caller for its tracer (PTRACE_EVENT_SECCOMP). */
export const SECCOMP_RET_TRACE = 0x7ff00000;
/** Verdict: let the call pass. */
export const SECCOMP_RET_ALLOW = 0x7fff0000;

/** A system call, as far as a filter can know it. */
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

/** Packs a `struct seccomp_data`. */
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
