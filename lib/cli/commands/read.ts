/**
 * `tracedump read`: what capture files hold.
 *
 * @module
 */

import type { Command, Context } from "../command.ts";
import type { Outcome } from "../exit_code.ts";
import { READ_MANUAL } from "./read_manual.ts";
import { READ_OPTIONS } from "./read_options.ts";

/** The command. */
export const READ_COMMAND: Command = {
  name: "read",
  operand: "file",
  options: READ_OPTIONS,
  manual: READ_MANUAL,
  run,
};

async function run(
  args: readonly string[],
  context: Context,
): Promise<Outcome> {
  // Decoders, formats and printer are not needed to capture.
  const { runRead } = await import("./read_run.ts");
  return await runRead(args, context);
}
