/**
 * QUIC: `QUIC initial, v1, dcid 8394c8f03e515708, scid (none), length 1200`.
 * The payload is encrypted; that of initial packets with keys that anybody can
 * derive, which is not done here.
 *
 * @module
 */

import {
  decodeQuicHeader,
  formatQuicType,
  formatQuicVersion,
  QuicPacketType,
} from "../../packet/app/quic.ts";
import { hexDigits } from "../hex.ts";
import type { Line } from "../line.ts";

/**
 * Prints a packet with a long header.
 *
 * @param line Before it.
 * @param at Where the datagram's payload begins.
 * @param length Bytes of it.
 * @returns false when it is no such packet.
 */
export function printQuic(line: Line, at: number, length: number): boolean {
  const end = Math.min(line.end, at + length);
  const header = decodeQuicHeader(line.bytes, at, end);
  if (header === undefined) return false;
  line.subject = "quic";
  const { type, version, versions, token } = header;
  line.text += `QUIC ${formatQuicType(type)}`;
  if (type === QuicPacketType.VERSION_NEGOTIATION) {
    line.text += ` [${versions.map(formatQuicVersion).join(",")}]`;
  } else line.text += `, ${formatQuicVersion(version)}`;
  line.text += `, dcid ${formatId(header.destinationId)}`;
  line.text += `, scid ${formatId(header.sourceId)}`;
  if (token !== undefined && token.length > 0) {
    line.text += `, token ${token.length}`;
  }
  line.text += `, length ${length}`;
  return true;
}

function formatId(id: Uint8Array): string {
  return id.length === 0 ? "(none)" : hexDigits(id);
}
