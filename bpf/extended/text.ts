/**
 * Programs as text that reads like `bpftool prog dump xlated`.
 *
 * @module
 */

import { disassemble } from "./disassemble.ts";
import { helperName } from "./helpers.ts";
import type { Instruction } from "./instruction.ts";
import {
  ALU,
  ATOMIC,
  CLASS,
  CLASS_MASK,
  isWide,
  JUMP,
  MODE,
  MODE_MASK,
  OPERATION_MASK,
  PSEUDO,
  sizeOf,
  SOURCE,
} from "./opcodes.ts";

const ALU_SIGNS: Readonly<Record<number, string>> = {
  [ALU.ADD]: "+=",
  [ALU.SUB]: "-=",
  [ALU.MUL]: "*=",
  [ALU.DIV]: "/=",
  [ALU.OR]: "|=",
  [ALU.AND]: "&=",
  [ALU.LSH]: "<<=",
  [ALU.RSH]: ">>=",
  [ALU.MOD]: "%=",
  [ALU.XOR]: "^=",
  [ALU.MOV]: "=",
  [ALU.ARSH]: "s>>=",
};

const JUMP_SIGNS: Readonly<Record<number, string>> = {
  [JUMP.JEQ]: "==",
  [JUMP.JGT]: ">",
  [JUMP.JGE]: ">=",
  [JUMP.JSET]: "&",
  [JUMP.JNE]: "!=",
  [JUMP.JSGT]: "s>",
  [JUMP.JSGE]: "s>=",
  [JUMP.JLT]: "<",
  [JUMP.JLE]: "<=",
  [JUMP.JSLT]: "s<",
  [JUMP.JSLE]: "s<=",
};

const ATOMIC_SIGNS: Readonly<Record<number, readonly [string, string]>> = {
  [ATOMIC.ADD]: ["+=", "add"],
  [ATOMIC.OR]: ["|=", "or"],
  [ATOMIC.AND]: ["&=", "and"],
  [ATOMIC.XOR]: ["^=", "xor"],
};

/** Names that make a listing easier to read. */
export interface ListingOptions {
  /** Map name for the value in `imm` or for the slot of a map reference. */
  readonly mapName?: (imm: number, slot: number) => string | undefined;
}

/**
 * Returns one line per instruction: slot number, opcode, meaning.
 *
 * Bytes after the last whole slot are shown in a last line.
 */
export function formatProgram(
  bytes: Uint8Array,
  options: ListingOptions = {},
): string[] {
  const { instructions, rest } = disassemble(bytes);
  const lines: string[] = [];
  let slot = 0;
  for (const instruction of instructions) {
    const text = formatInstruction(instruction, slot, options);
    lines.push(`${slotText(slot)}: ${text}`);
    slot += instruction.high === undefined ? 1 : 2;
  }
  if (rest.length > 0) {
    lines.push(`${slotText(slot)}: bytes ${hexBytes(rest)}`);
  }
  return lines;
}

/** Returns the text of one instruction, such as `(b7) r0 = 0`. */
export function formatInstruction(
  instruction: Instruction,
  slot = 0,
  options: ListingOptions = {},
): string {
  const opcode = hex(instruction.opcode, 2);
  const text = describe(instruction, slot, options);
  return `(${opcode}) ${text ?? raw(instruction)}`;
}

function describe(
  instruction: Instruction,
  slot: number,
  options: ListingOptions,
): string | undefined {
  switch (instruction.opcode & CLASS_MASK) {
    case CLASS.ALU:
    case CLASS.ALU64:
      return describeAlu(instruction);
    case CLASS.JMP:
    case CLASS.JMP32:
      return describeJump(instruction);
    case CLASS.LD:
      return describeConstantLoad(instruction, slot, options);
    case CLASS.LDX:
      return describeLoad(instruction);
    default:
      return describeStore(instruction);
  }
}

function describeAlu(instruction: Instruction): string | undefined {
  const { opcode, dst, src, off, imm } = instruction;
  const wide = (opcode & CLASS_MASK) === CLASS.ALU64;
  const letter = wide ? "r" : "w";
  const op = opcode & OPERATION_MASK;
  const to = `${letter}${dst}`;
  if (op === ALU.END) return describeByteSwap(instruction);
  if (op === ALU.NEG) return off === 0 ? `${to} = -${to}` : undefined;
  const sign = ALU_SIGNS[op];
  if (sign === undefined) return undefined;
  const operand = opcode & SOURCE.X ? `${letter}${src}` : `${imm}`;
  if (off === 0) return `${to} ${sign} ${operand}`;
  if (off === 1 && (op === ALU.DIV || op === ALU.MOD)) {
    return `${to} s${sign} ${operand}`;
  }
  const isExtension = off === 8 || off === 16 || off === 32;
  if (op === ALU.MOV && opcode & SOURCE.X && isExtension) {
    return `${to} = (s${off})${operand}`;
  }
  return undefined;
}

function describeByteSwap({ opcode, dst, imm }: Instruction): string {
  const register = `r${dst}`;
  const order = (opcode & CLASS_MASK) === CLASS.ALU64
    ? "bswap"
    : opcode & SOURCE.X
    ? "be"
    : "le";
  return `${register} = ${order}${imm} ${register}`;
}

function describeJump(instruction: Instruction): string | undefined {
  const { opcode, dst, src, off, imm } = instruction;
  const narrow = (opcode & CLASS_MASK) === CLASS.JMP32;
  const op = opcode & OPERATION_MASK;
  switch (op) {
    case JUMP.CALL:
      return narrow ? undefined : describeCall(src, imm);
    case JUMP.EXIT:
      return narrow ? undefined : "exit";
    case JUMP.JA:
      return narrow ? `gotol pc${signed(imm)}` : `goto pc${signed(off)}`;
    case JUMP.JCOND:
      return narrow || src !== 0 ? undefined : `may_goto pc${signed(off)}`;
  }
  const sign = JUMP_SIGNS[op];
  if (sign === undefined) return undefined;
  const letter = narrow ? "w" : "r";
  const operand = opcode & SOURCE.X ? `${letter}${src}` : `0x${hex(imm)}`;
  return `if ${letter}${dst} ${sign} ${operand} goto pc${signed(off)}`;
}

function describeCall(src: number, imm: number): string | undefined {
  if (src === PSEUDO.CALL) return `call pc${signed(imm)}`;
  if (src !== 0) return undefined;
  const name = helperName(imm);
  return name === undefined ? `call unknown#${imm}` : `call bpf_${name}#${imm}`;
}

function describeConstantLoad(
  { opcode, dst, src, imm, high }: Instruction,
  slot: number,
  options: ListingOptions,
): string | undefined {
  const mode = opcode & MODE_MASK;
  const type = sizeOf(opcode);
  if (mode === MODE.ABS) return `r0 = *(${type} *)skb[${imm}]`;
  if (mode === MODE.IND) return `r0 = *(${type} *)skb[r${src} + ${imm}]`;
  if (!isWide(opcode) || high === undefined) return undefined;
  const name = options.mapName?.(imm, slot) ?? `fd:${imm}`;
  switch (src) {
    case 0:
      return `r${dst} = 0x${constant(imm, high).toString(16)}`;
    case PSEUDO.MAP_FD:
      return `r${dst} = map[${name}]`;
    case PSEUDO.MAP_VALUE:
      return `r${dst} = map[${name}][0]${signed(high)}`;
    default:
      return undefined;
  }
}

function describeLoad({ opcode, dst, src, off }: Instruction):
  | string
  | undefined {
  const size = sizeOf(opcode);
  switch (opcode & MODE_MASK) {
    case MODE.MEM:
      return `r${dst} = *(${size} *)(r${src} ${signed(off)})`;
    case MODE.MEMSX:
      return `r${dst} = *(s${size.slice(1)} *)(r${src} ${signed(off)})`;
    default:
      return undefined;
  }
}

function describeStore(instruction: Instruction): string | undefined {
  const { opcode, dst, src, off, imm } = instruction;
  const mode = opcode & MODE_MASK;
  const fromRegister = (opcode & CLASS_MASK) === CLASS.STX;
  const place = `*(${sizeOf(opcode)} *)(r${dst} ${signed(off)})`;
  if (mode === MODE.MEM) {
    return `${place} = ${fromRegister ? `r${src}` : imm}`;
  }
  return fromRegister && mode === MODE.ATOMIC
    ? describeAtomic(instruction, place)
    : undefined;
}

function describeAtomic(
  { opcode, dst, src, off, imm }: Instruction,
  place: string,
): string | undefined {
  const size = sizeOf(opcode);
  if (size !== "u32" && size !== "u64") return undefined;
  const prefix = size === "u64" ? "atomic64" : "atomic";
  const memory = `(${size} *)(r${dst} ${signed(off)})`;
  if (imm === ATOMIC.XCHG) {
    return `r${src} = ${prefix}_xchg(${memory}, r${src})`;
  }
  if (imm === ATOMIC.CMPXCHG) {
    return `r0 = ${prefix}_cmpxchg(${memory}, r0, r${src})`;
  }
  const names = ATOMIC_SIGNS[imm & ~ATOMIC.FETCH];
  if (names === undefined) return undefined;
  return imm & ATOMIC.FETCH
    ? `r${src} = ${prefix}_fetch_${names[1]}(${memory}, r${src})`
    : `lock ${place} ${names[0]} r${src}`;
}

function raw({ dst, src, off, imm, high }: Instruction): string {
  const fields = `unknown dst=${dst} src=${src} off=${off} imm=${imm}`;
  return high === undefined ? fields : `${fields} high=${high}`;
}

function constant(low: number, high: number): bigint {
  return BigInt(high >>> 0) << 32n | BigInt(low >>> 0);
}

function signed(value: number): string {
  return value < 0 ? `${value}` : `+${value}`;
}

function hex(value: number, width = 0): string {
  return (value >>> 0).toString(16).padStart(width, "0");
}

/** Four columns, with room for a sign in front as bpftool leaves it. */
function slotText(slot: number): string {
  return ` ${slot}`.padStart(4);
}

function hexBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => hex(byte, 2)).join(" ");
}
