/**
 * The command `tracedump life`: TCP sessions from beginning to end, of every
 * process.
 *
 * @module
 */
import type { SessionRow } from "../../views/rows.ts";
import type { Command, Context } from "../command.ts";
import { EXIT_CODE, exitWith, type Outcome } from "../exit_code.ts";
import { formatHelp } from "../help.ts";
import type { TextOutput } from "../host.ts";
import { type OptionTable, ValueError } from "../options.ts";
import { parseArguments } from "../parse.ts";
import { UsageError } from "../usage_error.ts";
import {
  EXTRA_COLUMNS,
  type ExtraColumn,
  lifeColumns,
} from "../views/life_columns.ts";
import { LifeSummary } from "../views/life_summary.ts";
import { rowPrinter, type ViewPrinter } from "../views/printer.ts";
import { VIEW_EXIT_STATUS, VIEW_SECTIONS } from "../views/view_manual.ts";
import {
  END_OPTIONS,
  FORMAT_OPTIONS,
  portList,
  SCOPE_OPTIONS,
  TIME_OPTIONS,
} from "../views/view_options.ts";
import { planView } from "../views/view_plan.ts";
import { runView } from "../views/view_runner.ts";

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
  localPort: {
    kind: "value",
    long: "localport",
    short: "L",
    section: "Which connections",
    metavar: "PORTS",
    parse: portList,
    help: "only with these local ports: `80,443`",
  },
  remotePort: {
    kind: "value",
    long: "remoteport",
    short: "D",
    section: "Which connections",
    metavar: "PORTS",
    parse: portList,
    help: "only with these remote ports",
  },
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
export const LIFE_COMMAND: Command = {
  name: "life",
  operand: "process",
  options: LIFE_OPTIONS,
  manual: {
    summary: "show TCP sessions with their bytes and their time",
    synopsis: ["[OPTIONS]", "[OPTIONS] -- COMMAND [ARG...]"],
    description:
      "Shows each TCP session of this machine when it is closed: process, " +
      "both ends, bytes sent and received, and how long it lasted.",
    details: [
      "A session between two processes of this machine is two rows, one for " +
      "each end. Attempts that failed are rows, too, without bytes. MS is the " +
      "time since the session was established; waiting for late segments " +
      "(TIME_WAIT) is not part of it. KiB are rounded down.",
      "With `--`, a command is started, and only it and its descendants are " +
      "looked at; what it prints goes to standard error. Otherwise Ctrl-C " +
      "ends the view.",
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
    sections: VIEW_SECTIONS,
    exitStatus: VIEW_EXIT_STATUS,
  },
  run: runLife,
};

async function runLife(
  args: readonly string[],
  context: Context,
): Promise<Outcome> {
  const { host } = context;
  const { options: given, operands, rest } = parseArguments(LIFE_OPTIONS, args);
  if (given.help) {
    host.stdout.write(formatHelp(LIFE_COMMAND));
    return exitWith(EXIT_CODE.OK);
  }
  if (given.csv && given.json) {
    throw new UsageError("Cannot combine --csv and --json");
  }
  const plan = planView("life", given, operands, rest, host);
  const { localPort, remotePort, openBefore, stillOpen } = given;
  const filter = {
    ...plan.filter,
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
  return await runView({
    ...plan,
    open: (engine) =>
      engine.watchSessions({
        scope: plan.scope,
        filter,
        openBefore,
        stillOpen,
      }),
    printer: given.summary ? withSummary(printer, other) : printer,
  }, context);
}

/** Adds a summary behind the rows, or on another output. */
function withSummary(
  printer: ViewPrinter<SessionRow>,
  other: TextOutput | undefined,
): ViewPrinter<SessionRow> {
  const summary = new LifeSummary();
  return {
    begin: () => printer.begin(),
    row: (row) => {
      summary.add(row);
      return printer.row(row);
    },
    end: () => {
      if (other === undefined) return printer.end() + summary.format();
      other.write(summary.format());
      return printer.end();
    },
  };
}
