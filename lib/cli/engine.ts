/**
 * The capture engine as the command line calls it.
 *
 * @module
 */

import type {
  Capture,
  CaptureObserver,
  CaptureOptions,
} from "../session/types.ts";

/**
 * Starts a capture; settles when the program is being watched.
 *
 * Rejects with {@linkcode CaptureError} when the capture cannot begin.
 */
export type StartCapture = (
  options: CaptureOptions,
  observer: CaptureObserver,
) => Promise<Capture>;
