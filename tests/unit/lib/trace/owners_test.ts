import assert from "node:assert/strict";
import { readCommandLine } from "../../../../lib/proc/cmdline.ts";
import { readComm } from "../../../../lib/proc/comm.ts";
import {
  createOwnerTable,
  OwnerTable,
} from "../../../../lib/trace/owner_table.ts";
import { Owners } from "../../../../lib/trace/owners.ts";

/** Greater than any process id. */
const BEYOND = 2 ** 22 + 1;

function makeOwners(): { owners: Owners; table: OwnerTable } {
  const memory = createOwnerTable();
  return {
    owners: new Owners(new OwnerTable(memory)),
    table: new OwnerTable(memory),
  };
}

Deno.test("Owners.numberOf() numbers threads in the order of their appearance", () => {
  const { owners, table } = makeOwners();
  assert.equal(owners.numberOf(BEYOND, BEYOND, "curl"), 0);
  assert.equal(owners.numberOf(BEYOND, BEYOND + 1, "worker"), 1);
  assert.equal(owners.numberOf(BEYOND, BEYOND, "curl"), 0);
  assert.equal(table.size, 2);
  assert.deepEqual(table.get(0), {
    pid: BEYOND,
    tid: BEYOND,
    comm: "curl",
    args: [],
  });
  // Nobody is there to tell the name of the process.
  assert.equal(table.get(1)!.comm, "worker");
});

Deno.test("Owners.numberOf() takes a process under another name for another owner", () => {
  const { owners } = makeOwners();
  assert.equal(owners.numberOf(BEYOND, BEYOND, "sh"), 0);
  assert.equal(owners.numberOf(BEYOND, BEYOND, "curl"), 1);
  assert.equal(owners.numberOf(BEYOND, BEYOND, "sh"), 0);
});

Deno.test("Owners.numberOf() asks the kernel for name and command line", () => {
  const { owners, table } = makeOwners();
  const number = owners.numberOf(Deno.pid, Deno.pid + 1, "a thread");
  const { comm, args } = table.get(number)!;
  assert.equal(comm, readComm(Deno.pid));
  assert.deepEqual(args, readCommandLine(Deno.pid));
});

Deno.test("Owners asks again once a process runs another program", () => {
  const { owners, table } = makeOwners();
  assert.equal(owners.numberOf(Deno.pid), 0);
  owners.executed(Deno.pid);
  assert.equal(owners.numberOf(Deno.pid), 1);
  assert.equal(owners.numberOf(Deno.pid), 1);
  assert.deepEqual(table.get(1)!.args, readCommandLine(Deno.pid));
});

Deno.test("Owners remembers the command lines that it was told", () => {
  const { owners, table } = makeOwners();
  const args = ["wget", "-q", ""];
  owners.executed(BEYOND, args);
  owners.forked(BEYOND, BEYOND + 1);
  owners.forked(BEYOND + 5, BEYOND + 2);
  owners.numberOf(BEYOND, BEYOND, "wget");
  owners.numberOf(BEYOND + 1, BEYOND + 1, "wget");
  owners.executed(BEYOND, ["wget"]);
  owners.numberOf(BEYOND, BEYOND, "wget");
  owners.exited(BEYOND);
  owners.numberOf(BEYOND, BEYOND, "wget");
  owners.numberOf(BEYOND + 2, BEYOND + 2, "wget");
  assert.equal(table.size, 5);
  assert.deepEqual([0, 1, 2, 3, 4].map((number) => table.get(number)!.args), [
    args,
    args,
    ["wget"],
    [],
    [],
  ]);
});

Deno.test("OwnerTable keeps texts of any length apart", () => {
  const memory = createOwnerTable();
  const table = new OwnerTable(memory);
  const owners = [
    { pid: 1, tid: 1, comm: "", args: [] },
    { pid: 2, tid: 3, comm: "ä b", args: ["/bin/ä b", "", "-x"] },
    { pid: 4, tid: 4, comm: "sh", args: ["x".repeat(10_000)] },
    { pid: 5, tid: 5, comm: "end", args: ["end"] },
  ];
  owners.forEach((owner, at) => assert.equal(table.append(owner), at));
  const read = new OwnerTable(memory);
  assert.deepEqual(read.get(0), owners[0]);
  assert.deepEqual(read.get(1), owners[1]);
  assert.equal(read.get(2)!.args[0]!.length, 4096);
  assert.deepEqual(read.get(3), owners[3]);
  assert.equal(read.get(4), undefined);
  assert.equal(read.get(-1), undefined);
});

Deno.test("OwnerTable tells when it is full", () => {
  const table = new OwnerTable(createOwnerTable());
  const owner = { pid: 1, tid: 1, comm: "c", args: ["x".repeat(4096)] };
  let count = 0;
  while (table.append(owner) >= 0) count++;
  assert.equal(table.size, count);
  assert.ok(count >= 1000);
  assert.deepEqual(table.get(count - 1), owner);
});
