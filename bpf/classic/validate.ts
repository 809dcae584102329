/**
 * The rules by which Linux takes or refuses a classic BPF program.
 *
 * Sources: bpf_check_classic(), chk_code_allowed() and
 * check_load_and_stores() in net/core/filter.c; seccomp_check_filter() in
 * kernel/seccomp.c.
 *
 * @module
 */
import type { Instruction } from "./instruction.ts";
import {
  BPF_A,
  BPF_ABS,
  BPF_ADD,
  BPF_ALU,
  BPF_AND,
  BPF_B,
  BPF_DIV,
  BPF_H,
  BPF_IMM,
  BPF_IND,
  BPF_JA,
  BPF_JEQ,
  BPF_JGE,
  BPF_JGT,
  BPF_JMP,
  BPF_JSET,
  BPF_K,
  BPF_LD,
  BPF_LDX,
  BPF_LEN,
  BPF_LSH,
  BPF_MAXINSNS,
  BPF_MEM,
  BPF_MEMWORDS,
  BPF_MISC,
  BPF_MOD,
  BPF_MSH,
  BPF_MUL,
  BPF_NEG,
  BPF_OR,
  BPF_RET,
  BPF_RSH,
  BPF_ST,
  BPF_STX,
  BPF_SUB,
  BPF_TAX,
  BPF_TXA,
  BPF_W,
  BPF_X,
  BPF_XOR,
  CLASS_MASK,
  Extension,
  SIZE_MASK,
  SKF_AD_OFF,
} from "./opcodes.ts";
import { SECCOMP_DATA_LENGTH } from "./seccomp.ts";
import { formatInstruction } from "./text.ts";

/** Where a program is going to run. See {@linkcode findViolation}. */
export type ProgramKind = "socket" | "seccomp";

/** A rule that a program breaks. See {@linkcode findViolation}. */
export interface Violation {
  /** Index of the instruction; the last one when the end is at fault. */
  readonly index: number;
  /** One sentence without a final period. */
  readonly message: string;
}

const FIRST_METADATA_OFFSET = SKF_AD_OFF >>> 0;
const METADATA_OFFSETS: ReadonlySet<number> = new Set(
  Object.values(Extension).map((offset) => (SKF_AD_OFF + offset) >>> 0),
);

const TWO_OPERANDS = [
  ...[BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_AND, BPF_OR, BPF_XOR]
    .concat(BPF_LSH, BPF_RSH).map((operation) => BPF_ALU | operation),
  ...[BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET]
    .map((operation) => BPF_JMP | operation),
].flatMap((code) => [code | BPF_K, code | BPF_X]);

/** Opcodes that both kinds of program may use. */
const COMMON_CODES = [
  ...TWO_OPERANDS,
  BPF_ALU | BPF_NEG,
  BPF_JMP | BPF_JA,
  BPF_LD | BPF_W | BPF_ABS,
  BPF_LD | BPF_W | BPF_LEN,
  BPF_LDX | BPF_W | BPF_LEN,
  BPF_LD | BPF_IMM,
  BPF_LDX | BPF_IMM,
  BPF_LD | BPF_MEM,
  BPF_LDX | BPF_MEM,
  BPF_ST,
  BPF_STX,
  BPF_MISC | BPF_TAX,
  BPF_MISC | BPF_TXA,
  BPF_RET | BPF_K,
  BPF_RET | BPF_A,
];

/** Opcodes of each kind of program. */
export const ALLOWED_CODES: Readonly<Record<ProgramKind, ReadonlySet<number>>> =
  {
    socket: new Set([
      ...COMMON_CODES,
      BPF_ALU | BPF_MOD | BPF_K,
      BPF_ALU | BPF_MOD | BPF_X,
      BPF_LD | BPF_H | BPF_ABS,
      BPF_LD | BPF_B | BPF_ABS,
      BPF_LD | BPF_W | BPF_IND,
      BPF_LD | BPF_H | BPF_IND,
      BPF_LD | BPF_B | BPF_IND,
      BPF_LDX | BPF_B | BPF_MSH,
    ]),
    seccomp: new Set(COMMON_CODES),
  };

/**
 * Finds the first rule that a program breaks.
 *
 * @param kind `socket` for SO_ATTACH_FILTER (the default), `seccomp` for
 * SECCOMP_SET_MODE_FILTER.
 * @returns `undefined` when Linux takes the program.
 *
 * @example Find a missing end
 * ```ts
 * import { statement } from "./instruction.ts";
 * import { findViolation } from "./validate.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(findViolation([statement(0x30, 9), statement(6)]), undefined);
 * assert.equal(findViolation([statement(0x30, 9)])?.index, 0);
 * ```
 */
export function findViolation(
  program: readonly Instruction[],
  kind: ProgramKind = "socket",
): Violation | undefined {
  const { length } = program;
  if (length === 0 || length > BPF_MAXINSNS) {
    return {
      index: Math.max(0, length - 1),
      message: `Cannot use a program of ${length} instructions: ` +
        `1 to ${BPF_MAXINSNS} are allowed`,
    };
  }
  for (const [index, instruction] of program.entries()) {
    const reason = checkInstruction(instruction, length - index - 1, kind);
    if (reason !== undefined) return violation(program, index, reason);
  }
  const last = program[length - 1]!;
  if ((last.code & CLASS_MASK) !== BPF_RET) {
    return violation(program, length - 1, "the program does not end in a ret");
  }
  return findUnsetCell(program);
}

/**
 * Checks that Linux takes a program.
 *
 * @throws {RangeError} that names the first instruction at fault.
 *
 * @example Check a program before it is attached
 * ```ts
 * import { statement } from "./instruction.ts";
 * import { validateClassic } from "./validate.ts";
 * import assert from "node:assert/strict";
 *
 * validateClassic([statement(6, 0x40000)]);
 * assert.throws(() => validateClassic([]), RangeError);
 * ```
 */
export function validateClassic(
  program: readonly Instruction[],
  kind: ProgramKind = "socket",
): void {
  const found = findViolation(program, kind);
  if (found !== undefined) throw new RangeError(found.message);
}

function violation(
  program: readonly Instruction[],
  index: number,
  reason: string,
): Violation {
  const text = formatInstruction(program[index]!, index);
  return {
    index,
    message: `Cannot use instruction ${index}, "${text}": ${reason}`,
  };
}

/** @param after Number of instructions after this one. */
function checkInstruction(
  { code, jt, jf, k }: Instruction,
  after: number,
  kind: ProgramKind,
): string | undefined {
  if (!ALLOWED_CODES[kind].has(code)) return "the operation is not allowed";
  switch (code & CLASS_MASK) {
    case BPF_LD:
    case BPF_LDX:
      return checkLoad(code, k, kind);
    case BPF_ST:
    case BPF_STX:
      return checkCell(k);
    case BPF_ALU:
      return checkAlu(code, k);
    case BPF_JMP:
      if (code === (BPF_JMP | BPF_JA)) {
        return k >= after ? "the jump leaves the program" : undefined;
      }
      if (jt >= after) return "the jump on true leaves the program";
      if (jf >= after) return "the jump on false leaves the program";
  }
  return undefined;
}

function checkLoad(
  code: number,
  k: number,
  kind: ProgramKind,
): string | undefined {
  if (code === (BPF_LD | BPF_MEM) || code === (BPF_LDX | BPF_MEM)) {
    return checkCell(k);
  }
  if ((code & ~SIZE_MASK) !== (BPF_LD | BPF_ABS)) return undefined;
  if (kind === "seccomp") {
    return k >= SECCOMP_DATA_LENGTH || k % 4 !== 0
      ? "the offset is not that of a word in struct seccomp_data"
      : undefined;
  }
  return k >= FIRST_METADATA_OFFSET && !METADATA_OFFSETS.has(k)
    ? "there is no metadata at this offset"
    : undefined;
}

function checkCell(k: number): string | undefined {
  return k >= BPF_MEMWORDS
    ? `there are ${BPF_MEMWORDS} scratch cells`
    : undefined;
}

function checkAlu(code: number, k: number): string | undefined {
  switch (code) {
    case BPF_ALU | BPF_DIV | BPF_K:
    case BPF_ALU | BPF_MOD | BPF_K:
      return k === 0 ? "it divides by zero" : undefined;
    case BPF_ALU | BPF_LSH | BPF_K:
    case BPF_ALU | BPF_RSH | BPF_K:
      return k >= 32 ? "it shifts by 32 bits or more" : undefined;
  }
  return undefined;
}

const ALL_CELLS = (1 << BPF_MEMWORDS) - 1;

/**
 * Finds a load of a cell that some way to it has not set.
 *
 * Follows the kernel to the letter: a `ret` hands the cells set before it on
 * to the instruction after it, though nothing gets there that way.
 */
function findUnsetCell(
  program: readonly Instruction[],
): Violation | undefined {
  const set = new Uint16Array(program.length).fill(ALL_CELLS);
  let valid = 0;
  for (const [index, { code, jt, jf, k }] of program.entries()) {
    valid &= set[index]!;
    if (code === BPF_ST || code === BPF_STX) {
      valid |= 1 << k;
    } else if (code === (BPF_LD | BPF_MEM) || code === (BPF_LDX | BPF_MEM)) {
      if ((valid & 1 << k) === 0) {
        return violation(program, index, "the cell may not have been set");
      }
    } else if ((code & CLASS_MASK) === BPF_JMP) {
      const always = code === (BPF_JMP | BPF_JA);
      const then = index + 1 + (always ? k : jt);
      set[then]! &= valid;
      if (!always) set[index + 1 + jf]! &= valid;
      valid = ALL_CELLS;
    }
  }
  return undefined;
}
