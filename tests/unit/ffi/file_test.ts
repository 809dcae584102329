import "../../support/open_libc.ts";
import assert from "node:assert/strict";
import { SyscallError } from "../../../ffi/errno.ts";
import { Fd } from "../../../ffi/fd.ts";
import {
  createFile,
  drainEventFd,
  isTerminal,
  openEventFd,
  signalEventFd,
  sync,
  takeBack,
} from "../../../ffi/file.ts";
import { libc } from "../../../ffi/libc.ts";
import { cString, poll } from "../../../ffi/memory.ts";

// Stays open for ever: not something that a test leaks.
libc();

const ENOENT = 2;
const EBADF = 9;
const POLLIN = 1;

class TemporaryFolder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "tracedump-file-" });

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

function write(fd: Fd, text: string): void {
  const bytes = new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
  const length = BigInt(bytes.length);
  assert.equal(libc().write(fd.number, bytes, length), bytes.length);
}

Deno.test("createFile() makes a file, or empties it", () => {
  using folder = new TemporaryFolder();
  const path = `${folder.path}/größe.pcap`;
  for (const text of ["a longer text", "short"]) {
    using fd = createFile(path);
    write(fd, text);
    assert.equal(Deno.readTextFileSync(path), text);
  }
  const umask = Deno.umask();
  assert.equal(Deno.statSync(path).mode! & 0o777, 0o666 & ~umask);
});

Deno.test("createFile() gives descriptors that commands do not inherit", () => {
  using folder = new TemporaryFolder();
  using fd = createFile(`${folder.path}/x`);
  using event = openEventFd();
  const F_GETFD = 1;
  const FD_CLOEXEC = 1;
  for (const { number } of [fd, event]) {
    assert.equal(libc().fcntl(number, F_GETFD, 0), FD_CLOEXEC);
  }
});

Deno.test("createFile() throws what errno says", () => {
  const path = "/nonexistent/x.pcap";
  assert.throws(() => createFile(path), new SyscallError("open", ENOENT, path));
});

Deno.test("takeBack() shortens what was written, and writing goes on there", () => {
  using folder = new TemporaryFolder();
  const path = `${folder.path}/x`;
  using fd = createFile(path);
  write(fd, "whole record, half a rec");
  assert.equal(takeBack(fd.number, ", half a rec".length), true);
  assert.equal(Deno.readTextFileSync(path), "whole record");
  write(fd, ".");
  assert.equal(Deno.readTextFileSync(path), "whole record.");
});

Deno.test("takeBack() cannot take anything back from pipes and devices", () => {
  const O_WRONLY = 1;
  using device = new Fd(libc().open(cString("/dev/full"), O_WRONLY, 0));
  assert.equal(takeBack(device.number, 1), false);
  assert.equal(takeBack(-1, 1), false);
});

Deno.test("sync() takes files and what cannot be synchronized", () => {
  using folder = new TemporaryFolder();
  using fd = createFile(`${folder.path}/x`);
  sync(fd.number);
  using event = openEventFd();
  sync(event.number);
  assert.throws(() => sync(-1), new SyscallError("fsync", EBADF));
});

Deno.test("isTerminal() knows terminals from other files", () => {
  const O_RDWR_NOCTTY = 0o402;
  using terminal = new Fd(libc().open(cString("/dev/ptmx"), O_RDWR_NOCTTY, 0));
  assert.equal(isTerminal(terminal.number), true);
  using device = new Fd(libc().open(cString("/dev/null"), 0, 0));
  assert.equal(isTerminal(device.number), false);
  assert.equal(isTerminal(-1), false);
});

Deno.test("An eventfd is readable from its signal until it is drained", () => {
  using event = openEventFd();
  const isReadable = (): boolean =>
    poll(Int32Array.of(event.number, POLLIN), 0) === 1;
  assert.equal(isReadable(), false);
  signalEventFd(event.number);
  signalEventFd(event.number);
  assert.equal(isReadable(), true);
  drainEventFd(event.number);
  assert.equal(isReadable(), false);
  // Does not wait.
  drainEventFd(event.number);
});
