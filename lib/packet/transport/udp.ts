/**
 * UDP.
 *
 * Reference: RFC 768, RFC 2675 section 4 (length 0).
 *
 * ```
 *  0             2                  4          6           8
 *  +-------------+------------------+----------+-----------+
 *  | source port | destination port | length   | checksum  |
 *  +-------------+------------------+----------+-----------+
 * ```
 *
 * @module
 */

import { readUint16 } from "../../bytes/integers.ts";
import { type LayerBase, type PacketCursor, Space } from "../cursor.ts";
import { IpProtocol } from "../ip_protocol.ts";

const SOURCE_PORT_OFFSET = 0;
const DESTINATION_PORT_OFFSET = 2;
const LENGTH_OFFSET = 4;
const CHECKSUM_OFFSET = 6;
const HEADER_LENGTH = 8;
const KIND = "udp";

/** A UDP header. See {@linkcode decodePacket}. */
export interface UdpLayer extends LayerBase {
  /** Tells the kinds of layers apart. */
  readonly kind: "udp";
  /** Port of the sender. */
  readonly sourcePort: number;
  /** Port of the receiver. */
  readonly destinationPort: number;
  /** Length field: bytes of header and payload; 0 in jumbograms. */
  readonly length: number;
  /** 0 over IPv4 means that the sender computed none. */
  readonly checksum: number;
}

/**
 * Decodes a UDP header.
 *
 * @param cursor At its first byte.
 * @returns `undefined` when it is not whole.
 */
export function decodeUdp(cursor: PacketCursor): UdpLayer | undefined {
  if (!cursor.has(KIND, HEADER_LENGTH)) return undefined;
  const { bytes, offset } = cursor;
  const length = readUint16(bytes, offset + LENGTH_OFFSET);
  if (length >= HEADER_LENGTH) cursor.limit(KIND, length);
  const layer: UdpLayer = {
    kind: KIND,
    offset,
    headerLength: HEADER_LENGTH,
    payloadLength: cursor.payloadLength(HEADER_LENGTH),
    sourcePort: readUint16(bytes, offset + SOURCE_PORT_OFFSET),
    destinationPort: readUint16(bytes, offset + DESTINATION_PORT_OFFSET),
    length,
    checksum: readUint16(bytes, offset + CHECKSUM_OFFSET),
  };
  cursor.advance(KIND, HEADER_LENGTH, Space.APPLICATION, IpProtocol.UDP);
  if (length < HEADER_LENGTH && length !== 0) {
    cursor.reject(
      KIND,
      offset + LENGTH_OFFSET,
      `length ${length} is less than ${HEADER_LENGTH}`,
    );
  }
  return layer;
}
