import assert from "node:assert/strict";
import fc from "fast-check";
import { editDistance, nearest } from "../../../../lib/cli/suggest.ts";

Deno.test("editDistance() counts inserts, deletes, replacements and swaps", () => {
  const cases: [string, string, number][] = [
    ["", "", 0],
    ["abc", "abc", 0],
    ["", "abc", 3],
    ["abc", "", 3],
    ["ouput", "output", 1],
    ["outputt", "output", 1],
    ["outbut", "output", 1],
    ["otuput", "output", 1],
    ["abcd", "badc", 2],
    ["kitten", "sitting", 3],
  ];
  for (const [a, b, expected] of cases) {
    assert.equal(editDistance(a, b), expected, `${a} and ${b}`);
  }
});

Deno.test("editDistance() is symmetric and zero only for equal words", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (a, b) => {
    const distance = editDistance(a, b);
    assert.equal(distance, editDistance(b, a));
    assert.equal(distance === 0, a === b);
    assert.ok(distance <= Math.max(a.length, b.length));
  }));
});

Deno.test("nearest() finds the one that was meant", () => {
  const names = ["--output", "--snaplen", "--count", "--no-follow", "--quiet"];
  const cases: [string, string | undefined][] = [
    ["--ouput", "--output"],
    ["--outputs", "--output"],
    ["--snap", "--snaplen"],
    ["--nofollow", "--no-follow"],
    ["--quite", "--quiet"],
    ["--colour", undefined],
    ["--xyzzy", undefined],
  ];
  for (const [word, expected] of cases) {
    assert.equal(nearest(word, names), expected, word);
  }
});

Deno.test("nearest() does not guess between several beginnings", () => {
  assert.equal(nearest("--ver", ["--version", "--verbose"]), undefined);
});
