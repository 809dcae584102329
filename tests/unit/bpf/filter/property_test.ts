import fc from "fast-check";
import assert from "node:assert/strict";
import { findViolation } from "../../../../bpf/classic/validate.ts";
import { ClassicMachine } from "../../../../bpf/classic/vm.ts";
import { formatFilter } from "../../../../bpf/filter/ast.ts";
import type { FilterNode } from "../../../../bpf/filter/ast.ts";
import { compileFilter } from "../../../../bpf/filter/compile.ts";
import { ALWAYS, type Condition } from "../../../../bpf/filter/condition.ts";
import { emit } from "../../../../bpf/filter/emit.ts";
import { FilterSyntaxError } from "../../../../bpf/filter/errors.ts";
import { buildGraph, Graph } from "../../../../bpf/filter/graph.ts";
import { lowerFilter } from "../../../../bpf/filter/lower.ts";
import { BUILT_IN_NAMES } from "../../../../bpf/filter/names.ts";
import { optimize } from "../../../../bpf/filter/optimize.ts";
import { parseFilter } from "../../../../bpf/filter/parser.ts";
import { Values } from "../../../../bpf/filter/value.ts";
import { filters, withoutPlaces } from "./arbitrary.ts";
import { SAMPLE_LINK_TYPES, samplesOf } from "./samples.ts";

const LINK_TYPE = fc.constantFrom(...SAMPLE_LINK_TYPES);

Deno.test("formatFilter() and parseFilter() are inverse", () => {
  fc.assert(
    fc.property(filters({ isSafe: false }), (tree) => {
      const text = formatFilter(tree);
      const parsed = parseFilter(text);
      assert.deepEqual(withoutPlaces(parsed), withoutPlaces(tree));
      assert.equal(formatFilter(parsed), text);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("compileFilter() makes a valid program or names the mistake", () => {
  let compiled = 0;
  fc.assert(
    fc.property(filters({ isSafe: false }), LINK_TYPE, (tree, linkType) => {
      const text = formatFilter(tree);
      try {
        const { program } = compileFilter(text, { linkType });
        assert.equal(findViolation(program), undefined);
        compiled++;
      } catch (error) {
        if (error instanceof FilterSyntaxError) {
          assert(error.offset >= 0 && error.offset <= text.length);
        } else if (!(error instanceof RangeError)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
  assert(compiled > 200, `${compiled} programs`);
});

Deno.test("compileFilter() throws nothing else on any text", () => {
  const words = fc.constantFrom(
    ..."tcp ip6 host net port 80 10.0.0.1 ::1 and or not ( ) [ ] : = & src dst"
      .split(" "),
    ...'vlan geneve len pid comm proc in \\tcp 1:2:3:4:5:6 proto < /8 - "a"'
      .split(" "),
  );
  const text = fc.oneof(
    fc.array(words, { maxLength: 12 }).map((list) => list.join(" ")),
    fc.string(),
  );
  fc.assert(
    fc.property(text, (expression) => {
      try {
        compileFilter(expression, { linkType: 1 });
      } catch (error) {
        assert(error instanceof FilterSyntaxError, `${error}`);
      }
    }),
    { numRuns: 3000 },
  );
});

/** Long packets, so that no load fails and order does not matter. */
function longSamples(linkType: number): Uint8Array[] {
  return samplesOf(linkType).map(({ bytes }) => {
    const long = new Uint8Array(2048);
    long.set(bytes);
    return long;
  });
}

function lower(tree: FilterNode, linkType: number): Condition | undefined {
  try {
    return lowerFilter(tree, new Values(), {
      linkType,
      placement: "file",
      names: BUILT_IN_NAMES,
      netmask: 0,
      isBigEndian: false,
      processTerm: () => ALWAYS,
      fail: (at, reason): never => {
        throw new FilterSyntaxError("", at, reason);
      },
    });
  } catch (error) {
    if (error instanceof FilterSyntaxError) return undefined;
    throw error;
  }
}

Deno.test("optimize() keeps the verdicts", () => {
  const samples = new Map(
    SAMPLE_LINK_TYPES.map((linkType) => [linkType, longSamples(linkType)]),
  );
  let compared = 0;
  fc.assert(
    fc.property(filters({ isSafe: true }), LINK_TYPE, (tree, linkType) => {
      const condition = lower(tree, linkType);
      if (condition === undefined) return;
      const graph = new Graph();
      const root = buildGraph(graph, condition);
      const plain = emit(root, 1);
      const better = emit(optimize(graph, root), 1);
      assert(better.length <= plain.length);
      const machines = [plain, better].map((it) => new ClassicMachine(it));
      for (const bytes of samples.get(linkType)!) {
        const [first, second] = machines.map((it) => it.run({ bytes }));
        assert.equal(second, first);
      }
      compared++;
    }),
    { numRuns: 500 },
  );
  assert(compared > 50, `${compared} filters`);
});

Deno.test("matches() accepts no packet that the program drops", () => {
  const process = fc.option(
    fc.record({
      pid: fc.nat(255),
      comm: fc.constantFrom("curl", "Web Content", "and"),
      direction: fc.constantFrom("in" as const, "out" as const),
    }),
    { nil: undefined },
  );
  const samples = samplesOf(1);
  fc.assert(
    fc.property(filters({ isSafe: false }), process, (tree, owner) => {
      let filter;
      try {
        filter = compileFilter(formatFilter(tree), { linkType: 1 });
      } catch {
        return;
      }
      const machine = new ClassicMachine(filter.program);
      for (const { bytes, length: wireLength } of samples) {
        const kept = machine.run({ bytes, wireLength }) !== 0;
        const context = owner === undefined
          ? { wireLength }
          : { wireLength, process: owner };
        const matched = filter.matches(bytes, context);
        assert(kept || !matched);
        if (!filter.usesProcess) assert.equal(matched, kept);
      }
    }),
    { numRuns: 300 },
  );
});
