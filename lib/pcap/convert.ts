/**
 * Captures as the bytes of a new file: the same packets in the same or the
 * other format, of one file or of several.
 *
 * @module
 */

import { formatLinkType } from "../bytes/link_type.ts";
import { CaptureRecord } from "./capture_record.ts";
import type { CaptureFormat, CaptureStream } from "./capture_stream.ts";
import { LinkType, MAXIMUM_SNAPLEN, RECORD_HEADER_LENGTH } from "./format.ts";
import type { CaptureItem } from "./merge.ts";
import { encodeFileHeader, writeRecordHeader } from "./writer.ts";
import { SectionMerger } from "./pcapng/section_merger.ts";
import { viewOf } from "./pcapng/options.ts";

const NANOSECONDS_PER_MICROSECOND = 1_000;
const MICROSECONDS_PER_SECOND = 1_000_000n;
const NOTHING = new Uint8Array(0);

/**
 * What packets would need more than one file for.
 *
 * @example Join files that do not fit
 * ```ts
 * import { CaptureStream } from "./capture_stream.ts";
 * import { captureEncoder, MixedLinkTypesError } from "./convert.ts";
 * import assert from "node:assert/strict";
 *
 * const streams = await Promise.all([1, 113].map((type) =>
 *   CaptureStream.open(async function* () {
 *     const path = `tests/golden/data/filter_linktype_${type}.pcap`;
 *     yield await Deno.readFile(path);
 *   }())
 * ));
 * assert.throws(
 *   () => captureEncoder(streams, { format: "pcap", application: "me" }),
 *   MixedLinkTypesError,
 * );
 * captureEncoder(streams, { format: "pcapng", application: "me" });
 * ```
 */
export class MixedLinkTypesError extends Error {
  /** Tells it from other errors. */
  override readonly name = "MixedLinkTypesError";

  /** Makes the error. */
  constructor(first: number, second: number) {
    super(
      "Cannot write one pcap file: it has one link type, but there are " +
        `packets of ${formatLinkType(first)} and ${formatLinkType(second)}`,
    );
  }
}

/**
 * Makes the bytes of a file from the items of streams.
 * See {@linkcode captureEncoder}.
 */
export interface CaptureEncoder {
  /**
   * The bytes that an item adds to the file; none if it has no place there.
   *
   * @param stream Number of the stream that gave the item.
   * @param item Items of a stream must come in their order; packets can be
   *   left out.
   * @returns A view that is valid until the next call.
   * @throws {MixedLinkTypesError} When the packet does not fit into the file.
   */
  encode(stream: number, item: CaptureItem): Uint8Array;
  /** What the file ends with; all of it where nothing was added. */
  finish(): Uint8Array;
}

/** How to make a file. See {@linkcode captureEncoder}. */
export interface ConvertOptions {
  /** Format of the file. */
  readonly format: CaptureFormat;
  /** Program and version that makes it, for pcapng. */
  readonly application: string;
  /** Times in nanoseconds, even if those of the packets are coarser. */
  readonly nanoseconds?: boolean;
}

/**
 * Makes an encoder. A single file that keeps its format is copied byte for
 * byte, without the packets that are left out.
 *
 * @param streams Streams whose items will come.
 * @param options See {@linkcode ConvertOptions}.
 * @throws {MixedLinkTypesError} When they do not fit into one file.
 *
 * @example Convert a file
 * ```ts
 * import { CaptureStream } from "./capture_stream.ts";
 * import { captureEncoder } from "./convert.ts";
 * import assert from "node:assert/strict";
 *
 * const path = "tests/golden/data/filter_linktype_1.pcap";
 * const bytes = await Deno.readFile(path);
 * const stream = await CaptureStream.open(async function* () {
 *   yield bytes;
 * }());
 * const encoder = captureEncoder([stream], {
 *   format: "pcapng",
 *   application: "me",
 * });
 * const parts: Uint8Array<ArrayBuffer>[] = [];
 * for await (const items of stream.items()) {
 *   for (const item of items) parts.push(encoder.encode(0, item).slice());
 * }
 * parts.push(encoder.finish().slice());
 * const magic = new Uint8Array(await new Blob(parts).arrayBuffer(), 0, 4);
 * assert.deepEqual([...magic], [0x0a, 0x0d, 0x0d, 0x0a]);
 * ```
 */
export function captureEncoder(
  streams: readonly CaptureStream[],
  options: ConvertOptions,
): CaptureEncoder {
  const { format, nanoseconds = false } = options;
  const [only, second] = streams;
  const keepsFormat = only?.format === format && second === undefined &&
    !(nanoseconds && only.header?.nanoseconds === false);
  if (only !== undefined && keepsFormat) return new CopyingEncoder(only);
  return format === "pcap"
    ? new PcapEncoder(streams, nanoseconds)
    : new SectionMerger(streams, options.application);
}

/** Copies one file. */
class CopyingEncoder implements CaptureEncoder {
  #header: Uint8Array;

  constructor(stream: CaptureStream) {
    this.#header = stream.rawHeader;
  }

  encode(_stream: number, item: CaptureItem): Uint8Array {
    return this.#withHeader(item.raw);
  }

  finish(): Uint8Array {
    return this.#withHeader(NOTHING);
  }

  #withHeader(bytes: Uint8Array): Uint8Array {
    if (this.#header.length === 0) return bytes;
    const joined = new Uint8Array(this.#header.length + bytes.length);
    joined.set(this.#header);
    joined.set(bytes, this.#header.length);
    this.#header = NOTHING;
    return joined;
  }
}

/** Makes a classic pcap file, whose header waits for the first packet. */
class PcapEncoder implements CaptureEncoder {
  readonly #streams: readonly CaptureStream[];
  #nanoseconds: boolean;
  #linkType: number | undefined;
  #buffer = new Uint8Array(MAXIMUM_SNAPLEN);

  constructor(streams: readonly CaptureStream[], nanoseconds: boolean) {
    this.#streams = streams;
    this.#nanoseconds = nanoseconds;
    // What is known before is said before.
    const [first, ...others] = streams.flatMap(({ header }) =>
      header === undefined ? [] : header.linkType
    );
    const other = others.find((linkType) => linkType !== first);
    if (first !== undefined && other !== undefined) {
      throw new MixedLinkTypesError(first, other);
    }
  }

  encode(_stream: number, item: CaptureItem): Uint8Array {
    if (!(item instanceof CaptureRecord)) return NOTHING;
    const { linkType, snaplen, unitsPerSecond } = item.interface;
    const header = this.#linkType === undefined
      ? this.#begin(linkType, snaplen, unitsPerSecond)
      : NOTHING;
    if (linkType !== this.#linkType) {
      throw new MixedLinkTypesError(this.#linkType!, linkType);
    }
    const length = header.length + RECORD_HEADER_LENGTH + item.capturedLength;
    if (length > this.#buffer.length) this.#buffer = new Uint8Array(length);
    this.#buffer.set(header);
    const unit = this.#nanoseconds ? 1 : NANOSECONDS_PER_MICROSECOND;
    writeRecordHeader(
      viewOf(this.#buffer),
      header.length,
      item.seconds,
      Math.floor(item.nanoseconds / unit),
      item.capturedLength,
      item.originalLength,
    );
    this.#buffer.set(item.data, header.length + RECORD_HEADER_LENGTH);
    return this.#buffer.subarray(0, length);
  }

  finish(): Uint8Array {
    if (this.#linkType !== undefined) return NOTHING;
    const known = this.#streams.find(({ header }) => header !== undefined)
      ?.header;
    return this.#begin(
      known?.linkType ?? LinkType.ETHERNET,
      known?.snaplen ?? 0,
      MICROSECONDS_PER_SECOND,
    );
  }

  #begin(
    linkType: number,
    snaplen: number,
    unitsPerSecond: bigint,
  ): Uint8Array {
    const headers = this.#streams.map(({ header }) => header);
    this.#linkType = linkType;
    this.#nanoseconds ||= unitsPerSecond > MICROSECONDS_PER_SECOND ||
      headers.some((header) => header?.nanoseconds);
    const isSame = snaplen !== 0 &&
      headers.every((header) => (header?.snaplen ?? snaplen) === snaplen);
    return encodeFileHeader({
      linkType,
      snaplen: isSame ? snaplen : MAXIMUM_SNAPLEN,
      nanoseconds: this.#nanoseconds,
    });
  }
}
