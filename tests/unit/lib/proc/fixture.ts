/**
 * Small procfs trees for tests, made in a temporary directory.
 *
 * @module
 */

import { dirname, join } from "node:path";

/** A symbolic link of a fixture tree; it may point to nothing. */
export interface FixtureLink {
  readonly link: string;
}

/** Content of the tree by path, such as `42/task/42/children`. */
export type Fixture = Readonly<Record<string, string | FixtureLink>>;

/** A fixture tree that is removed when it goes out of scope. */
export interface FixtureRoot extends Disposable {
  /** To be passed as `root`. */
  readonly root: string;
}

/**
 * Makes a tree.
 *
 * @param files Its files and links; directories come into being as needed.
 * @returns Where it is.
 */
export function makeProc(files: Fixture): FixtureRoot {
  const root = Deno.makeTempDirSync({ prefix: "proc-" });
  for (const [path, content] of Object.entries(files)) {
    const full = join(root, path);
    Deno.mkdirSync(dirname(full), { recursive: true });
    if (typeof content === "string") Deno.writeTextFileSync(full, content);
    else Deno.symlinkSync(content.link, full);
  }
  return {
    root,
    [Symbol.dispose]: () => Deno.removeSync(root, { recursive: true }),
  };
}
