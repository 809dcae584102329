/**
 * Cutting the part of a pcap file after its header into records. The layout is
 * drawn in `format.ts`.
 *
 * @module
 */

import { ChunkBuffer } from "../bytes/chunk_buffer.ts";
import {
  type CaptureInterface,
  CaptureRecord,
  type PacketDetails,
  type PacketTest,
  type RecordLayout,
} from "./capture_record.ts";
import { CaptureFormatError } from "./error.ts";
import {
  DIGITAL_UNIX_VERSION_MAJOR,
  FILE_HEADER_LENGTH,
  Magic,
  MAXIMUM_RECORD_LENGTH,
  MAXIMUM_SNAPLEN,
  MODIFIED_RECORD_HEADER_LENGTH,
  RECORD_CAPTURED_OFFSET,
  RECORD_FRACTION_OFFSET,
  RECORD_HEADER_LENGTH,
  RECORD_ORIGINAL_OFFSET,
  RECORD_SECONDS_OFFSET,
  SS990915_RECORD_HEADER_LENGTH,
  VERSION_MINOR_LENGTHS_UNSURE,
} from "./format.ts";
import type { PcapFileHeader } from "./header.ts";

const NANOSECONDS_PER_MICROSECOND = 1_000;
/** How many records must look sound before a record layout is believed. */
const PROBE_RECORDS = 3;
/** Bytes that decide the layout for sure: three of the longest usual records. */
const PROBE_BYTES = PROBE_RECORDS *
  (SS990915_RECORD_HEADER_LENGTH + MAXIMUM_SNAPLEN);

const NO_DETAILS: PacketDetails = { comments: [] };

/** Records of a pcap file: all of one interface, and nothing but data. */
class PcapLayout implements RecordLayout {
  readonly interface: CaptureInterface;
  readonly isTimed = true;
  readonly headLength: number;

  constructor(header: PcapFileHeader, headLength: number) {
    const { linkType, snaplen, nanoseconds, fcsLength } = header;
    this.interface = {
      id: 0,
      linkType,
      snaplen,
      unitsPerSecond: nanoseconds ? 1_000_000_000n : 1_000_000n,
      ...fcsLength === undefined ? {} : { fcsLength },
    };
    this.headLength = headLength;
  }

  recordLength(record: CaptureRecord): number {
    return this.headLength + record.capturedLength;
  }

  readDetails(): PacketDetails {
    return NO_DETAILS;
  }
}

/**
 * How a file orders the two lengths of a record header: until version 2.2
 * (and by DIGITAL UNIX) the original length came first, version 2.3 was
 * written both ways.
 */
type LengthOrder = "captured-first" | "original-first" | "smaller-is-captured";

/** Cuts bytes into records as they are pushed. */
export class RecordCursor {
  readonly #littleEndian: boolean;
  readonly #fractionUnit: number;
  readonly #longest: number;
  readonly #lengthOrder: LengthOrder;
  readonly #buffer: ChunkBuffer = new ChunkBuffer(FILE_HEADER_LENGTH);
  readonly #header: PcapFileHeader;
  #layout: PcapLayout;
  #isLayoutKnown: boolean;
  #isComplete = false;

  /**
   * Begins with no bytes.
   *
   * @param header Header of the file.
   */
  constructor(header: PcapFileHeader) {
    this.#littleEndian = header.byteOrder === "little";
    this.#fractionUnit = header.nanoseconds ? 1 : NANOSECONDS_PER_MICROSECOND;
    this.#longest = Math.min(
      Math.max(header.snaplen, MAXIMUM_SNAPLEN),
      MAXIMUM_RECORD_LENGTH,
    );
    this.#lengthOrder = lengthOrderOf(header);
    this.#isLayoutKnown = header.magic !== Magic.KUZNETZOV;
    this.#header = header;
    this.#layout = new PcapLayout(
      header,
      this.#isLayoutKnown
        ? RECORD_HEADER_LENGTH
        : MODIFIED_RECORD_HEADER_LENGTH,
    );
  }

  /** The one interface of the file. */
  get interfaces(): readonly CaptureInterface[] {
    return [this.#layout.interface];
  }

  /**
   * Appends bytes of the file; the first are those after the file header.
   *
   * @param chunk Is kept, and records are views on it.
   */
  push(chunk: Uint8Array): void {
    this.#buffer.push(chunk);
  }

  /** States that no more bytes come. */
  complete(): void {
    this.#isComplete = true;
  }

  /** Copies what was not read yet, so that pushed chunks can change. */
  keep(): void {
    this.#buffer.keep();
  }

  /**
   * The next record.
   *
   * @param select Leaves out records of other packets.
   * @returns `undefined` when more bytes are needed or, after
   *   {@linkcode RecordCursor.complete}, when there are no more records.
   * @throws {CaptureFormatError} When the file is damaged here, or ends within
   *   a record.
   */
  next(select?: PacketTest): CaptureRecord | undefined {
    if (!this.#isLayoutKnown && !this.#chooseLayout()) return undefined;
    const buffer = this.#buffer;
    const { headLength } = this.#layout;
    for (;;) {
      if (!buffer.has(headLength)) return this.#needMore();
      const captured = this.#capturedLength(buffer.position);
      if (captured > this.#longest) this.#failOfLength(captured);
      if (!buffer.has(headLength + captured)) return this.#needMore();
      if (select === undefined || this.#seek(select)) return this.#take();
    }
  }

  /**
   * Skips unwanted records that are whole in the contiguous bytes.
   *
   * @returns whether there is a wanted one at the position
   */
  #seek(select: PacketTest): boolean {
    const { bytes, view, position } = this.#buffer;
    const found = findWanted(
      bytes,
      view,
      position,
      this.#littleEndian,
      this.#lengthOrder,
      this.#longest,
      this.#layout.headLength,
      this.#layout.interface,
      select,
    );
    const isWanted = found >= 0;
    this.#buffer.consume((isWanted ? found : ~found) - position);
    return isWanted;
  }

  /** Takes the whole record at the position. */
  #take(): CaptureRecord {
    const { bytes, view, offset, position } = this.#buffer;
    const { headLength } = this.#layout;
    const captured = this.#capturedLength(position);
    const original = this.#originalLength(position);
    this.#buffer.consume(headLength + captured);
    return new CaptureRecord(
      offset,
      view.getUint32(position + RECORD_SECONDS_OFFSET, this.#littleEndian),
      view.getUint32(position + RECORD_FRACTION_OFFSET, this.#littleEndian) *
        this.#fractionUnit,
      original,
      captured,
      bytes,
      position + headLength,
      this.#layout,
    );
  }

  #failOfLength(captured: number): never {
    const { offset } = this.#buffer;
    throw new CaptureFormatError(
      `Cannot read pcap record at offset ${offset}: ` +
        `captured length ${captured} exceeds ${this.#longest}`,
      offset,
    );
  }

  #needMore(): undefined {
    const { offset, position, remaining } = this.#buffer;
    const { headLength } = this.#layout;
    if (!this.#isComplete || remaining === 0) return undefined;
    const missing = remaining < headLength
      ? `${remaining} of ${headLength} header bytes`
      : `${remaining - headLength} of ${
        this.#capturedLength(position)
      } data bytes`;
    throw new CaptureFormatError(
      `Cannot read pcap record at offset ${offset}: ` +
        `the file ends after ${missing}`,
      offset,
    );
  }

  /**
   * Two patches used Kuznetsov's magic number with record headers of different
   * length, so the one under which the first records look sound is taken.
   */
  #chooseLayout(): boolean {
    const { remaining } = this.#buffer;
    if (!this.#isComplete && remaining < PROBE_BYTES) return false;
    this.#buffer.has(remaining);
    this.#isLayoutKnown = true;
    if (
      !this.#looksSound(MODIFIED_RECORD_HEADER_LENGTH) &&
      this.#looksSound(SS990915_RECORD_HEADER_LENGTH)
    ) {
      this.#layout = new PcapLayout(
        this.#header,
        SS990915_RECORD_HEADER_LENGTH,
      );
    }
    return true;
  }

  #looksSound(headerLength: number): boolean {
    const { bytes } = this.#buffer;
    let start = this.#buffer.position;
    for (let i = 0; i < PROBE_RECORDS && start !== bytes.length; i++) {
      if (start + headerLength > bytes.length) return false;
      const captured = this.#capturedLength(start);
      const original = this.#originalLength(start);
      if (captured > original || original > this.#longest) return false;
      start += headerLength + captured;
    }
    return start <= bytes.length;
  }

  #capturedLength(start: number): number {
    return capturedOf(
      this.#lengthOrder,
      this.#uint32(start + RECORD_CAPTURED_OFFSET),
      this.#uint32(start + RECORD_ORIGINAL_OFFSET),
    );
  }

  #originalLength(start: number): number {
    return originalOf(
      this.#lengthOrder,
      this.#uint32(start + RECORD_CAPTURED_OFFSET),
      this.#uint32(start + RECORD_ORIGINAL_OFFSET),
    );
  }

  #uint32(at: number): number {
    return this.#buffer.view.getUint32(at, this.#littleEndian);
  }
}

/**
 * Looks for a wanted record. With a large file most time is spent here: with
 * nothing but numbers, bytes and the test, this is what the runtime makes the
 * fastest code of.
 *
 * @returns where it is; or, if there is none, the complement (`~`) of where
 *   the first record is that is damaged or not whole.
 */
function findWanted(
  bytes: Uint8Array,
  view: DataView,
  from: number,
  littleEndian: boolean,
  order: LengthOrder,
  longest: number,
  headLength: number,
  source: CaptureInterface,
  select: PacketTest,
): number {
  const end = bytes.length;
  let at = from;
  while (at + headLength <= end) {
    const one = view.getUint32(at + RECORD_CAPTURED_OFFSET, littleEndian);
    const other = view.getUint32(at + RECORD_ORIGINAL_OFFSET, littleEndian);
    const captured = capturedOf(order, one, other);
    const start = at + headLength;
    const next = start + captured;
    if (captured > longest || next > end) break;
    const original = originalOf(order, one, other);
    if (select(bytes, start, next, original, source)) return at;
    at = next;
  }
  return ~at;
}

/** Of the two lengths of a record header, the one of the data that follow. */
function capturedOf(order: LengthOrder, one: number, other: number): number {
  if (order === "captured-first") return one;
  return order === "original-first" ? other : Math.min(one, other);
}

/** Of the two lengths of a record header, the one that the packet had. */
function originalOf(order: LengthOrder, one: number, other: number): number {
  if (order === "captured-first") return other;
  return order === "original-first" ? one : Math.max(one, other);
}

function lengthOrderOf(header: PcapFileHeader): LengthOrder {
  const { major, minor } = header.version;
  if (
    major === DIGITAL_UNIX_VERSION_MAJOR || minor < VERSION_MINOR_LENGTHS_UNSURE
  ) return "original-first";
  return minor === VERSION_MINOR_LENGTHS_UNSURE
    ? "smaller-is-captured"
    : "captured-first";
}
