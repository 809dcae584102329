/**
 * What a command is: its description and the function that runs it.
 *
 * @module
 */

import type { Outcome } from "./exit_code.ts";
import type { LoadViews, StartCapture } from "./engine.ts";
import type { Host } from "./host.ts";
import type { Completion, OptionTable } from "./options.ts";

/** A titled part of the manual page; backticks mark literals. */
export interface ManualSection {
  readonly title: string;
  readonly paragraphs: readonly string[];
}

/** A command line and what it does. */
export interface Example {
  readonly text: string;
  readonly command: string;
}

/** What `--help`, the manual page and the completions say about a command. */
export interface Manual {
  /** One line: what it is for. */
  readonly summary: string;
  /** Forms of the command line after the program's name. */
  readonly synopsis: readonly string[];
  /** One paragraph for `--help` and the start of the manual page. */
  readonly description: string;
  /** Further paragraphs of the description in the manual page. */
  readonly details: readonly string[];
  readonly examples: readonly Example[];
  /** Further parts of the manual page. */
  readonly sections: readonly ManualSection[];
  /** Rows of the exit status, where they are not those of capturing. */
  readonly exitStatus?: readonly (readonly [string, string])[];
}

/** What a command works with. */
export interface Context {
  readonly host: Host;
  /** Starts the capture engine, which is loaded on first use. */
  readonly startCapture: StartCapture;
  /** Loads what the system-wide views need. */
  readonly loadViews: LoadViews;
  /** Loads all commands, the default one first. */
  readonly loadCommands: () => Promise<readonly Command[]>;
}

/** One command of the program. */
export interface Command {
  /** Word that selects it. */
  readonly name: string;
  /** Runs without its name being given. */
  readonly isDefault?: true;
  /** What a shell offers for arguments that are no options. */
  readonly operand: Completion;
  readonly options: OptionTable;
  readonly manual: Manual;
  /**
   * Runs the command.
   *
   * @param args Arguments after the command's name.
   * @throws {UsageError} when the arguments make no sense.
   */
  run(args: readonly string[], context: Context): Promise<Outcome>;
}
