import { equal, match } from "node:assert/strict";
import { join } from "node:path";
import {
  readRun,
  type Run,
  writeRun,
} from "../../../../scripts/test_kernels/report.ts";
import type { Step } from "../../../../scripts/test_kernels/steps.ts";

const TESTS: Step = { name: "tests", title: "Tests", limit: 9, args: ["test"] };

/** What is read of a folder with one step's log and status. */
async function runOf(log: string, status: string, isOver = true): Promise<Run> {
  const results = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(results, "00-tests.log"), log);
    await Deno.writeTextFile(join(results, "00-tests.status"), status);
    await Deno.writeTextFile(join(results, "machine"), "5.10.0\n#1 SMP\n");
    return await readRun({
      kernel: { version: "5.10", suite: "bullseye" },
      unpacked: { source: "linux", image: "", modules: "" },
      results,
      steps: [TESTS],
      commit: "1234567",
      isOver,
    });
  } finally {
    await Deno.remove(results, { recursive: true });
  }
}

Deno.test("readRun() takes the counts of the summary", async () => {
  const log = "a ... ok (1s)\nb ... FAILED (2s)\n" +
    "c (skipped: needs x) ... ignored (0ms)\n" +
    "\n FAILURES \n\nb => ./tests/b_test.ts:57:10\n\n" +
    "FAILED | 1 passed | 1 failed | 3 ignored (4s)\n";
  const { steps: [step], uname } = await runOf(log, "1 40\n");
  equal(uname, "5.10.0 #1 SMP");
  equal(step?.outcome, "1 passed, 1 failed, 3 skipped");
  equal(step?.seconds, 40);
  equal(step?.isGood, false);
  equal(step?.notes.join(), "b => ./tests/b_test.ts:57:10,(skipped: needs x)");
});

Deno.test("readRun() tells a run that was cut off", async () => {
  const { steps: [step] } = await runOf(
    "a ... ok (1s)\nb ...'b' has been running for over (1m0s)\n ok (1m9s)\n" +
      "c ... FAILED (1s)\nd ... ",
    "124 9\n",
  );
  equal(step?.outcome, "2 passed, 1 failed, then out of time");
  equal(step?.isGood, false);
});

Deno.test("readRun() tells what was not run", async () => {
  const { steps } = await runOf("", "", false);
  equal(steps[0]?.outcome, "not run");
  equal(steps[1]?.title, "Machine");
  equal(steps.every(({ isGood }) => !isGood), true);
});

Deno.test("readRun() takes a run without tests for a failure", async () => {
  const { steps: [step] } = await runOf("ok | 0 passed | 0 failed (1s)", "0 1");
  equal(step?.isGood, false);
});

Deno.test("writeRun() shows the end of the verifier's log", async () => {
  const run = await runOf("ok | 2 passed | 0 failed (1s)", "0 1");
  const log = Array.from({ length: 30 }, (_, i) => `line ${i}`).join("\n");
  const probes = [{ part: "cg", error: "no | way", log, milliseconds: 5 }];
  const text = writeRun({ ...run, probes });
  match(text, /\| cg \| no: no \\\| way \| 5 \|/);
  match(text, /line 18\n[^]*line 29\n```/);
  equal(text.includes("line 17\n"), false);
  match(text, /\| Tests \| 2 passed, 0 failed \| 1 \|/);
});
