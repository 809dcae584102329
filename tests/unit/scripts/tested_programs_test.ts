import assert from "node:assert/strict";
import { OptionError } from "../../../scripts/script.ts";
import { parseOptions } from "../../../scripts/tested_programs/options.ts";
import {
  isHarmless,
  merge,
  type ProgramReport,
  programTable,
  WAYS,
} from "../../../scripts/tested_programs/report.ts";

const [LAUNCHED_EBPF, , ATTACHED_EBPF, ATTACHED_PTRACE] = WAYS;

function reportOf(
  name: string,
  results: ProgramReport["results"],
): ProgramReport {
  const version = "1.2";
  return { name, version, date: "2026-01-02", times: 60, results };
}

const GOOD = reportOf("good", [
  { ...LAUNCHED_EBPF!, ratio: 1.019 },
  ATTACHED_EBPF!,
]);
const BAD = reportOf("bad", [
  { ...ATTACHED_PTRACE!, failure: "Expected values\nand more" },
]);

Deno.test("programTable() shows each way in a column of its own", () => {
  const { columns, rows, notes } = programTable([GOOD]);
  assert.deepEqual(columns.map(({ heading }) => heading), [
    ...["program", "version", "launched, ebpf", "launched, ptrace"],
    ...["attached, ebpf", "attached, ptrace", "date"],
  ]);
  assert.deepEqual(rows, [[
    ...["good", "1.2", "same, time × 1.02", undefined],
    ...["same, 60 times", undefined, "2026-01-02"],
  ]]);
  assert.deepEqual(notes, []);
});

Deno.test("programTable() says what differs", () => {
  const { rows, notes } = programTable([GOOD, BAD]);
  assert.equal(rows[1]![5], "differs");
  assert.deepEqual(notes, ["bad, attached, ptrace: Expected values"]);
});

Deno.test("isHarmless() wants every way to be as without the tool", () => {
  assert.ok(isHarmless([GOOD]));
  assert.ok(!isHarmless([GOOD, BAD]));
});

Deno.test("merge() replaces reports about the same program", () => {
  const again = { ...BAD, results: [] };
  assert.deepEqual(merge([BAD, GOOD], [again]), [GOOD, again]);
});

Deno.test("tested-programs: parseOptions() takes names and a number", () => {
  assert.deepEqual(parseOptions(["--times", "3", "go", "node"]), {
    names: ["go", "node"],
    times: 3,
    markdown: false,
    save: undefined,
    show: undefined,
  });
  assert.equal(parseOptions([])?.times, 60);
  assert.equal(parseOptions(["--help"]), undefined);
  for (const text of ["0", "-1", "x", "99999999"]) {
    assert.throws(() => parseOptions([`--times=${text}`]), OptionError);
  }
});
