/**
 * Runs the program: selects the command and reports what it throws.
 *
 * @module
 */

import type { Command } from "./command.ts";
import { ACCEPT_COMMAND } from "./commands/accept.ts";
import { CAPTURE_COMMAND } from "./commands/capture.ts";
import { READ_COMMAND } from "./commands/read.ts";
import { RETRANS_COMMAND } from "./commands/retrans.ts";
import { STATES_COMMAND } from "./commands/states.ts";
import { TOP_COMMAND } from "./commands/top.ts";
import { Console } from "./console.ts";
import { CONNECT_COMMAND } from "./commands/connect.ts";
import { LIFE_COMMAND } from "./commands/life.ts";
import { loadViewEngine, type LoadViews, type StartCapture } from "./engine.ts";
import { EXIT_CODE, exitWith, type Outcome } from "./exit_code.ts";
import { PROGRAM } from "./help.ts";
import type { Host } from "./host.ts";
import { UsageError } from "./usage_error.ts";

/** The command that runs when none is named. */
const DEFAULT_COMMAND: Command = CAPTURE_COMMAND;
/** Commands that are selected by their name as the first argument. */
const NAMED_COMMANDS: readonly Command[] = [
  READ_COMMAND,
  CONNECT_COMMAND,
  LIFE_COMMAND,
  ACCEPT_COMMAND,
  RETRANS_COMMAND,
  STATES_COMMAND,
  TOP_COMMAND,
];

/** All commands, the default one first. */
export const COMMANDS: readonly Command[] = [
  DEFAULT_COMMAND,
  ...NAMED_COMMANDS,
];

/** Runs the program once; errors are reported, never thrown. */
export async function run(
  host: Host,
  startCapture: StartCapture,
  loadViews: LoadViews = loadViewEngine,
): Promise<Outcome> {
  try {
    const named = NAMED_COMMANDS.find(({ name }) => name === host.args[0]);
    const command = named ?? DEFAULT_COMMAND;
    const args = named === undefined ? host.args : host.args.slice(1);
    return await command.run(args, {
      host,
      startCapture,
      loadViews,
      commands: COMMANDS,
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
