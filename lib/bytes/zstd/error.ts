/**
 * Zstandard data that do not follow RFC 8878, or ask for too much.
 *
 * The message completes a sentence: it says what is wrong.
 */
export class ZstdError extends Error {
  /** Tells it from other errors. */
  override readonly name = "ZstdError";
}
