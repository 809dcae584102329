import assert from "node:assert/strict";
import { readComm } from "../../../../lib/proc/comm.ts";
import { type Owner, Owners } from "../../../../lib/trace/owners.ts";

Deno.test("Owners.numberOf() numbers processes in the order of their appearance", () => {
  const owners = new Owners();
  assert.equal(owners.numberOf(10, "curl"), 0);
  assert.equal(owners.numberOf(11, "curl"), 1);
  assert.equal(owners.numberOf(10, "curl"), 0);
  assert.deepEqual(owners.list, [
    { pid: 10, comm: "curl" },
    { pid: 11, comm: "curl" },
  ]);
});

Deno.test("Owners.numberOf() takes a process under another name for another owner", () => {
  const owners = new Owners();
  assert.equal(owners.numberOf(10, "sh"), 0);
  assert.equal(owners.numberOf(10, "curl"), 1);
  assert.equal(owners.numberOf(10, "sh"), 0);
  // Names may have spaces.
  assert.equal(owners.numberOf(1, "0 sh"), 2);
});

Deno.test("Owners.numberOf() asks the kernel for the present name", () => {
  const owners = new Owners();
  owners.numberOf(Deno.pid);
  assert.deepEqual(owners.list, [{ pid: Deno.pid, comm: readComm(Deno.pid) }]);
});

Deno.test("Owners.numberOf() numbers processes that are gone, too", () => {
  const owners = new Owners();
  const beyondEveryPid = 2 ** 22 + 1;
  assert.equal(owners.numberOf(beyondEveryPid), 0);
  assert.deepEqual(owners.list, [{ pid: beyondEveryPid, comm: "" }]);
});

Deno.test("Owners tells of each owner once", () => {
  const told: Owner[] = [];
  const owners = new Owners((owner) => told.push(owner));
  owners.numberOf(10, "sh");
  owners.numberOf(10, "sh");
  owners.numberOf(10, "curl");
  assert.deepEqual(told, owners.list);
  assert.equal(told.length, 2);
});
