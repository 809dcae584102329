/**
 * Ethernet II and IEEE 802.3 frames.
 *
 * Reference: IEEE 802.3 clause 3, RFC 894.
 *
 * ```
 *  0             6             12             14
 *  +-------------+-------------+--------------+-----------+
 *  | destination | source      | type, length | payload   |
 *  +-------------+-------------+--------------+-----------+
 * ```
 *
 * @module
 */

import { readUint16 } from "../../bytes/integers.ts";
import { formatHardwareAddress } from "../address.ts";
import { type LayerBase, type PacketCursor, Space } from "../cursor.ts";
import { FIRST_ETHER_TYPE } from "../ether_type.ts";

const DESTINATION_OFFSET = 0;
const SOURCE_OFFSET = 6;
const TYPE_OFFSET = 12;
const HEADER_LENGTH = 14;
const KIND = "ethernet";

/** An Ethernet header. See {@linkcode decodePacket}. */
export interface EthernetLayer extends LayerBase {
  /** Tells the kinds of layers apart. */
  readonly kind: "ethernet";
  /** Hardware address, for example `ff:ff:ff:ff:ff:ff`. */
  readonly destination: string;
  /** Hardware address. */
  readonly source: string;
  /**
   * EtherType. Below 0x0600 it is the length of an IEEE 802.3 frame, whose
   * payload begins with an LLC header.
   */
  readonly etherType: number;
}

/**
 * Decodes an Ethernet header.
 *
 * @param cursor At the first byte of the frame.
 * @returns `undefined` when the header is not whole.
 */
export function decodeEthernet(
  cursor: PacketCursor,
): EthernetLayer | undefined {
  if (!cursor.has(KIND, HEADER_LENGTH)) return undefined;
  const { bytes, offset } = cursor;
  const etherType = readUint16(bytes, offset + TYPE_OFFSET);
  const isLength = etherType < FIRST_ETHER_TYPE;
  if (isLength) cursor.limit(KIND, HEADER_LENGTH + etherType);
  const layer: EthernetLayer = {
    kind: KIND,
    offset,
    headerLength: HEADER_LENGTH,
    payloadLength: cursor.payloadLength(HEADER_LENGTH),
    destination: formatHardwareAddress(bytes, offset + DESTINATION_OFFSET),
    source: formatHardwareAddress(bytes, offset + SOURCE_OFFSET),
    etherType,
  };
  cursor.advance(
    KIND,
    HEADER_LENGTH,
    isLength ? Space.LLC : Space.ETHER_TYPE,
    etherType,
  );
  return layer;
}
