/**
 * Membership tests as classic BPF: sorted intervals become a balanced tree of
 * comparisons with the accumulator.
 *
 * @module
 */
import type { ClassicAssembler } from "./classic/assembler.ts";

/** Values from `low` to `high`, both included. */
export interface Interval {
  /** Lowest value. */
  readonly low: number;
  /** Highest value. */
  readonly high: number;
}

/** Values that lead to a label. */
export interface Branch extends Interval {
  /** Where the program goes on for these values. */
  readonly label: string;
}

/** Settings of {@linkcode emitDecision}. */
export interface DecisionOptions {
  /** Where the program goes on for every other value. */
  readonly otherwise: string;
  /** Lowest value that can occur; 0 if left out. */
  readonly min?: number;
  /** Highest value that can occur; 0xffffffff if left out. */
  readonly max?: number;
  /** Most branches that are tested one by one; 4 if left out. */
  readonly leafSize?: number;
}

/**
 * How many branches a leaf tests in a row. With 4, a value that is in none of
 * n sparse branches takes about log2(n) + 2 tests and the tree 1.25 n
 * instructions; with 1 it would be log2(n) + 1 tests and 2 n instructions.
 */
export const DEFAULT_LEAF_SIZE = 4;

/**
 * Emits instructions that send A to the branch it lies in.
 *
 * Leaves A and X as they are and never falls through.
 *
 * @param branches Sorted by value, disjoint.
 */
export function emitDecision(
  assembler: ClassicAssembler,
  branches: readonly Branch[],
  options: DecisionOptions,
): void {
  const { otherwise, min = 0, max = 0xffffffff } = options;
  if (branches.length === 0) {
    assembler.ja(otherwise);
    return;
  }
  const { leafSize = DEFAULT_LEAF_SIZE } = options;
  const tree: Tree = { assembler, branches, otherwise, leafSize };
  emitRange(tree, 0, branches.length, min, max);
}

interface Tree {
  readonly assembler: ClassicAssembler;
  readonly branches: readonly Branch[];
  readonly otherwise: string;
  readonly leafSize: number;
}

/** Emits the test of branches `from` to `to` for an A of `min` to `max`. */
function emitRange(
  tree: Tree,
  from: number,
  to: number,
  min: number,
  max: number,
): void {
  if (to - from <= tree.leafSize) {
    emitLeaf(tree, from, to, min, max);
    return;
  }
  // Full leaves need the fewest nodes; only the last one may be smaller.
  const leaves = Math.ceil((to - from) / tree.leafSize);
  const middle = from + (leaves >>> 1) * tree.leafSize;
  const { low } = tree.branches[middle]!;
  const upper = tree.assembler.unique("upper");
  tree.assembler.jge(low, upper);
  emitRange(tree, from, middle, min, low - 1);
  tree.assembler.label(upper);
  emitRange(tree, middle, to, low, max);
}

function emitLeaf(
  tree: Tree,
  from: number,
  to: number,
  min: number,
  max: number,
): void {
  const { assembler, otherwise } = tree;
  let floor = min;
  for (let index = from; index < to; index++) {
    const { low, high, label } = tree.branches[index]!;
    // Where a value goes that is not in this branch: to the next one.
    const next = index + 1 < to ? undefined : otherwise;
    if (low <= floor && high >= max) {
      assembler.ja(label);
      return;
    }
    if (low === high) assembler.jeq(low, label, next);
    else if (low <= floor) assembler.jgt(high, next, label);
    else if (high >= max) assembler.jge(low, label, otherwise);
    else {
      const above = next ?? assembler.unique("above");
      assembler.jgt(high, above);
      assembler.jge(low, label, otherwise);
      if (next === undefined) assembler.label(above);
    }
    // What is still here lies above, or, after a failed jeq, may lie below.
    if (low <= floor || low < high) floor = high + 1;
    if (floor > max) return;
  }
}
