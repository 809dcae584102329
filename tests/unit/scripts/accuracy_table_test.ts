import assert from "node:assert/strict";
import {
  type AccuracyRun,
  accuracyTable,
  groupOf,
  isHonest,
  ratio,
} from "../../../scripts/accuracy_table.ts";
import type { AccuracyRecord } from "../../support/accuracy.ts";

function recordOf(
  name: string,
  tracker: string,
  rest: Partial<AccuracyRecord> = {},
): AccuracyRecord {
  const variant = ["--tracker", tracker, "--kernel-filter", "map"];
  const counts = { wanted: 10, right: 10, missing: 0, wrong: 0, told: [] };
  return { name, variant, ...counts, ...rest };
}

function runOf(
  records: readonly AccuracyRecord[],
  rest: Partial<AccuracyRun> = {},
): AccuracyRun {
  const ways = [
    { tracker: "ebpf", filter: "map" },
    { tracker: "ptrace", filter: "map" },
  ] as const;
  return { facts: {}, ways, records, failed: [], skipped: 0, ...rest };
}

const GOOD = "1.000 / 1.000";
const EXACT = [
  recordOf("TCP: a", "ebpf"),
  recordOf("TCP: b", "ebpf", { wanted: 5, right: 7 }),
  recordOf("TCP: a", "ptrace"),
];

Deno.test("accuracyTable() has one row per case and a sum", () => {
  const table = accuracyTable(runOf(EXACT), false);
  assert.deepEqual(table.rows, [
    ["TCP: a", 10, GOOD, 10, GOOD, undefined],
    ["TCP: b", 5, GOOD, undefined, undefined, undefined],
    ["all", 15, GOOD, 10, GOOD, undefined],
  ]);
  assert.deepEqual(table.notes, []);
});

Deno.test("accuracyTable() adds up the cases of a group", () => {
  const { rows } = accuracyTable(runOf(EXACT), true);
  assert.deepEqual(rows[0], ["TCP", 15, GOOD, 10, GOOD, undefined]);
  assert.equal(rows.length, 2);
});

Deno.test("accuracyTable() counts what a test chose for the tool itself", () => {
  const record = recordOf("TCP: a", "ebpf");
  const variant = [...record.variant, "--kernel-filter", "classic"];
  const run = runOf([{ ...record, variant }], {
    ways: [
      { tracker: "ebpf", filter: "map" },
      { tracker: "ebpf", filter: "classic" },
    ],
  });
  assert.deepEqual(accuracyTable(run, false).rows[0], [
    ...["TCP: a", undefined, undefined, 10, GOOD, undefined],
  ]);
});

Deno.test("accuracyTable() counts tests without a choice as they were run", () => {
  const record = recordOf("rights: a", "ptrace");
  const variant = [...record.variant, "--tracker", "auto"];
  const run = runOf([{ ...record, variant }]);
  assert.deepEqual(accuracyTable(run, false).rows[0], [
    ...["rights: a", undefined, undefined, 10, GOOD, undefined],
  ]);
});

Deno.test("accuracyTable() names what was lost, and what is not known", () => {
  const lossy = recordOf("UDP: x", "ebpf", {
    wanted: 1000,
    right: 998,
    missing: 2,
    wrong: 2,
    told: ["N were left out"],
  });
  const silent = recordOf("UDP: y", "ptrace", { missing: 1 });
  const run = runOf([lossy, silent], { failed: ["UDP: z"], skipped: 3 });
  const { rows, notes } = accuracyTable(run, false);
  assert.deepEqual(rows[0], [
    ...["UDP: x", 1000, "0.998 / 0.998", undefined, undefined, "1"],
  ]);
  assert.deepEqual(notes, [
    "told 1: N were left out",
    "UDP: x --tracker ebpf --kernel-filter map: 2 missing (told), " +
    "2 foreign or doubled",
    "UDP: y --tracker ptrace --kernel-filter map: 1 missing (not told), " +
    "0 foreign or doubled",
    "UDP: z: ended without comparison",
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

Deno.test("isHonest() wants comparisons, and a word about what is missing", () => {
  assert.ok(isHonest(runOf(EXACT)));
  assert.ok(!isHonest(runOf([])));
  assert.ok(!isHonest(runOf(EXACT, { failed: ["TCP: c"] })));
  const told = ["N dropped by kernel"];
  const withOne = (rest: Partial<AccuracyRecord>): AccuracyRun =>
    runOf([...EXACT, recordOf("c", "ebpf", rest)]);
  assert.ok(!isHonest(withOne({ missing: 1 })));
  assert.ok(isHonest(withOne({ missing: 1, told })));
  assert.ok(!isHonest(withOne({ wrong: 1, told })));
});
