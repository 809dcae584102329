/**
 * Classic BPF programs as JavaScript functions, to filter files fast.
 *
 * Jumps only go ahead, so a program becomes nested labeled blocks: a jump to
 * an instruction leaves the block that ends before it. The source is made of
 * nothing but numbers of a program that was checked.
 *
 * @module
 */
import type { Instruction } from "../classic/instruction.ts";
import {
  BPF_ABS,
  BPF_ADD,
  BPF_AND,
  BPF_DIV,
  BPF_IMM,
  BPF_IND,
  BPF_JA,
  BPF_JEQ,
  BPF_JGE,
  BPF_JGT,
  BPF_JMP,
  BPF_LD,
  BPF_LDX,
  BPF_LEN,
  BPF_LSH,
  BPF_MEM,
  BPF_MOD,
  BPF_MUL,
  BPF_NEG,
  BPF_OR,
  BPF_RET,
  BPF_RSH,
  BPF_ST,
  BPF_STX,
  BPF_SUB,
  BPF_TAX,
  BPF_X,
  BPF_XOR,
  CLASS_MASK,
  MISC_MASK,
  MODE_MASK,
  OPERATION_MASK,
  RETURN_MASK,
  SIZE_MASK,
  SKF_NET_OFF,
  SOURCE_MASK,
} from "../classic/opcodes.ts";
import { BPF_A, BPF_ALU } from "../classic/opcodes.ts";
import { validateClassic } from "../classic/validate.ts";
import { ClassicMachine } from "../classic/vm.ts";

/**
 * Runs a program on a packet; the verdict is how many bytes are kept.
 *
 * See {@linkcode makeMatcher}.
 *
 * @param start Where the packet begins in `bytes`.
 * @param end Where it ends.
 */
export type Matcher = (
  bytes: Uint8Array,
  wireLength: number,
  start?: number,
  end?: number,
) => number;

/** Programs with more targets nest too deep, and are interpreted. */
const MAX_TARGETS = 250;

/** Bytes of a load, by the size bits of its code. */
const SIZES: Readonly<Record<number, number>> = { 0x00: 4, 0x08: 2, 0x10: 1 };

/**
 * Turns a program into a function with the verdicts of `ClassicMachine`.
 *
 * @throws {RangeError} when Linux would refuse the program.
 *
 * @example Run a filter on many packets
 * ```ts
 * import { compileFilter } from "./compile.ts";
 * import { makeMatcher } from "./matcher.ts";
 * import assert from "node:assert/strict";
 *
 * const matches = makeMatcher(compileFilter("udp", { linkType: 101 }).program);
 * const packet = new Uint8Array(28);
 * packet[0] = 0x45;
 * packet[9] = 17;
 * assert.equal(matches(packet, packet.length), 262144);
 * packet[9] = 6;
 * assert.equal(matches(packet, packet.length), 0);
 * ```
 */
export function makeMatcher(program: readonly Instruction[]): Matcher {
  validateClassic(program);
  const targets = findTargets(program);
  if (targets.length > MAX_TARGETS || program.some(readsMetadata)) {
    const machine = new ClassicMachine(program);
    return (bytes, wireLength, start = 0, end = bytes.length) =>
      machine.run({ bytes: bytes.subarray(start, end), wireLength });
  }
  const cells = new Set(program.filter(usesCell).map(({ k }) => k));
  const lines = [
    `let a = 0, x = 0, t = 0, n = e - s;`,
    ...[...cells].map((cell) => `let m${cell} = 0;`),
    ...targets.toReversed().map((target) => `L${target}: {`),
  ];
  for (const [index, instruction] of program.entries()) {
    if (targets.includes(index)) lines.push("}");
    lines.push(translate(instruction, index));
  }
  const parameters = ["b", "w", "s = 0", "e = b.length"];
  return new Function(...parameters, lines.join("\n")) as Matcher;
}

function usesCell({ code }: Instruction): boolean {
  const kind = code & CLASS_MASK;
  return kind === BPF_ST || kind === BPF_STX ||
    (kind <= BPF_LDX && (code & MODE_MASK) === BPF_MEM);
}

/** Instructions that jumps lead to, other than the one after the jump. */
function findTargets(program: readonly Instruction[]): number[] {
  const targets = new Set<number>();
  for (const [index, { code, jt, jf, k }] of program.entries()) {
    if ((code & CLASS_MASK) !== BPF_JMP) continue;
    const skips = code === (BPF_JMP | BPF_JA) ? [k] : [jt, jf];
    for (const skip of skips) if (skip > 0) targets.add(index + 1 + skip);
  }
  return [...targets].sort((one, two) => one - two);
}

function readsMetadata({ code, k }: Instruction): boolean {
  return (code & CLASS_MASK) <= BPF_LDX && (k | 0) < 0 &&
    (code & MODE_MASK) !== BPF_IMM && (code & MODE_MASK) !== BPF_IND;
}

function translate(
  { code, jt, jf, k }: Instruction,
  index: number,
): string {
  const operand = (code & SOURCE_MASK) === BPF_X ? "x" : `${k}`;
  switch (code & CLASS_MASK) {
    case BPF_LD:
      return translateLoad(code, k);
    case BPF_LDX:
      return translateIndexLoad(code, k);
    case BPF_ST:
      return `m${k} = a;`;
    case BPF_STX:
      return `m${k} = x;`;
    case BPF_ALU:
      return calculation(code & OPERATION_MASK, operand);
    case BPF_JMP: {
      if (code === (BPF_JMP | BPF_JA)) return leave(index, k);
      const condition = comparison(code & OPERATION_MASK, operand);
      return `if (${condition}) { ${leave(index, jt)} } ` +
        `else { ${leave(index, jf)} }`;
    }
    case BPF_RET:
      return (code & RETURN_MASK) === BPF_A ? "return a;" : `return ${k};`;
    default: // BPF_MISC
      return (code & MISC_MASK) === BPF_TAX ? "x = a;" : "a = x;";
  }
}

function leave(index: number, skip: number): string {
  return skip === 0 ? "" : `break L${index + 1 + skip};`;
}

function translateLoad(code: number, k: number): string {
  const size = SIZES[code & SIZE_MASK]!;
  switch (code & MODE_MASK) {
    case BPF_ABS:
      return `if (n < ${k + size}) return 0; a = ${bytesAt(`${k}`, size)};`;
    case BPF_IND:
      return `t = x + ${k | 0} | 0; ` +
        `if (t < 0) t = t < ${SKF_NET_OFF} ? n : t - ${SKF_NET_OFF}; ` +
        `if (n < t + ${size}) return 0; a = ${bytesAt("t", size)};`;
    case BPF_MEM:
      return `a = m${k};`;
    case BPF_LEN:
      return "a = w;";
    default:
      return `a = ${k};`;
  }
}

function translateIndexLoad(code: number, k: number): string {
  switch (code & MODE_MASK) {
    case BPF_IMM:
      return `x = ${k};`;
    case BPF_MEM:
      return `x = m${k};`;
    case BPF_LEN:
      return "x = w;";
    default: // BPF_MSH
      return `if (n <= ${k}) return 0; x = (b[s + ${k}] & 15) << 2;`;
  }
}

function bytesAt(offset: string, size: number): string {
  switch (size) {
    case 1:
      return `b[s + ${offset}]`;
    case 2:
      return `b[s + ${offset}] << 8 | b[s + ${offset} + 1]`;
    default:
      return `(b[s + ${offset}] << 24 | b[s + ${offset} + 1] << 16 | ` +
        `b[s + ${offset} + 2] << 8 | b[s + ${offset} + 3]) >>> 0`;
  }
}

function calculation(operation: number, operand: string): string {
  switch (operation) {
    case BPF_ADD:
      return `a = a + ${operand} >>> 0;`;
    case BPF_SUB:
      return `a = a - ${operand} >>> 0;`;
    case BPF_MUL:
      return `a = Math.imul(a, ${operand}) >>> 0;`;
    case BPF_DIV:
      return `if (${operand} === 0) return 0; a = a / ${operand} >>> 0;`;
    case BPF_MOD:
      return `if (${operand} === 0) return 0; a = a % ${operand};`;
    case BPF_OR:
      return `a = (a | ${operand}) >>> 0;`;
    case BPF_AND:
      return `a = (a & ${operand}) >>> 0;`;
    case BPF_XOR:
      return `a = (a ^ ${operand}) >>> 0;`;
    case BPF_LSH:
      return `a = a << ${operand} >>> 0;`;
    case BPF_RSH:
      return `a = a >>> ${operand};`;
    case BPF_NEG:
      return "a = -a >>> 0;";
  }
  return "";
}

function comparison(operation: number, operand: string): string {
  switch (operation) {
    case BPF_JEQ:
      return `a === ${operand}`;
    case BPF_JGT:
      return `a > ${operand}`;
    case BPF_JGE:
      return `a >= ${operand}`;
    default: // BPF_JSET
      return `(a & ${operand}) !== 0`;
  }
}
