import "../../support/open_libc.ts";
import assert from "node:assert/strict";
import { libc, libcAddresses } from "../../../ffi/libc.ts";
import {
  environmentAddress,
  environmentEntries,
} from "../../../ffi/environment.ts";
import {
  formatLocalTime,
  monotonicTime,
  realTime,
  realTimeOffset,
} from "../../../ffi/clock.ts";
import { SyscallError } from "../../../ffi/errno.ts";
import {
  duplicateFd,
  findUser,
  kill,
  openPidFd,
  parseId,
  raiseDescriptorLimit,
  resourceLimit,
  RLIMIT_NOFILE,
  setResourceLimit,
  withFileRightsOf,
} from "../../../ffi/process.ts";
import { openEventFd, signalEventFd } from "../../../ffi/file.ts";
import { poll } from "../../../ffi/memory.ts";
import { missing } from "../../support/requires.ts";

// Stay open for ever: not something that a test leaks.
libc();
libcAddresses();

/** Beyond the largest process id. */
const NO_PROCESS = 2 ** 22 + 1;
const POLLIN = 1;
const ESRCH = 3;

function output(...argv: string[]): string {
  const { stdout } = new Deno.Command(argv[0]!, { args: argv.slice(1) })
    .outputSync();
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("findUser() finds users by name and number", () => {
  const [name, , uid, gid, , home, shell] = output("getent", "passwd", "root")
    .split(":");
  const expected = {
    name,
    uid: Number(uid),
    gid: Number(gid),
    groups: output("id", "-G", "root").split(" ").map(Number),
    home,
    shell,
  };
  assert.deepEqual(findUser("root"), expected);
  assert.deepEqual(findUser("0"), expected);
});

Deno.test("findUser() knows each user's groups", () => {
  for (const line of output("getent", "passwd").split("\n").slice(0, 10)) {
    const name = line.split(":")[0]!;
    const groups = output("id", "-G", name).split(" ").map(Number);
    const found = findUser(name);
    assert.equal(found?.name, name);
    assert.deepEqual(found?.groups.toSorted(), groups.toSorted(), name);
  }
});

Deno.test("parseId() takes every number that a user may have", () => {
  for (const text of ["0", "1000", "1847600500", "4294967294"]) {
    assert.equal(parseId(text), Number(text));
  }
  for (const text of ["", "-1", "4294967295", "9999999999", "1e3", " 1"]) {
    assert.equal(parseId(text), undefined, text);
  }
});

Deno.test("findUser() finds nobody else", () => {
  for (const name of ["no-such-user", "", "4294967294", "-1", "0x0", "1e1"]) {
    assert.equal(findUser(name), undefined, name);
  }
});

Deno.test("resourceLimit() asks for limits of this and other processes", () => {
  const limits = Deno.readTextFileSync("/proc/self/limits");
  const [, ...numbers] = /^Max open files\s+(\d+)\s+(\d+)/m.exec(limits)!;
  const [soft, hard] = numbers.map(BigInt);
  assert.deepEqual(resourceLimit(RLIMIT_NOFILE), { soft, hard });
  assert.deepEqual(resourceLimit(RLIMIT_NOFILE, Deno.pid), { soft, hard });
  assert.throws(
    () => resourceLimit(RLIMIT_NOFILE, NO_PROCESS),
    new SyscallError("prlimit", ESRCH),
  );
});

Deno.test("raiseDescriptorLimit() goes as far as permitted", () => {
  const before = resourceLimit(RLIMIT_NOFILE);
  try {
    setResourceLimit(RLIMIT_NOFILE, { ...before, soft: before.hard - 1n });
    raiseDescriptorLimit();
    assert.deepEqual(resourceLimit(RLIMIT_NOFILE), {
      soft: before.hard,
      hard: before.hard,
    });
  } finally {
    setResourceLimit(RLIMIT_NOFILE, before);
  }
});

Deno.test("duplicateFd() shares a descriptor of another process", () => {
  using self = openPidFd(Deno.pid, Deno.pid);
  assert.ok(self !== undefined);
  using event = openEventFd();
  using copy = duplicateFd(self, event.number);
  assert.ok(copy !== undefined);
  assert.notEqual(copy.number, event.number);
  signalEventFd(event.number);
  assert.equal(poll(Int32Array.of(copy.number, POLLIN), 0), 1);
  assert.equal(duplicateFd(self, 999_999), undefined);
  assert.equal(duplicateFd(self, -1), undefined);
});

Deno.test("openPidFd() finds no process where there is none", () => {
  assert.equal(openPidFd(NO_PROCESS, NO_PROCESS), undefined);
});

Deno.test("kill() tells whether there is such a process", () => {
  assert.equal(kill(Deno.pid, 0), true);
  assert.equal(kill(NO_PROCESS, 0), false);
});

Deno.test("formatLocalTime() expands what strftime(3) knows", () => {
  const now = Math.floor(Date.now() / 1000);
  assert.equal(formatLocalTime("a%%b-%s", now), `a%b-${now}`);
  assert.equal(formatLocalTime("", now), "");
  const date = new Date(now * 1000);
  assert.equal(
    formatLocalTime("%Y %H:%M", now),
    `${date.getFullYear()} ${
      [date.getHours(), date.getMinutes()].map((part) =>
        String(part).padStart(2, "0")
      ).join(":")
    }`,
  );
  assert.throws(() => formatLocalTime("%Y".repeat(2000), now), RangeError);
});

Deno.test("realTime() is the time of day", () => {
  const now = { seconds: 0, nanoseconds: -1 };
  const before = Date.now();
  assert.equal(realTime(now), now);
  const after = Date.now();
  const milliseconds = now.seconds * 1000 + Math.floor(now.nanoseconds / 1e6);
  assert.ok(milliseconds >= before && milliseconds <= after);
  assert.ok(now.nanoseconds >= 0 && now.nanoseconds < 1e9);
});

Deno.test("monotonicTime() plus realTimeOffset() is the time of day", () => {
  const before = Date.now();
  const nanoseconds = BigInt(monotonicTime()) + realTimeOffset();
  const after = Date.now();
  const milliseconds = Number(nanoseconds / 1_000_000n);
  assert.ok(milliseconds >= before - 1 && milliseconds <= after + 1);
});

Deno.test("environmentEntries() are the process's, in their order", () => {
  assert.ok(environmentAddress() > 0);
  const texts = environmentEntries().map(({ text }) => text);
  assert.ok(texts.length > 0);
  for (const text of texts) {
    const [name] = text.split("=", 1);
    assert.equal(Deno.env.get(name!), text.slice(name!.length + 1), name);
  }
  assert.equal(texts.length, Object.keys(Deno.env.toObject()).length);
});

const reason = missing(["root"]);
Deno.test(
  `withFileRightsOf() gives another user's rights and takes them back${
    reason === undefined ? "" : ` (${reason})`
  }`,
  {
    ignore: reason !== undefined,
  },
  () => {
    const nobody = { uid: 65534, gid: 65534, groups: [65534] };
    const folder = Deno.makeTempDirSync({ prefix: "tracedump-rights-" });
    const secret = `${folder}/secret`;
    Deno.writeTextFileSync(secret, "x");
    Deno.chmodSync(secret, 0o600);
    const groups = (): string =>
      /^Groups:\s*(.*?)\s*$/m
        .exec(Deno.readTextFileSync("/proc/thread-self/status"))![1]!;
    const before = groups();
    const read = (): string => Deno.readTextFileSync(secret);
    assert.throws(
      () => withFileRightsOf(nobody, read),
      Deno.errors.PermissionDenied,
    );
    assert.equal(read(), "x");
    assert.equal(groups(), before);
    const open = `${folder}/open`;
    Deno.chmodSync(folder, 0o777);
    withFileRightsOf(nobody, () => Deno.writeTextFileSync(open, "y"));
    const { uid, gid } = Deno.statSync(open);
    assert.deepEqual([uid, gid], [65534, 65534]);
    assert.equal(withFileRightsOf(nobody, groups), "65534");
    Deno.removeSync(folder, { recursive: true });
  },
);
