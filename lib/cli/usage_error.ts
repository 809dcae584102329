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
  /** Lines that show the mistake, with a mark below it. */
  readonly excerpt: string | undefined;

  /** Makes the error; `message` is one sentence without a final period. */
  constructor(
    message: string,
    help: string | { readonly hint?: string; readonly excerpt?: string } = {},
  ) {
    super(message);
    const { hint, excerpt } = typeof help === "string"
      ? { hint: help, excerpt: undefined }
      : help;
    this.hint = hint;
    this.excerpt = excerpt;
  }
}
