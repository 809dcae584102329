/**
 * What is left of a TCP, UDP or UDP-Lite header that was cut after its ports,
 * as in the eight bytes that an ICMP error quotes.
 *
 * ```
 *  0             2                  4
 *  +-------------+------------------+- - - -
 *  | source port | destination port | cut
 *  +-------------+------------------+- - - -
 * ```
 *
 * @module
 */

import { readUint16 } from "../../bytes/integers.ts";
import type { LayerBase, PacketCursor } from "../cursor.ts";

const SOURCE_PORT_OFFSET = 0;
const DESTINATION_PORT_OFFSET = 2;
const LENGTH = 4;
const KIND = "ports";

/**
 * The ports of a transport header that is not whole.
 * See {@linkcode decodePacket}.
 */
export interface PortsLayer extends LayerBase {
  /** Tells the kinds of layers apart. */
  readonly kind: "ports";
  /** IP protocol number of the header that was cut. */
  readonly protocol: number;
  /** Port of the sender. */
  readonly sourcePort: number;
  /** Port of the receiver. */
  readonly destinationPort: number;
}

/**
 * Decodes the ports of a header that is not whole. Records no fault, because
 * the decoder of the whole header did.
 *
 * @param cursor At the first byte of the header.
 * @param protocol IP protocol number of the header.
 * @returns `undefined` when not even the ports were captured.
 */
export function decodePorts(
  cursor: PacketCursor,
  protocol: number,
): PortsLayer | undefined {
  const { bytes, offset, end } = cursor;
  if (offset + LENGTH > end) return undefined;
  const layer: PortsLayer = {
    kind: KIND,
    offset,
    headerLength: LENGTH,
    payloadLength: cursor.payloadLength(LENGTH),
    protocol,
    sourcePort: readUint16(bytes, offset + SOURCE_PORT_OFFSET),
    destinationPort: readUint16(bytes, offset + DESTINATION_PORT_OFFSET),
  };
  cursor.offset = end;
  return layer;
}
