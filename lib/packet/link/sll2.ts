/**
 * LINKTYPE_LINUX_SLL2: Linux cooked capture, version 2.
 *
 * Reference: LINKTYPE_LINUX_SLL2 of the link-type registry, packet(7).
 *
 * ```
 *  0          2          4           8        10     11     12            20
 *  +----------+----------+-----------+--------+------+------+-------------+
 *  | protocol | reserved | interface | ARPHRD | type | len. | address (8) |
 *  +----------+----------+-----------+--------+------+------+-------------+
 * ```
 *
 * @module
 */

import { readUint16, readUint32 } from "../../bytes/integers.ts";
import { formatHardwareAddress } from "../address.ts";
import type { LayerBase, PacketCursor } from "../cursor.ts";
import { cookedSpace } from "./sll.ts";

const PROTOCOL_OFFSET = 0;
const INTERFACE_OFFSET = 4;
const HARDWARE_TYPE_OFFSET = 8;
const PACKET_TYPE_OFFSET = 10;
const ADDRESS_LENGTH_OFFSET = 11;
const ADDRESS_OFFSET = 12;
const HEADER_LENGTH = 20;
const MAX_ADDRESS_LENGTH = 8;
const KIND = "sll2";

/**
 * A header of a Linux cooked capture, version 2.
 * See {@linkcode decodePacket}.
 */
export interface Sll2Layer extends LayerBase {
  /** Tells the kinds of layers apart. */
  readonly kind: "sll2";
  /** Index of the interface on the machine that captured. */
  readonly interfaceIndex: number;
  /** 0 to us, 1 broadcast, 2 multicast, 3 to another host, 4 sent by us. */
  readonly packetType: number;
  /** ARPHRD_ value, for example 1 Ethernet, 772 loopback. */
  readonly hardwareType: number;
  /** Length of the sender's address, which may exceed what `address` shows. */
  readonly addressLength: number;
  /** Hardware address of the sender, at most 8 bytes; may be empty. */
  readonly address: string;
  /** EtherType, or a smaller Linux-internal number. */
  readonly protocol: number;
}

/**
 * Decodes the header of a Linux cooked capture, version 2.
 *
 * @param cursor At the first byte of the packet.
 * @returns `undefined` when the header is not whole.
 */
export function decodeSll2(cursor: PacketCursor): Sll2Layer | undefined {
  if (!cursor.has(KIND, HEADER_LENGTH)) return undefined;
  const { bytes, offset } = cursor;
  const addressLength = bytes[offset + ADDRESS_LENGTH_OFFSET]!;
  const hardwareType = readUint16(bytes, offset + HARDWARE_TYPE_OFFSET);
  const protocol = readUint16(bytes, offset + PROTOCOL_OFFSET);
  const layer: Sll2Layer = {
    kind: KIND,
    offset,
    headerLength: HEADER_LENGTH,
    payloadLength: cursor.payloadLength(HEADER_LENGTH),
    interfaceIndex: readUint32(bytes, offset + INTERFACE_OFFSET),
    packetType: bytes[offset + PACKET_TYPE_OFFSET]!,
    hardwareType,
    addressLength,
    address: formatHardwareAddress(
      bytes,
      offset + ADDRESS_OFFSET,
      Math.min(addressLength, MAX_ADDRESS_LENGTH),
    ),
    protocol,
  };
  cursor.advance(
    KIND,
    HEADER_LENGTH,
    cookedSpace(hardwareType, protocol),
    protocol,
  );
  return layer;
}
