/**
 * Finding what a test left behind. Every process that a test starts carries
 * the test's id in its environment, and hands it on to its own children.
 *
 * @module
 */

const VARIABLE = "TRACEDUMP_TEST";

/** A process that outlived its test. */
export interface Leftover {
  readonly pid: number;
  /** As in proc(5): `S`, `T` (stopped), `t` (traced), ... */
  readonly state: string;
  readonly command: string;
}

/** Environment that marks the processes of one test. */
export function markOf(id: string): Record<string, string> {
  return { [VARIABLE]: id };
}

/** The living processes of a test, zombies not counted. */
export function leftovers(id: string): Leftover[] {
  const found: Leftover[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const environment = read(`/proc/${name}/environ`);
    if (!environment.split("\0").includes(`${VARIABLE}=${id}`)) continue;
    const state = /^State:\t(\S)/m.exec(read(`/proc/${name}/status`))?.[1];
    if (state === undefined || state === "Z" || state === "X") continue;
    const command = read(`/proc/${name}/cmdline`).replaceAll("\0", " ").trim();
    found.push({ pid: Number(name), state, command });
  }
  return found;
}

/** Ends the given processes at once. */
export function endAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
