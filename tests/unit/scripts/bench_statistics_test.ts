import { equal } from "node:assert/strict";
import {
  median,
  percentOf,
  typical,
} from "../../../scripts/bench_statistics.ts";

Deno.test("median() is the middle value whatever the order", () => {
  equal(median([9, 1, 5]), 5);
  equal(median([10, 2, 4, 8]), 6);
  equal(median([7]), 7);
  equal(median([]), NaN);
});

Deno.test("median() sorts numbers, not texts", () => {
  equal(median([100, 9, 20]), 20);
});

Deno.test("typical() is undefined where nothing was measured", () => {
  equal(typical([]), undefined);
  equal(typical([3, 1]), 2);
});

Deno.test("percentOf() compares within rounds", () => {
  const base = new Map([[1, 100], [2, 10], [3, 50]]);
  equal(percentOf(new Map([[1, 50], [2, 5], [3, 40]]), base), 50);
});

Deno.test("percentOf() leaves out rounds that lack one of both", () => {
  const base = new Map([[1, 100], [3, 0]]);
  equal(percentOf(new Map([[1, 20], [2, 70], [3, 1]]), base), 20);
  equal(percentOf(new Map([[2, 70]]), base), undefined);
});
