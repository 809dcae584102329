import assert from "node:assert/strict";
import { threadIds } from "../../../../lib/proc/task.ts";
import { Tracees } from "../../../../lib/trace/tracees.ts";

/** Greater than any process id. */
const BEYOND = 2 ** 22 + 1;

Deno.test("Tracees counts the threads of a process", () => {
  const tracees = new Tracees(true);
  const leader = tracees.register(10, 10, true);
  const other = tracees.register(11, 10, false);
  assert.equal(other.process, leader.process);
  assert.equal(leader.process.threads, 2);
  assert.equal(tracees.size, 2);
  tracees.remove(leader);
  assert.equal(tracees.has(10), false);
  assert.equal(tracees.get(11), other);
  assert.equal(other.process.threads, 1);
  assert.deepEqual(tracees.processIds, [10]);
  assert.equal(tracees.removeProcess(other.process), true);
  assert.equal(tracees.removeProcess(other.process), false);
  assert.deepEqual(tracees.processIds, []);
  tracees.clear();
  assert.deepEqual([...tracees], []);
});

Deno.test("Tracees.leaders() takes another thread where the first is unknown", () => {
  const tracees = new Tracees(true);
  tracees.register(21, 20, true);
  tracees.register(11, 10, true);
  tracees.register(10, 10, true);
  tracees.register(22, 20, true);
  assert.deepEqual([...tracees.leaders()].map(({ tid }) => tid), [21, 10]);
});

Deno.test("Tracees.discover() finds out whose thread it is", () => {
  const tracees = new Tracees(false);
  const tid = threadIds(Deno.pid).find((tid) => tid !== Deno.pid)!;
  const found = tracees.discover(tid)!;
  assert.equal(found.tid, tid);
  assert.equal(found.process.pid, Deno.pid);
  assert.equal(tracees.discover(BEYOND), undefined);
  assert.equal(tracees.size, 1);
});

Deno.test("Tracees.discover() wants children of those that are wanted", () => {
  for (
    const { follow, parent, expected } of [
      { follow: true, parent: undefined, expected: true },
      { follow: true, parent: true, expected: true },
      { follow: true, parent: false, expected: false },
      { follow: false, parent: undefined, expected: false },
      { follow: false, parent: true, expected: false },
    ]
  ) {
    const tracees = new Tracees(follow);
    if (parent !== undefined) tracees.register(Deno.ppid, Deno.ppid, parent);
    const child = tracees.discover(Deno.pid)!;
    assert.equal(child.process.followed, expected);
    assert.equal(tracees.followedIds.includes(Deno.pid), expected);
  }
});

Deno.test("Tracees.discover() asks nobody about threads of a known process", () => {
  const tracees = new Tracees(false);
  tracees.register(Deno.pid, Deno.pid, true);
  const tid = threadIds(Deno.pid).find((tid) => tid !== Deno.pid)!;
  assert.equal(tracees.discover(tid)!.process.followed, true);
});
