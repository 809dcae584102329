/**
 * Which format a capture file has.
 *
 * @module
 */
import type { CaptureFormat } from "./types.ts";

/**
 * The format that was asked for, else the one that the name tells.
 *
 * @example By the name of the file
 * ```ts
 * import { captureFormat } from "./capture_format.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(captureFormat(undefined, "dump.pcapng"), "pcapng");
 * assert.equal(captureFormat("pcap", "dump.pcapng"), "pcap");
 * assert.equal(captureFormat(undefined, "-"), "pcap");
 * ```
 */
export function captureFormat(
  format: CaptureFormat | undefined,
  path: string | undefined,
): CaptureFormat {
  return format ?? (path?.endsWith(".pcapng") ? "pcapng" : "pcap");
}
