/**
 * ICMP for IPv4.
 *
 * Reference: RFC 792, RFC 1191 (MTU), RFC 4884 (length of the quote).
 *
 * ```
 *  0      1      2           4                                8
 *  +------+------+-----------+---------------+----------------+
 *  | type | code | checksum  | rest, by type                  |
 *  +------+------+-----------+---------------+----------------+
 *                echo:       | identifier    | sequence       |
 *                            +-------+-------+----------------+
 *     unreachable, time exc.:| 0     | len/4 | MTU (code 4)   |
 *                            +-------+-------+----------------+
 *                parameter:  | index | len/4 | 0              |
 *                            +-------+-------+----------------+
 *                redirect:   | gateway address                |
 *                            +--------------------------------+
 *  Errors go on with the IP packet that they are about.
 * ```
 *
 * @module
 */

import { readUint16 } from "../../bytes/integers.ts";
import { formatIpv4 } from "../address.ts";
import { type LayerBase, type PacketCursor, Space } from "../cursor.ts";
import { EtherType } from "../ether_type.ts";

const TYPE_OFFSET = 0;
const CODE_OFFSET = 1;
const CHECKSUM_OFFSET = 2;
const REST_OFFSET = 4;
const QUOTE_WORDS_OFFSET = 5;
const SECOND_HALF_OFFSET = 6;
const HEADER_LENGTH = 8;
const QUOTE_WORD = 4;
const KIND = "icmp";

/** Message types with a name. */
export const IcmpType = {
  ECHO_REPLY: 0,
  UNREACHABLE: 3,
  SOURCE_QUENCH: 4,
  REDIRECT: 5,
  ECHO_REQUEST: 8,
  ROUTER_ADVERTISEMENT: 9,
  ROUTER_SOLICITATION: 10,
  TIME_EXCEEDED: 11,
  PARAMETER_PROBLEM: 12,
  TIMESTAMP: 13,
  TIMESTAMP_REPLY: 14,
} as const;

/** One of the values of {@linkcode IcmpType}. */
export type IcmpType = typeof IcmpType[keyof typeof IcmpType];

/** Code of {@linkcode IcmpType}.UNREACHABLE that carries an MTU. */
export const ICMP_FRAGMENTATION_NEEDED = 4;

const HAS_IDENTIFIER: readonly number[] = [
  IcmpType.ECHO_REPLY,
  IcmpType.ECHO_REQUEST,
  IcmpType.TIMESTAMP,
  IcmpType.TIMESTAMP_REPLY,
];
const HAS_QUOTE: readonly number[] = [
  IcmpType.UNREACHABLE,
  IcmpType.SOURCE_QUENCH,
  IcmpType.REDIRECT,
  IcmpType.TIME_EXCEEDED,
  IcmpType.PARAMETER_PROBLEM,
];
/** Types whose quote may be followed by extensions (RFC 4884). */
const HAS_QUOTE_LENGTH: readonly number[] = [
  IcmpType.UNREACHABLE,
  IcmpType.TIME_EXCEEDED,
  IcmpType.PARAMETER_PROBLEM,
];

/** An ICMP header. See {@linkcode decodePacket}. */
export interface IcmpLayer extends LayerBase {
  /** Tells the kinds of layers apart. */
  readonly kind: "icmp";
  /** See {@linkcode IcmpType}. */
  readonly type: number;
  /** What exactly, by type. */
  readonly code: number;
  /** Checksum field. */
  readonly checksum: number;
  /** Of echo and timestamp messages. */
  readonly identifier: number | undefined;
  /** Of echo and timestamp messages. */
  readonly sequence: number | undefined;
  /** Of "fragmentation needed": the next hop's MTU, 0 when it is old. */
  readonly mtu: number | undefined;
  /** Of redirects: address of the better gateway. */
  readonly gateway: string | undefined;
  /** Of parameter problems: offset of the wrong byte in the packet. */
  readonly pointer: number | undefined;
}

/**
 * Decodes an ICMP header.
 *
 * @param cursor At its first byte.
 * @returns `undefined` when it is not whole.
 */
export function decodeIcmp(cursor: PacketCursor): IcmpLayer | undefined {
  if (!cursor.has(KIND, HEADER_LENGTH)) return undefined;
  const { bytes, offset } = cursor;
  const type = bytes[offset + TYPE_OFFSET]!;
  const code = bytes[offset + CODE_OFFSET]!;
  const hasIdentifier = HAS_IDENTIFIER.includes(type);
  const second = readUint16(bytes, offset + SECOND_HALF_OFFSET);
  const layer: IcmpLayer = {
    kind: KIND,
    offset,
    headerLength: HEADER_LENGTH,
    payloadLength: cursor.payloadLength(HEADER_LENGTH),
    type,
    code,
    checksum: readUint16(bytes, offset + CHECKSUM_OFFSET),
    identifier: hasIdentifier
      ? readUint16(bytes, offset + REST_OFFSET)
      : undefined,
    sequence: hasIdentifier ? second : undefined,
    mtu: type === IcmpType.UNREACHABLE && code === ICMP_FRAGMENTATION_NEEDED
      ? second
      : undefined,
    gateway: type === IcmpType.REDIRECT
      ? formatIpv4(bytes, offset + REST_OFFSET)
      : undefined,
    pointer: type === IcmpType.PARAMETER_PROBLEM
      ? bytes[offset + REST_OFFSET]!
      : undefined,
  };
  if (!HAS_QUOTE.includes(type)) {
    cursor.advance(KIND, HEADER_LENGTH, Space.NONE, 0);
    return layer;
  }
  const words = bytes[offset + QUOTE_WORDS_OFFSET]!;
  if (words > 0 && HAS_QUOTE_LENGTH.includes(type)) {
    cursor.limit(KIND, HEADER_LENGTH + words * QUOTE_WORD);
  }
  cursor.advance(KIND, HEADER_LENGTH, Space.QUOTE, EtherType.IPV4);
  return layer;
}

/**
 * Tells whether a message reports an error and thus quotes a packet.
 *
 * @param layer An ICMP header.
 */
export function isIcmpError(layer: IcmpLayer): boolean {
  return HAS_QUOTE.includes(layer.type);
}

/**
 * Name of a message type in lower case, or `type-N`.
 *
 * @param type Message type.
 */
export function formatIcmpType(type: number): string {
  for (const [name, value] of Object.entries(IcmpType)) {
    if (value === type) return name.toLowerCase().replaceAll("_", "-");
  }
  return `type-${type}`;
}
