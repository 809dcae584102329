import assert from "node:assert/strict";
import { decodeWaitStatus, type WaitStatus } from "../../../ffi/wait.ts";
import { missing } from "../../support/requires.ts";

Deno.test("decodeWaitStatus() takes status words apart", () => {
  const cases: [word: number, WaitStatus][] = [
    [0, { kind: "exited", code: 0 }],
    [1 << 8, { kind: "exited", code: 1 }],
    [255 << 8, { kind: "exited", code: 255 }],
    [9, { kind: "signaled", signal: 9 }],
    [11 | 0x80, { kind: "signaled", signal: 11 }],
    [64, { kind: "signaled", signal: 64 }],
    [19 << 8 | 0x7f, { kind: "stopped", signal: 19, event: 0 }],
    [0x85 << 8 | 0x7f, { kind: "stopped", signal: 0x85, event: 0 }],
    [7 << 16 | 5 << 8 | 0x7f, { kind: "stopped", signal: 5, event: 7 }],
    [128 << 16 | 20 << 8 | 0x7f, { kind: "stopped", signal: 20, event: 128 }],
  ];
  for (const [word, expected] of cases) {
    assert.deepEqual(decodeWaitStatus(word), expected, word.toString(16));
  }
});

const JUDGE = `
import os
for s in range(0x10000):
    if os.WIFEXITED(s): print("exited", os.WEXITSTATUS(s))
    elif os.WIFSIGNALED(s): print("signaled", os.WTERMSIG(s))
    elif os.WIFSTOPPED(s): print("stopped", os.WSTOPSIG(s))
    else: print("other")
`;

const reason = missing(["program python3"]);
const suffix = reason === undefined ? "" : ` (${reason})`;
Deno.test(
  `decodeWaitStatus() agrees with the C library on each word${suffix}`,
  {
    ignore: reason !== undefined,
  },
  async () => {
    const { stdout } = await new Deno.Command("python3", {
      args: ["-c", JUDGE],
    }).output();
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    assert.equal(lines.length, 0x10000);
    lines.forEach((line, word) => {
      // 0xffff: continued, which nobody asks for.
      if (line === "other") return;
      const status = decodeWaitStatus(word);
      const number = status.kind === "exited" ? status.code : status.signal;
      assert.equal(`${status.kind} ${number}`, line, word.toString(16));
    });
  },
);
