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
  /** Whether nobody reads it any more; found out when writing. */
  readonly isClosed: boolean;
  /**
   * Writes all of the text before it returns; a closed pipe is no error.
   *
   * @param text Text, or its UTF-8 bytes.
   */
  write(text: string | Uint8Array): void;
}

/** A file that is written. */
export interface FileOutput {
  /** Whether nobody reads it any more; found out when writing. */
  readonly isClosed: boolean;
  /**
   * Writes all of the bytes before it returns; a closed pipe is no error.
   *
   * @throws {FileError}
   */
  write(bytes: Uint8Array): void;
  /** Ends it. */
  close(): void;
}

/** Capture files; `-` is standard input or output. */
export interface CaptureFiles {
  /**
   * Opens a file to be read in pieces, whose memory is used again for the next
   * piece.
   *
   * @throws {FileError}
   */
  open(path: string): AsyncIterable<Uint8Array>;
  /**
   * Makes a file, or empties it.
   *
   * @throws {FileError}
   */
  create(path: string): FileOutput;
  /** Whether there is something of this name to be read; no folder. */
  exists(path: string): boolean;
  /** Whether two names are of the same file. */
  areSame(one: string, other: string): boolean;
}

/** What stands against reading or writing a file, as a sentence. */
export class FileError extends Error {
  override readonly name = "FileError";
  /** What may help. */
  readonly hint: string | undefined;

  /** Makes the error. */
  constructor(
    message: string,
    options: ErrorOptions & { readonly hint?: string } = {},
  ) {
    super(message, options);
    this.hint = options.hint;
  }
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
  readonly files: CaptureFiles;
  /** IANA name of the zone of times; the system's if left out. */
  readonly timeZone?: string;
  /** Value of an environment variable. */
  environment(name: string): string | undefined;
  /** Reads a file that the user named. */
  readTextFile(path: string): Promise<string>;
  /** Width of the terminal in characters. */
  columns(): number;
  /** Height of the terminal in lines. */
  lines(): number;
  /** Load of the machine as in proc_loadavg(5); empty where it is not told. */
  loadAverage(): string;
  /** Calls back every so many milliseconds until the result is called. */
  every(milliseconds: number, callback: () => void): () => void;
  /** Listens to a signal until the result is called. */
  onSignal(signal: SignalName, callback: () => void): () => void;
  /** Stops this process like SIGSTOP does; returns when it runs on. */
  suspend(): void;
  /** Ends this process; the shell sees the outcome. */
  end(outcome: Outcome): Promise<never>;
}
