/**
 * Extended BPF: programs written as values with labels and map names,
 * assembled, listed and taken apart again.
 *
 * @example Write a program and list it
 * ```ts
 * import {
 *   assemble,
 *   call,
 *   exit,
 *   formatProgram,
 *   jumpIf,
 *   label,
 *   load,
 *   loadMap,
 *   mov,
 *   R0,
 *   R1,
 *   R10,
 *   R2,
 *   store,
 * } from "./mod.ts";
 * import assert from "node:assert/strict";
 *
 * const program = assemble([
 *   store("u32", R10, -4, 80),
 *   loadMap(R1, "ports"),
 *   mov(R2, R10),
 *   call("map_lookup_elem"),
 *   jumpIf(R0, "==", 0, "out"),
 *   load("u32", R0, R0, 0),
 *   label("out"),
 *   exit(),
 * ]);
 *
 * assert.deepEqual(formatProgram(program.bytes), [
 *   "   0: (62) *(u32 *)(r10 -4) = 80",
 *   "   1: (18) r1 = map[fd:0]",
 *   "   3: (bf) r2 = r10",
 *   "   4: (85) call bpf_map_lookup_elem#1",
 *   "   5: (15) if r0 == 0x0 goto pc+1",
 *   "   6: (61) r0 = *(u32 *)(r0 +0)",
 *   "   7: (95) exit",
 * ]);
 * ```
 *
 * @module
 */
export {
  add,
  add32,
  and,
  and32,
  arsh,
  arsh32,
  bigEndian,
  div,
  div32,
  littleEndian,
  lsh,
  lsh32,
  mod,
  mod32,
  mov,
  mov32,
  mul,
  mul32,
  neg,
  neg32,
  or,
  or32,
  rsh,
  rsh32,
  sub,
  sub32,
  xor,
  xor32,
} from "./alu.ts";
export {
  assemble,
  type AssembledProgram,
  encodeInstructions,
  type MapRelocation,
  relocate,
} from "./assemble.ts";
export {
  atomicAdd,
  atomicAnd,
  atomicCompareExchange,
  atomicExchange,
  atomicFetchAdd,
  atomicOr,
  type AtomicSize,
} from "./atomic.ts";
export {
  type ContextField,
  loadField,
  SK_BUFF,
  SOCK,
  SOCK_ADDR,
  SOCK_OPS,
  SOCK_OPS_OP,
} from "./context.ts";
export { disassemble, type Disassembly } from "./disassemble.ts";
export { type Helper, helperName, HELPERS } from "./helpers.ts";
export {
  type Code,
  type Instruction,
  type Label,
  label,
  type MapReference,
  type Operand,
  type Operation,
  R0,
  R1,
  R10,
  R2,
  R3,
  R4,
  R5,
  R6,
  R7,
  R8,
  R9,
  type Register,
  type Scope,
  scope,
} from "./instruction.ts";
export {
  call,
  callLocal,
  COMPARISON,
  type Comparison,
  exit,
  jump,
  jumpIf,
  jumpIf32,
} from "./jump.ts";
export {
  load,
  loadAbsolute,
  loadConstant,
  loadIndirect,
  loadMap,
  loadMapValue,
  store,
} from "./load_store.ts";
export { SIZE, type Size } from "./opcodes.ts";
export {
  ATTACH_TYPE,
  type AttachType,
  PROGRAM_TYPE,
  type ProgramType,
} from "./program_type.ts";
export {
  formatInstruction,
  formatProgram,
  type ListingOptions,
} from "./text.ts";
