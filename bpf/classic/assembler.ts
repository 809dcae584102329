/**
 * Assembler for classic BPF: mnemonics and labels in, instructions out.
 *
 * @module
 */
import { checkReach, Labels } from "../labels.ts";
import { type Instruction, jump, statement } from "./instruction.ts";
import {
  BPF_A,
  BPF_ADD,
  BPF_ALU,
  BPF_AND,
  BPF_B,
  BPF_DIV,
  BPF_H,
  BPF_JA,
  BPF_JEQ,
  BPF_JGE,
  BPF_JGT,
  BPF_JMP,
  BPF_JSET,
  BPF_K,
  BPF_LD,
  BPF_LDX,
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
  MODE_MASK,
} from "./opcodes.ts";
import type { PacketOperand, WordOperand } from "./operands.ts";

/** Right-hand side of arithmetic and comparisons: a constant or X. */
export type Value = number | "x";

/** Where a branch goes: a label; left out means the next instruction. */
export type Target = string | undefined;

/** Settings of {@linkcode ClassicAssembler}. */
export interface ClassicAssemblerOptions {
  /**
   * What to do when a label is further away than the 255 instructions that a
   * conditional jump can skip. `true` (the default) adds a step: the jump
   * goes to a `ja`, or a copy of a `ret`, placed in its reach. `false` throws.
   */
  readonly trampolines?: boolean;
}

/** Conditional jumps skip 0 to 255 instructions, always ahead. */
const CONDITIONAL_REACH = { min: 0, max: 255 };
/** `ja` has a 32-bit distance, but the kernel refuses to go back. */
const ALWAYS_REACH = { min: 0, max: 0xffffffff };

interface Line {
  readonly code: number;
  readonly k: number;
  readonly then: Target;
  readonly otherwise: Target;
}

/**
 * Collects instructions and labels, then assembles them.
 *
 * Methods carry the mnemonics of tcpdump and bpf_asm and return the assembler.
 * Jumps go ahead only, as the kernel demands.
 *
 * @example Accept IPv4, drop the rest
 * ```ts
 * import { ClassicAssembler } from "./assembler.ts";
 * import { packet } from "./operands.ts";
 * import assert from "node:assert/strict";
 *
 * const program = new ClassicAssembler()
 *   .ldb(packet(0))
 *   .and(0xf0)
 *   .jeq(0x40, "accept", "drop")
 *   .label("accept").ret(0x40000)
 *   .label("drop").ret(0)
 *   .assemble();
 * assert.equal(program.length, 5);
 * ```
 */
export class ClassicAssembler {
  readonly #trampolines: boolean;
  readonly #labels = new Labels();
  readonly #lines: Line[] = [];
  #names = 0;

  /** Starts an empty program. */
  constructor(options: ClassicAssemblerOptions = {}) {
    this.#trampolines = options.trampolines ?? true;
  }

  /**
   * Names the place of the next instruction.
   *
   * @throws {LabelError} when the name is taken.
   */
  label(name: string): this {
    this.#labels.define(name, this.#lines.length);
    return this;
  }

  /** Makes a label name that is used nowhere else in this program. */
  unique(stem: string): string {
    let name: string;
    do name = `${stem}.${++this.#names}`; while (this.#labels.has(name));
    return name;
  }

  /** Appends an instruction that does not branch, given by its numbers. */
  raw(code: number, k = 0): this {
    this.#lines.push({ code, k, then: undefined, otherwise: undefined });
    return this;
  }

  /** A = 32 bits of the source. */
  ld(source: PacketOperand | WordOperand): this {
    return this.raw(BPF_LD | BPF_W | source.mode, source.k);
  }
  /** A = 16 bits of the packet. */
  ldh(source: PacketOperand): this {
    return this.raw(BPF_LD | BPF_H | source.mode, source.k);
  }
  /** A = 8 bits of the packet. */
  ldb(source: PacketOperand): this {
    return this.raw(BPF_LD | BPF_B | source.mode, source.k);
  }
  /** X = 32 bits of the source. */
  ldx(source: WordOperand): this {
    return this.raw(BPF_LDX | BPF_W | source.mode, source.k);
  }
  /** X = 4 * (packet byte & 15): the length of an IPv4 header. */
  ldxMsh(offset: number): this {
    return this.raw(BPF_LDX | BPF_B | BPF_MSH, offset);
  }
  /** M[cell] = A. */
  st(cell: number): this {
    return this.raw(BPF_ST, cell);
  }
  /** M[cell] = X. */
  stx(cell: number): this {
    return this.raw(BPF_STX, cell);
  }

  /** A += value. */
  add(value: Value): this {
    return this.#alu(BPF_ADD, value);
  }
  /** A -= value. */
  sub(value: Value): this {
    return this.#alu(BPF_SUB, value);
  }
  /** A *= value. */
  mul(value: Value): this {
    return this.#alu(BPF_MUL, value);
  }
  /** A /= value; the program ends with 0 when X is 0. */
  div(value: Value): this {
    return this.#alu(BPF_DIV, value);
  }
  /** A %= value; the program ends with 0 when X is 0. */
  mod(value: Value): this {
    return this.#alu(BPF_MOD, value);
  }
  /** A &= value. */
  and(value: Value): this {
    return this.#alu(BPF_AND, value);
  }
  /** A |= value. */
  or(value: Value): this {
    return this.#alu(BPF_OR, value);
  }
  /** A ^= value. */
  xor(value: Value): this {
    return this.#alu(BPF_XOR, value);
  }
  /** A <<= value. */
  lsh(value: Value): this {
    return this.#alu(BPF_LSH, value);
  }
  /** A >>= value. */
  rsh(value: Value): this {
    return this.#alu(BPF_RSH, value);
  }
  /** A = -A. */
  neg(): this {
    return this.raw(BPF_ALU | BPF_NEG);
  }
  /** X = A. */
  tax(): this {
    return this.raw(BPF_MISC | BPF_TAX);
  }
  /** A = X. */
  txa(): this {
    return this.raw(BPF_MISC | BPF_TXA);
  }

  /** Jumps to the label. */
  ja(target: string): this {
    return this.#line(BPF_JMP | BPF_JA, 0, target, undefined);
  }
  /** Branches on A == value. */
  jeq(value: Value, then: Target, otherwise?: Target): this {
    return this.#branch(BPF_JEQ, value, then, otherwise);
  }
  /** Branches on A != value. */
  jne(value: Value, then: Target, otherwise?: Target): this {
    return this.#branch(BPF_JEQ, value, otherwise, then);
  }
  /** Branches on A > value, unsigned. */
  jgt(value: Value, then: Target, otherwise?: Target): this {
    return this.#branch(BPF_JGT, value, then, otherwise);
  }
  /** Branches on A <= value, unsigned. */
  jle(value: Value, then: Target, otherwise?: Target): this {
    return this.#branch(BPF_JGT, value, otherwise, then);
  }
  /** Branches on A >= value, unsigned. */
  jge(value: Value, then: Target, otherwise?: Target): this {
    return this.#branch(BPF_JGE, value, then, otherwise);
  }
  /** Branches on A < value, unsigned. */
  jlt(value: Value, then: Target, otherwise?: Target): this {
    return this.#branch(BPF_JGE, value, otherwise, then);
  }
  /** Branches on (A & value) != 0. */
  jset(value: Value, then: Target, otherwise?: Target): this {
    return this.#branch(BPF_JSET, value, then, otherwise);
  }

  /** Ends with a verdict: a constant or A. */
  ret(verdict: number | "a"): this {
    return verdict === "a"
      ? this.raw(BPF_RET | BPF_A)
      : this.raw(BPF_RET | BPF_K, verdict);
  }

  /**
   * Turns the lines into instructions.
   *
   * @throws {LabelError} when a label is missing, lies behind a jump to it,
   * or, without trampolines, is out of reach.
   */
  assemble(): Instruction[] {
    return new Layout(this.#lines, this.#labels, this.#trampolines).emit();
  }

  #alu(operation: number, value: Value): this {
    return value === "x"
      ? this.raw(BPF_ALU | operation | BPF_X)
      : this.raw(BPF_ALU | operation | BPF_K, value);
  }

  #branch(
    operation: number,
    value: Value,
    then: Target,
    otherwise: Target,
  ): this {
    return value === "x"
      ? this.#line(BPF_JMP | operation | BPF_X, 0, then, otherwise)
      : this.#line(BPF_JMP | operation | BPF_K, value, then, otherwise);
  }

  #line(code: number, k: number, then: Target, otherwise: Target): this {
    this.#lines.push({ code, k, then, otherwise });
    return this;
  }
}

/**
 * Lays a program out from its end to its start.
 *
 * Jumps only go ahead, so every target is placed before the jumps to it, and a
 * trampoline can be put right behind the first jump that needs it. The jump
 * steps over it for free: its other branch just skips one more.
 *
 * Places are counted from the end ("ranks"), as the length is not known yet.
 */
class Layout {
  readonly #lines: readonly Line[];
  readonly #labels: Labels;
  readonly #trampolines: boolean;
  /** Finished instructions, last one first. */
  readonly #reversed: Instruction[] = [];
  /** Rank of each line, or of the nearest trampoline to it. */
  readonly #ranks: Int32Array;
  /** Rank of the nearest `ret #k` that may be shared, by k. */
  readonly #returns = new Map<number, number>();
  #readsCells = false;

  constructor(
    lines: readonly Line[],
    labels: Labels,
    trampolines: boolean,
  ) {
    this.#lines = lines;
    this.#labels = labels;
    this.#trampolines = trampolines;
    this.#ranks = new Int32Array(lines.length + 1).fill(-1);
  }

  emit(): Instruction[] {
    for (let index = this.#lines.length - 1; index >= 0; index--) {
      const line = this.#lines[index]!;
      const next = this.#reversed.length - 1;
      if ((line.code & CLASS_MASK) !== BPF_JMP) {
        this.#push(statement(line.code, line.k));
        this.#readsCells ||= isCellLoad(line.code);
      } else if (line.code === (BPF_JMP | BPF_JA)) {
        this.#always(index, line.then!);
      } else {
        this.#conditional(index, line, next);
      }
      // A jump to the next instruction vanishes; its label moves there.
      this.#ranks[index] = this.#reversed.length - 1;
    }
    return this.#reversed.reverse();
  }

  #push(instruction: Instruction): void {
    this.#reversed.push(instruction);
    if (instruction.code === (BPF_RET | BPF_K) && this.#mayShareReturns()) {
      this.#returns.set(instruction.k, this.#reversed.length - 1);
    }
  }

  /**
   * Linux takes the cells that are set at a `ret` for those that are set at
   * the instruction after it (check_load_and_stores() in net/core/filter.c,
   * up to 6.x at least). So more ways to a `ret` can make it refuse a cell
   * load further on; where cells are read later, a `ja` is used instead.
   */
  #mayShareReturns(): boolean {
    return this.#trampolines && !this.#readsCells;
  }

  #always(from: number, label: string): void {
    const target = this.#target(from, label);
    const shared = this.#sharedReturn(target);
    const rank = shared ?? this.#ranks[target]!;
    const offset = this.#reversed.length - 1 - rank;
    if (offset === 0) return;
    checkReach(label, from, offset, ALWAYS_REACH);
    this.#push(
      shared === undefined
        ? statement(BPF_JMP | BPF_JA, offset)
        : this.#reversed[shared]!,
    );
  }

  #conditional(from: number, line: Line, next: number): void {
    const then = line.then === undefined ? -1 : this.#target(from, line.then);
    const otherwise = line.otherwise === undefined
      ? -1
      : this.#target(from, line.otherwise);
    let jt = this.#distance(then, next);
    let jf = this.#distance(otherwise, next);
    // The trampoline of one branch can push the other branch out of reach.
    while (jt > CONDITIONAL_REACH.max || jf > CONDITIONAL_REACH.max) {
      const far = jt > CONDITIONAL_REACH.max;
      this.#bring(
        from,
        far ? then : otherwise,
        far ? line.then! : line.otherwise!,
      );
      jt = this.#distance(then, next);
      jf = this.#distance(otherwise, next);
    }
    this.#reversed.push(jump(line.code, line.k, jt, jf));
  }

  /** Instructions to skip from the next one placed; -1 falls through. */
  #distance(target: number, next: number): number {
    const rank = target < 0
      ? next
      : this.#sharedReturn(target) ?? this.#ranks[target]!;
    return this.#reversed.length - 1 - rank;
  }

  /** Places a trampoline to the target. */
  #bring(from: number, target: number, label: string): void {
    const distance = this.#distance(target, 0);
    if (!this.#trampolines) {
      checkReach(label, from, distance, CONDITIONAL_REACH);
    }
    const shared = this.#sharedReturn(target);
    if (shared !== undefined) {
      this.#push(this.#reversed[shared]!);
      return;
    }
    this.#push(statement(BPF_JMP | BPF_JA, distance));
    this.#ranks[target] = this.#reversed.length - 1;
  }

  /** The nearest copy of the target, when that is a `ret` that has copies. */
  #sharedReturn(target: number): number | undefined {
    const line = this.#lines[target]!;
    if (line.code !== (BPF_RET | BPF_K) || !this.#mayShareReturns()) {
      return undefined;
    }
    return this.#returns.get(line.k >>> 0);
  }

  /** Index of the line that a label stands before. */
  #target(from: number, label: string): number {
    const index = this.#labels.resolve(label, from);
    if (index <= from || index >= this.#lines.length) {
      checkReach(label, from, index - from - 1, {
        min: 0,
        max: this.#lines.length - from - 2,
      });
    }
    return index;
  }
}

/** Tells whether an opcode reads a scratch cell. */
function isCellLoad(code: number): boolean {
  const kind = code & CLASS_MASK;
  return (kind === BPF_LD || kind === BPF_LDX) &&
    (code & MODE_MASK) === BPF_MEM;
}
