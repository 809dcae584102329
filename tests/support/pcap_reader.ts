/**
 * Classic pcap files that are in memory, read without waiting.
 *
 * A damaged or cut file gives everything before the damage, then one
 * {@linkcode CaptureFormatError}.
 *
 * @module
 */

import type { CaptureRecord } from "../../lib/pcap/capture_record.ts";
import { FILE_HEADER_LENGTH } from "../../lib/pcap/format.ts";
import {
  decodeFileHeader,
  type PcapFileHeader,
} from "../../lib/pcap/header.ts";
import { RecordCursor } from "../../lib/pcap/record.ts";

/** Reads the records of a pcap file that is in memory. */
export class PcapReader implements Iterable<CaptureRecord> {
  /** What the file's header says. */
  readonly header: PcapFileHeader;
  readonly #cursor: RecordCursor;
  #isEnded = false;

  /**
   * Reads the file header.
   *
   * @param bytes The whole file. Records are views on it.
   * @throws {CaptureFormatError} When it does not begin like a pcap file that
   *   can be read.
   */
  constructor(bytes: Uint8Array) {
    this.header = decodeFileHeader(bytes);
    this.#cursor = new RecordCursor(this.header);
    this.#cursor.push(bytes.subarray(FILE_HEADER_LENGTH));
    this.#cursor.complete();
  }

  /**
   * The next record, or `undefined` at the end and after an error.
   *
   * @throws {CaptureFormatError} Once, when the file is damaged or cut here.
   */
  next(): CaptureRecord | undefined {
    if (this.#isEnded) return undefined;
    // Stays set when the cursor throws.
    this.#isEnded = true;
    const record = this.#cursor.next();
    this.#isEnded = record === undefined;
    return record;
  }

  /** The records from here on; throws like {@linkcode PcapReader.next}. */
  *[Symbol.iterator](): Generator<CaptureRecord, void> {
    for (let record = this.next(); record; record = this.next()) yield record;
  }
}
