/**
 * Kernel modules as they lie in a package: which need which, and how to unpack
 * them.
 *
 * @module
 */

import { basename, join } from "node:path";

/** Finds modules in the folder of one kernel, `lib/modules/VERSION`. */
export class ModuleFolder {
  readonly #paths = new Map<string, string>();

  /** Lists all modules below a folder. */
  constructor(folder: string) {
    this.#list(folder);
  }

  /**
   * Contents of modules and of all that they need, in loading order. Modules
   * that the kernel has built in are left out.
   */
  collect(names: readonly string[]): Map<string, Uint8Array<ArrayBuffer>> {
    const found = new Map<string, Uint8Array<ArrayBuffer>>();
    const visit = (name: string): void => {
      const path = this.#paths.get(name);
      if (path === undefined || found.has(name)) return;
      const bytes = unpack(path);
      for (const other of dependenciesOf(bytes)) visit(other);
      found.set(name, bytes);
    };
    for (const name of names) visit(name);
    return found;
  }

  #list(folder: string): void {
    for (const entry of Deno.readDirSync(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory) this.#list(path);
      const name = /^(.+)\.ko(?:\.(?:xz|zst|gz))?$/.exec(basename(path))?.[1];
      // The same module is written with either sign.
      if (name !== undefined) this.#paths.set(name.replaceAll("-", "_"), path);
    }
  }
}

const UNPACKERS: Readonly<Record<string, string>> = {
  ".xz": "xz",
  ".zst": "zstd",
  ".gz": "gzip",
};

function unpack(path: string): Uint8Array<ArrayBuffer> {
  const ending = path.slice(path.lastIndexOf("."));
  const unpacker = UNPACKERS[ending];
  if (unpacker === undefined) return Deno.readFileSync(path);
  const { success, stdout } = new Deno.Command(unpacker, {
    args: ["-dc", path],
    stdin: "null",
    stderr: "inherit",
  }).outputSync();
  if (!success) throw new Error(`Cannot unpack ${path}: ${unpacker} failed`);
  return stdout;
}

/** Reads `depends=` of the section `.modinfo`, as modinfo(8) does. */
function dependenciesOf(bytes: Uint8Array): string[] {
  const text = new TextDecoder("latin1").decode(bytes);
  const list = /\0depends=([\w,-]*)\0/.exec(text)?.[1] ?? "";
  return list.split(",").filter((name) => name !== "")
    .map((name) => name.replaceAll("-", "_"));
}
