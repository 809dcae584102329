/**
 * UDP-Lite: UDP whose checksum may leave a part of the payload out. Its
 * length is that of what the IP packet carries.
 *
 * Reference: RFC 3828.
 *
 * ```
 *  0             2                  4          6           8
 *  +-------------+------------------+----------+-----------+
 *  | source port | destination port | coverage | checksum  |
 *  +-------------+------------------+----------+-----------+
 * ```
 *
 * @module
 */

import { readUint16 } from "../../bytes/integers.ts";
import { type LayerBase, type PacketCursor, Space } from "../cursor.ts";

const SOURCE_PORT_OFFSET = 0;
const DESTINATION_PORT_OFFSET = 2;
const COVERAGE_OFFSET = 4;
const CHECKSUM_OFFSET = 6;
const HEADER_LENGTH = 8;
const KIND = "udplite";

/** A UDP-Lite header. See {@linkcode decodePacket}. */
export interface UdpLiteLayer extends LayerBase {
  /** Tells the kinds of layers apart. */
  readonly kind: "udplite";
  /** Port of the sender. */
  readonly sourcePort: number;
  /** Port of the receiver. */
  readonly destinationPort: number;
  /** Bytes from the header on that the checksum covers; 0 for all. */
  readonly coverage: number;
  /** Never 0. */
  readonly checksum: number;
}

/**
 * Decodes a UDP-Lite header.
 *
 * @param cursor At its first byte.
 * @returns `undefined` when it is not whole.
 */
export function decodeUdpLite(cursor: PacketCursor): UdpLiteLayer | undefined {
  if (!cursor.has(KIND, HEADER_LENGTH)) return undefined;
  const { bytes, offset } = cursor;
  const coverage = readUint16(bytes, offset + COVERAGE_OFFSET);
  const layer: UdpLiteLayer = {
    kind: KIND,
    offset,
    headerLength: HEADER_LENGTH,
    payloadLength: cursor.payloadLength(HEADER_LENGTH),
    sourcePort: readUint16(bytes, offset + SOURCE_PORT_OFFSET),
    destinationPort: readUint16(bytes, offset + DESTINATION_PORT_OFFSET),
    coverage,
    checksum: readUint16(bytes, offset + CHECKSUM_OFFSET),
  };
  cursor.advance(KIND, HEADER_LENGTH, Space.NONE, 0);
  if (coverage > 0 && coverage < HEADER_LENGTH) {
    cursor.reject(
      KIND,
      offset + COVERAGE_OFFSET,
      `coverage ${coverage} is less than ${HEADER_LENGTH}`,
    );
  }
  return layer;
}
