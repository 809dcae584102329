import assert from "node:assert/strict";
import {
  parseDecimal,
  ProcPermissionError,
  readProcLink,
  readProcNumbers,
  readProcText,
} from "../../../../lib/proc/read.ts";
import { makeProc } from "./fixture.ts";

Deno.test("readProcText() gives undefined for what is not there", () => {
  using proc = makeProc({ "7/comm": "cat\n" });
  assert.equal(readProcText(`${proc.root}/7/comm`), "cat\n");
  assert.equal(readProcText(`${proc.root}/8/comm`), undefined);
  assert.equal(readProcText(`${proc.root}/7/comm/x`), undefined);
});

Deno.test("readProcText() replaces bytes that are not UTF-8", () => {
  using proc = makeProc({ "7/comm": "" });
  Deno.writeFileSync(`${proc.root}/7/comm`, Uint8Array.of(0x61, 0xff, 0x62));
  assert.equal(readProcText(`${proc.root}/7/comm`), "a\ufffdb");
});

Deno.test("readProcText() passes unexpected errors on", () => {
  using proc = makeProc({ "7/loop": { link: "loop" } });
  assert.throws(
    () => readProcText(`${proc.root}/7/loop`),
    (error: Error & { code?: string }) => error.code === "ELOOP",
  );
});

Deno.test("readProcLink() reads links that point to nothing", () => {
  using proc = makeProc({ "7/fd/3": { link: "socket:[55]" } });
  assert.equal(readProcLink(`${proc.root}/7/fd/3`), "socket:[55]");
  assert.equal(readProcLink(`${proc.root}/7/fd/4`), undefined);
});

Deno.test("readProcNumbers() sorts numbers and passes over names", () => {
  using proc = makeProc({ "10/x": "", "9/x": "", "self": "", "1a": "" });
  assert.deepEqual(readProcNumbers(proc.root), [9, 10]);
  assert.equal(readProcNumbers(`${proc.root}/11`), undefined);
});

Deno.test("parseDecimal() takes whole numbers only", () => {
  assert.equal(parseDecimal("0"), 0);
  assert.equal(parseDecimal("4194304"), 4194304);
  for (const text of ["", " 1", "1 ", "-1", "0x1", "1.0", "9".repeat(16)]) {
    assert.equal(parseDecimal(text), undefined, text);
  }
});

Deno.test("ProcPermissionError names the path", () => {
  const error = new ProcPermissionError("/proc/1/fd");
  assert.equal(error.message, "Cannot read /proc/1/fd: permission denied");
  assert.equal(error.path, "/proc/1/fd");
  assert.equal(error.code, "EACCES");
});

Deno.test("readProcText() takes a process that ends meanwhile for gone", () => {
  const { readTextFileSync } = Deno;
  // What Deno throws when read(2) gives ESRCH has no code.
  const message = "No such process (os error 3): readfile '/proc/7/comm'";
  Deno.readTextFileSync = () => {
    throw new Error(message);
  };
  try {
    assert.equal(readProcText("/proc/7/comm"), undefined);
  } finally {
    Deno.readTextFileSync = readTextFileSync;
  }
});
