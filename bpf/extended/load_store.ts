/**
 * Loads and stores, 64-bit constants and references to maps.
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
import { CLASS, LD_IMM64, MODE, PSEUDO, SIZE, type Size } from "./opcodes.ts";

/** dst = *(size *)(src + offset), zero-extended */
export function load(
  size: Size,
  dst: Register,
  src: Register,
  offset: number,
): Operation {
  return operation({
    opcode: CLASS.LDX | MODE.MEM | SIZE[size],
    dst: dst.index,
    src: src.index,
    off: offset,
    imm: 0,
  });
}

/** *(size *)(dst + offset) = operand; a constant is sign-extended */
export function store(
  size: Size,
  dst: Register,
  offset: number,
  operand: Operand,
): Operation {
  const register = isRegister(operand);
  return operation({
    opcode: (register ? CLASS.STX : CLASS.ST) | MODE.MEM | SIZE[size],
    dst: dst.index,
    src: register ? operand.index : 0,
    off: offset,
    imm: register
      ? 0
      : size === "u64"
      ? signedImmediate(operand)
      : wordImmediate(operand),
  });
}

/**
 * r0 = packet bytes at `offset`, in host order; ends the program with 0 when
 * they are not there. r6 must hold the socket buffer; r1 to r5 are lost.
 */
export function loadAbsolute(
  size: Exclude<Size, "u64">,
  offset: number,
): Operation {
  return operation({
    opcode: CLASS.LD | MODE.ABS | SIZE[size],
    dst: 0,
    src: 0,
    off: 0,
    imm: signedImmediate(offset),
  });
}

/** As {@linkcode loadAbsolute} at src + `offset`. */
export function loadIndirect(
  size: Exclude<Size, "u64">,
  src: Register,
  offset: number,
): Operation {
  return operation({
    opcode: CLASS.LD | MODE.IND | SIZE[size],
    dst: 0,
    src: src.index,
    off: 0,
    imm: signedImmediate(offset),
  });
}

/**
 * dst = a 64-bit constant (two slots)
 *
 * @throws {RangeError} when the value needs more than 64 bits.
 */
export function loadConstant(dst: Register, value: bigint): Operation {
  if (value < -(1n << 63n) || value >= 1n << 64n) {
    throw new RangeError(
      `Cannot encode constant ${value}: it does not fit in 64 bits`,
    );
  }
  return operation({
    opcode: LD_IMM64,
    dst: dst.index,
    src: 0,
    off: 0,
    imm: Number(BigInt.asIntN(32, value)),
    high: Number(BigInt.asIntN(32, value >> 32n)),
  });
}

/** dst = the map of this name, to be passed to a helper (two slots) */
export function loadMap(dst: Register, name: string): Operation {
  return operation({
    opcode: LD_IMM64,
    dst: dst.index,
    src: PSEUDO.MAP_FD,
    off: 0,
    imm: 0,
    high: 0,
  }, { map: { name, kind: "map" } });
}

/**
 * dst = address of byte `offset` of the only value of the array map of this
 * name (two slots)
 */
export function loadMapValue(
  dst: Register,
  name: string,
  offset = 0,
): Operation {
  return operation({
    opcode: LD_IMM64,
    dst: dst.index,
    src: PSEUDO.MAP_VALUE,
    off: 0,
    imm: 0,
    high: offset,
  }, { map: { name, kind: "value" } });
}
