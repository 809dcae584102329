import { equal } from "node:assert/strict";
import fc from "fast-check";
import { TextBuffer } from "../../../../lib/bytes/text_buffer.ts";

Deno.test("TextBuffer holds what was appended, whatever it is", () => {
  const piece = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: "binary-ascii", maxLength: 3000 }),
    fc.integer({ min: 0, max: 2 ** 33 }),
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const text = new TextBuffer();
      text.text("left over");
      text.clear();
      for (const each of pieces) {
        if (typeof each === "number") text.number(each);
        else text.text(each);
      }
      const expected = pieces.join("").toWellFormed();
      equal(text.toString(), expected);
      equal(text.length, new TextEncoder().encode(expected).length);
    }),
  );
});

/** Number, digits, text. */
const NUMBERS = [
  [0, 0, "0"],
  [9, 0, "9"],
  [10, 0, "10"],
  [1_234_567_890, 0, "1234567890"],
  [0x7fff_ffff, 0, "2147483647"],
  [0x8000_0000, 0, "2147483648"],
  [2 ** 53, 0, "9007199254740992"],
  [-1, 0, "-1"],
  [0, 2, "0.00"],
  [0.004, 2, "0.00"],
  [-0.004, 2, "0.00"],
  [0.006, 2, "0.01"],
  [9.999, 2, "10.00"],
  [-1.5, 2, "-1.50"],
  [12.3456, 3, "12.346"],
  [3.000001, 6, "3.000001"],
  [1e10, 3, "10000000000.000"],
  [1.5, 8, "1.50000000"],
  [NaN, 2, "NaN"],
] as const;

Deno.test("TextBuffer writes numbers", () => {
  const text = new TextBuffer();
  for (const [value, digits, expected] of NUMBERS) {
    text.clear();
    text.number(value, digits);
    equal(text.toString(), expected);
  }
});

Deno.test("TextBuffer writes numbers as toFixed() does", () => {
  const text = new TextBuffer();
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1e9 }),
      fc.integer({ min: 0, max: 6 }),
      (value, digits) => {
        text.clear();
        text.number(value / 10 ** digits, digits);
        equal(text.toString(), (value / 10 ** digits).toFixed(digits));
      },
    ),
  );
});

Deno.test("TextBuffer inserts spaces", () => {
  const text = new TextBuffer();
  text.text("ab");
  text.pad(0, 2);
  text.pad(text.length, 1);
  text.pad(0, -1);
  equal(text.toString(), "  ab ");
});
