/**
 * Compiles the C workloads, each once per version of its source.
 *
 * @module
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";

const WORKLOADS = new URL("../integration/workloads/", import.meta.url);
const FLAGS = [
  "-O1",
  "-g",
  "-pthread",
  "-Wall",
  "-Wextra",
  "-Werror",
] as const;

const finished = new Map<string, Promise<string>>();

/** How a workload is compiled. */
export interface CompileOptions {
  /** For the i386 instruction set. */
  readonly is32Bit?: boolean;
}

/** Path of a script among the workloads. */
export function workloadScript(file: string): string {
  return new URL(file, WORKLOADS).pathname;
}

/**
 * Compiles a workload, unless that was done before.
 *
 * @param name File name without `.c`.
 * @returns Path of an executable that every user may run.
 */
export function compileWorkload(
  name: string,
  options: CompileOptions = {},
): Promise<string> {
  return compileProgram(new URL(`${name}.c`, WORKLOADS), options);
}

/** As {@linkcode compileWorkload} for a source that stands elsewhere. */
export function compileProgram(
  source: URL,
  options: CompileOptions = {},
): Promise<string> {
  const flags = options.is32Bit ? [...FLAGS, "-m32"] : [...FLAGS];
  const id = `${source.pathname} ${flags.join(" ")}`;
  let executable = finished.get(id);
  if (executable === undefined) {
    executable = compile(source, flags);
    finished.set(id, executable);
  }
  return executable;
}

async function compile(
  source: URL,
  flags: readonly string[],
): Promise<string> {
  const name = source.pathname.replace(/^.*\/|\.c$/g, "");
  const texts = [
    await Deno.readTextFile(source),
    await Deno.readTextFile(new URL("workload.h", WORKLOADS)),
    flags.join(" "),
  ];
  const hash = createHash("sha256").update(texts.join("\0")).digest("hex");
  const folder = await cacheFolder();
  const target = `${folder}/${name}-${hash.slice(0, 16)}`;
  if (await exists(target)) return target;
  // Renamed when complete: test runs may go on side by side.
  const fresh = `${target}.${Deno.pid}`;
  const { success, stderr } = await new Deno.Command("gcc", {
    args: [...flags, "-o", fresh, source.pathname],
    stdin: "null",
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  await Deno.rename(fresh, target);
  return target;
}

/** In /tmp and not below the home folder: other users run workloads too. */
async function cacheFolder(): Promise<string> {
  const folder = `/tmp/tracedump-workloads-${Deno.uid()}`;
  await Deno.mkdir(folder, { recursive: true, mode: 0o755 });
  const info = await Deno.lstat(folder);
  assert.ok(
    info.isDirectory && info.uid === Deno.uid(),
    `${folder} belongs to somebody else`,
  );
  return folder;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
