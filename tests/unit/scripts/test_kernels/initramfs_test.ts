import { deepEqual, equal } from "node:assert/strict";
import { writeArchive } from "../../../../scripts/test_kernels/initramfs.ts";

const HEADER = 110;

interface Entry {
  readonly path: string;
  readonly mode: number;
  readonly text: string;
}

/** Reads an archive by the kernel's description of the format. */
function readArchive(bytes: Uint8Array): Entry[] {
  const entries: Entry[] = [];
  const text = (from: number, length: number): string =>
    new TextDecoder().decode(bytes.subarray(from, from + length));
  for (let at = 0; at < bytes.length;) {
    equal(at % 4, 0);
    equal(text(at, 6), "070701");
    const field = (index: number): number =>
      parseInt(text(at + 6 + 8 * index, 8), 16);
    const nameLength = field(11);
    const contents = (at + HEADER + nameLength + 3) & ~3;
    entries.push({
      path: text(at + HEADER, nameLength - 1),
      mode: field(1),
      text: text(contents, field(6)),
    });
    at = (contents + field(6) + 3) & ~3;
  }
  return entries;
}

Deno.test("writeArchive() puts each folder before its files, once", () => {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const archive = writeArchive([
    { path: "init", bytes: encode("#!"), isExecutable: true },
    { path: "a/b/one", bytes: encode("one") },
    { path: "a/b/three", bytes: encode("three") },
    { path: "a/empty", bytes: encode("") },
  ]);
  deepEqual(readArchive(archive), [
    { path: "init", mode: 0o100755, text: "#!" },
    { path: "a", mode: 0o040755, text: "" },
    { path: "a/b", mode: 0o040755, text: "" },
    { path: "a/b/one", mode: 0o100644, text: "one" },
    { path: "a/b/three", mode: 0o100644, text: "three" },
    { path: "a/empty", mode: 0o100644, text: "" },
    { path: "TRAILER!!!", mode: 0, text: "" },
  ]);
});
