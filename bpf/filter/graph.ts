/**
 * Decision graphs: the form of a filter that is optimized and emitted.
 *
 * A graph has no loops. Equal nodes are the same object, so parts that do the
 * same are kept once.
 *
 * @module
 */
import type { Condition, Test } from "./condition.ts";
import type { Value } from "./value.ts";

/** A step of a filter. */
export type GraphNode = Leaf | TestNode | StoreNode;

/** The verdict. */
export interface Leaf {
  readonly id: number;
  readonly kind: "leaf";
  /** Whether the packet is accepted. */
  readonly accept: boolean;
}

/** A comparison with two ways out. */
export interface TestNode {
  readonly id: number;
  readonly kind: "test";
  readonly test: Test;
  /** Next step when it holds. */
  readonly then: GraphNode;
  /** Next step when it does not hold. */
  readonly otherwise: GraphNode;
}

/** Keeps a value for later. */
export interface StoreNode {
  readonly id: number;
  readonly kind: "store";
  readonly cell: number;
  readonly value: Value;
  readonly next: GraphNode;
}

/** Makes nodes and keeps one object for each. */
export class Graph {
  readonly #known = new Map<string, GraphNode>();

  /** The end of every way: accepted, or not. */
  leaf(accept: boolean): GraphNode {
    return this.#keep(`${accept}`, (id) => ({ id, kind: "leaf", accept }));
  }

  /** A comparison; none is made when both ways lead to the same step. */
  test(test: Test, then: GraphNode, otherwise: GraphNode): GraphNode {
    if (then === otherwise) return then;
    const { operation, left, right } = test;
    return this.#keep(
      `${operation},${left.id},${right.id},${then.id},${otherwise.id}`,
      (id) => ({ id, kind: "test", test, then, otherwise }),
    );
  }

  /** Keeps a value for the steps after it. */
  store(cell: number, value: Value, next: GraphNode): GraphNode {
    return this.#keep(
      `s${cell},${value.id},${next.id}`,
      (id) => ({ id, kind: "store", cell, value, next }),
    );
  }

  #keep(key: string, make: (id: number) => GraphNode): GraphNode {
    let node = this.#known.get(key);
    if (node === undefined) {
      node = make(this.#known.size);
      this.#known.set(key, node);
    }
    return node;
  }
}

/** Builds the graph of a condition, from its ends to its start. */
export function buildGraph(
  graph: Graph,
  condition: Condition,
  then: GraphNode = graph.leaf(true),
  otherwise: GraphNode = graph.leaf(false),
): GraphNode {
  switch (condition.kind) {
    case "always":
      return condition.result ? then : otherwise;
    case "test":
      return graph.test(condition.test, then, otherwise);
    case "store":
      return graph.store(condition.cell, condition.value, then);
    case "not":
      return buildGraph(graph, condition.part, otherwise, then);
    case "and":
      return condition.parts.reduceRight(
        (next, part) => buildGraph(graph, part, next, otherwise),
        then,
      );
    case "or":
      return condition.parts.reduceRight(
        (next, part) => buildGraph(graph, part, then, next),
        otherwise,
      );
  }
}

/** Steps after a step. */
export function successors(node: GraphNode): readonly GraphNode[] {
  switch (node.kind) {
    case "leaf":
      return [];
    case "store":
      return [node.next];
    case "test":
      return [node.then, node.otherwise];
  }
}

/**
 * All steps, each one before those after it.
 *
 * Ways that fail come before ways that hold, and so, where there is a choice,
 * a step is placed right before its `then`.
 */
export function inOrder(root: GraphNode): GraphNode[] {
  const finished: GraphNode[] = [];
  const seen = new Set<GraphNode>([root]);
  const stack = [{ node: root, next: 0 }];
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!;
    const after = [...successors(top.node)].reverse();
    const child = after[top.next++];
    if (child === undefined) {
      finished.push(top.node);
      stack.pop();
    } else if (!seen.has(child)) {
      seen.add(child);
      stack.push({ node: child, next: 0 });
    }
  }
  return finished.reverse();
}

/** The same step with other steps after it. */
export function remake(
  graph: Graph,
  node: GraphNode,
  next: readonly GraphNode[],
): GraphNode {
  switch (node.kind) {
    case "leaf":
      return node;
    case "store":
      return graph.store(node.cell, node.value, next[0]!);
    case "test":
      return graph.test(node.test, next[0]!, next[1]!);
  }
}

/** Cells that a step reads. */
export function cellsOf(node: GraphNode): number[] {
  const cells: number[] = [];
  const note = (value: Value): void => {
    switch (value.kind) {
      case "cell":
        cells.push(value.cell);
        break;
      case "alu":
        note(value.left);
        note(value.right);
        break;
      case "negate":
        note(value.operand);
        break;
      case "load":
        if (value.base !== undefined) note(value.base);
    }
  };
  if (node.kind === "test") {
    note(node.test.left);
    note(node.test.right);
  } else if (node.kind === "store") note(node.value);
  return cells;
}
