/**
 * Lays out a classic BPF program: labels become distances, and distances that
 * a conditional jump cannot hold are covered in steps.
 *
 * @module
 */
import { checkReach, type Labels } from "../labels.ts";
import { type Instruction, jump, statement } from "./instruction.ts";
import {
  BPF_JA,
  BPF_JMP,
  BPF_K,
  BPF_LD,
  BPF_LDX,
  BPF_MEM,
  BPF_RET,
  CLASS_MASK,
  MODE_MASK,
} from "./opcodes.ts";

/**
 * Where a branch goes: a label; left out means the next instruction.
 * See {@linkcode ClassicAssembler}.
 */
export type Target = string | undefined;

/** An instruction whose targets are labels. */
export interface Line {
  /** Operation. */
  readonly code: number;
  /** Constant, offset, or nothing. */
  readonly k: number;
  /** Target of `ja`, or of a conditional jump when its condition holds. */
  readonly then: Target;
  /** Target of a conditional jump when its condition does not hold. */
  readonly otherwise: Target;
}

/** Conditional jumps skip 0 to 255 instructions, always ahead. */
const CONDITIONAL_REACH = { min: 0, max: 255 };
/** `ja` has a 32-bit distance, but the kernel refuses to go back. */
const ALWAYS_REACH = { min: 0, max: 0xffffffff };

/**
 * Turns lines into instructions.
 *
 * @param labels Labels by index of the line they stand before.
 * @param trampolines Whether to cover long distances in steps.
 * @throws {LabelError} when a label is missing, lies behind a jump to it, or,
 * without trampolines, is out of reach.
 */
export function layOut(
  lines: readonly Line[],
  labels: Labels,
  trampolines: boolean,
): Instruction[] {
  return new Layout(lines, labels, trampolines).emit();
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
   * the instruction after it (check_load_and_stores() in net/core/filter.c;
   * so in 6.18). More ways to a `ret` can thus make it refuse a cell load
   * further on; where cells are read later, a `ja` is used instead.
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
