import "../../support/open_libc.ts";
import assert from "node:assert/strict";
import { SyscallError } from "../../../ffi/errno.ts";
import { Fd, ownFd } from "../../../ffi/fd.ts";
import { libc } from "../../../ffi/libc.ts";
import { cString } from "../../../ffi/memory.ts";

// Stays open for ever: not something that a test leaks.
libc();

function open(): number {
  return libc().open(cString("/dev/null"), 0, 0);
}

function isOpen(number: number): boolean {
  const F_GETFD = 1;
  return libc().fcntl(number, F_GETFD, 0) >= 0;
}

Deno.test("Fd closes its descriptor once", () => {
  const number = open();
  const fd = new Fd(number);
  assert.equal(fd.number, number);
  assert.equal(fd.closed, false);
  fd.close();
  assert.ok(!isOpen(number));
  assert.equal(fd.closed, true);
  // The number may be somebody else's by now.
  const other = open();
  assert.equal(other, number);
  fd.close();
  fd[Symbol.dispose]();
  assert.ok(isOpen(other));
  libc().close(other);
});

Deno.test("Fd refuses to be used when it is closed", () => {
  const fd = new Fd(open());
  fd.close();
  const expected = new TypeError("Cannot use a closed file descriptor");
  assert.throws(() => fd.number, expected);
  assert.throws(() => fd.disown(), expected);
});

Deno.test("Fd.disown() gives the descriptor away", () => {
  const fd = new Fd(open());
  const number = fd.disown();
  assert.equal(fd.closed, true);
  fd.close();
  assert.ok(isOpen(number));
  libc().close(number);
});

Deno.test("Fd is closed at the end of its block", () => {
  let number: number;
  {
    using fd = new Fd(open());
    number = fd.number;
    assert.ok(isOpen(number));
  }
  assert.ok(!isOpen(number));
});

Deno.test("Fd owns no impossible descriptors", () => {
  for (const number of [-1, 1.5, NaN]) {
    assert.throws(() => new Fd(number), RangeError);
  }
});

Deno.test("ownFd() owns a result or throws what errno says", () => {
  using fd = ownFd("open", open());
  assert.ok(isOpen(fd.number));
  const missing = cString("/nonexistent/file");
  assert.throws(
    () => ownFd("open", libc().open(missing, 0, 0), "file"),
    new SyscallError("open", 2, "file"),
  );
});
