/**
 * LINKTYPE_LINUX_SLL, the link header of Linux cooked captures.
 *
 * Reference: the LINKTYPE_LINUX_SLL page of the link-type registry; the field
 * values are those of `struct sockaddr_ll`, packet(7).
 *
 * ```
 *  0             2             4              6                14         16
 *  +-------------+-------------+--------------+-----------------+----------+
 *  | packet type | ARPHRD type | addr. length | address (8)     | protocol |
 *  +-------------+-------------+--------------+-----------------+----------+
 *  All fields big-endian. A shorter address is padded with zeros; of a longer
 *  one only the first 8 bytes are present, and the length tells the real one.
 * ```
 *
 * @module
 */

import { readUint16 } from "../bytes/integers.ts";

/** Bytes of the header. */
export const SLL_HEADER_LENGTH = 16;
/** Bytes of the address field. */
export const SLL_ADDRESS_LENGTH = 8;

const PACKET_TYPE_OFFSET = 0;
const HARDWARE_TYPE_OFFSET = 2;
const ADDRESS_LENGTH_OFFSET = 4;
const ADDRESS_OFFSET = 6;
const PROTOCOL_OFFSET = 14;

/** Direction and addressee of a packet (`sll_pkttype`, packet(7)). */
export const PacketType = {
  /** Addressed to this host. */
  HOST: 0,
  BROADCAST: 1,
  MULTICAST: 2,
  /** Addressed to another host, seen in promiscuous mode. */
  OTHERHOST: 3,
  /** Sent by this host. */
  OUTGOING: 4,
} as const;

/** One of the values of {@linkcode PacketType}. */
export type PacketType = typeof PacketType[keyof typeof PacketType];

/** Fields of an SLL header. */
export interface SllHeader {
  /** See {@linkcode PacketType}. */
  readonly packetType: number;
  /** ARPHRD_ value, for example 1 Ethernet, 772 loopback. */
  readonly hardwareType: number;
  /** Length of the sender's address, which may exceed the 8 bytes kept. */
  readonly addressLength: number;
  /** The sender's address: at most 8 bytes, a view on the given bytes. */
  readonly address: Uint8Array;
  /** EtherType, or a small number whose meaning the hardware type gives. */
  readonly protocol: number;
}

/**
 * Writes the 16-byte header, in words: each captured packet has one. Allocates
 * nothing.
 *
 * @param view Where to write.
 * @param offset Offset in `view` of the first byte.
 * @param packetType See {@linkcode PacketType}.
 * @param hardwareType ARPHRD_ value (`sll_hatype`).
 * @param addressLength Length of the sender's address (`sll_halen`), at most
 *   255.
 * @param low First four bytes of the address, as a little-endian word; what is
 *   behind a shorter address does not matter.
 * @param high The next four.
 * @param protocol EtherType in host order.
 */
export function writeSllHeader(
  view: DataView,
  offset: number,
  packetType: number,
  hardwareType: number,
  addressLength: number,
  low: number,
  high: number,
  protocol: number,
): void {
  const first = firstBytes(low, addressLength);
  const second = firstBytes(high, addressLength - 4);
  const type = packetType << 8;
  const hardware = (hardwareType & 0xff00) << 8 | hardwareType << 24;
  const ethernet = (protocol & 0xff00) << 8 | protocol << 24;
  view.setInt32(offset, type | hardware, true);
  view.setInt32(offset + 4, addressLength << 8 | first << 16, true);
  view.setInt32(offset + 8, first >>> 16 | second << 16, true);
  view.setInt32(offset + 12, second >>> 16 | ethernet, true);
}

/** The first bytes of a little-endian word, and zeros. */
function firstBytes(word: number, count: number): number {
  if (count >= 4) return word;
  return count <= 0 ? 0 : word & (1 << 8 * count) - 1;
}

/**
 * Decodes the header.
 *
 * @param bytes Captured bytes.
 * @param offset Where the header begins.
 * @returns `undefined` when fewer than 16 bytes are there.
 */
export function decodeSllHeader(
  bytes: Uint8Array,
  offset = 0,
): SllHeader | undefined {
  if (offset < 0 || offset + SLL_HEADER_LENGTH > bytes.length) return undefined;
  const addressLength = readUint16(bytes, offset + ADDRESS_LENGTH_OFFSET);
  const address = offset + ADDRESS_OFFSET;
  return {
    packetType: readUint16(bytes, offset + PACKET_TYPE_OFFSET),
    hardwareType: readUint16(bytes, offset + HARDWARE_TYPE_OFFSET),
    addressLength,
    address: bytes.subarray(
      address,
      address + Math.min(addressLength, SLL_ADDRESS_LENGTH),
    ),
    protocol: readUint16(bytes, offset + PROTOCOL_OFFSET),
  };
}
