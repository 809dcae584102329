import assert from "node:assert/strict";
import {
  failedTests,
  judge,
  parseSummary,
  sum,
} from "../../../scripts/gate_summary.ts";

Deno.test("parseSummary() reads every kind of summary", () => {
  const cases: [string, number, number, number][] = [
    ["ok | 68 passed | 0 failed (1s)", 68, 0, 0],
    ["FAILED | 50 passed | 2 failed (775ms)", 50, 2, 0],
    ["ok | 1 passed (12 steps) | 0 failed | 3 ignored (2m5s)", 1, 0, 3],
    [
      "FAILED | 7 passed (2 steps) | 1 failed (1 step) | 2 ignored " +
      "| 1 measured | 9 filtered out (3s)",
      7,
      1,
      2,
    ],
  ];
  for (const [line, passed, failed, ignored] of cases) {
    assert.deepEqual(
      parseSummary(`a test ... ok\n\n${line}\n\n`),
      { passed, failed, ignored },
    );
  }
});

Deno.test("parseSummary() takes the last summary, not what tests print", () => {
  const output = "ok | 9 passed | 9 failed (1s)\nok | 1 passed | 0 failed (1s)";
  assert.deepEqual(parseSummary(output), { passed: 1, failed: 0, ignored: 0 });
  assert.equal(parseSummary("it is ok | 9 passed | 0 failed\n"), undefined);
  assert.equal(parseSummary(""), undefined);
});

Deno.test("judge() counts a run that died as one failure", () => {
  assert.deepEqual(judge("", false, false), {
    passed: 0,
    failed: 1,
    ignored: 0,
  });
  assert.equal(judge("", true, false).failed, 1);
  assert.equal(judge("ok | 3 passed | 0 failed (1s)", false, false).failed, 1);
  assert.equal(judge("ok | 0 passed | 0 failed (1s)", true, false).failed, 1);
});

Deno.test("judge() counts failures once", () => {
  const output = "FAILED | 3 passed | 2 failed (1s)";
  assert.equal(judge(output, false, false).failed, 2);
  assert.equal(judge("ok | 3 passed | 0 failed (1s)", true, true).failed, 0);
});

Deno.test("judge() counts ignored tests only where all must run", () => {
  const output = "ok | 3 passed | 0 failed | 2 ignored (1s)";
  assert.equal(judge(output, true, false).failed, 0);
  assert.equal(judge(output, true, true).failed, 2);
});

Deno.test("sum() adds up", () => {
  assert.deepEqual(
    sum([
      { passed: 1, failed: 2, ignored: 3 },
      { passed: 10, failed: 20, ignored: 30 },
    ]),
    { passed: 11, failed: 22, ignored: 33 },
  );
  assert.deepEqual(sum([]), { passed: 0, failed: 0, ignored: 0 });
});

Deno.test("failedTests() names what failed, once", () => {
  const output = [
    "one ... FAILED (1s)",
    "\n ERRORS \n",
    "one => ./tests/a_test.ts:1:6",
    "error: Error: no",
    "\n FAILURES \n",
    "one => ./tests/a_test.ts:1:6",
    "two: with => arrows --tracker tp => ./tests/b/c_test.ts:12:34",
    "two: with => arrows --tracker tp => ./tests/b/c_test.ts:12:34",
    "\nFAILED | 3 passed | 2 failed (1s)",
  ].join("\n");
  assert.deepEqual(failedTests(output), [
    "one",
    "two: with => arrows --tracker tp",
  ]);
  assert.deepEqual(failedTests("ok | 3 passed | 0 failed (1s)"), []);
});
