import assert from "node:assert/strict";
import fc from "fast-check";
import type { Interval } from "../../../bpf/decision_tree.ts";
import { fillGaps, sizeOf, toIntervals } from "../../../bpf/port_set.ts";

const ports = fc.uniqueArray(fc.nat(300)).map((all) =>
  all.sort((a, b) => a - b)
);

function members(intervals: readonly Interval[]): number[] {
  return intervals.flatMap(({ low, high }) =>
    Array.from({ length: high - low + 1 }, (_, index) => low + index)
  );
}

Deno.test("toIntervals() joins neighbors and nothing else", () => {
  assert.deepEqual(toIntervals([]), []);
  assert.deepEqual(toIntervals([0, 1, 2, 80, 443, 444, 65535]), [
    { low: 0, high: 2 },
    { low: 80, high: 80 },
    { low: 443, high: 444 },
    { low: 65535, high: 65535 },
  ]);
  fc.assert(fc.property(ports, (set) => {
    assert.deepEqual(members(toIntervals(set)), set);
  }));
});

Deno.test("toIntervals() takes ports in disorder and more than once", () => {
  assert.deepEqual(toIntervals([81, 80, 443, 80]), [
    { low: 80, high: 81 },
    { low: 443, high: 443 },
  ]);
});

Deno.test("toIntervals() refuses what is not a port", () => {
  for (const port of [-1, 65536, 1.5, NaN]) {
    assert.throws(() => toIntervals([80, port]), {
      name: "RangeError",
      message: `Cannot compile filter: ${port} is not a port (0 to 65535)`,
    });
  }
});

Deno.test("sizeOf() counts intervals and comparisons", () => {
  assert.deepEqual(
    sizeOf([toIntervals([1, 3, 4]), toIntervals([9])]),
    { intervals: 3, tests: 4 },
  );
});

Deno.test("fillGaps() fills the smallest gaps first", () => {
  const set = toIntervals([10, 12, 20, 25, 26, 40]);
  const atMost = (intervals: number): Interval[] =>
    fillGaps([set], (size) => size.intervals <= intervals)[0]!;
  assert.deepEqual(atMost(9), set);
  assert.deepEqual(atMost(4), [
    { low: 10, high: 12 },
    ...toIntervals([20, 25, 26, 40]),
  ]);
  assert.deepEqual(atMost(3), [
    { low: 10, high: 12 },
    { low: 20, high: 26 },
    { low: 40, high: 40 },
  ]);
  assert.deepEqual(atMost(0), [{ low: 10, high: 40 }]);
});

Deno.test("fillGaps() fills no more gaps than needed, over all sets", () => {
  fc.assert(fc.property(ports, ports, fc.nat(150), (one, two, limit) => {
    const sets = [toIntervals(one), toIntervals(two)];
    const filled = fillGaps(sets, ({ tests }) => tests <= limit);
    for (const [index, set] of sets.entries()) {
      const all = new Set(members(filled[index]!));
      for (const port of members(set)) assert.ok(all.has(port));
    }
    const least = sets.filter((set) => set.length > 0).length;
    const { intervals, tests } = sizeOf(filled);
    assert.ok(tests <= limit || intervals === least);
    // Filling one gap less would not have fitted.
    const gaps = sizeOf(sets).intervals - intervals;
    if (gaps > 0) {
      const before = fillGaps(sets, (size) => size.intervals <= intervals + 1);
      assert.equal(sizeOf(before).intervals, intervals + 1);
      assert.ok(sizeOf(before).tests > limit);
    }
  }));
});
