/**
 * The error of a command line that makes no sense.
 *
 * @module
 */

/** What the user typed cannot be understood; nothing was started. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** One line that says what to type instead, if that is clear. */
  readonly hint: string | undefined;

  /** Makes the error; `message` is one sentence without a final period. */
  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}
