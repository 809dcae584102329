import assert from "node:assert/strict";
import { isKernelThread } from "../../../../lib/proc/kernel_thread.ts";
import { makeProc } from "./fixture.ts";

Deno.test("isKernelThread() believes the status file", () => {
  using proc = makeProc({
    "2/status": "Name:\tkthreadd\nPid:\t2\nKthread:\t1\n",
    "7/status": "Name:\tcat\nPid:\t7\nKthread:\t0\n",
  });
  assert.equal(isKernelThread(2, proc.root), true);
  assert.equal(isKernelThread(7, proc.root), false);
  assert.equal(isKernelThread(8, proc.root), undefined);
});

Deno.test("isKernelThread() reads the flags on old kernels", () => {
  using proc = makeProc({
    "2/status": "Name:\tkthreadd\nPid:\t2\n",
    "2/stat": "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0",
    "7/status": "Name:\tcat\nPid:\t7\n",
    "7/stat": "7 (cat) S 1 7 7 0 -1 4194304 0 0",
  });
  assert.equal(isKernelThread(2, proc.root), true);
  assert.equal(isKernelThread(7, proc.root), false);
});
