/**
 * The command line of `scripts/tested-programs`.
 *
 * @module
 */
import { parseWords, wholeNumber } from "../script.ts";

/** What to try and how to show it. */
export interface TrialOptions {
  /** Only programs whose names contain one of these; all when empty. */
  readonly names: readonly string[];
  /** How often a running program is attached to. */
  readonly times: number;
  /** Print Markdown. */
  readonly markdown: boolean;
  /** File that keeps results, with those of earlier runs. */
  readonly save: string | undefined;
  /** File to show instead of trying anything. */
  readonly show: string | undefined;
}

/** Text of `--help`. */
export const HELP = `Usage: scripts/tested-programs [OPTIONS] [NAME...]

Runs real programs under each tracker, launched and attached to, in a network
namespace of their own, and compares output and exit status with a run without
tracedump. A running program is attached to many times at random moments; every
third time tracedump is killed. Needs root and the programs; those that are not
installed are left out. Takes about two minutes per program.

Options:
  --times N    how often a running program is attached to (default 60)
  --markdown   print the table for a Markdown document
  --save FILE  keep the results in this file, beside those of earlier runs
  --show FILE  show what was kept instead of trying anything
  --help       show this help and exit
`;

/**
 * Reads the command line.
 *
 * @returns `undefined` when help is wanted
 * @throws {OptionError}
 */
export function parseOptions(
  args: readonly string[],
): TrialOptions | undefined {
  const { values, positionals } = parseWords({
    args: [...args],
    allowPositionals: true,
    options: {
      times: { type: "string" },
      markdown: { type: "boolean" },
      save: { type: "string" },
      show: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return undefined;
  return {
    names: positionals,
    times: wholeNumber("--times", values.times, 60),
    markdown: values.markdown ?? false,
    save: values.save,
    show: values.show,
  };
}
