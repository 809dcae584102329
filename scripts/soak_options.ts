/**
 * The command line of `scripts/soak`.
 *
 * @module
 */
import { chosenOf, TRACKER_HELP, TRACKERS } from "./chosen_names.ts";
import { parseWords, wholeNumber } from "./script.ts";

/** How long to go on. */
export interface SoakOptions {
  readonly trackers: readonly string[];
  /** Conversations of the program. */
  readonly count: number;
  /** Microseconds between two conversations of each thread. */
  readonly pause: number;
  /** Seconds that the program stays when they are over. */
  readonly rest: number;
  /** Print Markdown. */
  readonly markdown: boolean;
}

/** Text of `--help`. */
export const HELP = `Usage: scripts/soak [OPTIONS]

Has a traced program hold very many short conversations (TCP connections that
end in several ways, UDP questions), while another program does the same, in a
network namespace of their own. Shows tracedump's memory at each hundred
thousand, and compares everything that it captured with tcpdump. Needs root and
gcc.

Options:
  --count N       conversations (default 1000000)
${TRACKER_HELP}
  --pause N       microseconds between two conversations of each of the program's
                  four threads (default 300); much less is more than two
                  processors can capture and compare
  --rest N        seconds that the program stays when they are over, so that
                  closed connections are forgotten (default 90)
  --markdown      print tables for a Markdown document
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
): SoakOptions | undefined {
  const { values } = parseWords({
    args: [...args],
    options: {
      count: { type: "string" },
      tracker: { type: "string" },
      pause: { type: "string" },
      rest: { type: "string" },
      markdown: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return undefined;
  return {
    trackers: chosenOf(TRACKERS, "tracker", values.tracker),
    count: wholeNumber("--count", values.count, 1_000_000),
    pause: wholeNumber("--pause", values.pause, 300),
    rest: wholeNumber("--rest", values.rest, 90),
    markdown: values.markdown ?? false,
  };
}
