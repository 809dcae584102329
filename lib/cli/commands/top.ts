/**
 * The command `tracedump top`: the busiest TCP connections, again and again.
 *
 * @module
 */
import type { Command } from "../command.ts";
import type { OptionTable } from "../options.ts";
import { UsageError } from "../usage_error.ts";
import { positiveTime, wholeNumber } from "../values.ts";
import { TopPrinter } from "../views/top_printer.ts";
import { viewCommand } from "../views/view_command.ts";
import {
  END_OPTIONS,
  FORMAT_OPTIONS,
  SCOPE_OPTIONS,
} from "../views/view_options.ts";
import { ValueError } from "../options.ts";

const TOP_OPTIONS = {
  ...SCOPE_OPTIONS,
  noClear: {
    kind: "flag",
    long: "noclear",
    short: "C",
    section: "Output",
    help: "do not clear the terminal before each sample",
  },
  noSummary: {
    kind: "flag",
    long: "nosummary",
    short: "S",
    section: "Output",
    help: "leave out the line with time and load",
  },
  ...FORMAT_OPTIONS,
  ...END_OPTIONS,
} as const satisfies OptionTable;

/** The command. */
export const TOP_COMMAND: Command = viewCommand({
  name: "top",
  options: TOP_OPTIONS,
  summary: "show the busiest TCP connections, again and again",
  synopsis: [
    "[OPTIONS] [INTERVAL [COUNT]]",
    "[OPTIONS] [INTERVAL [COUNT]] -- COMMAND [ARG...]",
  ],
  description: "Shows which TCP connections of this machine carried data " +
    "since the last look, the busiest first: each second, or as often as " +
    "INTERVAL says, COUNT times.",
  details: [
    "RX_KB and TX_KB are KiB of data that were received and acknowledged, " +
    "also of connections that ended meanwhile. Each sample takes the place " +
    "of the one before on a terminal, as far as there are lines, and follows " +
    "it elsewhere. Options and columns are those of tcptop.",
  ],
  examples: [
    { command: "tracedump top", text: "a sample each second" },
    {
      command: "tracedump top -C 5 12",
      text: "a minute in twelve samples, one below the other",
    },
  ],
  takesOperands: true,
  plan: (given, { scope, filter }, host, operands) => {
    const { period, count } = readOperands(operands);
    return {
      open: (engine) => engine.watchTraffic({ scope, filter, period }),
      printer: new TopPrinter(given, host),
      ...count === undefined ? {} : { rows: count },
    };
  },
});

/** Reads interval and count. */
function readOperands(
  operands: readonly string[],
): { readonly period: number; readonly count: number | undefined } {
  const [interval, count, more] = operands;
  if (more !== undefined) {
    throw new UsageError(
      `Cannot use "${more}": top takes an interval and a count`,
    );
  }
  return {
    period: interval === undefined
      ? 1000
      : read("interval", interval, positiveTime),
    count: count === undefined
      ? undefined
      : read("count", count, wholeNumber(1)),
  };
}

function read<T>(what: string, text: string, parse: (text: string) => T): T {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new UsageError(
      `Cannot use "${text}" as ${what}: expected ${error.expected}`,
    );
  }
}
