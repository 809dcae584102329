/**
 * The command `tracedump states`: changes of the states of TCP sockets.
 *
 * @module
 */
import type { Command } from "../command.ts";
import type { OptionTable } from "../options.ts";
import { rowPrinter } from "../views/printer.ts";
import { stateColumns } from "../views/state_columns.ts";
import { viewCommand } from "../views/view_command.ts";
import {
  END_OPTIONS,
  FORMAT_OPTIONS,
  PORT_OPTIONS,
  SCOPE_OPTIONS,
  TIME_OPTIONS,
} from "../views/view_options.ts";

const STATE_OPTIONS = {
  ...SCOPE_OPTIONS,
  ...PORT_OPTIONS,
  ...TIME_OPTIONS,
  ...FORMAT_OPTIONS,
  ...END_OPTIONS,
} as const satisfies OptionTable;

/** The command. */
export const STATES_COMMAND: Command = viewCommand({
  name: "states",
  options: STATE_OPTIONS,
  summary: "show how TCP sockets change their states",
  description: "Shows each change of a TCP socket's state, with the time " +
    "that it spent in the state before.",
  details: [
    "C-PID and C-COMM name the process that owns the socket; in tcpstates, " +
    "whose columns and options these are, they name whatever ran at that " +
    "moment. MS is 0.000 where the time is not known.",
  ],
  examples: [
    {
      command: "tracedump states -D 443",
      text: "the life of HTTPS connections",
    },
  ],
  plan: (given, { scope, filter }) => {
    const { localPort, remotePort } = given;
    const wanted = {
      ...filter,
      ...localPort === undefined ? {} : { localPorts: localPort },
      ...remotePort === undefined ? {} : { remotePorts: remotePort },
    };
    return {
      open: (engine) => engine.watchStates({ scope, filter: wanted }),
      printer: rowPrinter(stateColumns(given), given),
    };
  },
});
