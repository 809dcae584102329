import assert from "node:assert/strict";
import { SyscallError } from "../../../../ffi/errno.ts";
import { ProcPermissionError } from "../../../../lib/proc/read.ts";
import {
  inspectFailure,
  launchFailure,
  packetSocketFailure,
  processProblem,
  procfsProblem,
  seizeFailure,
} from "../../../../lib/session/failures.ts";
import type { Fixture } from "../proc/fixture.ts";
import { makeOwnProc } from "../proc/rights_fixture.ts";

const EPERM = 1;
const ENOMEM = 12;
const TARGET = 42;

const REFUSED = new SyscallError("ptrace(PTRACE_SEIZE)", EPERM);

/** Another process, and the setting of Yama if there is one. */
function target(scope?: number, tracer = 0): Fixture {
  return {
    [`${TARGET}/status`]:
      `Name:\tnginx\nState:\tS\nTgid:\t${TARGET}\nPid:\t${TARGET}\n` +
      `TracerPid:\t${tracer}\nKthread:\t0\n`,
    [`${TARGET}/comm`]: "nginx\n",
    "99/comm": "gdb\n",
    ...(scope === undefined
      ? {}
      : { "sys/kernel/yama/ptrace_scope": `${scope}\n` }),
  };
}

Deno.test("packetSocketFailure() names CAP_NET_RAW and the setcap line", () => {
  using proc = makeOwnProc({});
  const error = packetSocketFailure(
    new SyscallError("socket", EPERM),
    proc.root,
  );
  assert.equal(error.code, "permission");
  assert.match(error.message, /the right CAP_NET_RAW is missing$/);
  assert.match(error.hint ?? "", /sudo setcap cap_net_raw,/);
});

Deno.test("packetSocketFailure() sees through user namespaces", () => {
  using proc = makeOwnProc({
    capabilities: ["CAP_NET_RAW"],
    userNamespace: 4026532200,
  });
  const error = packetSocketFailure(
    new SyscallError("socket", EPERM),
    proc.root,
  );
  assert.match(error.message, /user namespace/);
  assert.match(error.hint ?? "", /unshare --user --map-root-user --net$/);
});

Deno.test("packetSocketFailure() asks for a smaller buffer", () => {
  using proc = makeOwnProc({ capabilities: ["CAP_NET_RAW"] });
  const error = packetSocketFailure(
    new SyscallError("setsockopt", ENOMEM),
    proc.root,
  );
  assert.match(error.hint ?? "", /--buffer-size/);
});

Deno.test("procfsProblem() finds procfs of another PID namespace", () => {
  using proc = makeOwnProc({ pid: 7 });
  assert.equal(procfsProblem(proc.root, 7), undefined);
  const error = procfsProblem(proc.root, 1);
  assert.match(error?.message ?? "", /another PID namespace$/);
  assert.match(error?.hint ?? "", /mount -t proc/);
  assert.match(
    procfsProblem(`${proc.root}/none`, 7)?.message ?? "",
    /does not show this program$/,
  );
});

Deno.test("seizeFailure() names CAP_SYS_PTRACE", () => {
  using proc = makeOwnProc({}, target());
  const error = seizeFailure(TARGET, REFUSED, proc.root);
  assert.equal(
    error.message,
    "Cannot attach to process 42 (nginx): the right CAP_SYS_PTRACE is missing",
  );
  assert.match(error.hint ?? "", /setcap/);
});

Deno.test("seizeFailure() names another tracer", () => {
  using proc = makeOwnProc({}, target(1, 99));
  const error = seizeFailure(TARGET, REFUSED, proc.root);
  assert.equal(error.code, "already-traced");
  assert.match(error.message, /traced by process 99 \(gdb\)$/);
});

Deno.test("seizeFailure() tells what Yama forbids", () => {
  for (const scope of [1, 2]) {
    using proc = makeOwnProc({}, target(scope));
    const error = seizeFailure(TARGET, REFUSED, proc.root);
    assert.equal(
      error.message,
      "Cannot attach to process 42 (nginx): the right CAP_SYS_PTRACE is " +
        `missing (kernel.yama.ptrace_scope is ${scope})`,
    );
    assert.match(error.hint ?? "", /setcap/);
  }
  using relaxed = makeOwnProc({}, target(0));
  assert.match(
    seizeFailure(TARGET, REFUSED, relaxed.root).message,
    /CAP_SYS_PTRACE is missing$/,
  );
});

Deno.test("seizeFailure() promises nothing where Yama forbids all", () => {
  for (const capabilities of [[], ["CAP_SYS_PTRACE"]]) {
    using proc = makeOwnProc({ capabilities }, target(3));
    const error = seizeFailure(TARGET, REFUSED, proc.root);
    assert.match(error.message, /EPERM.*\(kernel\.yama\.ptrace_scope is 3\)$/);
    assert.doesNotMatch(error.message, /CAP_SYS_PTRACE/);
    assert.match(error.hint ?? "", /^Nobody may trace/);
  }
});

Deno.test("inspectFailure() names the right to read other users' folders", () => {
  const refused = new ProcPermissionError(`/proc/${TARGET}/fd`);
  using proc = makeOwnProc({ capabilities: ["CAP_SYS_PTRACE"] }, target());
  const error = inspectFailure(TARGET, refused, proc.root);
  assert.match(error.message, /the right CAP_DAC_READ_SEARCH is missing$/);
  assert.match(error.hint ?? "", /cap_sys_ptrace,.*cap_dac_read_search/);
  using none = makeOwnProc({}, target());
  assert.match(
    inspectFailure(TARGET, refused, none.root).message,
    /the right CAP_SYS_PTRACE is missing$/,
  );
  const both = ["CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"];
  using all = makeOwnProc({ capabilities: both }, target());
  assert.match(
    inspectFailure(TARGET, refused, all.root).message,
    /permission denied$/,
  );
});

Deno.test("launchFailure() tells what Yama forbids", () => {
  using proc = makeOwnProc({}, { "sys/kernel/yama/ptrace_scope": "3\n" });
  const error = launchFailure("curl", REFUSED, proc.root);
  assert.equal(
    error.message,
    "Cannot trace curl: ptrace is not permitted here " +
      "(kernel.yama.ptrace_scope is 3)",
  );
  assert.match(error.hint ?? "", /^Nobody may trace/);
});

Deno.test("processProblem() finds nothing wrong with a process", () => {
  using proc = makeOwnProc({}, target());
  assert.equal(processProblem(TARGET, proc.root), undefined);
  assert.equal(processProblem(TARGET + 1, proc.root)?.code, "no-process");
});
