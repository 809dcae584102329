/**
 * Classic BPF programs as text, in the three forms of tcpdump(8): `-d`
 * (listing), `-dd` (C initializer), `-ddd` (decimal numbers).
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
  BPF_LD,
  BPF_LDX,
  BPF_LEN,
  BPF_LSH,
  BPF_MEM,
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
  OPERATION_MASK,
  SKF_AD_OFF,
  SOURCE_MASK,
} from "./opcodes.ts";

/** Mnemonic and operand. */
type Parts = readonly [mnemonic: string, operand: string];

/** Loads and everything else whose operand has a form of its own. */
const FORMS: ReadonlyMap<number, (k: number) => Parts> = new Map([
  [BPF_LD | BPF_W | BPF_ABS, (k: number): Parts => ["ld", place(k)]],
  [BPF_LD | BPF_H | BPF_ABS, (k: number): Parts => ["ldh", place(k)]],
  [BPF_LD | BPF_B | BPF_ABS, (k: number): Parts => ["ldb", place(k)]],
  [BPF_LD | BPF_W | BPF_IND, (k: number): Parts => ["ld", placeAtX(k)]],
  [BPF_LD | BPF_H | BPF_IND, (k: number): Parts => ["ldh", placeAtX(k)]],
  [BPF_LD | BPF_B | BPF_IND, (k: number): Parts => ["ldb", placeAtX(k)]],
  [BPF_LD | BPF_W | BPF_LEN, (): Parts => ["ld", "#pktlen"]],
  [BPF_LDX | BPF_W | BPF_LEN, (): Parts => ["ldx", "#pktlen"]],
  [BPF_LD | BPF_IMM, (k: number): Parts => ["ld", hex(k)]],
  [BPF_LDX | BPF_IMM, (k: number): Parts => ["ldx", hex(k)]],
  [BPF_LD | BPF_MEM, (k: number): Parts => ["ld", cell(k)]],
  [BPF_LDX | BPF_MEM, (k: number): Parts => ["ldx", cell(k)]],
  [
    BPF_LDX | BPF_B | BPF_MSH,
    (k: number): Parts => ["ldxb", `4*([${k | 0}]&0xf)`],
  ],
  [BPF_ST, (k: number): Parts => ["st", cell(k)]],
  [BPF_STX, (k: number): Parts => ["stx", cell(k)]],
  [BPF_ALU | BPF_NEG, (): Parts => ["neg", ""]],
  [BPF_MISC | BPF_TAX, (): Parts => ["tax", ""]],
  [BPF_MISC | BPF_TXA, (): Parts => ["txa", ""]],
  [BPF_RET, (k: number): Parts => ["ret", decimal(k)]],
  [BPF_RET | BPF_A, (): Parts => ["ret", ""]],
]);

/** Operations that take a constant or X, and how the constant is written. */
const OPERATIONS: ReadonlyMap<number, readonly [string, typeof hex]> = new Map(
  [
    [BPF_ALU | BPF_ADD, ["add", decimal]],
    [BPF_ALU | BPF_SUB, ["sub", decimal]],
    [BPF_ALU | BPF_MUL, ["mul", decimal]],
    [BPF_ALU | BPF_DIV, ["div", decimal]],
    [BPF_ALU | BPF_MOD, ["mod", decimal]],
    [BPF_ALU | BPF_AND, ["and", hex]],
    [BPF_ALU | BPF_OR, ["or", hex]],
    [BPF_ALU | BPF_XOR, ["xor", hex]],
    [BPF_ALU | BPF_LSH, ["lsh", decimal]],
    [BPF_ALU | BPF_RSH, ["rsh", decimal]],
    [BPF_JMP | BPF_JEQ, ["jeq", hex]],
    [BPF_JMP | BPF_JGT, ["jgt", hex]],
    [BPF_JMP | BPF_JGE, ["jge", hex]],
    [BPF_JMP | BPF_JSET, ["jset", hex]],
  ],
);

/** Metadata by offset, with the names that libpcap prints. */
const METADATA_NAMES: ReadonlyMap<number, string> = new Map<number, string>([
  [Extension.SKF_AD_PROTOCOL, "proto"],
  [Extension.SKF_AD_PKTTYPE, "type"],
  [Extension.SKF_AD_IFINDEX, "ifidx"],
  [Extension.SKF_AD_NLATTR, "nla"],
  [Extension.SKF_AD_NLATTR_NEST, "nlan"],
  [Extension.SKF_AD_MARK, "mark"],
  [Extension.SKF_AD_QUEUE, "queue"],
  [Extension.SKF_AD_HATYPE, "hatype"],
  [Extension.SKF_AD_RXHASH, "rxhash"],
  [Extension.SKF_AD_CPU, "cpu"],
  [Extension.SKF_AD_ALU_XOR_X, "xor_x"],
  [Extension.SKF_AD_VLAN_TAG, "vlan_tci"],
  [Extension.SKF_AD_VLAN_TAG_PRESENT, "vlanp"],
  [Extension.SKF_AD_PAY_OFFSET, "poff"],
  [Extension.SKF_AD_RANDOM, "random"],
  [Extension.SKF_AD_VLAN_TPID, "vlan_tpid"],
]);

const MNEMONIC_WIDTH = 8;
const OPERAND_WIDTH = 16;

/**
 * Formats one instruction, without its number: `jeq #0x6 jt 4 jf 19`.
 *
 * @param index Place in the program; targets are printed as places.
 *
 * @example Print an instruction
 * ```ts
 * import { jump } from "./instruction.ts";
 * import { formatInstruction } from "./text.ts";
 * import assert from "node:assert/strict";
 *
 * const text = formatInstruction(jump(0x15, 6, 2, 17), 1);
 * assert.equal(text, "jeq #0x6 jt 4 jf 19");
 * ```
 */
export function formatInstruction(
  instruction: Instruction,
  index: number,
): string {
  const [mnemonic, operand] = parts(instruction, index);
  const text = operand === "" ? mnemonic : `${mnemonic} ${operand}`;
  return isConditional(instruction)
    ? `${text} ${branches(instruction, index, " ")}`
    : text;
}

/**
 * Formats a program as `tcpdump -d` does; one line for each instruction.
 *
 * @example Print a program
 * ```ts
 * import { statement } from "./instruction.ts";
 * import { formatListing } from "./text.ts";
 * import assert from "node:assert/strict";
 *
 * const text = formatListing([statement(6, 0x40000)]);
 * assert.equal(text, "(000) ret      #262144\n");
 * ```
 */
export function formatListing(program: readonly Instruction[]): string {
  return lines(program.map((instruction, index) => {
    const [mnemonic, operand] = parts(instruction, index);
    const start = `(${String(index).padStart(3, "0")}) ` +
      `${mnemonic.padEnd(MNEMONIC_WIDTH)} `;
    return isConditional(instruction)
      ? start + operand.padEnd(OPERAND_WIDTH) + " " +
        branches(instruction, index, "\t")
      : start + operand;
  }));
}

/**
 * Formats a program as `tcpdump -dd` does: initializers of `sock_filter`.
 *
 * @example Print a program for a C compiler
 * ```ts
 * import { statement } from "./instruction.ts";
 * import { formatC } from "./text.ts";
 * import assert from "node:assert/strict";
 *
 * const text = formatC([statement(6, 0x40000)]);
 * assert.equal(text, "{ 0x6, 0, 0, 0x00040000 },\n");
 * ```
 */
export function formatC(program: readonly Instruction[]): string {
  return lines(
    program.map(({ code, jt, jf, k }) =>
      `{ 0x${code.toString(16)}, ${jt}, ${jf}, ` +
      `0x${k.toString(16).padStart(8, "0")} },`
    ),
  );
}

/**
 * Formats a program as `tcpdump -ddd` does: a count, then four numbers each.
 *
 * @example Print a program as numbers
 * ```ts
 * import { statement } from "./instruction.ts";
 * import { formatDecimal } from "./text.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(formatDecimal([statement(6, 0x40000)]), "1\n6 0 0 262144\n");
 * ```
 */
export function formatDecimal(program: readonly Instruction[]): string {
  return lines([
    String(program.length),
    ...program.map(({ code, jt, jf, k }) => `${code} ${jt} ${jf} ${k}`),
  ]);
}

/**
 * Reads a program in the form of `tcpdump -ddd`.
 *
 * @throws {SyntaxError} when the text has another form.
 *
 * @example Read what tcpdump -ddd prints
 * ```ts
 * import { statement } from "./instruction.ts";
 * import { parseDecimal } from "./text.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parseDecimal("1\n6 0 0 262144\n"), [statement(6, 0x40000)]);
 * assert.throws(() => parseDecimal("2\n6 0 0 262144\n"), SyntaxError);
 * ```
 */
export function parseDecimal(text: string): Instruction[] {
  const [count, ...rows] = text.trim().split(/\r?\n/);
  const program = rows.map((row, index): Instruction => {
    const fields = row.trim().split(/\s+/).map(Number);
    const [code, jt, jf, k] = fields;
    if (fields.length !== 4 || !fields.every(Number.isInteger)) {
      throw new SyntaxError(
        `Cannot parse instruction ${index}: "${row}" is not four numbers`,
      );
    }
    return { code: code!, jt: jt!, jf: jf!, k: k! >>> 0 };
  });
  if (Number(count) !== program.length) {
    throw new SyntaxError(
      `Cannot parse program: "${count}" instructions are announced, ` +
        `${program.length} follow`,
    );
  }
  return program;
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join("");
}

function parts({ code, k }: Instruction, index: number): Parts {
  if (code === (BPF_JMP | BPF_JA)) return ["ja", String(index + 1 + k)];
  const form = FORMS.get(code);
  if (form !== undefined) return form(k);
  const operation = (code & ~0xff) === 0
    ? OPERATIONS.get(code & (CLASS_MASK | OPERATION_MASK))
    : undefined;
  if (operation === undefined) return ["unimp", `0x${code.toString(16)}`];
  const [mnemonic, format] = operation;
  return [mnemonic, (code & SOURCE_MASK) === BPF_X ? "x" : format(k)];
}

function isConditional({ code }: Instruction): boolean {
  return (code & CLASS_MASK) === BPF_JMP &&
    (code & OPERATION_MASK) !== BPF_JA;
}

function branches(
  { jt, jf }: Instruction,
  index: number,
  between: string,
): string {
  return `jt ${index + 1 + jt}${between}jf ${index + 1 + jf}`;
}

function place(k: number): string {
  return `[${METADATA_NAMES.get((k | 0) - SKF_AD_OFF) ?? k | 0}]`;
}

function placeAtX(k: number): string {
  return `[x + ${k | 0}]`;
}

function cell(k: number): string {
  return `M[${k}]`;
}

function decimal(k: number): string {
  return `#${k | 0}`;
}

function hex(k: number): string {
  return `#0x${k.toString(16)}`;
}
