/**
 * Everything that the tool says while it works: messages on lines of their
 * own, and one live status line that never gets in their way.
 *
 * @module
 */

import { PROGRAM } from "./help.ts";
import type { TextOutput } from "./host.ts";
import type { CaptureNotice, CaptureStatus } from "../session/types.ts";
import { countOf, cut, formatBytes, formatClock, printable } from "./text.ts";

/** ECMA-48 EL: erases from the cursor to the end of the line. */
const ERASE_LINE = "\r\x1b[K";

/** How much is told. */
export interface Verbosity {
  /** Only warnings and errors. */
  readonly quiet: boolean;
  /** Highest level of debug notices that are shown; 0 shows none. */
  readonly debug: number;
}

/** Writes messages and the status line to standard error. */
export class Console {
  readonly #output: TextOutput;
  readonly #verbosity: Verbosity;
  #statusShown = false;

  /** Makes a console that shows nothing of debugging unless told so. */
  constructor(
    output: TextOutput,
    verbosity: Verbosity = { quiet: false, debug: 0 },
  ) {
    this.#output = output;
    this.#verbosity = verbosity;
  }

  /** Shows what is to be told about the running capture. */
  notice(notice: CaptureNotice): void {
    const text = printable(notice.text);
    switch (notice.severity) {
      case "warning":
        this.#line(`warning: ${text}`);
        break;
      case "info":
        if (!this.#verbosity.quiet) this.#line(text);
        break;
      case "debug":
        if ((notice.level ?? 1) <= this.#verbosity.debug) {
          this.#line(`debug: ${text}`);
        }
        break;
    }
  }

  /** Shows why something failed and what may help. */
  error(message: string, hint?: string): void {
    this.#line(printable(message));
    if (hint !== undefined) this.#line(`hint: ${printable(hint)}`);
  }

  /** Shows lines that are quoted. */
  excerpt(lines: string): void {
    for (const line of lines.split("\n")) this.#line(`  ${printable(line)}`);
  }

  /** Shows lines as they are, without the program's name. */
  print(text: string): void {
    this.hideStatus();
    this.#output.write(text);
  }

  /** Shows or replaces the status line. */
  showStatus(status: CaptureStatus, columns: number): void {
    // A character in the last column would make some terminals wrap.
    const text = cut(formatStatus(status), columns - 1);
    this.#output.write(`${ERASE_LINE}${text}`);
    this.#statusShown = true;
  }

  /** Takes the status line away. */
  hideStatus(): void {
    if (!this.#statusShown) return;
    this.#output.write(ERASE_LINE);
    this.#statusShown = false;
  }

  #line(text: string): void {
    this.print(`${PROGRAM}: ${text}\n`);
  }
}

/** Returns the text of the status line. */
export function formatStatus(status: CaptureStatus): string {
  return [
    formatClock(status.elapsed),
    countOf(status.packets, "packet"),
    formatBytes(status.bytes),
    countOf(status.sockets, "socket"),
    countOf(status.drops, "drop"),
  ].join("  ");
}
