/**
 * Errors of other threads: they come as messages.
 *
 * @module
 */
import { CaptureError, type CaptureErrorCode } from "./types.ts";

/** What a thread could not do. */
export function threadFailure(
  { message, hint }: { readonly message: string; readonly hint?: string },
  code: CaptureErrorCode,
): CaptureError {
  return new CaptureError(code, message, hint === undefined ? {} : { hint });
}
