import assert from "node:assert/strict";
import {
  parseCommandLine,
  readCommandLine,
} from "../../../../lib/proc/cmdline.ts";
import { makeProc } from "./fixture.ts";

Deno.test("parseCommandLine() splits at NUL bytes", () => {
  assert.deepEqual(parseCommandLine("curl\0-v\0a b\0"), ["curl", "-v", "a b"]);
  assert.deepEqual(parseCommandLine("sh\0-c\0\0x\0"), ["sh", "-c", "", "x"]);
  assert.deepEqual(parseCommandLine(""), []);
});

Deno.test("parseCommandLine() takes overwritten titles", () => {
  assert.deepEqual(parseCommandLine("nginx: worker process\0\0\0\0"), [
    "nginx: worker process",
  ]);
  assert.deepEqual(parseCommandLine("sshd: root@pts/0"), ["sshd: root@pts/0"]);
  assert.deepEqual(parseCommandLine("\0\0"), []);
});

Deno.test("readCommandLine() tells no arguments from no process", () => {
  using proc = makeProc({ "2/cmdline": "", "7/cmdline": "cat\0" });
  assert.deepEqual(readCommandLine(2, proc.root), []);
  assert.deepEqual(readCommandLine(7, proc.root), ["cat"]);
  assert.equal(readCommandLine(8, proc.root), undefined);
});
