/**
 * Runs the program: selects the command and reports what it throws.
 *
 * @module
 */

import type { Command } from "./command.ts";
import { Console } from "./console.ts";
import { loadViewEngine, type LoadViews, type StartCapture } from "./engine.ts";
import { EXIT_CODE, exitWith, type Outcome } from "./exit_code.ts";
import { PROGRAM } from "./help.ts";
import type { Host } from "./host.ts";
import { UsageError } from "./usage_error.ts";

/** Loads a command: the others are not needed to start it. */
type Loader = () => Promise<Command>;

/** The command that runs when none is named. */
const loadDefault: Loader = async () =>
  (await import("./commands/capture.ts")).CAPTURE_COMMAND;

/** Commands by their names, one of which is the first argument. */
const NAMED_COMMANDS: ReadonlyMap<string, Loader> = new Map([
  ["read", async () => (await import("./commands/read.ts")).READ_COMMAND],
  [
    "connect",
    async () => (await import("./commands/connect.ts")).CONNECT_COMMAND,
  ],
  ["life", async () => (await import("./commands/life.ts")).LIFE_COMMAND],
  ["accept", async () => (await import("./commands/accept.ts")).ACCEPT_COMMAND],
  [
    "retrans",
    async () => (await import("./commands/retrans.ts")).RETRANS_COMMAND,
  ],
  ["states", async () => (await import("./commands/states.ts")).STATES_COMMAND],
  ["top", async () => (await import("./commands/top.ts")).TOP_COMMAND],
]);

/** Loads all commands, the default one first. */
export async function loadCommands(): Promise<readonly Command[]> {
  const loaders = [loadDefault, ...NAMED_COMMANDS.values()];
  return await Promise.all(loaders.map((load) => load()));
}

/** Runs the program once; errors are reported, never thrown. */
export async function run(
  host: Host,
  startCapture: StartCapture,
  loadViews: LoadViews = loadViewEngine,
): Promise<Outcome> {
  try {
    const named = NAMED_COMMANDS.get(host.args[0] ?? "");
    const command = await (named ?? loadDefault)();
    const args = named === undefined ? host.args : host.args.slice(1);
    return await command.run(args, {
      host,
      startCapture,
      loadViews,
      loadCommands,
    });
  } catch (error) {
    if (error instanceof UsageError) {
      const console = new Console(host.stderr);
      console.error(error.message, error.hint);
      if (error.excerpt !== undefined) console.excerpt(error.excerpt);
      return exitWith(EXIT_CODE.USAGE);
    }
    // A bug: the stack is the only thing that helps to find it.
    const stack = error instanceof Error ? error.stack : undefined;
    host.stderr.write(
      `${PROGRAM}: Internal error: ${stack ?? String(error)}\n`,
    );
    return exitWith(EXIT_CODE.FAILURE);
  }
}
