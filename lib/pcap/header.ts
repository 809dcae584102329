/**
 * Decoding of the header that begins a classic pcap file. The layout is drawn
 * in `format.ts`.
 *
 * @module
 */

import { CaptureFormatError } from "./error.ts";
import {
  DIGITAL_UNIX_VERSION_MAJOR,
  FCS_LENGTH_SHIFT,
  FCS_PRESENT_BIT,
  FILE_HEADER_LENGTH,
  LINK_TYPE_MASK,
  LINK_TYPE_OFFSET,
  Magic,
  MAGIC_LENGTH,
  MAGIC_OFFSET,
  PCAPNG_MAGIC,
  SNAPLEN_OFFSET,
  VERSION_MAJOR,
  VERSION_MAJOR_OFFSET,
  VERSION_MINOR_OFFSET,
} from "./format.ts";

/** What the header of a pcap file says. See {@linkcode CaptureStream}. */
export interface PcapFileHeader {
  /** Byte order of the file header and of all record headers. */
  readonly byteOrder: "little" | "big";
  /** Magic number, see {@linkcode Magic}. */
  readonly magic: number;
  /** Format version, usually 2 and 4. */
  readonly version: { readonly major: number; readonly minor: number };
  /** Time stamps are in nanoseconds instead of microseconds. */
  readonly nanoseconds: boolean;
  /** Most bytes of a packet that were to be kept; not always obeyed. */
  readonly snaplen: number;
  /** Link type of all records, see {@linkcode LinkType}. */
  readonly linkType: number;
  /** Bytes of frame check sequence after each packet, when stated. */
  readonly fcsLength: number | undefined;
}

/**
 * Tells whether bytes begin like a pcap file, in either byte order.
 *
 * @param bytes The first four bytes of a file, or more.
 */
export function isPcap(bytes: Uint8Array): boolean {
  if (bytes.length < MAGIC_LENGTH) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isKnownMagic(view.getUint32(MAGIC_OFFSET, true)) ||
    isKnownMagic(view.getUint32(MAGIC_OFFSET, false));
}

/**
 * Decodes the header of a pcap file.
 *
 * @param bytes The first 24 bytes, or more.
 * @returns What it says.
 * @throws {CaptureFormatError} When it is no pcap file, or one that nobody
 *   documented, or shorter than its header.
 */
export function decodeFileHeader(bytes: Uint8Array): PcapFileHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < MAGIC_LENGTH) throw shortHeader(bytes.length);
  const littleEndian = isKnownMagic(view.getUint32(MAGIC_OFFSET, true));
  const magic = view.getUint32(MAGIC_OFFSET, littleEndian);
  if (magic === PCAPNG_MAGIC) throw headerError("this is a pcapng file");
  if (!isKnownMagic(magic)) {
    const text = magic.toString(16).padStart(2 * MAGIC_LENGTH, "0");
    throw headerError(`magic number ${text} is unknown`);
  }
  if (magic === Magic.MESQUITA) {
    throw headerError("the record layout of magic a1b234cd is not published");
  }
  if (bytes.length < FILE_HEADER_LENGTH) throw shortHeader(bytes.length);
  const link = view.getUint32(LINK_TYPE_OFFSET, littleEndian);
  const major = view.getUint16(VERSION_MAJOR_OFFSET, littleEndian);
  const minor = view.getUint16(VERSION_MINOR_OFFSET, littleEndian);
  if (major !== VERSION_MAJOR && major !== DIGITAL_UNIX_VERSION_MAJOR) {
    throw headerError(`version ${major}.${minor} is not supported`);
  }
  return {
    byteOrder: littleEndian ? "little" : "big",
    magic,
    version: { major, minor },
    nanoseconds: magic === Magic.NANOSECONDS || magic === Magic.NAVTEL,
    snaplen: view.getUint32(SNAPLEN_OFFSET, littleEndian),
    linkType: link & LINK_TYPE_MASK,
    fcsLength: (link & FCS_PRESENT_BIT) === 0
      ? undefined
      : (link >>> FCS_LENGTH_SHIFT) * 2,
  };
}

function isKnownMagic(value: number): boolean {
  return Object.values(Magic).some((magic) => magic === value);
}

function shortHeader(length: number): CaptureFormatError {
  return headerError(
    `the file ends after ${length} of ${FILE_HEADER_LENGTH} header bytes`,
  );
}

function headerError(reason: string): CaptureFormatError {
  return new CaptureFormatError(`Cannot read pcap header: ${reason}`, 0);
}
