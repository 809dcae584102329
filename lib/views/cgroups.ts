/**
 * A folder of the cgroup2 hierarchy and those below it, by their ids: the
 * inodes of the folders (cgroups(7)).
 *
 * @module
 */
import { ViewError } from "./errors.ts";
import type { CgroupIds } from "./watch.ts";

/** A cgroup with all its descendants, also those that are made later. */
export class CgroupTree implements CgroupIds {
  readonly #path: string;
  readonly #known = new Map<number, boolean>();

  /**
   * Looks at the folder.
   *
   * @throws {ViewError} when it is no folder of cgroup2
   */
  constructor(path: string) {
    this.#path = path;
    try {
      Deno.statSync(`${path}/cgroup.controllers`);
    } catch (error) {
      throw new ViewError(
        "not-found",
        `Cannot watch cgroup ${path}: it is no folder of cgroup2`,
        {
          hint: "Find the one of a process in /proc/PID/cgroup, below the " +
            "mount point of cgroup2",
          cause: error,
        },
      );
    }
    this.#walk();
  }

  has(id: number): boolean {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    // A new folder, or one of another tree. Ids do not come again.
    this.#walk();
    const isInside = this.#known.get(id) === true;
    this.#known.set(id, isInside);
    return isInside;
  }

  #walk(): void {
    const folders = [this.#path];
    for (const folder of folders) {
      try {
        const { ino } = Deno.statSync(folder);
        if (ino !== null) this.#known.set(ino, true);
        for (const { name, isDirectory } of Deno.readDirSync(folder)) {
          if (isDirectory) folders.push(`${folder}/${name}`);
        }
      } catch {
        // It was removed meanwhile.
      }
    }
  }
}
