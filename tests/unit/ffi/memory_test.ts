import "../../support/open_libc.ts";
import assert from "node:assert/strict";
import { SyscallError } from "../../../ffi/errno.ts";
import { Fd } from "../../../ffi/fd.ts";
import { openEventFd, signalEventFd } from "../../../ffi/file.ts";
import { libc } from "../../../ffi/libc.ts";
import {
  addressOf,
  cString,
  findCode,
  Mapping,
  poll,
  pollInBackground,
  readProcessMemory,
  textAt,
} from "../../../ffi/memory.ts";

// Stays open for ever: not something that a test leaks.
libc();

const PAGE = 4096;
const POLLIN = 1;

function pointerTo(bytes: Uint8Array<ArrayBuffer>): Deno.PointerObject {
  const pointer = Deno.UnsafePointer.of(bytes);
  assert.ok(pointer !== null);
  return pointer;
}

Deno.test("cString() and textAt() turn text into C's and back", () => {
  for (const text of ["", "ls", "/tmp/grün 漢字 🙂"]) {
    const bytes = cString(text);
    assert.equal(bytes.at(-1), 0);
    assert.equal(textAt(pointerTo(bytes)), text);
  }
  assert.equal(textAt(null), "");
});

Deno.test("textAt() stops at NUL and stands bytes that are not UTF-8", () => {
  const bytes = Uint8Array.from([...new TextEncoder().encode("a=b"), 0, 99, 0]);
  assert.equal(textAt(pointerTo(bytes)), "a=b");
  const latin1 = Uint8Array.from([0x63, 0x61, 0x66, 0xe9, 0]);
  assert.ok(textAt(pointerTo(latin1)).startsWith("caf"));
});

Deno.test("Mapping.anonymous() gives zeroed memory until it is closed", () => {
  const mapping = Mapping.anonymous(3 * PAGE);
  const bytes = new Uint8Array(mapping.buffer());
  assert.equal(bytes.length, 3 * PAGE);
  assert.ok(bytes.every((byte) => byte === 0));
  bytes[3 * PAGE - 1] = 7;
  assert.equal(new Uint8Array(mapping.buffer())[3 * PAGE - 1], 7);
  const target = new Uint8Array(1);
  const last = BigInt(mapping.address + 3 * PAGE - 1);
  assert.equal(readProcessMemory(Deno.pid, last, target), 1);
  mapping.close();
  assert.equal(readProcessMemory(Deno.pid, last, target), -1);
  mapping.close();
  const expected = new TypeError("Cannot use a closed mapping");
  assert.throws(() => mapping.buffer(), expected);
  assert.throws(() => mapping.pointer(), expected);
});

/** A file of some pages, each filled with its number. */
function makeFile(pages: number): { readonly fd: Fd; readonly path: string } {
  const path = Deno.makeTempFileSync({ prefix: "tracedump-map-" });
  const bytes = new Uint8Array(pages * PAGE);
  for (let page = 0; page < pages; page++) {
    bytes.fill(page + 1, page * PAGE, (page + 1) * PAGE);
  }
  Deno.writeFileSync(path, bytes);
  const O_RDWR = 2;
  return { fd: new Fd(libc().open(cString(path), O_RDWR, 0)), path };
}

Deno.test("Mapping.ofFdWithTail() puts ordinary memory right behind a file", () => {
  const { fd, path } = makeFile(2);
  using _ = fd;
  using mapping = Mapping.ofFdWithTail(fd.number, 2 * PAGE, 3 * PAGE);
  const bytes = new Uint8Array(mapping.buffer());
  assert.equal(bytes.length, 5 * PAGE);
  const samples = [0, PAGE, 2 * PAGE, 5 * PAGE - 1].map((at) => bytes[at]);
  assert.deepEqual(samples, [1, 2, 0, 0]);
  // The file is shared, the tail is ours.
  bytes.copyWithin(2 * PAGE, PAGE - 1, PAGE + 1);
  assert.deepEqual([...bytes.subarray(2 * PAGE, 2 * PAGE + 2)], [1, 2]);
  bytes[0] = 99;
  const content = Deno.readFileSync(path);
  assert.equal(content[0], 99);
  assert.equal(content.length, 2 * PAGE);
  Deno.removeSync(path);
});

Deno.test("Mapping.ofFd() maps from an offset on", () => {
  const { fd, path } = makeFile(3);
  using _ = fd;
  const PROT_READ = 1;
  const MAP_SHARED = 1;
  using mapping = Mapping.ofFd(fd.number, PAGE, PROT_READ, MAP_SHARED, PAGE);
  assert.equal(new Uint8Array(mapping.buffer())[0], 2);
  Deno.removeSync(path);
});

Deno.test("Mapping throws what errno says, and leaves nothing mapped", () => {
  const EBADF = 9;
  const error = new SyscallError("mmap", EBADF);
  const before = Deno.readTextFileSync("/proc/self/maps").split("\n").length;
  for (let i = 0; i < 50; i++) {
    assert.throws(() => Mapping.ofFdWithTail(-1, PAGE, PAGE), error);
  }
  assert.throws(() => Mapping.ofFd(-1, PAGE, 1, 1), error);
  const after = Deno.readTextFileSync("/proc/self/maps").split("\n").length;
  assert.ok(after - before < 25);
});

Deno.test("readProcessMemory() reads as much as there is", () => {
  using mapping = Mapping.anonymous(2 * PAGE);
  new Uint8Array(mapping.buffer()).fill(5);
  libc().munmap(
    Deno.UnsafePointer.create(BigInt(mapping.address + PAGE)),
    BigInt(PAGE),
  );
  const target = new Uint8Array(64);
  const at = BigInt(mapping.address + PAGE - 10);
  assert.equal(readProcessMemory(Deno.pid, at, target), 10);
  assert.deepEqual([...target.subarray(0, 11)], [...Array(10).fill(5), 0]);
  assert.equal(readProcessMemory(Deno.pid, at, target, 4), 4);
  // Never more than the target holds.
  assert.equal(
    readProcessMemory(Deno.pid, BigInt(mapping.address), target, 999),
    64,
  );
  assert.equal(readProcessMemory(Deno.pid, 8n, target), -1);
  assert.equal(readProcessMemory(0x7fff_fff0, at, target), -1);
});

Deno.test("findCode() finds bytes within the limit", () => {
  const code = Uint8Array.from([0x48, 0x0f, 0x0f, 0x05, 0xc3]);
  const pointer = pointerTo(code);
  assert.equal(findCode(pointer, [0x0f, 0x05], 4), addressOf(code) + 2);
  assert.throws(
    () => findCode(pointer, [0x0f, 0x05], 2),
    new Error("Cannot find a machine instruction in the C library"),
  );
});

Deno.test("poll() and pollInBackground() wait for any of the descriptors", async () => {
  using quiet = openEventFd();
  using loud = openEventFd();
  const fds = Int32Array.of(quiet.number, POLLIN, loud.number, POLLIN);
  assert.equal(poll(fds, 0), 0);
  signalEventFd(loud.number);
  // An hour at most.
  assert.equal(poll(fds, 3_600_000), 1);
  assert.equal(fds[1]! >>> 16, 0);
  assert.equal(fds[3]! >>> 16, POLLIN);
  await pollInBackground(fds, 3_600_000);
});
