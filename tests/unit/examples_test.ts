import assert from "node:assert/strict";
import {
  type Export,
  exportsOf,
  ROOT,
  surfaceModules,
} from "../support/surface.ts";

const TUTORIAL = new URL("docs/library.md", ROOT);

/** Blocks of code that run as tests: those of the tutorial as root. */
const RUN = /^```ts\n([^]*?)^```$/gm;
/** Blocks of code that need root, in comments. */
const SHOWN = /^```ts ignore\n/m;

const tutorial = [...Deno.readTextFileSync(TUTORIAL).matchAll(RUN)]
  .map(([, code]) => code!).join("\n");

/** What a comment says, without its stars. */
function textOf({ comment }: Export): string {
  return comment.replace(/^ *\* ?/gm, "");
}

function isIn(name: string, code: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(code);
}

/**
 * Whether an export has an example of its own that runs, or one that needs
 * root and is used in the tutorial, too. Many a class is made by a function:
 * its name need not be there.
 */
function hasExample(item: Export): boolean {
  const text = textOf(item);
  const start = text.indexOf("@example");
  if (start < 0) return false;
  const examples = text.slice(start);
  const { name, kind } = item;
  return [...examples.matchAll(RUN)].some(([, code]) =>
    kind === "namespace" || kind === "class" || isIn(name, code!)
  ) || SHOWN.test(examples) && isIn(name, tutorial);
}

/** Exports that a comment links to. */
function linksOf(item: Export): string[] {
  const links = /\{@linkcode (\w+)(?:\.[#\w]+)?\}/g;
  return [...textOf(item).matchAll(links)].map(([, name]) => name!);
}

for (const module of surfaceModules()) {
  const path = module.pathname.slice(ROOT.pathname.length);
  const all = exportsOf(module);

  Deno.test(`every function and class of ${path} has an example that runs`, () => {
    const missing = all.filter(({ kind }) =>
      kind === "function" || kind === "class" || kind === "namespace"
    ).filter((item) => !hasExample(item));
    assert.deepEqual(missing.map(({ name }) => name), []);
  });

  Deno.test(`every type and constant of ${path} has one, or names who has`, () => {
    const withExample = new Set(
      all.filter(hasExample).map(({ name }) => name),
    );
    const missing = all.filter(({ kind }) =>
      kind === "interface" || kind === "type" || kind === "const"
    ).filter((item) =>
      !withExample.has(item.name) &&
      !linksOf(item).some((name) => withExample.has(name))
    );
    assert.deepEqual(missing.map(({ name }) => name), []);
  });
}

Deno.test("exportsOf() finds what there is", () => {
  const names = surfaceModules().map((module) =>
    exportsOf(module).map(({ name, kind }) => `${kind} ${name}`)
  );
  assert.equal(names.length, 4);
  const [trace, bpf, pcap, text] = names;
  assert(trace!.includes("function openTrace"));
  assert(trace!.includes("class Trace"));
  assert(trace!.includes("function watchConnections"), "by export *");
  assert(bpf!.includes("namespace extended"));
  assert(bpf!.includes("const FilterLinkType"), "imported, then exported");
  assert(pcap!.includes("interface BlockOption"));
  assert(text!.includes("type JsonValue"));
});
