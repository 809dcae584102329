/**
 * The command `tracedump life`: TCP sessions from beginning to end, of every
 * process.
 *
 * @module
 */
import type { SessionRow } from "../../views/rows.ts";
import type { Command } from "../command.ts";
import type { TextOutput } from "../host.ts";
import { type OptionTable, ValueError } from "../options.ts";
import {
  EXTRA_COLUMNS,
  type ExtraColumn,
  lifeColumns,
} from "../views/life_columns.ts";
import { LifeSummary } from "../views/life_summary.ts";
import { rowPrinter, type ViewPrinter } from "../views/printer.ts";
import { viewCommand } from "../views/view_command.ts";
import {
  END_OPTIONS,
  FORMAT_OPTIONS,
  PORT_OPTIONS,
  SCOPE_OPTIONS,
  TIME_OPTIONS,
} from "../views/view_options.ts";

/** Reads names of columns with commas between them. */
function columnList(text: string): readonly ExtraColumn[] {
  return text.split(",").map((name) => {
    const known = EXTRA_COLUMNS.find((column) => column === name);
    if (known === undefined) {
      throw new ValueError(
        `names with commas between them of ${EXTRA_COLUMNS.join(", ")}`,
      );
    }
    return known;
  });
}

const LIFE_OPTIONS = {
  ...SCOPE_OPTIONS,
  ...PORT_OPTIONS,
  openBefore: {
    kind: "flag",
    long: "open-before",
    section: "Which connections",
    help: "also sessions that were open before",
    detail: "The column OPEN says so, and MS counts from the beginning of " +
      "the view; bytes are those of the whole session.",
  },
  stillOpen: {
    kind: "flag",
    long: "still-open",
    section: "Which connections",
    help: "at the end also sessions that are still open",
    detail: "The column OPEN says so. A session is open while a process " +
      "holds a descriptor for it.",
  },
  ...TIME_OPTIONS,
  ...FORMAT_OPTIONS,
  bytes: {
    kind: "flag",
    long: "bytes",
    section: "Output",
    help: "exact bytes instead of KiB",
    detail: "Data only, each byte once: what was acknowledged, and what was " +
      "received in order.",
  },
  columns: {
    kind: "value",
    long: "columns",
    section: "Output",
    metavar: "NAMES",
    parse: columnList,
    help: `more columns: ${EXTRA_COLUMNS.join(",")}`,
    detail: "`retrans` counts segments that were sent again, `rtt` is the " +
      "smoothed round-trip time in milliseconds, `closed` says who ended the " +
      "session: local, remote, local-reset, remote-reset or timeout; `error` " +
      "is the error that ended it, `netns` and `cgroup` are inodes, and " +
      "`owner` says how the process is known.",
  },
  summary: {
    kind: "flag",
    long: "summary",
    section: "Output",
    help: "at the end sums for each process and each remote address",
    detail: "With `--csv` or `--json` it goes to standard error.",
  },
  ...END_OPTIONS,
} as const satisfies OptionTable;

/** The command. */
export const LIFE_COMMAND: Command = viewCommand({
  name: "life",
  options: LIFE_OPTIONS,
  summary: "show TCP sessions with their bytes and their time",
  description:
    "Shows each TCP session of this machine when it is closed: process, " +
    "both ends, bytes sent and received, and how long it lasted.",
  details: [
    "A session between two processes of this machine is two rows, one for " +
    "each end. Attempts that failed are rows, too, without bytes. MS is the " +
    "time since the session was established; waiting for late segments " +
    "(TIME_WAIT) is not part of it. KiB are rounded down.",
    "Options, columns and comma-separated values are those of tcplife; " +
    "unlike there, fields are quoted where they have to be.",
  ],
  examples: [
    {
      command: "tracedump life",
      text: "all sessions of the machine, until Ctrl-C",
    },
    {
      command: "tracedump life -stT > sessions.csv",
      text: "comma-separated values with both kinds of time",
    },
    {
      command: "tracedump life --bytes --columns closed,rtt -p 4242",
      text: "exact bytes, and who closed, of one process",
    },
    {
      command: "tracedump life --summary -- make fetch",
      text: "what a command transferred, and with whom",
    },
  ],
  plan: (given, { scope, filter }, host) => {
    const { localPort, remotePort, openBefore, stillOpen } = given;
    const wanted = {
      ...filter,
      ...localPort === undefined ? {} : { localPorts: localPort },
      ...remotePort === undefined ? {} : { remotePorts: remotePort },
    };
    const printer = rowPrinter(
      lifeColumns({
        ...given,
        marks: openBefore || stillOpen,
        extra: given.columns ?? [],
      }),
      given,
    );
    // What programs read is not mixed with it.
    const other = given.csv || given.json ? host.stderr : undefined;
    return {
      open: (engine) =>
        engine.watchSessions({ scope, filter: wanted, openBefore, stillOpen }),
      printer: given.summary ? withSummary(printer, other) : printer,
    };
  },
});

/** Adds a summary behind the rows, or on another output. */
function withSummary(
  printer: ViewPrinter<SessionRow>,
  other: TextOutput | undefined,
): ViewPrinter<SessionRow> {
  const summary = new LifeSummary();
  return {
    begin: () => printer.begin(),
    row: (row, text) => {
      summary.add(row);
      printer.row(row, text);
    },
    end: () => {
      if (other === undefined) return printer.end() + summary.format();
      other.write(summary.format());
      return printer.end();
    },
  };
}
