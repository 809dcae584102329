import assert from "node:assert/strict";
import {
  type AccuracyRun,
  accuracyTable,
  groupOf,
  isExact,
  ratio,
} from "../../../scripts/accuracy_table.ts";
import type { AccuracyRecord } from "../../support/accuracy.ts";

function recordOf(
  name: string,
  tracker: string,
  sums: Partial<AccuracyRecord> = {},
): AccuracyRecord {
  const variant = ["--tracker", tracker];
  const counts = { wanted: 10, right: 10, missing: 0, wrong: 0, told: 0 };
  return { name, variant, ...counts, ...sums };
}

function runOf(
  records: readonly AccuracyRecord[],
  rest: Partial<AccuracyRun> = {},
): AccuracyRun {
  const trackers = ["ebpf", "ptrace"] as const;
  return { facts: {}, trackers, records, failed: [], skipped: 0, ...rest };
}

const EXACT = [
  recordOf("TCP: a", "ebpf"),
  recordOf("TCP: b", "ebpf", { wanted: 5, right: 7 }),
  recordOf("TCP: a", "ptrace"),
];

Deno.test("accuracyTable() has one row per case and a sum", () => {
  const table = accuracyTable(runOf(EXACT), false);
  assert.deepEqual(table.rows, [
    ["TCP: a", 10, "1.000", "1.000", 10, "1.000", "1.000"],
    ["TCP: b", 5, "1.000", "1.000", undefined, undefined, undefined],
    ["all", 15, "1.000", "1.000", 10, "1.000", "1.000"],
  ]);
  assert.deepEqual(table.notes, []);
});

Deno.test("accuracyTable() adds up the cases of a group", () => {
  const { rows } = accuracyTable(runOf(EXACT), true);
  assert.deepEqual(rows[0], [
    ...["TCP", 15, "1.000", "1.000"],
    ...[10, "1.000", "1.000"],
  ]);
  assert.equal(rows.length, 2);
});

Deno.test("accuracyTable() names what was lost, and what is not known", () => {
  const lossy = recordOf("UDP: x", "ebpf", {
    wanted: 1000,
    right: 998,
    missing: 2,
    wrong: 2,
    told: 1,
  });
  const run = runOf([lossy], { failed: ["UDP: y"], skipped: 3 });
  const { rows, notes } = accuracyTable(run, false);
  assert.deepEqual(rows[0]!.slice(0, 4), ["UDP: x", 1000, "0.998", "0.998"]);
  assert.deepEqual(notes, [
    "UDP: x --tracker ebpf: 2 missing (1 of them told), 2 foreign or doubled",
    "UDP: y: ended without comparison",
    "3 cases cannot run on this machine",
  ]);
});

Deno.test("ratio() shows 1.000 only for what is exact", () => {
  assert.equal(ratio(99_999, 100_000), "0.999");
  assert.equal(ratio(100_000, 100_000), "1.000");
  assert.equal(ratio(0, 7), "0.000");
  assert.equal(ratio(0, 0), undefined);
});

Deno.test("groupOf() is the text before the first colon and space", () => {
  assert.equal(groupOf("UDP server: echo at [::]:0"), "UDP server");
  assert.equal(groupOf("at 127.0.0.1:0"), "at 127.0.0.1:0");
});

Deno.test("isExact() wants comparisons, all of them right", () => {
  assert.ok(isExact(runOf(EXACT)));
  assert.ok(!isExact(runOf([])));
  assert.ok(!isExact(runOf(EXACT, { failed: ["TCP: c"] })));
  for (const bad of [{ missing: 1 }, { wrong: 1 }]) {
    assert.ok(!isExact(runOf([...EXACT, recordOf("c", "ebpf", bad)])));
  }
});
