/**
 * LINKTYPE_LINUX_SLL: Linux cooked capture.
 *
 * Reference: LINKTYPE_LINUX_SLL of the link-type registry, packet(7),
 * linux/if_packet.h, linux/if_arp.h.
 *
 * ```
 *  0             2             4              6                14         16
 *  +-------------+-------------+--------------+-----------------+----------+
 *  | packet type | ARPHRD type | addr. length | address (8)     | protocol |
 *  +-------------+-------------+--------------+-----------------+----------+
 * ```
 *
 * @module
 */

import { readUint16 } from "../../bytes/integers.ts";
import { formatHardwareAddress } from "../address.ts";
import { type LayerBase, type PacketCursor, Space } from "../cursor.ts";
import { FIRST_ETHER_TYPE } from "../ether_type.ts";

const PACKET_TYPE_OFFSET = 0;
const HARDWARE_TYPE_OFFSET = 2;
const ADDRESS_LENGTH_OFFSET = 4;
const ADDRESS_OFFSET = 6;
const PROTOCOL_OFFSET = 14;
const HEADER_LENGTH = 16;
const MAX_ADDRESS_LENGTH = 8;
const KIND = "sll";

/** ETH_P_802_2 of linux/if_ether.h: the payload begins with an LLC header. */
const LINUX_802_2 = 0x0004;
/**
 * ARPHRD_ values whose protocol field is no EtherType: FRAD, IPGRE, radiotap,
 * netlink (the registry lists them).
 */
const FOREIGN_HARDWARE_TYPES: readonly number[] = [770, 778, 803, 824];

/** Names that tcpdump prints for the packet types. */
const PACKET_TYPE_NAMES: readonly string[] = ["In", "B", "M", "P", "Out"];

/** A header of a Linux cooked capture. See {@linkcode decodePacket}. */
export interface SllLayer extends LayerBase {
  /** Tells the kinds of layers apart. */
  readonly kind: "sll";
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
 * Decodes the header of a Linux cooked capture.
 *
 * @param cursor At the first byte of the packet.
 * @returns `undefined` when the header is not whole.
 */
export function decodeSll(cursor: PacketCursor): SllLayer | undefined {
  if (!cursor.has(KIND, HEADER_LENGTH)) return undefined;
  const { bytes, offset } = cursor;
  const addressLength = readUint16(bytes, offset + ADDRESS_LENGTH_OFFSET);
  const hardwareType = readUint16(bytes, offset + HARDWARE_TYPE_OFFSET);
  const protocol = readUint16(bytes, offset + PROTOCOL_OFFSET);
  const layer: SllLayer = {
    kind: KIND,
    offset,
    headerLength: HEADER_LENGTH,
    payloadLength: cursor.payloadLength(HEADER_LENGTH),
    packetType: readUint16(bytes, offset + PACKET_TYPE_OFFSET),
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

/**
 * How to understand the protocol field of a cooked capture.
 *
 * @param hardwareType ARPHRD_ value of the interface.
 * @param protocol The field.
 */
export function cookedSpace(hardwareType: number, protocol: number): Space {
  if (FOREIGN_HARDWARE_TYPES.includes(hardwareType)) return Space.NONE;
  if (protocol >= FIRST_ETHER_TYPE) return Space.ETHER_TYPE;
  return protocol === LINUX_802_2 ? Space.LLC : Space.NONE;
}

/**
 * Name of a packet type as tcpdump prints it: `In`, `B`, `M`, `P`, `Out`.
 *
 * @param packetType `sll_pkttype` of packet(7); unknown ones give the number.
 */
export function formatPacketType(packetType: number): string {
  return PACKET_TYPE_NAMES[packetType] ?? String(packetType);
}
