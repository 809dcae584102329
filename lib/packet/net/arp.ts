/**
 * Address resolution.
 *
 * Reference: RFC 826, IANA ARP Parameters.
 *
 * ```
 *  0               2               4      5      6           8
 *  +---------------+---------------+------+------+-----------+
 *  | hardware type | protocol type | hlen | plen | operation |
 *  +---------------+------+--------+------+------+-----------+
 *  | sender hardware (hlen)        | sender protocol (plen)  |   8
 *  +-------------------------------+-------------------------+
 *  | target hardware (hlen)        | target protocol (plen)  |
 *  +-------------------------------+-------------------------+
 * ```
 *
 * @module
 */

import { readUint16 } from "../../bytes/integers.ts";
import {
  formatHardwareAddress,
  formatIpv4,
  IPV4_ADDRESS_LENGTH,
} from "../address.ts";
import { type LayerBase, type PacketCursor, Space } from "../cursor.ts";
import { EtherType } from "../ether_type.ts";

const HARDWARE_TYPE_OFFSET = 0;
const PROTOCOL_TYPE_OFFSET = 2;
const HARDWARE_LENGTH_OFFSET = 4;
const PROTOCOL_LENGTH_OFFSET = 5;
const OPERATION_OFFSET = 6;
const FIXED_LENGTH = 8;
const KIND = "arp";

/** Operations with a name. */
export const ArpOperation = {
  REQUEST: 1,
  REPLY: 2,
  REVERSE_REQUEST: 3,
  REVERSE_REPLY: 4,
  INVERSE_REQUEST: 8,
  INVERSE_REPLY: 9,
  NAK: 10,
} as const;

/** One of the values of {@linkcode ArpOperation}. */
export type ArpOperation = typeof ArpOperation[keyof typeof ArpOperation];

/** An ARP packet. See {@linkcode decodePacket}. */
export interface ArpLayer extends LayerBase {
  /** Tells the kinds of layers apart. */
  readonly kind: "arp";
  /** ARPHRD_ value, 1 for Ethernet. */
  readonly hardwareType: number;
  /** EtherType of the protocol addresses. */
  readonly protocolType: number;
  /** See {@linkcode ArpOperation}. */
  readonly operation: number;
  /** Hardware address of the sender. */
  readonly senderHardware: string;
  /** IPv4 address of the sender, or hexadecimal pairs for other protocols. */
  readonly senderProtocol: string;
  /** Hardware address of the target; zeros in requests. */
  readonly targetHardware: string;
  /** IPv4 address of the target, or hexadecimal pairs for other protocols. */
  readonly targetProtocol: string;
}

/**
 * Decodes an ARP packet.
 *
 * @param cursor At its first byte.
 * @returns `undefined` when it is not whole.
 */
export function decodeArp(cursor: PacketCursor): ArpLayer | undefined {
  if (!cursor.has(KIND, FIXED_LENGTH)) return undefined;
  const { bytes, offset } = cursor;
  const hardwareLength = bytes[offset + HARDWARE_LENGTH_OFFSET]!;
  const protocolLength = bytes[offset + PROTOCOL_LENGTH_OFFSET]!;
  const length = FIXED_LENGTH + 2 * (hardwareLength + protocolLength);
  if (!cursor.has(KIND, length)) return undefined;
  cursor.limit(KIND, length);
  const protocolType = readUint16(bytes, offset + PROTOCOL_TYPE_OFFSET);
  const sender = offset + FIXED_LENGTH;
  const target = sender + hardwareLength + protocolLength;
  const isIpv4 = protocolType === EtherType.IPV4 &&
    protocolLength === IPV4_ADDRESS_LENGTH;
  const format = (at: number): string =>
    isIpv4
      ? formatIpv4(bytes, at)
      : formatHardwareAddress(bytes, at, protocolLength);
  const layer: ArpLayer = {
    kind: KIND,
    offset,
    headerLength: length,
    payloadLength: 0,
    hardwareType: readUint16(bytes, offset + HARDWARE_TYPE_OFFSET),
    protocolType,
    operation: readUint16(bytes, offset + OPERATION_OFFSET),
    senderHardware: formatHardwareAddress(bytes, sender, hardwareLength),
    senderProtocol: format(sender + hardwareLength),
    targetHardware: formatHardwareAddress(bytes, target, hardwareLength),
    targetProtocol: format(target + hardwareLength),
  };
  cursor.advance(KIND, length, Space.NONE, 0);
  return layer;
}

/**
 * Name of an operation in lower case, or its number.
 *
 * @param operation Operation field.
 */
export function formatArpOperation(operation: number): string {
  for (const [name, value] of Object.entries(ArpOperation)) {
    if (value === operation) return name.toLowerCase().replaceAll("_", "-");
  }
  return String(operation);
}
