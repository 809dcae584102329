/**
 * Jumps, calls and the end of a program.
 *
 * @module
 */

import { type Helper, HELPERS } from "./helpers.ts";
import {
  isRegister,
  type Operand,
  type Operation,
  operation,
  type Register,
  signedImmediate,
  wordImmediate,
} from "./instruction.ts";
import { CLASS, JUMP, PSEUDO, SOURCE } from "./opcodes.ts";

/** Comparisons of conditional jumps: `s` means signed, `&` any bit in common. */
export const COMPARISON = {
  "==": JUMP.JEQ,
  "!=": JUMP.JNE,
  ">": JUMP.JGT,
  ">=": JUMP.JGE,
  "<": JUMP.JLT,
  "<=": JUMP.JLE,
  "s>": JUMP.JSGT,
  "s>=": JUMP.JSGE,
  "s<": JUMP.JSLT,
  "s<=": JUMP.JSLE,
  "&": JUMP.JSET,
} as const;

/** A comparison operator. */
export type Comparison = keyof typeof COMPARISON;

/** Continues at the label. */
export function jump(target: string): Operation {
  return operation({
    opcode: CLASS.JMP | JUMP.JA,
    dst: 0,
    src: 0,
    off: 0,
    imm: 0,
  }, { target });
}

/** Continues at the label when the comparison of 64 bits holds. */
export function jumpIf(
  dst: Register,
  comparison: Comparison,
  operand: Operand,
  target: string,
): Operation {
  return conditional(CLASS.JMP, dst, comparison, operand, target);
}

/** Continues at the label when the comparison of the lower halves holds. */
export function jumpIf32(
  dst: Register,
  comparison: Comparison,
  operand: Operand,
  target: string,
): Operation {
  return conditional(CLASS.JMP32, dst, comparison, operand, target);
}

/** Calls a kernel helper: arguments r1 to r5, result r0, r1 to r5 are lost. */
export function call(helper: Helper): Operation {
  return operation({
    opcode: CLASS.JMP | JUMP.CALL,
    dst: 0,
    src: 0,
    off: 0,
    imm: HELPERS[helper],
  });
}

/** Calls a function of the same program; r6 to r9 survive. */
export function callLocal(target: string): Operation {
  return operation({
    opcode: CLASS.JMP | JUMP.CALL,
    dst: 0,
    src: PSEUDO.CALL,
    off: 0,
    imm: 0,
  }, { target });
}

/** Ends the function or the program with the result in r0. */
export function exit(): Operation {
  return operation({
    opcode: CLASS.JMP | JUMP.EXIT,
    dst: 0,
    src: 0,
    off: 0,
    imm: 0,
  });
}

function conditional(
  instructionClass: number,
  dst: Register,
  comparison: Comparison,
  operand: Operand,
  target: string,
): Operation {
  const register = isRegister(operand);
  const immediate = instructionClass === CLASS.JMP
    ? signedImmediate
    : wordImmediate;
  return operation({
    opcode: instructionClass | COMPARISON[comparison] |
      (register ? SOURCE.X : SOURCE.K),
    dst: dst.index,
    src: register ? operand.index : 0,
    off: 0,
    imm: register ? 0 : immediate(operand),
  }, { target });
}
