/**
 * The command line of the benchmarks.
 *
 * @module
 */
import { OptionError, parseWords, wholeNumber } from "./script.ts";

/** Groups of measurements in the order in which they run. */
export const GROUPS = [
  "nginx",
  "loop",
  "sniffer",
  "rules",
  "views",
  "memory",
  "start",
  "reading",
] as const;

/** Name of a group. */
export type GroupName = typeof GROUPS[number];

/** What to measure, and how long. */
export interface BenchOptions {
  readonly groups: readonly GroupName[];
  /** Length of a single measurement. */
  readonly seconds: number;
  /** How often each measurement is made. */
  readonly rounds: number;
  /** Print Markdown. */
  readonly markdown: boolean;
  /** File for the raw numbers. */
  readonly json: string | undefined;
  /** Executable to measure, instead of `./tracedump`. */
  readonly tool: string | undefined;
}

/** Text of `--help`. */
export const HELP = `Usage: scripts/bench [OPTIONS] [GROUP...]

Measures what tracing costs a program and what capturing costs the machine,
on loopback only. Needs root. Groups (all unless told):

  nginx     requests per second of nginx, launched and attached, and processor
            time for a request; strace and tcpdump beside
  loop      time of a system call and of a connection; strace beside
  sniffer   processor time per captured packet, drops, memory; tcpdump beside
  rules     time to change a rule of the kernel filter, and to apply all rules
  views     connections under the system-wide views; bpftrace beside
  memory    memory of the views over a million rows each
  start     time of a whole run with a command that does nothing
  reading   packets per second that are printed and counted; tcpdump beside

Options:
  --seconds N   length of each measurement (default 3)
  --rounds N    rounds; medians are shown (default 5)
  --markdown    print tables for a Markdown document
  --json FILE   write the numbers to a file, too
  --tool FILE   executable to measure (default ./tracedump, else the sources)
  --help        show this help and exit
`;

/**
 * Reads the command line.
 *
 * @returns `undefined` when help is wanted
 * @throws {OptionError}
 */
export function parseOptions(
  args: readonly string[],
): BenchOptions | undefined {
  const { values, positionals } = parseWords({
    args: [...args],
    allowPositionals: true,
    options: {
      seconds: { type: "string" },
      rounds: { type: "string" },
      markdown: { type: "boolean" },
      json: { type: "string" },
      tool: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return undefined;
  const unknown = positionals.find((name) => !isGroup(name));
  if (unknown !== undefined) {
    throw new OptionError(
      `No group "${unknown}": expected ${GROUPS.join(", ")}`,
    );
  }
  const wanted = new Set(positionals);
  return {
    groups: GROUPS.filter((name) => wanted.size === 0 || wanted.has(name)),
    seconds: wholeNumber("--seconds", values.seconds, 3),
    rounds: wholeNumber("--rounds", values.rounds, 5),
    markdown: values.markdown ?? false,
    json: values.json,
    tool: values.tool,
  };
}

function isGroup(name: string): name is GroupName {
  return (GROUPS as readonly string[]).includes(name);
}
