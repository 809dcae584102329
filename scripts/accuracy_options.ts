/**
 * The command line of the accuracy suite.
 *
 * @module
 */
import {
  chosenOf,
  TRACKER_HELP,
  type TrackerName,
  TRACKERS,
} from "./chosen_names.ts";
import { parseWords } from "./script.ts";

/** Kernel filters, in the order of the columns. */
const FILTERS = ["map", "classic"] as const;

/** A way to capture; each has columns of its own. */
export interface Way {
  readonly tracker: TrackerName;
  readonly filter: typeof FILTERS[number];
}

/** What to run and how to show it. */
export interface AccuracyOptions {
  /** Only tests whose names contain this. */
  readonly filter: string | undefined;
  readonly ways: readonly Way[];
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
tracker and each kernel filter, compares packet by packet with an independent
tcpdump, and prints precision (share of captured packets that are the
program's) and recall (share of the program's packets that were captured), and
what tracedump itself says that it misses. On loopback and in network namespaces
only. Needs root, takes about a quarter of an hour.

With FILTER, only cases whose names contain it. The exit status is 0 when
nothing foreign was captured and nothing is missing that was not told.

Options:
${TRACKER_HELP}
  --kernel-filter NAME
                  only this kernel filter: ${FILTERS.join(" or ")}
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
      "kernel-filter": { type: "string" },
      groups: { type: "boolean" },
      markdown: { type: "boolean" },
      save: { type: "string" },
      show: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return undefined;
  const trackers = chosenOf(TRACKERS, "tracker", values.tracker);
  const asked = values["kernel-filter"];
  const filters = chosenOf(FILTERS, "kernel filter", asked);
  return {
    filter: positionals.length === 0 ? undefined : positionals.join(" "),
    ways: trackers.flatMap((tracker) =>
      filters.map((filter) => ({ tracker, filter }))
    ),
    groups: values.groups ?? false,
    markdown: values.markdown ?? false,
    save: values.save,
    show: values.show,
  };
}
