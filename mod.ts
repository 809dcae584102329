/**
 * Captures the TCP and UDP packets of single programs.
 *
 * @example Capture what a command sends and receives
 * ```ts ignore
 * import { startCapture } from "./mod.ts";
 *
 * const capture = await startCapture({
 *   target: { kind: "command", command: "curl", args: ["http://localhost/"] },
 *   output: "dump.pcap",
 *   snaplen: 0,
 *   nanoseconds: false,
 *   interfaces: [],
 *   follow: true,
 *   bufferSize: 16,
 *   linger: 2000,
 * }, {});
 * const { packets } = await capture.finished;
 * ```
 *
 * @module
 */

export { startCapture } from "./lib/session/capture.ts";
export {
  type Capture,
  type CaptureEndReason,
  CaptureError,
  type CaptureErrorCode,
  type CaptureFormat,
  type CaptureNotice,
  type CaptureObserver,
  type CaptureOptions,
  type CaptureResult,
  type CaptureStatus,
  type CaptureTarget,
  type CommentChoice,
  type ExitStatus,
  type KernelFilterChoice,
  type PeerSummary,
  type ProcessSummary,
  type RotationOptions,
  type TrackerChoice,
} from "./lib/session/types.ts";
