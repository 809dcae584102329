import assert from "node:assert/strict";
import fc from "fast-check";
import { parseStat, readStat } from "../../../../lib/proc/stat.ts";
import { makeProc } from "./fixture.ts";

function statLine(comm: string): string {
  return `4242 (${comm}) S 4200 4242 4200 34816 4242 4194304 94 0 0 0 0 0 0 0` +
    ` 20 0 1 0 1234567 3133440 444 18446744073709551615 1 1 0 0 0 0 0\n`;
}

Deno.test("parseStat() decodes the fields", () => {
  assert.deepEqual(parseStat(statLine("cat")), {
    pid: 4242,
    comm: "cat",
    state: "S",
    ppid: 4200,
    flags: 4194304,
    startTime: 1234567,
  });
});

Deno.test("parseStat() takes any comm", () => {
  fc.assert(fc.property(fc.string({ maxLength: 15 }), (comm) => {
    const stat = parseStat(statLine(comm));
    assert.equal(stat?.comm, comm);
    assert.equal(stat?.startTime, 1234567);
  }));
  for (const comm of ["(sd-pam)", ") R 1 (", "a\nb", "", " ", ") "]) {
    assert.equal(parseStat(statLine(comm))?.comm, comm);
    assert.equal(parseStat(statLine(comm))?.ppid, 4200);
  }
});

Deno.test("parseStat() refuses what is not a stat line", () => {
  for (
    const text of ["", "4242", "4242 (cat", "4242 (cat) S", "x (cat) S 1 2"]
  ) {
    assert.equal(parseStat(text), undefined, text);
  }
  fc.assert(fc.property(fc.string(), (text) => {
    parseStat(text);
  }));
});

Deno.test("readStat() reads the file of the given process", () => {
  using proc = makeProc({ "4242/stat": statLine("cat") });
  assert.equal(readStat(4242, proc.root)?.comm, "cat");
  assert.equal(readStat(1, proc.root), undefined);
});
