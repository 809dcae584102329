/// <reference lib="deno.unstable" />

import assert from "node:assert/strict";
import plugin from "../../../scripts/lint_plugin.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;

/** Lints source text as if it were the file; returns `rule: message` lines. */
function lint(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, `${ROOT}${path}`, source).map(
    ({ id, message }) => `${id.replace("tracedump/", "")}: ${message}`,
  );
}

function layersOf(path: string, source: string): string[] {
  return lint(path, source).map((line) => line.replace(/^.*: /, ""));
}

const UPWARD = "imports point downward only";
const BESIDE = "layers beside each other do not know each other";

Deno.test("layers allows imports that point downward", () => {
  const cases: [string, string][] = [
    ["main.ts", "./lib/cli/run.ts"],
    ["main.ts", "./mod.ts"],
    ["lib/cli/commands/capture.ts", "../../session/types.ts"],
    ["lib/cli/commands/capture.ts", "../../../mod.ts"],
    ["lib/cli/filter_expression.ts", "../../bpf/filter/errors.ts"],
    ["lib/cli/version.ts", "../../deno.json"],
    ["lib/cli/deno_host.ts", "../../ffi/process.ts"],
    ["mod.ts", "./lib/session/capture.ts"],
    ["lib/session/capture.ts", "../trace/tracer.ts"],
    ["lib/session/capture.ts", "../../ffi/fd.ts"],
    ["lib/trace/tracer.ts", "./tracee.ts"],
    ["lib/trace/deep/tracer.ts", "../tracee.ts"],
    ["lib/proc/stat.ts", "../../ffi/fd.ts"],
    ["bpf/extended/alu.ts", "../labels.ts"],
    ["tests/unit/x_test.ts", "../../lib/cli/run.ts"],
    ["scripts/generate.ts", "../lib/cli/run.ts"],
  ];
  for (const [from, to] of cases) {
    assert.deepEqual(lint(from, `import "${to}";`), [], `${from} → ${to}`);
  }
});

Deno.test("layers refuses all other imports", () => {
  const cases: [string, string, string][] = [
    ["mod.ts", "./lib/cli/run.ts", UPWARD],
    ["lib/session/capture.ts", "../../mod.ts", UPWARD],
    ["lib/session/capture.ts", "../views/life.ts", BESIDE],
    ["lib/trace/tracer.ts", "../sockets/table.ts", BESIDE],
    ["lib/packet/tcp.ts", "../pcap/writer.ts", BESIDE],
    ["lib/packet/tcp.ts", "../capture/ring.ts", UPWARD],
    ["lib/bytes/reader.ts", "../packet/tcp.ts", UPWARD],
    ["bpf/mod.ts", "../lib/bytes/reader.ts", UPWARD],
    ["ffi/libc.ts", "../bpf/mod.ts", UPWARD],
    [
      "lib/cli/run.ts",
      "../proc/stat.ts",
      "the command line uses the library's surface",
    ],
    [
      "lib/cli/run.ts",
      "../trace/tracer.ts",
      "the command line uses the library's surface",
    ],
    [
      "lib/cli/run.ts",
      "../../ffi/fd.ts",
      "the command line uses the library's surface",
    ],
    ["lib/packet/tcp.ts", "../../ffi/fd.ts", "the folder is pure"],
    ["bpf/mod.ts", "../ffi/bpf.ts", "the folder is pure"],
    [
      "lib/cli/run.ts",
      "../../tests/support/x.ts",
      "it is not part of the product",
    ],
    [
      "lib/new/x.ts",
      "../../ffi/fd.ts",
      "the importing file belongs to no layer of scripts/lint_plugin.ts",
    ],
  ];
  for (const [from, to, expected] of cases) {
    assert.deepEqual(
      layersOf(from, `import "${to}";`),
      [expected],
      `${from} → ${to}`,
    );
  }
});

Deno.test("layers sees every way to name a module", () => {
  for (
    const source of [
      'import { a } from "../cli/run.ts";',
      'import type { A } from "../cli/run.ts";',
      'export { a } from "../cli/run.ts";',
      'export * from "../cli/run.ts";',
      'const a = await import("../cli/run.ts");',
      'type A = import("../cli/run.ts").A;',
      'new Worker(new URL("../cli/run.ts", import.meta.url));',
    ]
  ) {
    assert.deepEqual(layersOf("lib/session/x.ts", source), [UPWARD], source);
  }
});

Deno.test("layers lets workers be named by URL only", () => {
  const url = 'new Worker(new URL("./x_worker.ts", import.meta.url));';
  assert.deepEqual(lint("lib/session/x.ts", url), []);
  assert.deepEqual(
    layersOf("lib/session/x.ts", 'import "./x_worker.ts";'),
    ["a worker runs in its own thread"],
  );
});

Deno.test("third-party keeps packages out of the product", () => {
  for (
    const specifier of ["fast-check", "npm:x", "jsr:@std/x", "https://x/y.ts"]
  ) {
    const source = `import "${specifier}";`;
    assert.deepEqual(
      lint("lib/cli/run.ts", source),
      [`third-party: The product cannot depend on "${specifier}"`],
    );
    assert.deepEqual(lint("tests/unit/x_test.ts", source), []);
  }
  assert.deepEqual(lint("lib/cli/run.ts", 'import "node:util";'), []);
});

Deno.test("unsafe-in-ffi keeps unsafe code in one folder", () => {
  for (
    const name of [
      "dlopen",
      "UnsafePointer",
      "UnsafePointerView",
      "UnsafeCallback",
    ]
  ) {
    const source = `const a = Deno.${name};`;
    assert.deepEqual(
      lint("lib/trace/x.ts", source),
      [`unsafe-in-ffi: Deno.${name} belongs into ffi/`],
    );
    assert.deepEqual(lint("ffi/x.ts", source), []);
    assert.deepEqual(lint("tests/integration/x_test.ts", source), []);
  }
  assert.deepEqual(lint("lib/trace/x.ts", "const a = Deno.pid;"), []);
});

Deno.test("pure-folders keeps the runtime out", () => {
  for (
    const folder of ["lib/packet", "lib/pcap", "lib/text", "lib/bytes", "bpf"]
  ) {
    assert.deepEqual(
      lint(`${folder}/x.ts`, "const a = Deno.pid;"),
      [`pure-folders: ${folder}/x.ts is in a pure folder and cannot use Deno.pid`],
    );
  }
  assert.deepEqual(lint("lib/proc/x.ts", "const a = Deno.pid;"), []);
});

Deno.test("error-message accepts sentences without a period", () => {
  for (
    const message of [
      '"Cannot open file: no such file"',
      "`Cannot open ${name}: failed with ${code}`",
      "`${name} is not there`",
      '"Cannot " + name + " at all"',
      '"oops"',
      "message",
    ]
  ) {
    assert.deepEqual(lint("lib/cli/x.ts", `throw new Error(${message});`), []);
  }
});

Deno.test("error-message refuses what is no sentence of that kind", () => {
  const cases: [string, string][] = [
    ['new Error("cannot open file")', "begins with a capital"],
    ['new RangeError("Length is too large.")', "ends without a period"],
    ["new TypeError(`cannot open ${name}`)", "begins with a capital"],
    ["new TypeError(`Cannot open ${name}.`)", "ends without a period"],
    ['new Error("Cannot open " + name + " now.")', "ends without a period"],
    ['new Error("File can\'t be opened")', "has no contractions"],
    ['new CaptureError("output", "cannot open file")', "begins with a capital"],
  ];
  for (const [code, problem] of cases) {
    assert.deepEqual(
      lint("lib/cli/x.ts", `throw ${code};`),
      [`error-message: An error message ${problem}`],
      code,
    );
  }
});

Deno.test("error-message checks the sentence that a class composes", () => {
  const source = (text: string): string =>
    `class XError extends SyntaxError { constructor(r: string) { super(${text}); } }
     throw new XError("the header is cut off");`;
  assert.deepEqual(lint("lib/cli/x.ts", source("`Cannot read it: ${r}`")), []);
  assert.deepEqual(
    lint("lib/cli/x.ts", source("`cannot read it: ${r}`")),
    ["error-message: An error message begins with a capital"],
  );
});
