import assert from "node:assert/strict";
import {
  childrenOf,
  childrenOfThread,
  processIds,
  processTree,
  threadIds,
} from "../../../../lib/proc/task.ts";
import { type Fixture, makeProc } from "./fixture.ts";

// 10 ── 20 ── 30 ── 40
//    └─ 25 (made by thread 11)
const TREE: Fixture = {
  "10/task/10/children": "20 ",
  "10/task/11/children": "25 ",
  "11/task/10/children": "20 ",
  "11/task/11/children": "25 ",
  "20/task/20/children": "30 ",
  "25/task/25/children": "",
  "30/task/30/children": "40 ",
  "40/task/40/children": "",
};

function stat(pid: number, ppid: number): string {
  return `${pid} (a) b) S ${ppid} 1 1 0 -1 0 0 0`;
}

// The same without CONFIG_PROC_CHILDREN.
const SCANNED: Fixture = {
  "10/task/10/comm": "a\n",
  "10/task/11/comm": "a\n",
  "20/task/20/comm": "a\n",
  "25/task/25/comm": "a\n",
  "30/task/30/comm": "a\n",
  "40/task/40/comm": "a\n",
  "10/stat": stat(10, 1),
  "20/stat": stat(20, 10),
  "25/stat": stat(25, 10),
  "30/stat": stat(30, 20),
  "40/stat": stat(40, 30),
  "self/stat": stat(40, 30),
};

Deno.test("threadIds() lists the task directory", () => {
  using proc = makeProc(TREE);
  assert.deepEqual(threadIds(10, proc.root), [10, 11]);
  assert.deepEqual(threadIds(99, proc.root), []);
});

Deno.test("processIds() lists numbers only", () => {
  using proc = makeProc(SCANNED);
  assert.deepEqual(processIds(proc.root), [10, 20, 25, 30, 40]);
});

Deno.test("childrenOfThread() keeps threads apart", () => {
  using proc = makeProc(TREE);
  assert.deepEqual(childrenOfThread(10, proc.root), [20]);
  assert.deepEqual(childrenOfThread(11, proc.root), [25]);
  assert.deepEqual(childrenOfThread(25, proc.root), []);
  assert.equal(childrenOfThread(99, proc.root), undefined);
});

Deno.test("childrenOf() joins the children of all threads", () => {
  using proc = makeProc(TREE);
  assert.deepEqual(childrenOf(10, proc.root), [20, 25]);
  assert.deepEqual(childrenOf(40, proc.root), []);
  assert.deepEqual(childrenOf(99, proc.root), []);
});

Deno.test("childrenOf() looks for parents without children files", () => {
  using proc = makeProc(SCANNED);
  assert.deepEqual(childrenOf(10, proc.root), [20, 25]);
  assert.deepEqual(childrenOf(40, proc.root), []);
});

Deno.test("processTree() lists parents before children", () => {
  for (const files of [TREE, SCANNED]) {
    using proc = makeProc(files);
    assert.deepEqual(processTree(10, proc.root), [10, 20, 25, 30, 40]);
    assert.deepEqual(processTree(30, proc.root), [30, 40]);
    assert.deepEqual(processTree(99, proc.root), []);
  }
});

Deno.test("processTree() ends where parents form a circle", () => {
  using proc = makeProc({
    "1/task/1/children": "2 ",
    "2/task/2/children": "1 ",
  });
  assert.deepEqual(processTree(1, proc.root), [1, 2]);
});

Deno.test("processTree() keeps children that are gone already", () => {
  using proc = makeProc({ "1/task/1/children": "2 3 " });
  assert.deepEqual(processTree(1, proc.root), [1, 2, 3]);
});
