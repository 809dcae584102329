/**
 * Arithmetic and byte-order instructions.
 *
 * Functions that end in `32` work on the lower half and clear the upper one.
 *
 * @module
 */

import {
  isRegister,
  type Operand,
  type Operation,
  operation,
  type Register,
  signedImmediate,
  wordImmediate,
} from "./instruction.ts";
import { ALU, CLASS, SOURCE } from "./opcodes.ts";

/** dst = operand */
export function mov(dst: Register, operand: Operand): Operation {
  return alu64(ALU.MOV, dst, operand);
}

/** dst = lower half of operand, upper half zero */
export function mov32(dst: Register, operand: Operand): Operation {
  return alu32(ALU.MOV, dst, operand);
}

/** dst += operand */
export function add(dst: Register, operand: Operand): Operation {
  return alu64(ALU.ADD, dst, operand);
}

/** dst += operand, 32 bits */
export function add32(dst: Register, operand: Operand): Operation {
  return alu32(ALU.ADD, dst, operand);
}

/** dst -= operand */
export function sub(dst: Register, operand: Operand): Operation {
  return alu64(ALU.SUB, dst, operand);
}

/** dst -= operand, 32 bits */
export function sub32(dst: Register, operand: Operand): Operation {
  return alu32(ALU.SUB, dst, operand);
}

/** dst *= operand */
export function mul(dst: Register, operand: Operand): Operation {
  return alu64(ALU.MUL, dst, operand);
}

/** dst *= operand, 32 bits */
export function mul32(dst: Register, operand: Operand): Operation {
  return alu32(ALU.MUL, dst, operand);
}

/** dst /= operand, unsigned; division by zero gives 0 */
export function div(dst: Register, operand: Operand): Operation {
  return alu64(ALU.DIV, dst, operand);
}

/** dst /= operand, unsigned, 32 bits */
export function div32(dst: Register, operand: Operand): Operation {
  return alu32(ALU.DIV, dst, operand);
}

/** dst %= operand, unsigned; modulo zero leaves dst */
export function mod(dst: Register, operand: Operand): Operation {
  return alu64(ALU.MOD, dst, operand);
}

/** dst %= operand, unsigned, 32 bits */
export function mod32(dst: Register, operand: Operand): Operation {
  return alu32(ALU.MOD, dst, operand);
}

/** dst |= operand */
export function or(dst: Register, operand: Operand): Operation {
  return alu64(ALU.OR, dst, operand);
}

/** dst |= operand, 32 bits */
export function or32(dst: Register, operand: Operand): Operation {
  return alu32(ALU.OR, dst, operand);
}

/** dst &= operand */
export function and(dst: Register, operand: Operand): Operation {
  return alu64(ALU.AND, dst, operand);
}

/** dst &= operand, 32 bits */
export function and32(dst: Register, operand: Operand): Operation {
  return alu32(ALU.AND, dst, operand);
}

/** dst ^= operand */
export function xor(dst: Register, operand: Operand): Operation {
  return alu64(ALU.XOR, dst, operand);
}

/** dst ^= operand, 32 bits */
export function xor32(dst: Register, operand: Operand): Operation {
  return alu32(ALU.XOR, dst, operand);
}

/** dst <<= operand */
export function lsh(dst: Register, operand: Operand): Operation {
  return alu64(ALU.LSH, dst, shift(operand, 64));
}

/** dst <<= operand, 32 bits */
export function lsh32(dst: Register, operand: Operand): Operation {
  return alu32(ALU.LSH, dst, shift(operand, 32));
}

/** dst >>= operand, filling with zeros */
export function rsh(dst: Register, operand: Operand): Operation {
  return alu64(ALU.RSH, dst, shift(operand, 64));
}

/** dst >>= operand, filling with zeros, 32 bits */
export function rsh32(dst: Register, operand: Operand): Operation {
  return alu32(ALU.RSH, dst, shift(operand, 32));
}

/** dst >>= operand, filling with the sign */
export function arsh(dst: Register, operand: Operand): Operation {
  return alu64(ALU.ARSH, dst, shift(operand, 64));
}

/** dst >>= operand, filling with the sign, 32 bits */
export function arsh32(dst: Register, operand: Operand): Operation {
  return alu32(ALU.ARSH, dst, shift(operand, 32));
}

/** dst = -dst */
export function neg(dst: Register): Operation {
  return alu64(ALU.NEG, dst, 0);
}

/** dst = -dst, 32 bits */
export function neg32(dst: Register): Operation {
  return alu32(ALU.NEG, dst, 0);
}

/**
 * Converts the lower bits of dst between host and big-endian order and clears
 * the bits above them.
 *
 * Kernels before 6.2 forget the bounds of the result: mask it before it is
 * added to a pointer.
 */
export function bigEndian(dst: Register, bits: 16 | 32 | 64): Operation {
  return operation({
    opcode: CLASS.ALU | ALU.END | SOURCE.X,
    dst: dst.index,
    src: 0,
    off: 0,
    imm: bits,
  });
}

/** As {@linkcode bigEndian} for little-endian order: cuts on these machines. */
export function littleEndian(dst: Register, bits: 16 | 32 | 64): Operation {
  return operation({
    opcode: CLASS.ALU | ALU.END | SOURCE.K,
    dst: dst.index,
    src: 0,
    off: 0,
    imm: bits,
  });
}

function shift(operand: Operand, width: number): Operand {
  if (!isRegister(operand) && (operand < 0 || operand >= width)) {
    throw new RangeError(
      `Cannot encode shift by ${operand}: it is not in the range 0 to ${
        width - 1
      }`,
    );
  }
  return operand;
}

function alu64(op: number, dst: Register, operand: Operand): Operation {
  return binary(CLASS.ALU64 | op, dst, operand, signedImmediate);
}

function alu32(op: number, dst: Register, operand: Operand): Operation {
  return binary(CLASS.ALU | op, dst, operand, wordImmediate);
}

function binary(
  opcode: number,
  dst: Register,
  operand: Operand,
  immediate: (value: number) => number,
): Operation {
  const register = isRegister(operand);
  return operation({
    opcode: opcode | (register ? SOURCE.X : SOURCE.K),
    dst: dst.index,
    src: register ? operand.index : 0,
    off: 0,
    imm: register ? 0 : immediate(operand),
  });
}
