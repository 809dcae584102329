/**
 * Options that the commands of the views share, declared once.
 *
 * @module
 */
import { type Option, type OptionTable, ValueError } from "../options.ts";
import { nonEmpty, positiveTime, wholeNumber } from "../values.ts";

/** PID_MAX_LIMIT of 64-bit kernels, linux/threads.h. */
const MAX_PID = 4_194_304;
const MAX_PORT = 65_535;
const MAX_UID = 0xffff_fffe;

/** Reads a list of ports such as `80,443`. */
export function portList(text: string): ReadonlySet<number> {
  const port = wholeNumber(0, MAX_PORT);
  try {
    return new Set(text.split(",").map(port));
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new ValueError("port numbers with commas between them");
  }
}

/** Which processes. */
export const SCOPE_OPTIONS = {
  pid: {
    kind: "list",
    long: "pid",
    short: "p",
    section: "Which connections",
    metavar: "PID",
    completion: "process",
    parse: wholeNumber(1, MAX_PID),
    help: "only of this process; may be repeated",
  },
  pidTree: {
    kind: "list",
    long: "pid-tree",
    section: "Which connections",
    metavar: "PID",
    completion: "process",
    parse: wholeNumber(1, MAX_PID),
    help: "only of this process and its descendants",
    detail: "Processes that it starts later are included.",
  },
  cgroup: {
    kind: "value",
    long: "cgroup",
    section: "Which connections",
    metavar: "PATH",
    completion: "file",
    parse: nonEmpty,
    help: "only of processes in this cgroup2 folder",
    detail: "Folders below it are included.",
  },
  ipv4: {
    kind: "flag",
    long: "ipv4",
    short: "4",
    section: "Which connections",
    help: "only IPv4 sockets",
  },
  ipv6: {
    kind: "flag",
    long: "ipv6",
    short: "6",
    section: "Which connections",
    help: "only IPv6 sockets",
    detail: "An IPv6 socket that talks by way of IPv4 is one of them; its " +
      "addresses begin with `::ffff:`.",
  },
} as const satisfies OptionTable;

/** The user. */
export const UID_OPTION = {
  uid: {
    kind: "value",
    long: "uid",
    short: "u",
    section: "Which connections",
    metavar: "UID",
    parse: wholeNumber(0, MAX_UID),
    help: "only of this user",
  },
} as const satisfies OptionTable;

/** Times in front of rows. */
export const TIME_OPTIONS = {
  time: {
    kind: "flag",
    long: "time",
    short: "T",
    section: "Output",
    help: "time of day (HH:MM:SS) in front of each row",
  },
  timestamp: {
    kind: "flag",
    long: "timestamp",
    short: "t",
    section: "Output",
    help: "seconds since the first row in front of each row",
  },
} as const satisfies OptionTable;

/** Ports of either end. */
export const PORT_OPTIONS = {
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
} as const satisfies OptionTable;

/** Comma-separated values, without a letter. */
export const CSV_OPTION = {
  kind: "flag",
  long: "csv",
  section: "Output",
  help: "comma-separated values",
} as const satisfies Option;

/** Formats for programs. */
export const FORMAT_OPTIONS = {
  wide: {
    kind: "flag",
    long: "wide",
    short: "w",
    section: "Output",
    help: "wider columns, which IPv6 addresses fit in",
  },
  csv: { ...CSV_OPTION, short: "s" },
  json: {
    kind: "flag",
    long: "json",
    section: "Output",
    help: "one JSON object in each line, with everything that is known",
  },
} as const satisfies OptionTable;

/** When to stop, messages, help. */
export const END_OPTIONS = {
  rows: {
    kind: "value",
    long: "rows",
    short: "n",
    section: "When to stop",
    metavar: "N",
    parse: wholeNumber(1),
    help: "stop after `N` rows",
  },
  duration: {
    kind: "value",
    long: "duration",
    section: "When to stop",
    metavar: "TIME",
    parse: positiveTime,
    help: "stop after this time: `500ms`, `10s`, `2m`, `1h30m`",
    detail: "A plain number means seconds.",
  },
  user: {
    kind: "value",
    long: "user",
    section: "Running a command",
    metavar: "NAME",
    completion: "user",
    parse: nonEmpty,
    help: "run the command as this user",
  },
  quiet: {
    kind: "flag",
    long: "quiet",
    short: "q",
    section: "Messages",
    help: "only warnings and errors",
  },
  debug: {
    kind: "flag",
    long: "debug",
    section: "Messages",
    help: "tell more: what the kernel refused, and its verifier's last lines",
  },
  help: {
    kind: "flag",
    long: "help",
    short: "h",
    section: "Help",
    immediate: true,
    help: "show this help and exit",
  },
} as const satisfies OptionTable;
