/**
 * VLAN tags, customer (802.1Q) and service (802.1ad).
 *
 * Reference: IEEE 802.1Q clause 9.6.
 *
 * ```
 *  0                            2            4
 *  +---------+----+-------------+------------+
 *  | PCP (3) |DEI | VID (12)    | EtherType  |
 *  +---------+----+-------------+------------+
 * ```
 *
 * @module
 */

import { readUint16 } from "../../bytes/integers.ts";
import { type LayerBase, type PacketCursor, Space } from "../cursor.ts";
import { FIRST_ETHER_TYPE } from "../ether_type.ts";

const CONTROL_OFFSET = 0;
const TYPE_OFFSET = 2;
const HEADER_LENGTH = 4;
const PRIORITY_SHIFT = 13;
const DROP_ELIGIBLE_BIT = 0x1000;
const ID_MASK = 0x0fff;
const KIND = "vlan";

/**
 * A VLAN tag with the protocol that follows it.
 * See {@linkcode decodePacket}.
 */
export interface VlanLayer extends LayerBase {
  /** Tells the kinds of layers apart. */
  readonly kind: "vlan";
  /** Priority code point, 0 to 7. */
  readonly priority: number;
  /** Drop eligible indicator. */
  readonly dropEligible: boolean;
  /** VLAN identifier, 0 to 4095. */
  readonly id: number;
  /** EtherType, or the length of an IEEE 802.3 frame. */
  readonly etherType: number;
}

/**
 * Decodes a VLAN tag.
 *
 * @param cursor After the EtherType that announced the tag.
 * @returns `undefined` when the tag is not whole.
 */
export function decodeVlan(cursor: PacketCursor): VlanLayer | undefined {
  if (!cursor.has(KIND, HEADER_LENGTH)) return undefined;
  const { bytes, offset } = cursor;
  const control = readUint16(bytes, offset + CONTROL_OFFSET);
  const etherType = readUint16(bytes, offset + TYPE_OFFSET);
  const isLength = etherType < FIRST_ETHER_TYPE;
  if (isLength) cursor.limit(KIND, HEADER_LENGTH + etherType);
  const layer: VlanLayer = {
    kind: KIND,
    offset,
    headerLength: HEADER_LENGTH,
    payloadLength: cursor.payloadLength(HEADER_LENGTH),
    priority: control >>> PRIORITY_SHIFT,
    dropEligible: (control & DROP_ELIGIBLE_BIT) !== 0,
    id: control & ID_MASK,
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
