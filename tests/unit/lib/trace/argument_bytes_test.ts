import "../../../support/open_libc.ts";
import assert from "node:assert/strict";
import { argumentBytes } from "../../../../lib/trace/argument_bytes.ts";

const encoder = new TextEncoder();

function commandLine(...args: (string | number[])[]): Uint8Array {
  return Uint8Array.from(
    args.flatMap((
      arg,
    ) => [...(typeof arg === "string" ? encoder.encode(arg) : arg), 0]),
  );
}

function bytesOf(arg: string | number[]): number[] {
  return [...(typeof arg === "string" ? encoder.encode(arg) : arg), 0];
}

function given(texts: string[], ...line: (string | number[])[]): number[][] {
  return argumentBytes(texts, commandLine(...line)).map((bytes) => [...bytes]);
}

/** café in ISO 8859-1, and how it is read as UTF-8. */
const LATIN1 = [0x63, 0x61, 0x66, 0xe9];
const READ_LATIN1 = "caf\ufffd";

Deno.test("argumentBytes() takes the bytes of this program's own last arguments", () => {
  assert.deepEqual(
    given(["ls", READ_LATIN1], "deno", "run", "--", "ls", LATIN1),
    [bytesOf("ls"), bytesOf(LATIN1)],
  );
  assert.deepEqual(given(["ls"], "ls"), [bytesOf("ls")]);
});

Deno.test("argumentBytes() encodes arguments that come from elsewhere", () => {
  const cases: [texts: string[], line: (string | number[])[]][] = [
    [["ls", "größe"], ["deno", "run", "x"]],
    [["ls", "-l"], ["ls", "-l", "--"]],
    [["ls", "-l"], ["ls"]],
    [["ls", ""], []],
    [[READ_LATIN1, "x"], [LATIN1, "y"]],
  ];
  for (const [texts, line] of cases) {
    assert.deepEqual(
      given(texts, ...line),
      texts.map(bytesOf),
      texts.join(" "),
    );
  }
});

Deno.test("argumentBytes() keeps empty arguments and line feeds", () => {
  const texts = ["sh", "", "a\nb", ""];
  assert.deepEqual(given(texts, "deno", ...texts), texts.map(bytesOf));
});

Deno.test("argumentBytes() asks the kernel for the command line", () => {
  const line = Deno.readFileSync("/proc/self/cmdline");
  const texts = new TextDecoder().decode(line).split("\0").slice(0, -1);
  const bytes = argumentBytes(texts.slice(-2)).map((each) => [...each]);
  assert.deepEqual(bytes, texts.slice(-2).map(bytesOf));
});
