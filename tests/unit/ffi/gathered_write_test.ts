import "../../support/open_libc.ts";
import assert from "node:assert/strict";
import { Fd, ownFd } from "../../../ffi/fd.ts";
import { createFile } from "../../../ffi/file.ts";
import { GatheredWrite } from "../../../ffi/gathered_write.ts";
import { libc } from "../../../ffi/libc.ts";
import { addressOf, cString } from "../../../ffi/memory.ts";

// Stays open for ever: not something that a test leaks.
libc();

const EBADF = 9;
const EAGAIN = 11;
const ENOSPC = 28;
const EPIPE = 32;
const O_WRONLY = 1;
const O_RDWR = 2;
const O_NONBLOCK = 0o4000;

/** Memory whose every byte tells where it is. */
function memory(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => i ^ i >> 8);
}

/** Both ends of a new pipe that never waits. */
async function openFifo(): Promise<[reader: Fd, writer: Fd]> {
  const folder = await Deno.makeTempDir({ prefix: "tracedump-gathered-" });
  const path = `${folder}/fifo`;
  await new Deno.Command("mkfifo", { args: [path] }).output();
  const open = (flags: number) =>
    ownFd("open", libc().open(cString(path), flags | O_NONBLOCK, 0), path);
  const ends: [Fd, Fd] = [open(O_RDWR), open(O_WRONLY)];
  await Deno.remove(folder, { recursive: true });
  return ends;
}

Deno.test("GatheredWrite writes its pieces in order", () => {
  const path = Deno.makeTempFileSync({ prefix: "tracedump-gathered-" });
  const bytes = memory(100_000);
  const pieces = new GatheredWrite();
  const at = addressOf(bytes);
  {
    using file = createFile(path);
    assert.deepEqual(pieces.write(file.number), { written: 0, errno: 0 });
    pieces.add(at + 70_000, 30_000);
    pieces.add(at, 70_000);
    assert.equal(pieces.count, 2);
    assert.equal(pieces.length, 100_000);
    assert.equal(pieces.lengthOf(0), 30_000);
    assert.deepEqual(pieces.write(file.number), { written: 100_000, errno: 0 });
    pieces.clear();
    pieces.add(at, 3);
    assert.deepEqual(pieces.write(file.number), { written: 3, errno: 0 });
  }
  const expected = [bytes.subarray(70_000), bytes.subarray(0, 70_000), [
    0,
    1,
    2,
  ]];
  assert.deepEqual(
    Deno.readFileSync(path),
    Uint8Array.from(expected.flatMap((part) => [...part])),
  );
  Deno.removeSync(path);
});

Deno.test("GatheredWrite takes as many pieces as one call does", () => {
  const path = Deno.makeTempFileSync({ prefix: "tracedump-gathered-" });
  const bytes = memory(2048);
  const pieces = new GatheredWrite();
  while (!pieces.isFull) pieces.add(addressOf(bytes) + 2 * pieces.count, 2);
  assert.equal(pieces.count, 1024);
  {
    using file = createFile(path);
    assert.deepEqual(pieces.write(file.number), { written: 2048, errno: 0 });
  }
  assert.deepEqual(Deno.readFileSync(path), bytes);
  Deno.removeSync(path);
});

Deno.test("GatheredWrite goes on in the midst of a piece", async () => {
  const [reader, writer] = await openFifo();
  using _reader = reader;
  using _writer = writer;
  const bytes = memory(300_000);
  const pieces = new GatheredWrite();
  for (let i = 0; i < 100; i++) pieces.add(addressOf(bytes) + i * 3000, 3000);
  // A pipe takes 64 KiB, then no more: what was written is told.
  const { written, errno } = pieces.write(writer.number);
  assert.equal(errno, EAGAIN);
  assert.equal(written, 65_536);
  const received = new Uint8Array(65_536);
  assert.equal(libc().read(reader.number, received, 65_536n), 65_536);
  assert.deepEqual(received, bytes.subarray(0, 65_536));
});

Deno.test("GatheredWrite tells what went wrong", async () => {
  const pieces = new GatheredWrite();
  const bytes = memory(10);
  pieces.add(addressOf(bytes), 10);
  assert.deepEqual(pieces.write(-1), { written: 0, errno: EBADF });
  using full = new Fd(libc().open(cString("/dev/full"), O_WRONLY, 0));
  assert.deepEqual(pieces.write(full.number), { written: 0, errno: ENOSPC });
  const [reader, writer] = await openFifo();
  using _writer = writer;
  reader.close();
  assert.deepEqual(pieces.write(writer.number), { written: 0, errno: EPIPE });
});
