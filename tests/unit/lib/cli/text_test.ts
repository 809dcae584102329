import assert from "node:assert/strict";
import fc from "fast-check";
import {
  countOf,
  cut,
  cutMiddle,
  formatBytes,
  formatClock,
  formatCount,
  formatSpan,
  printable,
  wrap,
} from "../../../../lib/cli/text.ts";

Deno.test("formatCount() separates thousands", () => {
  assert.equal(formatCount(0), "0");
  assert.equal(formatCount(999), "999");
  assert.equal(formatCount(1000), "1,000");
  assert.equal(formatCount(1234567), "1,234,567");
});

Deno.test("countOf() makes the noun fit", () => {
  assert.equal(countOf(0, "packet"), "0 packets");
  assert.equal(countOf(1, "packet"), "1 packet");
  assert.equal(countOf(2000, "packet"), "2,000 packets");
});

Deno.test("formatBytes() uses decimal units and never shows 1000 of one", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [999_949, "999.9 kB"],
    [999_950, "1.0 MB"],
    [34_500_000, "34.5 MB"],
    [1e12, "1.0 TB"],
    [5e18, "5000.0 PB"],
  ];
  for (const [value, expected] of cases) {
    assert.equal(formatBytes(value), expected);
  }
});

Deno.test("formatClock() shows minutes and hours", () => {
  assert.equal(formatClock(0), "0:00");
  assert.equal(formatClock(59_999), "0:59");
  assert.equal(formatClock(754_000), "12:34");
  assert.equal(formatClock(3_723_000), "1:02:03");
  assert.equal(formatClock(100 * 3_600_000), "100:00:00");
});

Deno.test("formatSpan() keeps about three digits", () => {
  const cases: [number, string][] = [
    [0, "0 ms"],
    [0.2, "<1 ms"],
    [0.6, "1 ms"],
    [123.4, "123 ms"],
    [999.4, "999 ms"],
    [999.6, "1.00 s"],
    [9_994, "9.99 s"],
    [9_996, "10.0 s"],
    [59_940, "59.9 s"],
    [59_960, "60.0 s"],
    [60_000, "1:00"],
    [125_000, "2:05"],
  ];
  for (const [value, expected] of cases) {
    assert.equal(formatSpan(value), expected);
  }
});

Deno.test("printable() disarms what a terminal would obey", () => {
  assert.equal(printable("nginx"), "nginx");
  assert.equal(printable("a\x1b[31m\r\n\x07\x7f\x9bb"), "a?[31m?????b");
  assert.equal(printable("\u202egnp.exe"), "?gnp.exe");
  assert.equal(printable("bücher.example"), "bücher.example");
});

Deno.test("cut() and cutMiddle() keep within the width", () => {
  assert.equal(cut("abcdef", 6), "abcdef");
  assert.equal(cut("abcdef", 4), "abc…");
  assert.equal(cut("abcdef", 0), "");
  assert.equal(cutMiddle("abcdefgh", 8), "abcdefgh");
  assert.equal(cutMiddle("abcdefgh", 5), "ab…gh");
  assert.equal(cutMiddle("abcdefgh", 1), "…");
  assert.equal(cutMiddle("abcdefgh", 0), "");
  fc.assert(fc.property(fc.string(), fc.nat(20), (text, width) => {
    assert.ok([...cut(text, width)].length <= width);
    assert.ok([...cutMiddle(text, width)].length <= width);
  }));
});

Deno.test("wrap() breaks at spaces and loses no word", () => {
  assert.deepEqual(wrap("one two three", 7), ["one two", "three"]);
  assert.deepEqual(wrap("extraordinary", 4), ["extraordinary"]);
  assert.deepEqual(wrap("", 4), [""]);
});
