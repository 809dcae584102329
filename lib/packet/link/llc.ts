/**
 * IEEE 802.2 logical link control, with SNAP.
 *
 * Reference: ISO/IEC 8802-2, RFC 1042.
 *
 * ```
 *  0      1      2         3        6          8
 *  +------+------+---------+--------+----------+
 *  | DSAP | SSAP | control | OUI    | protocol |
 *  +------+------+---------+--------+----------+
 *                          only SNAP (aa aa 03)
 * ```
 *
 * @module
 */

import { readUint16 } from "../../bytes/integers.ts";
import { type LayerBase, type PacketCursor, Space } from "../cursor.ts";

const DSAP_OFFSET = 0;
const SSAP_OFFSET = 1;
const CONTROL_OFFSET = 2;
const OUI_OFFSET = 3;
const PROTOCOL_OFFSET = 6;
const HEADER_LENGTH = 3;
const SNAP_HEADER_LENGTH = 8;
const SNAP_SAP = 0xaa;
const UNNUMBERED_INFORMATION = 0x03;
/** OUI under which the protocol is an EtherType (RFC 1042). */
const ETHERNET_OUI = 0;
const KIND = "llc";

/** An LLC header. See {@linkcode decodePacket}. */
export interface LlcLayer extends LayerBase {
  /** Tells the kinds of layers apart. */
  readonly kind: "llc";
  /** Destination service access point. */
  readonly dsap: number;
  /** Source service access point. */
  readonly ssap: number;
  /** First byte of the control field. */
  readonly control: number;
  /** Organization of a SNAP header. */
  readonly oui: number | undefined;
  /** Protocol of a SNAP header; an EtherType when `oui` is 0. */
  readonly protocol: number | undefined;
}

/**
 * Decodes an LLC header.
 *
 * @param cursor At the first byte of the header.
 * @returns `undefined` when the header is not whole.
 */
export function decodeLlc(cursor: PacketCursor): LlcLayer | undefined {
  if (!cursor.has(KIND, HEADER_LENGTH)) return undefined;
  const { bytes, offset } = cursor;
  const dsap = bytes[offset + DSAP_OFFSET]!;
  const ssap = bytes[offset + SSAP_OFFSET]!;
  const control = bytes[offset + CONTROL_OFFSET]!;
  const isSnap = dsap === SNAP_SAP && ssap === SNAP_SAP &&
    control === UNNUMBERED_INFORMATION;
  const headerLength = isSnap ? SNAP_HEADER_LENGTH : HEADER_LENGTH;
  if (!cursor.has(KIND, headerLength)) return undefined;
  const oui = (bytes[offset + OUI_OFFSET]! << 16) |
    readUint16(bytes, offset + OUI_OFFSET + 1);
  const protocol = readUint16(bytes, offset + PROTOCOL_OFFSET);
  const layer: LlcLayer = {
    kind: KIND,
    offset,
    headerLength,
    payloadLength: cursor.payloadLength(headerLength),
    dsap,
    ssap,
    control,
    oui: isSnap ? oui : undefined,
    protocol: isSnap ? protocol : undefined,
  };
  cursor.advance(
    KIND,
    headerLength,
    isSnap && oui === ETHERNET_OUI ? Space.ETHER_TYPE : Space.NONE,
    protocol,
  );
  return layer;
}
