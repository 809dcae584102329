/**
 * Modules as they are on machines of another architecture.
 *
 * @module
 */

import type * as WatchedCalls from "../../../../lib/trace/watched_calls.ts";

/** Architectures with tables. */
export type Machine = "x86_64" | "aarch64";

/** The watched calls of a machine. */
export async function watchedCallsOf(
  machine: Machine,
): Promise<typeof WatchedCalls> {
  return await onMachine(machine, async () => {
    // Tables are made once per module: a fresh one is needed.
    const url = new URL(
      `../../../../lib/trace/watched_calls.ts?${machine}`,
      import.meta.url,
    );
    const module: typeof WatchedCalls = await import(url.href);
    module.syscallFilter();
    return module;
  });
}

/** Runs `body` while the runtime tells of another machine. */
export async function onMachine<T>(
  machine: Machine,
  body: () => T | Promise<T>,
): Promise<T> {
  const { build } = Deno;
  const set = (value: typeof build): void => {
    Object.defineProperty(Deno, "build", { value });
  };
  set({ ...build, arch: machine });
  try {
    return await body();
  } finally {
    set(build);
  }
}
