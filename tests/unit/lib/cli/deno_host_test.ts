import assert from "node:assert/strict";
import { textOutput } from "../../../../lib/cli/deno_host.ts";

Deno.test("textOutput() writes everything through short and refused writes", () => {
  let written = "";
  let calls = 0;
  const output = textOutput({
    isTerminal: () => true,
    writeSync(bytes): number {
      if (++calls % 2 === 0) throw new Deno.errors.WouldBlock();
      const part = bytes.subarray(0, 3);
      written += new TextDecoder().decode(part);
      return part.length;
    },
  });
  output.write("hello world");
  assert.equal(written, "hello world");
  assert.equal(output.isTerminal, true);
});

Deno.test("textOutput() is silent once the reader is gone", () => {
  let calls = 0;
  const output = textOutput({
    isTerminal: () => false,
    writeSync(): number {
      calls++;
      throw new Deno.errors.BrokenPipe();
    },
  });
  output.write("one");
  output.write("two");
  assert.equal(calls, 1);
});
