/**
 * The command line of the accuracy suite.
 *
 * @module
 */
import { OptionError, parseWords } from "./script.ts";

/** Ways to follow a program, in the order of the columns. */
export const TRACKERS = ["ebpf", "ptrace"] as const;

/** Name of a tracker. */
export type TrackerName = typeof TRACKERS[number];

/** What to run and how to show it. */
export interface AccuracyOptions {
  /** Only tests whose names contain this. */
  readonly filter: string | undefined;
  readonly trackers: readonly TrackerName[];
  /** One row per group of cases instead of one per case. */
  readonly groups: boolean;
  /** Print Markdown. */
  readonly markdown: boolean;
  /** File that keeps what was found. */
  readonly save: string | undefined;
  /** File to show, kept by an earlier run, instead of running anything. */
  readonly show: string | undefined;
}

/** Text of `--help`. */
export const HELP = `Usage: scripts/accuracy [OPTIONS] [FILTER]

Captures the traffic of programs in every case that the tests know, with each
tracker, compares packet by packet with an independent tcpdump, and prints
precision (share of captured packets that are the program's) and recall (share
of the program's packets that were captured). On loopback and in network
namespaces only. Needs root, takes some minutes.

With FILTER, only cases whose names contain it. The exit status is 0 when
every row is exact.

Options:
  --tracker NAME  only this tracker: ${TRACKERS.join(" or ")}
  --groups        one row per group of cases
  --markdown      print the table for a Markdown document
  --save FILE     keep what was found in this file, too
  --show FILE     show what was kept instead of running anything
  --help          show this help and exit
`;

/**
 * Reads the command line.
 *
 * @returns `undefined` when help is wanted
 * @throws {OptionError}
 */
export function parseOptions(
  args: readonly string[],
): AccuracyOptions | undefined {
  const { values, positionals } = parseWords({
    args: [...args],
    allowPositionals: true,
    options: {
      tracker: { type: "string" },
      groups: { type: "boolean" },
      markdown: { type: "boolean" },
      save: { type: "string" },
      show: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return undefined;
  const { tracker } = values;
  const trackers = TRACKERS.filter((name) =>
    tracker === undefined || tracker === name
  );
  if (trackers.length === 0) {
    throw new OptionError(
      `No tracker "${tracker}": expected ${TRACKERS.join(" or ")}`,
    );
  }
  return {
    filter: positionals.length === 0 ? undefined : positionals.join(" "),
    trackers,
    groups: values.groups ?? false,
    markdown: values.markdown ?? false,
    save: values.save,
    show: values.show,
  };
}
