/**
 * How the program ends: every exit status that is its own is named here.
 *
 * @module
 */

import type { CaptureErrorCode, ExitStatus } from "../session/types.ts";

/** Exit statuses of the tool itself; the traced command's own come on top. */
export const EXIT_CODE = {
  /** All went well. */
  OK: 0,
  /** The capture could not begin, or broke off. */
  FAILURE: 1,
  /** The command line makes no sense. */
  USAGE: 2,
  /** The command exists but cannot be executed (as in sh(1)). */
  NOT_EXECUTABLE: 126,
  /** The command does not exist (as in sh(1)). */
  NOT_FOUND: 127,
} as const;

/** Rows of the "Exit status" part of `--help` and of the manual page. */
export const EXIT_STATUS_ROWS: readonly (readonly [string, string])[] = [
  [
    "command",
    "the command's own exit status; a signal that ended it ends tracedump too",
  ],
  ["0", "the capture of running processes ended well"],
  [String(EXIT_CODE.FAILURE), "the capture could not begin or broke off"],
  [String(EXIT_CODE.USAGE), "the command line is wrong"],
  [String(EXIT_CODE.NOT_EXECUTABLE), "the command cannot be executed"],
  [String(EXIT_CODE.NOT_FOUND), "the command was not found"],
];

/** The way the process is to end. */
export type Outcome =
  | { readonly kind: "code"; readonly code: number }
  | { readonly kind: "signal"; readonly signal: number };

/** Makes the outcome of a plain exit. */
export function exitWith(code: number): Outcome {
  return { kind: "code", code };
}

/** Returns the exit status for a capture that could not begin. */
export function exitCodeOf(code: CaptureErrorCode): number {
  switch (code) {
    case "not-found":
      return EXIT_CODE.NOT_FOUND;
    case "not-executable":
      return EXIT_CODE.NOT_EXECUTABLE;
    default:
      return EXIT_CODE.FAILURE;
  }
}

/**
 * Returns how the tool ends after a capture.
 *
 * The command's own end is passed on. A capture that failed while the command
 * did well is a failure of the tool.
 *
 * @param exit The command's end; `undefined` after capturing processes.
 * @param failed Whether the capture broke off.
 */
export function outcomeOf(
  exit: ExitStatus | undefined,
  failed: boolean,
): Outcome {
  if (exit?.kind === "signaled") {
    return { kind: "signal", signal: exit.signal };
  }
  if (exit !== undefined && exit.code !== 0) return exitWith(exit.code);
  return exitWith(failed ? EXIT_CODE.FAILURE : EXIT_CODE.OK);
}
