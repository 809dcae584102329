import assert from "node:assert/strict";
import { formatHex, formatText } from "../../../../lib/text/dump.ts";
import { bytes, type Part } from "./packet_builder.ts";

function text(...parts: readonly Part[]): string {
  const data = bytes(...parts);
  return formatText(data, 0, data.length);
}

Deno.test("formatText() shows lines as they are", () => {
  assert.equal(text("a b\tc\r\nd\n"), "a b\tc\nd\n");
  assert.equal(text("a\rb\r"), "a.b");
});

Deno.test("formatText() shows letters of every language", () => {
  assert.equal(text("Grüße, 世界, 👋"), "Grüße, 世界, 👋");
});

Deno.test("formatText() shows a dot for each byte that is no text", () => {
  assert.equal(text(0, 0x1b, "[2J", 0x7f, 0x80, 0xff), "..[2J...");
  assert.equal(text(0xc3), ".");
  assert.equal(text(0xc3, "a"), ".a");
  assert.equal(text(0xc0, 0xaf), "..", "overlong");
  assert.equal(text(0xe0, 0x80, 0xaf), "...", "overlong");
  assert.equal(text(0xed, 0xa0, 0x80), "...", "surrogate");
  assert.equal(text(0xf4, 0x90, 0x80, 0x80), "....", "beyond Unicode");
  assert.equal(text("\u009b\u202e\ufeff"), "........", "invisible");
});

Deno.test("formatText() does not look behind the end", () => {
  const data = bytes("a", 0xc3, 0xa9);
  assert.equal(formatText(data, 0, 2), "a.");
});

Deno.test("formatHex() shows sixteen bytes in a row", () => {
  const data = bytes("0123456789abcdef\x00g");
  assert.equal(
    formatHex(data, 0, data.length, true),
    "\n\t0x0000:  3031 3233 3435 3637 3839 6162 6364 6566  " +
      "0123456789abcdef\n\t0x0010:  0067" + " ".repeat(37) + ".g",
  );
  assert.equal(formatHex(data, 15, 18, false), "\n\t0x0000:  6600 67");
  assert.equal(formatHex(data, 3, 3, true), "");
});
