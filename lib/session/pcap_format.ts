/**
 * The classic pcap format of live captures: Linux cooked packets.
 *
 * @module
 */
import type { PacketRing } from "../capture/packet_ring.ts";
import { LinkType, RECORD_HEADER_LENGTH } from "../pcap/format.ts";
import {
  completeRecordsLength,
  encodeFileHeader,
  writeRecordHeader,
} from "../pcap/writer.ts";
import { SLL_HEADER_LENGTH } from "../pcap/sll.ts";
import { cookedLength, writeLinkHeader } from "./cooked_packet.ts";
import type { FileFormat } from "./file_format.ts";
import { fileSnaplen } from "./snaplen.ts";

/** See {@linkcode FileFormat}. */
export class PcapFormat implements FileFormat {
  readonly hasSecrets = false;
  readonly headLength = RECORD_HEADER_LENGTH;
  readonly #snaplen: number;
  readonly #nanoseconds: boolean;
  readonly #divisor: number;

  /**
   * @param snaplen bytes kept of each IP packet, 0 for all
   * @param nanoseconds time stamps in nanoseconds instead of microseconds
   */
  constructor(snaplen: number, nanoseconds: boolean) {
    this.#snaplen = snaplen;
    this.#nanoseconds = nanoseconds;
    this.#divisor = nanoseconds ? 1 : 1000;
  }

  tailLength(): number {
    return 0;
  }

  begin(): Uint8Array {
    return encodeFileHeader({
      linkType: LinkType.LINUX_SLL,
      snaplen: fileSnaplen(this.#snaplen),
      nanoseconds: this.#nanoseconds,
    });
  }

  before(): undefined {
    return undefined;
  }

  secrets(): undefined {
    return undefined;
  }

  record(ring: PacketRing, start: number, end: number): number {
    writeRecordHeader(
      ring.view,
      start - RECORD_HEADER_LENGTH,
      ring.seconds,
      (ring.nanoseconds / this.#divisor) | 0,
      end - start,
      cookedLength(ring),
    );
    return end;
  }

  wrap(ring: PacketRing, length: number): number {
    const start = ring.networkAt - SLL_HEADER_LENGTH;
    const recordAt = start - RECORD_HEADER_LENGTH;
    writeLinkHeader(ring, start);
    writeRecordHeader(
      ring.view,
      recordAt,
      ring.seconds,
      (ring.nanoseconds / this.#divisor) | 0,
      SLL_HEADER_LENGTH + length,
      SLL_HEADER_LENGTH + ring.wireLength,
    );
    return recordAt;
  }

  end(): undefined {
    return undefined;
  }

  completeLength(bytes: Uint8Array): number {
    return completeRecordsLength(bytes);
  }
}
