/**
 * LINKTYPE_NULL and LINKTYPE_LOOP: BSD loopback.
 *
 * Reference: the two pages of the link-type registry.
 *
 * ```
 *  0                4
 *  +----------------+-----------+
 *  | address family | payload   |
 *  +----------------+-----------+
 *  NULL: byte order of the machine that captured; LOOP: big-endian.
 * ```
 *
 * @module
 */

import { readUint32 } from "../../bytes/integers.ts";
import { type LayerBase, type PacketCursor, Space } from "../cursor.ts";
import { EtherType } from "../ether_type.ts";

const HEADER_LENGTH = 4;
/** Address families are small, so a larger number is in the other order. */
const MAX_FAMILY = 0xffff;
const KIND = "null";

/** AF_INET of every system. */
const INET = 2;
/** AF_INET6 of Linux, OpenBSD and NetBSD, FreeBSD, macOS. */
const INET6: readonly number[] = [10, 24, 28, 30];

/** A header of a BSD loopback capture. See {@linkcode decodePacket}. */
export interface NullLayer extends LayerBase {
  /** Tells the kinds of layers apart. */
  readonly kind: "null";
  /** AF_ value of the system that captured; 2 is IPv4 everywhere. */
  readonly family: number;
}

/**
 * Decodes the header of a BSD loopback capture, whichever byte order it has.
 *
 * @param cursor At the first byte of the packet.
 * @returns `undefined` when the header is not whole.
 */
export function decodeNull(cursor: PacketCursor): NullLayer | undefined {
  if (!cursor.has(KIND, HEADER_LENGTH)) return undefined;
  const { bytes, offset } = cursor;
  const value = readUint32(bytes, offset);
  const family = value > MAX_FAMILY ? swap(value) : value;
  const layer: NullLayer = {
    kind: KIND,
    offset,
    headerLength: HEADER_LENGTH,
    payloadLength: cursor.payloadLength(HEADER_LENGTH),
    family,
  };
  if (family === INET) {
    cursor.advance(KIND, HEADER_LENGTH, Space.ETHER_TYPE, EtherType.IPV4);
  } else if (INET6.includes(family)) {
    cursor.advance(KIND, HEADER_LENGTH, Space.ETHER_TYPE, EtherType.IPV6);
  } else {
    cursor.advance(KIND, HEADER_LENGTH, Space.NONE, family);
  }
  return layer;
}

function swap(value: number): number {
  return ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) |
    (value >>> 24)) >>> 0;
}
