/**
 * Optimizer of decision graphs.
 *
 * Four rewrites are repeated until none of them finds anything:
 *
 * - A way into a test whose outcome is known on that way skips the test.
 * - Tests in a row that all leave for the same step are sorted, so that tests
 *   of one value come together and share its load.
 * - Tests are moved up to where their value was tested before.
 * - Values that are stored but never read are not stored.
 *
 * None makes a graph larger or adds a load to a way through it.
 *
 * @module
 */
import { decide, type Facts, learn, meet, NO_FACTS } from "./facts.ts";
import {
  cellsOf,
  type Graph,
  type GraphNode,
  inOrder,
  remake,
  successors,
  type TestNode,
} from "./graph.ts";
import { hoist } from "./hoist.ts";
import type { Value } from "./value.ts";

/** Steps looked at before the optimizer is content, and at least rounds. */
const MAX_EFFORT = 20_000;
const MIN_ROUNDS = 16;

/** Makes an equivalent graph that takes fewer steps. */
export function optimize(graph: Graph, root: GraphNode): GraphNode {
  let current = root;
  const rounds = MAX_EFFORT / inOrder(root).length;
  for (let round = 0; round < Math.max(MIN_ROUNDS, rounds); round++) {
    const simple = dropStores(
      graph,
      sortChains(graph, thread(graph, current)),
    );
    const next = simple === current ? hoist(graph, current) : simple;
    if (next === current) break;
    current = next;
  }
  return current;
}

/** Redirects ways past tests whose outcome is known on them. */
function thread(graph: Graph, root: GraphNode): GraphNode {
  const nodes = inOrder(root);
  const facts = new Map<GraphNode, Facts>([[root, NO_FACTS]]);
  const targets = new Map<GraphNode, readonly GraphNode[]>();
  const uses = countTests(nodes);
  for (const node of nodes) {
    const known = facts.get(node);
    if (known === undefined) continue; // No way leads here any more.
    const next = successors(node).map((target, index) => {
      const isUseful = node.kind === "test" && uses.get(node.test.left)! > 1;
      const then = isUseful ? learn(known, node.test, index === 0) : known;
      const end = skip(then, target);
      const met = facts.get(end);
      facts.set(end, met === undefined ? then : meet(met, then));
      return end;
    });
    targets.set(node, next);
  }
  return rebuild(graph, root, nodes, targets);
}

/** How many tests look at a value: facts about others are of no use. */
function countTests(nodes: readonly GraphNode[]): Map<Value, number> {
  const uses = new Map<Value, number>();
  const count = (value: Value): void => {
    uses.set(value, (uses.get(value) ?? 0) + 1);
    if (value.kind === "alu") count(value.left);
  };
  for (const node of nodes) if (node.kind === "test") count(node.test.left);
  return uses;
}

function skip(facts: Facts, target: GraphNode): GraphNode {
  let node = target;
  while (node.kind === "test") {
    const outcome = decide(facts, node.test);
    if (outcome === undefined) break;
    node = outcome ? node.then : node.otherwise;
  }
  return node;
}

function rebuild(
  graph: Graph,
  root: GraphNode,
  nodes: readonly GraphNode[],
  targets: ReadonlyMap<GraphNode, readonly GraphNode[]>,
): GraphNode {
  const rebuilt = new Map<GraphNode, GraphNode>();
  for (const node of nodes.toReversed()) {
    const next = targets.get(node)?.map((target) => rebuilt.get(target)!);
    if (next !== undefined) rebuilt.set(node, remake(graph, node, next));
  }
  return rebuilt.get(root)!;
}

/** Tests in a row of which all leave for the same step. */
interface Chain {
  readonly tests: readonly TestNode[];
  /** Where the last test goes when it does not leave. */
  readonly end: GraphNode;
}

function sortChains(graph: Graph, root: GraphNode): GraphNode {
  const nodes = inOrder(root);
  const ways = countWays(nodes);
  const chains = new Map<GraphNode, Chain & { readonly leaves: boolean }>();
  const inside = new Set<GraphNode>();
  for (const node of nodes) {
    if (node.kind !== "test" || inside.has(node)) continue;
    for (const leaves of [true, false]) {
      const chain = findChain(node, leaves, ways);
      if (chain.tests.length < 3) continue;
      chains.set(node, { ...chain, leaves });
      for (const test of chain.tests) inside.add(test);
      break;
    }
  }
  const rebuilt = new Map<GraphNode, GraphNode>();
  for (const node of nodes.toReversed()) {
    const chain = chains.get(node);
    if (chain === undefined) {
      const next = successors(node).map((after) => rebuilt.get(after)!);
      rebuilt.set(node, remake(graph, node, next));
      continue;
    }
    const exit = rebuilt.get(way(chain.tests[0]!, chain.leaves))!;
    let next = rebuilt.get(chain.end)!;
    for (const { test } of group(chain.tests).reverse()) {
      next = chain.leaves
        ? graph.test(test, exit, next)
        : graph.test(test, next, exit);
    }
    rebuilt.set(node, next);
  }
  return rebuilt.get(root)!;
}

function way(node: TestNode, outcome: boolean): GraphNode {
  return outcome ? node.then : node.otherwise;
}

function countWays(nodes: readonly GraphNode[]): Map<GraphNode, number> {
  const ways = new Map<GraphNode, number>();
  for (const node of nodes) {
    for (const next of successors(node)) {
      ways.set(next, (ways.get(next) ?? 0) + 1);
    }
  }
  return ways;
}

/** @param leaves Which outcome leaves the chain. */
function findChain(
  first: TestNode,
  leaves: boolean,
  ways: ReadonlyMap<GraphNode, number>,
): Chain {
  const exit = way(first, leaves);
  const tests = [first];
  let end = way(first, !leaves);
  while (
    end.kind === "test" && ways.get(end) === 1 && way(end, leaves) === exit
  ) {
    tests.push(end);
    end = way(end, !leaves);
  }
  return { tests, end };
}

/** Brings tests of one value together, in the order of their first test. */
function group(tests: readonly TestNode[]): TestNode[] {
  const groups = new Map<Value, TestNode[]>();
  for (const node of tests) {
    const { left } = node.test;
    const known = groups.get(left);
    if (known === undefined) groups.set(left, [node]);
    else known.push(node);
  }
  return [...groups.values()].flat();
}

/** Removes stores of values that nothing reads. */
function dropStores(graph: Graph, root: GraphNode): GraphNode {
  const nodes = inOrder(root);
  const read = new Set(nodes.flatMap(cellsOf));
  const rebuilt = new Map<GraphNode, GraphNode>();
  for (const node of nodes.toReversed()) {
    const next = successors(node).map((after) => rebuilt.get(after)!);
    const isDead = node.kind === "store" && !read.has(node.cell);
    rebuilt.set(node, isDead ? next[0]! : remake(graph, node, next));
  }
  return rebuilt.get(root)!;
}
