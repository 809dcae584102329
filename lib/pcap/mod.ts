/**
 * Capture files: reading pcap and pcapng, also compressed, and writing them
 * anew in either format, of one file or of several in the order of time.
 *
 * Nothing here touches a file: bytes come in and go out.
 *
 * @example Count the packets of a file
 * ```ts
 * import { CaptureStream } from "./mod.ts";
 * import assert from "node:assert/strict";
 *
 * using file = await Deno.open("tests/golden/data/filter_linktype_1.pcap");
 * const stream = await CaptureStream.open(async function* () {
 *   const bytes = new Uint8Array(1 << 16);
 *   for (let n; (n = await file.read(bytes)) !== null;) yield bytes.slice(0, n);
 * }());
 * let count = 0;
 * for await (const batch of stream.batches()) count += batch.length;
 * assert(count > 0);
 * ```
 *
 * @module
 */
export type { BlockOption } from "./pcapng/options.ts";
export {
  type CaptureBlock,
  type CaptureFormat,
  type CaptureInterface,
  type CaptureRecord,
  CaptureStream,
  type PacketDetails,
  type PacketOwner,
  type PacketTest,
  type PcapFileHeader,
  type SelectOptions,
} from "./capture_stream.ts";
export { CaptureFormatError } from "./error.ts";
export {
  type CaptureEncoder,
  captureEncoder,
  type ConvertOptions,
  MixedLinkTypesError,
} from "./convert.ts";
export {
  type CaptureFailure,
  type CaptureItem,
  CaptureMerger,
  type CaptureRun,
} from "./merge.ts";
export { decodeNameResolution, type ResolvedName } from "./pcapng/blocks.ts";
export { BlockType } from "./pcapng/format.ts";
