/**
 * The operating system as the command line sees it: everything that a test
 * replaces.
 *
 * @module
 */

import type { Outcome } from "./exit_code.ts";
import type { SignalName } from "./signals.ts";

/** Standard output or standard error. */
export interface TextOutput {
  /** Whether it is a terminal. */
  readonly isTerminal: boolean;
  /** Writes all of the text before it returns; a closed pipe is no error. */
  write(text: string): void;
}

/** The process, its terminal, its clock and its signals. */
export interface Host {
  /** Command line arguments without the program's name. */
  readonly args: readonly string[];
  /** Id of this process. */
  readonly pid: number;
  /** Version and platform of the runtime, for `--version`. */
  readonly runtime: string;
  /** Signals that were ignored when the process started. */
  readonly ignoredSignals: ReadonlySet<SignalName>;
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  /** Reads a file that the user named. */
  readTextFile(path: string): Promise<string>;
  /** Width of the terminal in characters. */
  columns(): number;
  /** Calls back every so many milliseconds until the result is called. */
  every(milliseconds: number, callback: () => void): () => void;
  /** Listens to a signal until the result is called. */
  onSignal(signal: SignalName, callback: () => void): () => void;
  /** Stops this process like SIGSTOP does; returns when it runs on. */
  suspend(): void;
  /** Ends this process; the shell sees the outcome. */
  end(outcome: Outcome): Promise<never>;
}
