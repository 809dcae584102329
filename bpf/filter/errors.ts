/**
 * Errors of the filter language.
 *
 * @module
 */

/**
 * A filter expression that cannot be understood or cannot be compiled.
 *
 * @example Show where the mistake is
 * ```ts
 * import { FilterSyntaxError } from "./errors.ts";
 * import assert from "node:assert/strict";
 *
 * const error = new FilterSyntaxError("tcp prot 80", 4, 'found "prot"');
 * assert.equal(error.caret, "tcp prot 80\n    ^");
 * ```
 */
export class FilterSyntaxError extends SyntaxError {
  /** Name of the class. */
  override readonly name = "FilterSyntaxError";
  /** Index of the mistake in the text, in UTF-16 units. */
  readonly offset: number;
  /** Number of the line with the mistake; the first is 1. */
  readonly line: number;
  /** Place of the mistake in its line; the first is 1. */
  readonly column: number;
  /** The line with the mistake, and a second line with a `^` below it. */
  readonly caret: string;
  /** What would have been right at that place; empty if that cannot be said. */
  readonly expected: string;

  /**
   * Makes the error.
   *
   * @param text The whole expression.
   * @param offset Index of the mistake.
   * @param reason What is wrong, without a final period.
   * @param expected What would have been right, such as `a port number`.
   */
  constructor(text: string, offset: number, reason: string, expected = "") {
    const before = text.slice(0, offset);
    const start = before.lastIndexOf("\n") + 1;
    const end = text.indexOf("\n", offset);
    const lineText = text.slice(start, end < 0 ? text.length : end);
    const line = before.split("\n").length;
    const column = offset - start + 1;
    super(
      `Cannot compile filter: ${reason} at line ${line}, column ${column}` +
        (expected === "" ? "" : `, expected ${expected}`),
    );
    this.offset = offset;
    this.line = line;
    this.column = column;
    this.expected = expected;
    const indent = lineText.slice(0, column - 1).replace(/[^\t]/g, " ");
    this.caret = `${lineText}\n${indent}^`;
  }
}
