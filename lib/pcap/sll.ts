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

import { readUint16, writeUint16 } from "../bytes/integers.ts";

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
 * Writes the 16-byte header. Allocates nothing.
 *
 * @param bytes Where to write.
 * @param offset Offset in `bytes` of the first byte.
 * @param packetType See {@linkcode PacketType}.
 * @param hardwareType ARPHRD_ value (`sll_hatype`).
 * @param addressLength Length of the sender's address (`sll_halen`).
 * @param address Bytes that hold the sender's address.
 * @param addressOffset Where in `address` it begins.
 * @param protocol EtherType in host order.
 */
export function writeSllHeader(
  bytes: Uint8Array,
  offset: number,
  packetType: number,
  hardwareType: number,
  addressLength: number,
  address: Uint8Array,
  addressOffset: number,
  protocol: number,
): void {
  writeUint16(bytes, offset + PACKET_TYPE_OFFSET, packetType);
  writeUint16(bytes, offset + HARDWARE_TYPE_OFFSET, hardwareType);
  writeUint16(bytes, offset + ADDRESS_LENGTH_OFFSET, addressLength);
  for (let i = 0; i < SLL_ADDRESS_LENGTH; i++) {
    bytes[offset + ADDRESS_OFFSET + i] = i < addressLength
      ? address[addressOffset + i] ?? 0
      : 0;
  }
  writeUint16(bytes, offset + PROTOCOL_OFFSET, protocol);
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
