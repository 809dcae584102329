import "../../support/open_libc.ts";
import assert from "node:assert/strict";
import {
  check,
  Errno,
  errno,
  errnoName,
  errnoText,
  SyscallError,
} from "../../../ffi/errno.ts";
import { libc } from "../../../ffi/libc.ts";
import { missing } from "../../support/requires.ts";

// Stays open for ever: not something that a test leaks.
libc();

const EBADF = 9;
/** Not for programs, but some calls of Linux return it. */
const ENOTSUPP = 524;

Deno.test("errnoName() and errnoText() tell of unknown numbers", () => {
  assert.equal(errnoName(4711), "errno 4711");
  assert.equal(errnoText(4711), "Unknown error 4711");
});

Deno.test("Errno has the numbers of its names", () => {
  for (const [name, number] of Object.entries(Errno)) {
    assert.equal(errnoName(number), name);
  }
});

Deno.test("SyscallError tells what was called, on what, and why it failed", () => {
  const error = new SyscallError("open", 13, "/etc/shadow");
  assert.equal(
    error.message,
    "open of /etc/shadow failed with EACCES (Permission denied)",
  );
  assert.deepEqual([error.syscall, error.errno, error.code], [
    "open",
    13,
    "EACCES",
  ]);
  assert.ok(error instanceof Error);
  assert.equal(error.name, "SyscallError");
  const plain = new SyscallError("ptrace(PTRACE_SEIZE)", 1);
  assert.equal(
    plain.message,
    "ptrace(PTRACE_SEIZE) failed with EPERM (Operation not permitted)",
  );
});

Deno.test("check() passes results on and throws what errno says", () => {
  assert.equal(check("read", 0), 0);
  assert.equal(check("read", 42), 42);
  const buffer = new Uint8Array(1);
  const fails = (): number => check("read", libc().read(-1, buffer, 1n), "x");
  assert.throws(fails, new SyscallError("read", EBADF, "x"));
  assert.equal(errno(), EBADF);
});

const reason = missing(["program python3"]);
const suffix = reason === undefined ? "" : ` (${reason})`;
const JUDGE = `
import errno, os
for n in range(1, 600):
    names = ",".join(k for k, v in vars(errno).items() if v == n)
    print(n, names or "-", os.strerror(n), sep="|")
`;

Deno.test(`errnoName() and errnoText() are the C library's${suffix}`, {
  ignore: reason !== undefined,
}, async () => {
  const { stdout } = await new Deno.Command("python3", {
    args: ["-c", JUDGE],
    env: { LC_ALL: "C" },
  }).output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  let known = 0;
  for (const line of lines) {
    const [number, names, text] = line.split("|");
    const name = errnoName(Number(number));
    if (name.startsWith("errno ") || Number(number) === ENOTSUPP) continue;
    assert.ok(names!.split(",").includes(name), line);
    assert.equal(errnoText(Number(number)), text, line);
    known++;
  }
  assert.ok(known > 50);
});
