/**
 * Atomic memory operations of 32 and 64 bits.
 *
 * Only {@linkcode atomicAdd} works on every supported kernel; the others
 * require kernel 5.12.
 *
 * @module
 */

import { type Operation, operation, type Register } from "./instruction.ts";
import { ATOMIC, CLASS, MODE, SIZE } from "./opcodes.ts";

/** Widths that atomic operations have. */
export type AtomicSize = "u32" | "u64";

/** *(size *)(dst + offset) += src */
export function atomicAdd(
  size: AtomicSize,
  dst: Register,
  offset: number,
  src: Register,
): Operation {
  return atomic(ATOMIC.ADD, size, dst, offset, src);
}

/** *(size *)(dst + offset) |= src. Requires kernel 5.12. */
export function atomicOr(
  size: AtomicSize,
  dst: Register,
  offset: number,
  src: Register,
): Operation {
  return atomic(ATOMIC.OR, size, dst, offset, src);
}

/** *(size *)(dst + offset) &= src. Requires kernel 5.12. */
export function atomicAnd(
  size: AtomicSize,
  dst: Register,
  offset: number,
  src: Register,
): Operation {
  return atomic(ATOMIC.AND, size, dst, offset, src);
}

/** src = old value; *(size *)(dst + offset) += src. Requires kernel 5.12. */
export function atomicFetchAdd(
  size: AtomicSize,
  dst: Register,
  offset: number,
  src: Register,
): Operation {
  return atomic(ATOMIC.ADD | ATOMIC.FETCH, size, dst, offset, src);
}

/** Swaps src and *(size *)(dst + offset). Requires kernel 5.12. */
export function atomicExchange(
  size: AtomicSize,
  dst: Register,
  offset: number,
  src: Register,
): Operation {
  return atomic(ATOMIC.XCHG, size, dst, offset, src);
}

/**
 * Stores src at dst + offset if the value there equals r0; r0 gets the old
 * value. Requires kernel 5.12.
 */
export function atomicCompareExchange(
  size: AtomicSize,
  dst: Register,
  offset: number,
  src: Register,
): Operation {
  return atomic(ATOMIC.CMPXCHG, size, dst, offset, src);
}

function atomic(
  kind: number,
  size: AtomicSize,
  dst: Register,
  offset: number,
  src: Register,
): Operation {
  return operation({
    opcode: CLASS.STX | MODE.ATOMIC | SIZE[size],
    dst: dst.index,
    src: src.index,
    off: offset,
    imm: kind,
  });
}
