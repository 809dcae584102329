/**
 * Emitter: decision graph to classic BPF.
 *
 * Steps are placed so that every jump goes ahead. What a register holds at a
 * step is what it holds at the end of all ways into it; such values are not
 * loaded again. Steps that turn out as equal code are kept once.
 *
 * @module
 */
import { ClassicAssembler } from "../classic/assembler.ts";
import type { Instruction } from "../classic/instruction.ts";
import {
  BPF_JEQ,
  BPF_JGE,
  BPF_JGT,
  BPF_JSET,
  BPF_MEMWORDS,
  BPF_ST,
} from "../classic/opcodes.ts";
import { BPF_IMM, BPF_LD } from "../classic/opcodes.ts";
import { cellsOf, type GraphNode, inOrder, successors } from "./graph.ts";
import { CellError, type Registers, Sketch, type Step } from "./registers.ts";

/** Code of one step of a graph. */
interface Block {
  readonly steps: readonly Step[];
  readonly exit: Exit;
}

/** What follows a block: a comparison, the next block, or the end. */
type Exit = Branch | { readonly next: number } | { readonly verdict: number };

/** A comparison and the blocks after it. */
interface Branch {
  readonly operation: number;
  /** Constant, or undefined for X. */
  readonly k: number | undefined;
  readonly then: number;
  readonly otherwise: number;
}

/** Cells of stored values. */
interface Cells {
  /** Scratch cell by name. */
  readonly numbers: ReadonlyMap<number, number>;
  /** Scratch cells in use; the others are for intermediate results. */
  readonly count: number;
  /** Scratch cells that have to be set before anything else. */
  readonly cleared: readonly number[];
}

const EMPTY: Registers = { a: undefined, x: undefined };

/**
 * Turns a graph into a program.
 *
 * @param verdict Bytes to keep of an accepted packet.
 * @throws {CellError} when 16 scratch cells are not enough.
 */
export function emit(root: GraphNode, verdict: number): Instruction[] {
  const nodes = inOrder(root);
  const cells = assignCells(nodes);
  const blocks = makeBlocks(nodes, cells, verdict);
  const kept = mergeBlocks(blocks);
  const assembler = new ClassicAssembler();
  if (cells.cleared.length > 0) {
    assembler.raw(BPF_LD | BPF_IMM, 0);
    for (const cell of cells.cleared) assembler.raw(BPF_ST, cell);
  }
  for (const [index, block] of blocks.entries()) {
    if (kept[index] !== index) continue;
    assembler.label(`${index}`);
    for (const { code, k } of block.steps) assembler.raw(code, k);
    const { exit } = block;
    if ("verdict" in exit) assembler.ret(exit.verdict);
    else if ("next" in exit) assembler.ja(`${kept[exit.next]}`);
    else branch(assembler, exit, kept);
  }
  return assembler.assemble();
}

function branch(
  assembler: ClassicAssembler,
  exit: Branch,
  kept: readonly number[],
): void {
  const then = `${kept[exit.then]}`;
  const otherwise = `${kept[exit.otherwise]}`;
  const value = exit.k ?? "x";
  switch (exit.operation) {
    case BPF_JEQ:
      assembler.jeq(value, then, otherwise);
      break;
    case BPF_JGT:
      assembler.jgt(value, then, otherwise);
      break;
    case BPF_JGE:
      assembler.jge(value, then, otherwise);
      break;
    default:
      assembler.jset(value, then, otherwise);
  }
}

function makeBlocks(
  nodes: readonly GraphNode[],
  cells: Cells,
  verdict: number,
): Block[] {
  const index = new Map(nodes.map((node, at) => [node, at]));
  const states = new Map<GraphNode, Registers>([[nodes[0]!, EMPTY]]);
  return nodes.map((node) => {
    const sketch = new Sketch(
      states.get(node)!,
      (cell) => cells.numbers.get(cell)!,
      cells.count,
    );
    const exit = makeExit(node, sketch, index, verdict);
    for (const next of successors(node)) {
      const known = states.get(next);
      states.set(next, known === undefined ? sketch : meet(known, sketch));
    }
    return { steps: sketch.steps, exit };
  });
}

function meet(one: Registers, two: Registers): Registers {
  return {
    a: one.a === two.a ? one.a : undefined,
    x: one.x === two.x ? one.x : undefined,
  };
}

function makeExit(
  node: GraphNode,
  sketch: Sketch,
  index: ReadonlyMap<GraphNode, number>,
  verdict: number,
): Exit {
  switch (node.kind) {
    case "leaf":
      return { verdict: node.accept ? verdict : 0 };
    case "store":
      sketch.store(node.value, node.cell);
      return { next: index.get(node.next)! };
    case "test": {
      const { operation, left, right } = node.test;
      const isConstant = right.kind === "constant";
      if (isConstant) sketch.loadA(left);
      else {
        const canSwap = operation === BPF_JEQ || operation === BPF_JSET;
        sketch.loadBoth(left, right, canSwap);
      }
      return {
        operation,
        k: isConstant ? right.k : undefined,
        then: index.get(node.then)!,
        otherwise: index.get(node.otherwise)!,
      };
    }
  }
}

/** For each block the block that stands for it: the last one of its kind. */
function mergeBlocks(blocks: readonly Block[]): number[] {
  const kept = new Array<number>(blocks.length).fill(0);
  const known = new Map<string, number>();
  for (let at = blocks.length - 1; at >= 0; at--) {
    const { steps, exit } = blocks[at]!;
    const end = "verdict" in exit
      ? ["ret", exit.verdict]
      : "next" in exit
      ? ["ja", kept[exit.next]]
      : [exit.operation, exit.k, kept[exit.then], kept[exit.otherwise]];
    const code = steps.map((step) => `${step.code},${step.k}`);
    const key = [...code, end.join()].join(";");
    const same = known.get(key);
    kept[at] = same ?? at;
    if (same === undefined) known.set(key, at);
  }
  kept[0] = 0; // The program starts here.
  return kept;
}

/**
 * Gives each stored value a scratch cell from its first store to its last use.
 *
 * @throws {CellError} when more than 16 are needed at once.
 */
function assignCells(nodes: readonly GraphNode[]): Cells {
  const spans = new Map<number, { first: number; last: number }>();
  const unset = findUnset(nodes);
  for (const [at, node] of nodes.entries()) {
    const used = cellsOf(node);
    if (node.kind === "store") used.push(node.cell);
    for (const cell of used) {
      const first = unset.has(cell) ? -1 : at;
      const span = spans.get(cell) ?? { first, last: at };
      span.last = at;
      spans.set(cell, span);
    }
  }
  const numbers = new Map<number, number>();
  const ends: number[] = [];
  const inOrder = [...spans].sort(([, a], [, b]) => a.first - b.first);
  for (const [cell, { first, last }] of inOrder) {
    const free = ends.findIndex((end) => end < first);
    const number = free < 0 ? ends.length : free;
    ends[number] = last;
    numbers.set(cell, number);
  }
  if (ends.length > BPF_MEMWORDS) {
    throw new CellError("Cannot keep values: scratch cells run out");
  }
  return {
    numbers,
    count: ends.length,
    cleared: [...unset].map((cell) => numbers.get(cell)!),
  };
}

/** Cells that are read where some way has not stored them. */
function findUnset(nodes: readonly GraphNode[]): Set<number> {
  const unset = new Set<number>();
  const stored = new Map<GraphNode, ReadonlySet<number>>();
  for (const node of nodes) {
    const before = stored.get(node) ?? new Set<number>();
    for (const cell of cellsOf(node)) if (!before.has(cell)) unset.add(cell);
    const after = node.kind === "store"
      ? new Set([...before, node.cell])
      : before;
    for (const next of successors(node)) {
      const known = stored.get(next);
      stored.set(
        next,
        known === undefined ? after : known.intersection(after),
      );
    }
  }
  return unset;
}
