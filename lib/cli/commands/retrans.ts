/**
 * The command `tracedump retrans`: TCP segments that are sent again.
 *
 * @module
 */
import type { Command } from "../command.ts";
import type { OptionTable } from "../options.ts";
import { rowPrinter } from "../views/printer.ts";
import { retransmitColumns } from "../views/retransmit_columns.ts";
import { RetransmitCounter } from "../views/retransmit_counter.ts";
import { viewCommand } from "../views/view_command.ts";
import {
  CSV_OPTION,
  END_OPTIONS,
  FORMAT_OPTIONS,
  SCOPE_OPTIONS,
} from "../views/view_options.ts";

const RETRANS_OPTIONS = {
  ...SCOPE_OPTIONS,
  probes: {
    kind: "flag",
    long: "lossprobe",
    short: "l",
    section: "Which connections",
    help: "also tail loss probes",
  },
  sequence: {
    kind: "flag",
    long: "sequence",
    short: "s",
    section: "Output",
    help: "show sequence numbers",
  },
  count: {
    kind: "flag",
    long: "count",
    short: "c",
    section: "Output",
    help: "only count segments by connection, until the end",
  },
  ...FORMAT_OPTIONS,
  // The letter is taken.
  csv: CSV_OPTION,
  ...END_OPTIONS,
} as const satisfies OptionTable;

/** The command. */
export const RETRANS_COMMAND: Command = viewCommand({
  name: "retrans",
  options: RETRANS_OPTIONS,
  summary: "show TCP segments that are sent again",
  description: "Shows each TCP segment that this machine sends again, with " +
    "the process that owns the connection.",
  details: [
    "T is R for a segment that counts as lost, and L for a tail loss probe. " +
    "Answers to a SYN are not among them. Options and columns are those of " +
    "tcpretrans; the process is the owner of the connection, not what " +
    "happened to run.",
  ],
  examples: [
    {
      command: "tracedump retrans -l",
      text: "all of them, with probes",
    },
  ],
  plan: (given, { scope, filter }) => ({
    open: (engine) =>
      engine.watchRetransmits({ scope, filter, probes: given.probes }),
    printer: given.count
      ? new RetransmitCounter(given)
      : rowPrinter(retransmitColumns(given), given),
  }),
});
