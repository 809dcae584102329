import assert from "node:assert/strict";
import fc from "fast-check";
import {
  hasEnded,
  parseStatus,
  readStatus,
} from "../../../../lib/proc/status.ts";
import { makeProc } from "./fixture.ts";

// Linux 6.18; the lines of memory and CPU sets are left out.
const STATUS = `Name:\tworker\\\\1\\nb
Umask:\t0022
State:\tt (tracing stop)
Tgid:\t4242
Ngid:\t0
Pid:\t4243
PPid:\t4200
TracerPid:\t99
Uid:\t1000\t1001\t1002\t1003
Gid:\t100\t101\t102\t103
FDSize:\t256
Groups:\t4 24 1000 
NStgid:\t4242\t7
NSpid:\t4243\t8
NSpgid:\t4242\t7
NSsid:\t4200\t1
Kthread:\t0
VmPeak:\t    3060 kB
Threads:\t12
SigQ:\t1/96365
SigPnd:\t0000000000000000
ShdPnd:\t0000000000000000
SigBlk:\t8000000000000001
SigIgn:\t0000000180001000
SigCgt:\t0000000100000440
CapInh:\t0000000000000000
CapPrm:\t000001ffffffffff
CapEff:\t0000000000003000
NoNewPrivs:\t1
Seccomp:\t2
Seccomp_filters:\t1
`;

Deno.test("parseStatus() decodes every field", () => {
  assert.deepEqual(parseStatus(STATUS), {
    name: "worker\\1\nb",
    state: "t",
    tgid: 4242,
    pid: 4243,
    ppid: 4200,
    tracerPid: 99,
    uid: [1000, 1001, 1002, 1003],
    gid: [100, 101, 102, 103],
    groups: [4, 24, 1000],
    nsPid: [4243, 8],
    threads: 12,
    sigBlk: 0x8000_0000_0000_0001n,
    sigIgn: 0x1_8000_1000n,
    sigCgt: 0x1_0000_0440n,
    capEff: 0x3000n,
    seccomp: 2,
    noNewPrivs: true,
    kernelThread: false,
  });
});

Deno.test("parseStatus() says what an old kernel leaves out", () => {
  const old = STATUS.split("\n").filter((line) =>
    !/^(NS|Kthread|NoNewPrivs|Seccomp)/.test(line)
  ).join("\n");
  const status = parseStatus(old);
  assert.deepEqual(status.nsPid, []);
  assert.equal(status.seccomp, undefined);
  assert.equal(status.noNewPrivs, undefined);
  assert.equal(status.kernelThread, undefined);
  assert.equal(status.threads, 12);
});

Deno.test("parseStatus() keeps colons and spaces of the name", () => {
  assert.equal(parseStatus("Name:\t Pid:\t7 \nPid:\t8\n").name, " Pid:\t7 ");
  assert.equal(parseStatus("Name:\t Pid:\t7 \nPid:\t8\n").pid, 8);
});

Deno.test("parseStatus() never throws", () => {
  const line = fc.tuple(
    fc.constantFrom("Name", "Pid", "Uid", "SigIgn", "Groups", "State", ""),
    fc.string(),
  ).map(([key, value]) => `${key}:\t${value}`);
  fc.assert(fc.property(
    fc.oneof(fc.string(), fc.array(line).map((lines) => lines.join("\n"))),
    (text) => {
      const status = parseStatus(text);
      assert.equal(status.uid.length, 4);
      assert.ok(Number.isSafeInteger(status.pid));
    },
  ));
});

Deno.test("hasEnded() tells a process that is over from one whose first thread is", () => {
  assert.equal(hasEnded(undefined), true);
  assert.equal(hasEnded({ state: "X", threads: 0 }), true);
  assert.equal(hasEnded({ state: "Z", threads: 1 }), true);
  assert.equal(hasEnded({ state: "Z", threads: 2 }), false);
  assert.equal(hasEnded({ state: "S", threads: 1 }), false);
});

Deno.test("readStatus() reads the file of the given process", () => {
  using proc = makeProc({ "4242/status": STATUS });
  assert.equal(readStatus(4242, proc.root)?.ppid, 4200);
  assert.equal(readStatus(4243, proc.root), undefined);
});
