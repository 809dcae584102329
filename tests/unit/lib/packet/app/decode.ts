/**
 * Decoding of application messages inside packets.
 *
 * @module
 */

import { LinkType } from "../../../../../lib/bytes/link_type.ts";
import {
  type DecodedPacket,
  decodePacket,
  findLayer,
  type LayerKind,
  type LayerOf,
} from "../../../../../lib/packet/packet.ts";
import { type Part, tcp, udp } from "../../text/packet_builder.ts";

/** An IPv4 packet with a segment, decoded. */
export function decodeTcp(payload: Part, port = 9000): DecodedPacket {
  return decode(tcp(40000, port, "P.", payload));
}

/** An IPv4 packet with a datagram, decoded. */
export function decodeUdp(payload: Part, port: number): DecodedPacket {
  return decode(udp(40000, port, payload));
}

function decode(data: Uint8Array): DecodedPacket {
  return decodePacket(data, LinkType.RAW, { originalLength: data.length });
}

/** The layer of a packet without its place. */
export function fieldsOf<K extends LayerKind>(
  packet: DecodedPacket,
  kind: K,
): Omit<LayerOf<K>, "offset" | "headerLength" | "payloadLength"> | undefined {
  const layer = findLayer(packet, kind);
  if (layer === undefined) return undefined;
  const {
    offset: _offset,
    headerLength: _header,
    payloadLength: _,
    ...fields
  } = layer;
  return fields;
}
