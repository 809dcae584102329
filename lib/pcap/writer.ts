/**
 * Encoding of classic pcap files, always little-endian. The layout is drawn in
 * `format.ts`.
 *
 * @module
 */

import {
  FILE_HEADER_LENGTH,
  LINK_TYPE_MASK,
  LINK_TYPE_OFFSET,
  Magic,
  MAGIC_OFFSET,
  RECORD_CAPTURED_OFFSET,
  RECORD_FRACTION_OFFSET,
  RECORD_HEADER_LENGTH,
  RECORD_ORIGINAL_OFFSET,
  RECORD_SECONDS_OFFSET,
  SNAPLEN_OFFSET,
  VERSION_MAJOR,
  VERSION_MAJOR_OFFSET,
  VERSION_MINOR,
  VERSION_MINOR_OFFSET,
} from "./format.ts";

export { RECORD_HEADER_LENGTH } from "./format.ts";

const MAX_UINT32 = 0xffff_ffff;
const NANOSECONDS_PER_SECOND = 1_000_000_000n;
const NANOSECONDS_PER_MICROSECOND = 1_000n;

/** What the header of a pcap file states about its records. */
export interface PcapFileOptions {
  /** Link type of every record, see {@linkcode LinkType}. */
  readonly linkType: number;
  /**
   * Most bytes that any record holds, 1 to 2³²−1. It counts the link header:
   * readers silently cut records that are longer.
   */
  readonly snaplen: number;
  /** Nanosecond instead of microsecond time stamps. */
  readonly nanoseconds: boolean;
}

/**
 * Encodes the 24 bytes that begin a pcap file.
 *
 * @param options What the records will be.
 * @returns The header, little-endian.
 * @throws {RangeError} When `snaplen` or `linkType` does not fit its field.
 */
export function encodeFileHeader(options: PcapFileOptions): Uint8Array {
  const { linkType, snaplen, nanoseconds } = options;
  if (!Number.isInteger(snaplen) || snaplen < 1 || snaplen > MAX_UINT32) {
    throw new RangeError(
      `Cannot encode pcap header: snaplen ${snaplen} is not in 1 to ${MAX_UINT32}`,
    );
  }
  if (
    !Number.isInteger(linkType) || linkType < 0 || linkType > LINK_TYPE_MASK
  ) {
    throw new RangeError(
      `Cannot encode pcap header: link type ${linkType} is not in 0 to ${LINK_TYPE_MASK}`,
    );
  }
  const bytes = new Uint8Array(FILE_HEADER_LENGTH);
  const view = new DataView(bytes.buffer);
  const magic = nanoseconds ? Magic.NANOSECONDS : Magic.MICROSECONDS;
  view.setUint32(MAGIC_OFFSET, magic, true);
  view.setUint16(VERSION_MAJOR_OFFSET, VERSION_MAJOR, true);
  view.setUint16(VERSION_MINOR_OFFSET, VERSION_MINOR, true);
  view.setUint32(SNAPLEN_OFFSET, snaplen, true);
  view.setUint32(LINK_TYPE_OFFSET, linkType, true);
  return bytes;
}

/**
 * Writes the 16 bytes that precede a packet's data. Allocates nothing.
 *
 * @param view Where to write.
 * @param offset Offset in `view` of the first byte.
 * @param seconds Seconds since 1970, taken modulo 2³².
 * @param fraction Microseconds or nanoseconds, as the file header states.
 * @param capturedLength Number of data bytes that follow.
 * @param originalLength Number of bytes that the packet had.
 * @throws {RangeError} When `view` has no room.
 */
export function writeRecordHeader(
  view: DataView,
  offset: number,
  seconds: number,
  fraction: number,
  capturedLength: number,
  originalLength: number,
): void {
  view.setUint32(offset + RECORD_SECONDS_OFFSET, seconds, true);
  view.setUint32(offset + RECORD_FRACTION_OFFSET, fraction, true);
  view.setUint32(offset + RECORD_CAPTURED_OFFSET, capturedLength, true);
  view.setUint32(offset + RECORD_ORIGINAL_OFFSET, originalLength, true);
}

/** A packet as {@linkcode encodeRecord} takes it. */
export interface PcapRecordInput {
  /** Nanoseconds since 1970. */
  readonly timestamp: bigint;
  /** Number of bytes that the packet had. */
  readonly originalLength: number;
  /** Captured bytes, link header included. */
  readonly data: Uint8Array;
}

/**
 * Encodes one record: header and data.
 *
 * @param record The packet. Microsecond files lose the last three digits of
 *   its time.
 * @param options The `nanoseconds` of the file's header.
 * @returns Bytes to append to the file.
 */
export function encodeRecord(
  record: PcapRecordInput,
  options: Pick<PcapFileOptions, "nanoseconds">,
): Uint8Array {
  const { timestamp, originalLength, data } = record;
  const bytes = new Uint8Array(RECORD_HEADER_LENGTH + data.length);
  const nanoseconds = timestamp % NANOSECONDS_PER_SECOND;
  writeRecordHeader(
    new DataView(bytes.buffer),
    0,
    Number(timestamp / NANOSECONDS_PER_SECOND),
    Number(
      options.nanoseconds
        ? nanoseconds
        : nanoseconds / NANOSECONDS_PER_MICROSECOND,
    ),
    data.length,
    originalLength,
  );
  bytes.set(data, RECORD_HEADER_LENGTH);
  return bytes;
}

/**
 * Length of the longest prefix of `bytes` that ends where a record ends: what
 * may be kept of a file whose writer was interrupted.
 *
 * @param bytes Records without the file header, beginning at a record.
 * @param littleEndian Byte order of the record headers.
 * @param recordHeaderLength Bytes of each record header.
 * @returns 0 when not even the first record is complete.
 */
export function completeRecordsLength(
  bytes: Uint8Array,
  littleEndian = true,
  recordHeaderLength: number = RECORD_HEADER_LENGTH,
): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let complete = 0;
  while (complete + recordHeaderLength <= bytes.length) {
    const captured = view.getUint32(
      complete + RECORD_CAPTURED_OFFSET,
      littleEndian,
    );
    const next = complete + recordHeaderLength + captured;
    if (next > bytes.length) break;
    complete = next;
  }
  return complete;
}
