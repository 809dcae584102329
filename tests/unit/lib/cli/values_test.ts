import assert from "node:assert/strict";
import fc from "fast-check";
import { ValueError } from "../../../../lib/cli/options.ts";
import {
  nonEmpty,
  positiveTime,
  size,
  time,
  wholeNumber,
  wholeSeconds,
} from "../../../../lib/cli/values.ts";

Deno.test("wholeNumber() reads decimal numbers within limits", () => {
  const parse = wholeNumber(0, 100);
  assert.equal(parse("0"), 0);
  assert.equal(parse("007"), 7);
  assert.equal(parse("100"), 100);
});

Deno.test("wholeNumber() refuses everything else and says what it takes", () => {
  const parse = wholeNumber(1, 100);
  for (
    const text of [
      "",
      "0",
      "101",
      "-5",
      "+5",
      "5.0",
      "0x10",
      "1e1",
      " 5",
      "abc",
    ]
  ) {
    assert.throws(
      () => parse(text),
      { name: "ValueError", expected: "a whole number from 1 to 100" },
      text,
    );
  }
  assert.throws(
    () => wholeNumber(1)("9".repeat(17)),
    { expected: "a whole number, at least 1" },
  );
});

Deno.test("time() reads units, sums and plain seconds as milliseconds", () => {
  const cases: [string, number][] = [
    ["0", 0],
    ["10", 10_000],
    ["2.5", 2500],
    ["500ms", 500],
    ["10s", 10_000],
    ["2m", 120_000],
    ["1h30m", 5_400_000],
    ["1d", 86_400_000],
    ["1m0.5s", 60_500],
    ["0.4ms", 0],
  ];
  for (const [text, expected] of cases) {
    assert.equal(time(text), expected, text);
  }
});

Deno.test("time() refuses what is no time", () => {
  for (
    const text of ["", "s", "-1", "1x", "1 s", "1h30", ".5s", "1.s", "NaN"]
  ) {
    assert.throws(() => time(text), {
      expected: "a time such as 500ms, 10s, 2m or 1h30m",
    }, text);
  }
});

Deno.test("time() refuses what no timer can take", () => {
  assert.equal(time("24d"), 24 * 86_400_000);
  assert.throws(() => time("25d"), { expected: "a time of at most 24 days" });
  assert.throws(() => time("9".repeat(400)), ValueError);
});

Deno.test("time() either returns milliseconds or throws a ValueError", () => {
  const text = fc.stringMatching(/^[0-9.smhd -]{0,12}$/);
  fc.assert(fc.property(text, (text) => {
    try {
      const value = time(text);
      assert.ok(Number.isInteger(value) && value >= 0 && value <= 2 ** 31 - 1);
    } catch (error) {
      assert.ok(error instanceof ValueError);
    }
  }));
});

Deno.test("positiveTime() refuses no time at all", () => {
  assert.equal(positiveTime("1ms"), 1);
  for (const text of ["0", "0s", "0.4ms"]) {
    assert.throws(() => positiveTime(text), {
      expected: "a time of at least 1ms",
    });
  }
});

Deno.test("nonEmpty() refuses empty text and NUL", () => {
  assert.equal(nonEmpty("-"), "-");
  assert.throws(() => nonEmpty(""), ValueError);
  assert.throws(() => nonEmpty("a\0b"), ValueError);
});

Deno.test("size() reads sizes; plain numbers are megabytes", () => {
  const cases: readonly (readonly [string, number])[] = [
    ["1", 1_000_000],
    ["0.5", 500_000],
    ["500k", 500_000],
    ["2kB", 2000],
    ["10M", 10_000_000],
    ["1.5G", 1_500_000_000],
    ["1KiB", 1024],
    ["64mib", 67_108_864],
    ["2GiB", 2 ** 31],
  ];
  for (const [text, bytes] of cases) assert.equal(size(text), bytes, text);
  for (const text of ["", "0", "0.0000001", "-1", "1x", "k", "1 M", "9e99G"]) {
    assert.throws(() => size(text), ValueError, text);
  }
});

Deno.test("wholeSeconds() reads times of at least a second", () => {
  assert.equal(wholeSeconds("60"), 60);
  assert.equal(wholeSeconds("1500ms"), 1);
  assert.equal(wholeSeconds("1h30m"), 5400);
  for (const text of ["0", "999ms", "x"]) {
    assert.throws(() => wholeSeconds(text), ValueError, text);
  }
});
