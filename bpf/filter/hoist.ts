/**
 * Moves tests of a value up to where the value was tested before.
 *
 * ```text
 *   V = 1? -> R ... R -> V = 2? -> Y        V = 1? -> V = 2? -> R ... R -> Y
 *             |    |       |          ==>               |       |    |
 *             X    X       X                            X       X    X
 * ```
 *
 * This is right when every way through the part R between the tests leads to
 * the second test or to the step X that it leads to as well. It saves a load,
 * and often lets the outcome of the first test decide the second.
 *
 * @module
 */
import { type Graph, type GraphNode, inOrder, successors } from "./graph.ts";
import { remake, type TestNode } from "./graph.ts";
import type { Value } from "./value.ts";

/** Larger parts are not looked at. */
const MAX_PART = 64;

/** Tests of one value that are entered at one place and left to two. */
interface Cluster {
  readonly entry: GraphNode;
  readonly tests: ReadonlySet<GraphNode>;
  readonly exits: readonly GraphNode[];
}

/** Moves one cluster of tests up; the same graph when there is none. */
export function hoist(graph: Graph, root: GraphNode): GraphNode {
  const nodes = inOrder(root);
  const before = findBefore(nodes);
  for (const start of nodes) {
    const value = testedBefore(before.get(start) ?? []);
    if (value === undefined || start.kind === "leaf" || tests(start, value)) {
      continue;
    }
    const cluster = findCluster(start, value, before);
    if (cluster === undefined) continue;
    for (const exit of cluster.exits) {
      const part = findPart(start, cluster, exit, before);
      if (part === undefined) continue;
      const other = cluster.exits.find((node) => node !== exit)!;
      return move(graph, nodes, start, part, cluster, other);
    }
  }
  return root;
}

function tests(node: GraphNode, value: Value): node is TestNode {
  return node.kind === "test" && node.test.left === value;
}

function findBefore(nodes: readonly GraphNode[]): Map<GraphNode, GraphNode[]> {
  const before = new Map<GraphNode, GraphNode[]>();
  for (const node of nodes) {
    for (const next of successors(node)) {
      const known = before.get(next);
      if (known === undefined) before.set(next, [node]);
      else known.push(node);
    }
  }
  return before;
}

/** The value that all steps before test, if it is the same. */
function testedBefore(before: readonly GraphNode[]): Value | undefined {
  const first = before[0];
  if (first === undefined || first.kind !== "test") return undefined;
  const { left } = first.test;
  return before.every((node) => tests(node, left)) ? left : undefined;
}

/** The next tests of a value after a step. */
function findCluster(
  start: GraphNode,
  value: Value,
  before: ReadonlyMap<GraphNode, readonly GraphNode[]>,
): Cluster | undefined {
  const entry = findTest(start, value);
  if (entry === undefined) return undefined;
  const found = new Set<GraphNode>([entry]);
  const exits = new Set<GraphNode>();
  const stack = [...successors(entry)];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (found.has(node)) continue;
    const isInside = tests(node, value) &&
      before.get(node)!.every((other) => found.has(other));
    if (isInside) {
      found.add(node);
      exits.delete(node);
      stack.push(...successors(node));
    } else exits.add(node);
  }
  return exits.size === 2
    ? { entry, tests: found, exits: [...exits] }
    : undefined;
}

/** The first test of a value after a step, looking breadth first. */
function findTest(start: GraphNode, value: Value): GraphNode | undefined {
  const seen = new Set<GraphNode>([start]);
  for (const node of seen) {
    if (tests(node, value)) return node;
    if (seen.size > MAX_PART) return undefined;
    for (const next of successors(node)) seen.add(next);
  }
  return undefined;
}

/** The steps between, if all ways through them lead where they should. */
function findPart(
  start: GraphNode,
  { entry, tests: cluster }: Cluster,
  exit: GraphNode,
  before: ReadonlyMap<GraphNode, readonly GraphNode[]>,
): Set<GraphNode> | undefined {
  const part = new Set<GraphNode>([start]);
  for (const node of part) {
    if (part.size > MAX_PART) return undefined;
    for (const next of successors(node)) {
      if (next === entry || next === exit) continue;
      if (next.kind === "leaf" || cluster.has(next)) return undefined;
      part.add(next);
    }
  }
  for (const node of [...part, entry]) {
    if (node === start) continue;
    if (!before.get(node)!.every((other) => part.has(other))) return undefined;
  }
  return part;
}

/** Makes the graph with the cluster in front of the part. */
function move(
  graph: Graph,
  nodes: readonly GraphNode[],
  start: GraphNode,
  part: ReadonlySet<GraphNode>,
  { entry, tests: cluster }: Cluster,
  other: GraphNode,
): GraphNode {
  const rebuilt = new Map<GraphNode, GraphNode>();
  const shift = (steps: ReadonlySet<GraphNode>): void => {
    for (const node of nodes.toReversed()) {
      if (!steps.has(node)) continue;
      const next = successors(node).map((after) => rebuilt.get(after)!);
      rebuilt.set(node, remake(graph, node, next));
    }
  };
  for (const node of nodes.toReversed()) {
    if (node === start) {
      rebuilt.set(entry, rebuilt.get(other)!);
      shift(part);
      const body = rebuilt.get(start)!;
      const exitBefore = rebuilt.get(other)!;
      rebuilt.set(other, body);
      shift(cluster);
      rebuilt.set(other, exitBefore);
      rebuilt.set(start, rebuilt.get(entry)!);
    } else {
      const next = successors(node).map((after) => rebuilt.get(after)!);
      rebuilt.set(node, remake(graph, node, next));
    }
  }
  return rebuilt.get(nodes[0]!)!;
}
