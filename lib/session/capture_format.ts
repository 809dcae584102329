/**
 * Which format a capture file has.
 *
 * @module
 */
import type { CaptureFormat } from "./types.ts";

/** The format that was asked for, else the one that the name tells. */
export function captureFormat(
  format: CaptureFormat | undefined,
  path: string | undefined,
): CaptureFormat {
  return format ?? (path?.endsWith(".pcapng") ? "pcapng" : "pcap");
}
