/**
 * Assembler for classic BPF: mnemonics and labels in, instructions out.
 *
 * @module
 */
import { Labels } from "../labels.ts";
import type { Instruction } from "./instruction.ts";
import { layOut, type Line, type Target } from "./layout.ts";
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
} from "./opcodes.ts";
import type { PacketOperand, WordOperand } from "./operands.ts";

/**
 * Right-hand side of arithmetic and comparisons: a constant or X.
 * See {@linkcode constant}.
 */
export type Value = number | "x";

/** Settings of {@linkcode ClassicAssembler}. */
export interface ClassicAssemblerOptions {
  /**
   * What to do when a label is further away than the 255 instructions that a
   * conditional jump can skip. `true` (the default) adds a step: the jump
   * goes to a `ja`, or a copy of a `ret`, placed in its reach. `false` throws.
   */
  readonly trampolines?: boolean;
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
    return layOut(this.#lines, this.#labels, this.#trampolines);
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
