/**
 * The command `tracedump accept`: connections that processes accept.
 *
 * @module
 */
import type { Command } from "../command.ts";
import type { OptionTable } from "../options.ts";
import { acceptColumns } from "../views/accept_columns.ts";
import { rowPrinter } from "../views/printer.ts";
import { viewCommand } from "../views/view_command.ts";
import {
  END_OPTIONS,
  FORMAT_OPTIONS,
  portList,
  SCOPE_OPTIONS,
  TIME_OPTIONS,
} from "../views/view_options.ts";

const ACCEPT_OPTIONS = {
  ...SCOPE_OPTIONS,
  port: {
    kind: "value",
    long: "port",
    short: "P",
    section: "Which connections",
    metavar: "PORTS",
    parse: portList,
    help: "only at these local ports: `80,443`",
  },
  ...TIME_OPTIONS,
  ...FORMAT_OPTIONS,
  ...END_OPTIONS,
} as const satisfies OptionTable;

/** The command. */
export const ACCEPT_COMMAND: Command = viewCommand({
  name: "accept",
  options: ACCEPT_OPTIONS,
  summary: "show who accepts connections, and from where",
  description: "Shows each TCP connection of this machine when a process " +
    "takes it with accept(2).",
  details: [
    "Connections that are taken by way of io_uring(7) are not seen.",
    "Options and columns are those of tcpaccept.",
  ],
  examples: [
    {
      command: "tracedump accept -T -P 22",
      text: "who comes in by ssh, with the time of day",
    },
  ],
  plan: (given, { scope, filter }) => {
    const { port } = given;
    const wanted = {
      ...filter,
      ...port === undefined ? {} : { localPorts: port },
    };
    return {
      open: (engine) => engine.watchAccepts({ scope, filter: wanted }),
      printer: rowPrinter(acceptColumns(given), given),
    };
  },
});
