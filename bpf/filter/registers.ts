/**
 * Instructions that bring values into the two registers of the machine.
 *
 * @module
 */
import {
  BPF_ABS,
  BPF_ADD,
  BPF_ALU,
  BPF_B,
  BPF_H,
  BPF_IMM,
  BPF_IND,
  BPF_K,
  BPF_LD,
  BPF_LDX,
  BPF_LEN,
  BPF_MEM,
  BPF_MEMWORDS,
  BPF_MISC,
  BPF_MSH,
  BPF_NEG,
  BPF_ST,
  BPF_STX,
  BPF_TAX,
  BPF_TXA,
  BPF_W,
  BPF_X,
} from "../classic/opcodes.ts";
import { isCommutative, type Value } from "./value.ts";

/** An instruction that does not branch. */
export interface Step {
  /** Operation. */
  readonly code: number;
  /** Constant, offset or cell. */
  readonly k: number;
}

/** Values in the registers. */
export interface Registers {
  /** Value in A, when known. */
  readonly a: Value | undefined;
  /** Value in X, when known. */
  readonly x: Value | undefined;
}

const WIDTHS: Readonly<Record<1 | 2 | 4, number>> = {
  1: BPF_B,
  2: BPF_H,
  4: BPF_W,
};

/** Larger values are computed in the first way found, not in the best. */
const MAX_SEARCH = 12;

/** Scratch cells run out. */
export class CellError extends RangeError {
  /** Name of the class. */
  override readonly name = "CellError";
}

/** Instructions in the making, and what they leave in the registers. */
export class Sketch {
  /** Instructions so far. */
  readonly steps: Step[];
  /** Value in A. */
  a: Value | undefined;
  /** Value in X. */
  x: Value | undefined;
  readonly #cells: (cell: number) => number;
  readonly #lowest: number;
  #depth: number;

  /**
   * Starts with known registers.
   *
   * @param cells Scratch cell of a stored value.
   * @param lowest First scratch cell that is free for intermediate results.
   */
  constructor(
    registers: Registers,
    cells: (cell: number) => number,
    lowest: number,
    steps: readonly Step[] = [],
    depth = 0,
  ) {
    this.a = registers.a;
    this.x = registers.x;
    this.steps = [...steps];
    this.#cells = cells;
    this.#lowest = lowest;
    this.#depth = depth;
  }

  /** Brings a value into A. */
  loadA(value: Value): void {
    if (this.a === value) return;
    if (this.x === value) this.#push(BPF_MISC | BPF_TXA);
    else this.#computeA(value);
    this.a = value;
  }

  /** Brings a value into X; needs A unless {@linkcode isDirect}. */
  loadX(value: Value): void {
    if (this.x === value) return;
    if (this.a === value) this.#push(BPF_MISC | BPF_TAX);
    else {
      switch (value.kind) {
        case "constant":
          this.#push(BPF_LDX | BPF_IMM, value.k);
          break;
        case "length":
          this.#push(BPF_LDX | BPF_W | BPF_LEN);
          break;
        case "cell":
          this.#push(BPF_LDX | BPF_MEM, this.#cells(value.cell));
          break;
        case "nibble":
          this.#push(BPF_LDX | BPF_B | BPF_MSH, value.k);
          break;
        default:
          this.loadA(value);
          this.#push(BPF_MISC | BPF_TAX);
      }
    }
    this.x = value;
  }

  /** Brings one value into A and another one into X. */
  loadBoth(left: Value, right: Value, canSwap: boolean): void {
    const ways = [
      ...this.#waysToBoth(left, right),
      ...(canSwap ? this.#waysToBoth(right, left) : []),
    ];
    if (ways.length === 0 || this.#freeCell() >= this.#lowest) {
      ways.push((sketch) => sketch.#loadThroughCell(left, right));
    }
    const isLarge = sizeOf(left) + sizeOf(right) > MAX_SEARCH;
    let best: Sketch | undefined;
    for (const way of isLarge ? ways.slice(0, 1) : ways) {
      const sketch = this.#copy();
      way(sketch);
      if (best === undefined || sketch.steps.length < best.steps.length) {
        best = sketch;
      }
    }
    this.steps.splice(0, this.steps.length, ...best!.steps);
    this.a = best!.a;
    this.x = best!.x;
  }

  /** Keeps a value in a scratch cell. */
  store(value: Value, cell: number): void {
    if (this.x === value || (this.a !== value && value.kind === "nibble")) {
      this.loadX(value);
      this.#push(BPF_STX, this.#cells(cell));
    } else {
      this.loadA(value);
      this.#push(BPF_ST, this.#cells(cell));
    }
  }

  /** Ways that need no scratch cell. */
  #waysToBoth(left: Value, right: Value): ((sketch: Sketch) => void)[] {
    const ways: ((sketch: Sketch) => void)[] = [];
    if (isDirect(right) || this.x === right || usesAsBase(left, right)) {
      ways.push((sketch) => {
        sketch.loadA(left);
        // The way to A may have used X; what is not direct is lost then.
        if (!isDirect(right) && sketch.x !== right) {
          sketch.#loadThroughCell(left, right);
        } else sketch.loadX(right);
      });
    }
    if (needsOnlyA(left)) {
      ways.push((sketch) => {
        sketch.loadX(right);
        sketch.loadA(left);
      });
    }
    return ways;
  }

  #loadThroughCell(left: Value, right: Value): void {
    const cell = this.#freeCell();
    if (cell < this.#lowest) {
      throw new CellError("Cannot compute a value: scratch cells run out");
    }
    this.loadA(right);
    this.#push(BPF_ST, cell);
    this.#depth++;
    this.loadA(left);
    this.#depth--;
    this.#push(BPF_LDX | BPF_MEM, cell);
    this.x = right;
  }

  /** Scratch cells are taken from the end for intermediate results. */
  #freeCell(): number {
    return BPF_MEMWORDS - 1 - this.#depth;
  }

  #computeA(value: Value): void {
    switch (value.kind) {
      case "constant":
        return this.#push(BPF_LD | BPF_IMM, value.k);
      case "length":
        return this.#push(BPF_LD | BPF_W | BPF_LEN);
      case "cell":
        return this.#push(BPF_LD | BPF_MEM, this.#cells(value.cell));
      case "nibble":
        this.loadX(value);
        return this.#push(BPF_MISC | BPF_TXA);
      case "negate":
        this.loadA(value.operand);
        return this.#push(BPF_ALU | BPF_NEG);
      case "load": {
        const width = WIDTHS[value.size];
        if (value.base === undefined) {
          return this.#push(BPF_LD | width | BPF_ABS, value.k);
        }
        this.loadX(value.base);
        return this.#push(BPF_LD | width | BPF_IND, value.k);
      }
      case "alu": {
        const { operation, left, right } = value;
        if (right.kind === "constant") {
          this.loadA(left);
          return this.#push(BPF_ALU | operation | BPF_K, right.k);
        }
        if (operation === BPF_ADD && left === right) {
          this.loadA(left);
          this.loadX(left);
        } else this.loadBoth(left, right, isCommutative(operation));
        return this.#push(BPF_ALU | operation | BPF_X);
      }
    }
  }

  #copy(): Sketch {
    return new Sketch(
      this,
      this.#cells,
      this.#lowest,
      this.steps,
      this.#depth,
    );
  }

  #push(code: number, k = 0): void {
    this.steps.push({ code, k });
  }
}

/** Whether a value gets into X without A. */
function isDirect(value: Value): boolean {
  return ["constant", "length", "cell", "nibble"].includes(value.kind);
}

/** Whether a value gets into A without X. */
function needsOnlyA(value: Value): boolean {
  switch (value.kind) {
    case "nibble":
      return false;
    case "load":
      return value.base === undefined;
    case "negate":
      return needsOnlyA(value.operand);
    case "alu":
      return value.right.kind === "constant" && needsOnlyA(value.left);
  }
  return true;
}

/** Whether computing one value brings another into X. */
function usesAsBase(value: Value, base: Value): boolean {
  switch (value.kind) {
    case "load":
      return value.base === base;
    case "negate":
      return usesAsBase(value.operand, base);
    case "alu":
      return value.right.kind === "constant" && usesAsBase(value.left, base);
  }
  return false;
}

function sizeOf(value: Value): number {
  switch (value.kind) {
    case "negate":
      return 1 + sizeOf(value.operand);
    case "load":
      return 1 + (value.base === undefined ? 0 : sizeOf(value.base));
    case "alu":
      return 1 + sizeOf(value.left) + sizeOf(value.right);
  }
  return 1;
}
