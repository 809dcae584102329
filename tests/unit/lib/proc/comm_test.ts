import assert from "node:assert/strict";
import { readComm } from "../../../../lib/proc/comm.ts";
import { makeProc } from "./fixture.ts";

Deno.test("readComm() removes the kernel's newline only", () => {
  using proc = makeProc({
    "1/comm": "systemd\n",
    "2/comm": "odd\n\n",
    "3/comm": "\n",
  });
  assert.equal(readComm(1, proc.root), "systemd");
  assert.equal(readComm(2, proc.root), "odd\n");
  assert.equal(readComm(3, proc.root), "");
  assert.equal(readComm(4, proc.root), undefined);
});
