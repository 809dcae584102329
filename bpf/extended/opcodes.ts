/**
 * Opcode bits of extended BPF, by instruction class.
 *
 * Sources: `include/uapi/linux/bpf.h`, `include/uapi/linux/bpf_common.h` and
 * the instruction set specification (RFC 9669).
 *
 * ```text
 * one slot, 8 bytes, little-endian
 *  0        1         2            4                          8
 * +--------+----+----+------------+--------------------------+
 * | opcode |src |dst | off (s16)  | imm (s32)                |
 * +--------+----+----+------------+--------------------------+
 *           high low nibble
 *
 * opcode of ALU, ALU64, JMP, JMP32       opcode of LD, LDX, ST, STX
 *   7         4   3   2      0             7     5 4    3 2      0
 * +------------+-----+--------+          +-------+------+--------+
 * | operation  | src | class  |          | mode  | size | class  |
 * +------------+-----+--------+          +-------+------+--------+
 * ```
 *
 * @module
 */

/** Bytes of one instruction slot; a 64-bit immediate load takes two slots. */
export const SLOT_SIZE = 8;

/** Number of registers, r0 to r10. */
export const REGISTER_COUNT = 11;

/** Bits of the opcode that hold the class. */
export const CLASS_MASK = 0x07;

/** Instruction classes (`BPF_LD` … `BPF_ALU64`). */
export const CLASS = {
  LD: 0x00,
  LDX: 0x01,
  ST: 0x02,
  STX: 0x03,
  ALU: 0x04,
  JMP: 0x05,
  JMP32: 0x06,
  ALU64: 0x07,
} as const;

/** Bits of the opcode that hold the access size. */
export const SIZE_MASK = 0x18;

/** Access sizes of loads and stores. */
export const SIZE = { u32: 0x00, u16: 0x08, u8: 0x10, u64: 0x18 } as const;

/** Width of a memory access. */
export type Size = keyof typeof SIZE;

/** Bytes of each access size. */
export const SIZE_BYTES: Readonly<Record<Size, number>> = {
  u8: 1,
  u16: 2,
  u32: 4,
  u64: 8,
};

/** Bits of the opcode that hold the addressing mode. */
export const MODE_MASK = 0xe0;

/** Addressing modes of loads and stores. */
export const MODE = {
  IMM: 0x00,
  ABS: 0x20,
  IND: 0x40,
  MEM: 0x60,
  /** Load with sign extension. Requires kernel 6.6. */
  MEMSX: 0x80,
  ATOMIC: 0xc0,
} as const;

/** Operand bit: immediate (`BPF_K`) or source register (`BPF_X`). */
export const SOURCE = { K: 0x00, X: 0x08 } as const;

/** Bits of the opcode that hold an ALU or jump operation. */
export const OPERATION_MASK = 0xf0;

/** Operations of the classes ALU and ALU64. */
export const ALU = {
  ADD: 0x00,
  SUB: 0x10,
  MUL: 0x20,
  DIV: 0x30,
  OR: 0x40,
  AND: 0x50,
  LSH: 0x60,
  RSH: 0x70,
  NEG: 0x80,
  MOD: 0x90,
  XOR: 0xa0,
  MOV: 0xb0,
  ARSH: 0xc0,
  END: 0xd0,
} as const;

/** Operations of the classes JMP and JMP32. */
export const JUMP = {
  JA: 0x00,
  JEQ: 0x10,
  JGT: 0x20,
  JGE: 0x30,
  JSET: 0x40,
  JNE: 0x50,
  JSGT: 0x60,
  JSGE: 0x70,
  CALL: 0x80,
  EXIT: 0x90,
  JLT: 0xa0,
  JLE: 0xb0,
  JSLT: 0xc0,
  JSLE: 0xd0,
  JCOND: 0xe0,
} as const;

/** Operations of atomic stores, held in `imm`. */
export const ATOMIC = {
  ADD: 0x00,
  OR: 0x40,
  AND: 0x50,
  XOR: 0xa0,
  /** Flag: the register receives the old value. Requires kernel 5.12. */
  FETCH: 0x01,
  XCHG: 0xe1,
  CMPXCHG: 0xf1,
} as const;

/** Opcode of the two-slot load of a 64-bit immediate (`BPF_LD_IMM64`). */
export const LD_IMM64 = CLASS.LD | SIZE.u64 | MODE.IMM;

/** Meaning of `src` in a 64-bit immediate load. */
export const PSEUDO = {
  /** `imm` is a map's descriptor; the register gets the map. */
  MAP_FD: 1,
  /** As `MAP_FD`; the register gets the address of the map's value + `high`. */
  MAP_VALUE: 2,
  /** `src` of a call: `imm` is the distance to a function of this program. */
  CALL: 1,
} as const;

/** Tells which slots hold a 64-bit immediate load. */
export function isWide(opcode: number): boolean {
  return opcode === LD_IMM64;
}

/** Names the access size in an opcode of the load and store classes. */
export function sizeOf(opcode: number): Size {
  switch (opcode & SIZE_MASK) {
    case SIZE.u8:
      return "u8";
    case SIZE.u16:
      return "u16";
    case SIZE.u32:
      return "u32";
    default:
      return "u64";
  }
}
