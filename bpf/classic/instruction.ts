/**
 * One instruction of the classic BPF machine, and programs as bytes.
 *
 * Layout of `struct sock_filter` (linux/filter.h), in host byte order, which
 * is little endian on every machine that is supported:
 *
 * ```text
 *  0       2    3    4               8
 * +-------+----+----+---------------+
 * | code  | jt | jf |       k       |
 * +-------+----+----+---------------+
 * ```
 *
 * @module
 */

/**
 * An instruction, field by field as in `struct sock_filter`.
 * See {@linkcode statement} and, in filters, {@linkcode compileFilter}.
 */
export interface Instruction {
  /** Operation; see `opcodes.ts`. 16 bits. */
  readonly code: number;
  /** Instructions to skip when a condition holds. 8 bits. */
  readonly jt: number;
  /** Instructions to skip when a condition does not hold. 8 bits. */
  readonly jf: number;
  /** Constant, offset or distance. Unsigned, 32 bits. */
  readonly k: number;
}

/** Bytes of one instruction. See {@linkcode assembleClassic}. */
export const INSTRUCTION_LENGTH = 8;

const CODE_OFFSET = 0;
const JT_OFFSET = 2;
const JF_OFFSET = 3;
const K_OFFSET = 4;

/**
 * Makes an instruction that does not branch (`BPF_STMT` in linux/filter.h).
 *
 * @example Return a verdict
 * ```ts
 * import { statement } from "./instruction.ts";
 * import assert from "node:assert/strict";
 *
 * const BPF_RET_K = 0x06;
 * assert.deepEqual(statement(BPF_RET_K, 64), { code: 6, jt: 0, jf: 0, k: 64 });
 * ```
 */
export function statement(code: number, k = 0): Instruction {
  return { code, jt: 0, jf: 0, k: k >>> 0 };
}

/**
 * Makes a conditional jump (`BPF_JUMP` in linux/filter.h).
 *
 * @example Go on if a value is 6
 * ```ts
 * import { jump } from "./instruction.ts";
 * import assert from "node:assert/strict";
 *
 * const BPF_JEQ_K = 0x15;
 * assert.deepEqual(jump(BPF_JEQ_K, 6, 0, 5), { code: 21, jt: 0, jf: 5, k: 6 });
 * ```
 */
export function jump(
  code: number,
  k: number,
  jt: number,
  jf: number,
): Instruction {
  return { code, jt, jf, k: k >>> 0 };
}

/**
 * Packs a program into an array of `struct sock_filter`.
 *
 * @returns Eight bytes for each instruction.
 *
 * @example Pack a filter for UDP
 * ```ts
 * import {
 *   assembleClassic,
 *   disassembleClassic,
 *   jump,
 *   statement,
 * } from "./instruction.ts";
 * import assert from "node:assert/strict";
 *
 * const program = [
 *   statement(0x30, 9), // ldb [9]
 *   jump(0x15, 17, 0, 1), // jeq #17 jt 0 jf 1
 *   statement(0x06, 0x40000), // ret
 *   statement(0x06), // ret #0
 * ];
 * const bytes = assembleClassic(program);
 * assert.equal(bytes.length, 4 * 8);
 * assert.deepEqual(disassembleClassic(bytes), program);
 * ```
 */
export function assembleClassic(
  program: readonly Instruction[],
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(program.length * INSTRUCTION_LENGTH);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { code, jt, jf, k } of program) {
    view.setUint16(at + CODE_OFFSET, code, true);
    view.setUint8(at + JT_OFFSET, jt);
    view.setUint8(at + JF_OFFSET, jf);
    view.setUint32(at + K_OFFSET, k, true);
    at += INSTRUCTION_LENGTH;
  }
  return bytes;
}

/**
 * Unpacks an array of `struct sock_filter`.
 *
 * Any bytes are taken: operations that do not exist stay as they are, and
 * bytes after the last whole instruction are left out.
 *
 * @example Unpack what the kernel gives back
 * ```ts
 * import { disassembleClassic, statement } from "./instruction.ts";
 * import assert from "node:assert/strict";
 *
 * const bytes = Uint8Array.of(0x06, 0, 0, 0, 0, 0, 4, 0);
 * assert.deepEqual(disassembleClassic(bytes), [statement(0x06, 0x40000)]);
 * ```
 */
export function disassembleClassic(bytes: Uint8Array): Instruction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const program: Instruction[] = [];
  const end = bytes.length - bytes.length % INSTRUCTION_LENGTH;
  for (let at = 0; at < end; at += INSTRUCTION_LENGTH) {
    program.push({
      code: view.getUint16(at + CODE_OFFSET, true),
      jt: view.getUint8(at + JT_OFFSET),
      jf: view.getUint8(at + JF_OFFSET),
      k: view.getUint32(at + K_OFFSET, true),
    });
  }
  return program;
}
