/**
 * A capture file that does not follow its format, or ends too early.
 *
 * Everything before `offset` was delivered.
 */
export class CaptureFormatError extends SyntaxError {
  /** Tells it from other errors. */
  override readonly name = "CaptureFormatError";
  /**
   * Byte offset in the (uncompressed) file of the header, record or block that
   * cannot be read.
   */
  readonly offset: number;

  /** Makes the error; `message` is one sentence without a final period. */
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}
