/**
 * ICMP for IPv6, with neighbor discovery.
 *
 * Reference: RFC 4443, RFC 4861 section 4, RFC 4884 (length of the quote).
 *
 * ```
 *  0      1      2           4                                8
 *  +------+------+-----------+---------------+----------------+
 *  | type | code | checksum  | rest, by type                  |
 *  +------+------+-----------+---------------+----------------+
 *                echo:       | identifier    | sequence       |
 *                            +---------------+----------------+
 *                too big:    | MTU                            |
 *                            +--------------------------------+
 *                parameter:  | pointer                        |
 *                            +-------+------------------------+
 *     unreachable, time exc.:| len/8 | 0                      |
 *                            +-------+------------------------+
 *     neighbor discovery:    | flags and figures              |
 *                            +--------------------------------+
 *     solicitation, advert.: | target (16), options           |
 *                            +--------------------------------+
 *     redirect:              | target (16), destination (16), options
 *                            +--------------------------------+
 *     router advertisement:  | reachable (4), retransmit (4), options
 *                            +--------------------------------+
 *  Errors go on with the IP packet that they are about.
 * ```
 *
 * @module
 */

import { readUint16, readUint32 } from "../../bytes/integers.ts";
import { formatIpv6, IPV6_ADDRESS_LENGTH } from "../address.ts";
import { type LayerBase, type PacketCursor, Space } from "../cursor.ts";
import { EtherType } from "../ether_type.ts";

const TYPE_OFFSET = 0;
const CODE_OFFSET = 1;
const CHECKSUM_OFFSET = 2;
const REST_OFFSET = 4;
const SECOND_HALF_OFFSET = 6;
const TARGET_OFFSET = 8;
const REDIRECT_DESTINATION_OFFSET = 24;
const HEADER_LENGTH = 8;
const ADVERTISEMENT_FIGURES_LENGTH = 8;
const QUOTE_WORD = 8;
const OPTION_UNIT = 8;
const OPTION_HEADER_LENGTH = 2;
const FIRST_INFORMATIONAL_TYPE = 128;
const KIND = "icmpv6";

/** Message types with a name. */
export const Icmpv6Type = {
  UNREACHABLE: 1,
  PACKET_TOO_BIG: 2,
  TIME_EXCEEDED: 3,
  PARAMETER_PROBLEM: 4,
  ECHO_REQUEST: 128,
  ECHO_REPLY: 129,
  MULTICAST_LISTENER_QUERY: 130,
  MULTICAST_LISTENER_REPORT: 131,
  MULTICAST_LISTENER_DONE: 132,
  ROUTER_SOLICITATION: 133,
  ROUTER_ADVERTISEMENT: 134,
  NEIGHBOR_SOLICITATION: 135,
  NEIGHBOR_ADVERTISEMENT: 136,
  REDIRECT: 137,
  MULTICAST_LISTENER_REPORT_V2: 143,
} as const;

/** One of the values of {@linkcode Icmpv6Type}. */
export type Icmpv6Type = typeof Icmpv6Type[keyof typeof Icmpv6Type];

/** Bytes between the header and the options of neighbor discovery. */
const DISCOVERY_LENGTHS: ReadonlyMap<number, number> = new Map([
  [Icmpv6Type.ROUTER_SOLICITATION, 0],
  [Icmpv6Type.ROUTER_ADVERTISEMENT, ADVERTISEMENT_FIGURES_LENGTH],
  [Icmpv6Type.NEIGHBOR_SOLICITATION, IPV6_ADDRESS_LENGTH],
  [Icmpv6Type.NEIGHBOR_ADVERTISEMENT, IPV6_ADDRESS_LENGTH],
  [Icmpv6Type.REDIRECT, 2 * IPV6_ADDRESS_LENGTH],
]);

/**
 * An option of neighbor discovery (RFC 4861 section 4.6).
 * See {@linkcode decodePacket}.
 */
export interface NeighborOption {
  /** 1 and 2 are the source's and the target's link-layer address. */
  readonly type: number;
  /** What follows type and length; a view on the packet. */
  readonly data: Uint8Array;
}

/**
 * An ICMPv6 header; for neighbor discovery the whole message.
 * See {@linkcode decodePacket}.
 */
export interface Icmpv6Layer extends LayerBase {
  /** Tells the kinds of layers apart. */
  readonly kind: "icmpv6";
  /** See {@linkcode Icmpv6Type}. */
  readonly type: number;
  /** What exactly, by type. */
  readonly code: number;
  /** Checksum field. */
  readonly checksum: number;
  /** Of echo messages. */
  readonly identifier: number | undefined;
  /** Of echo messages. */
  readonly sequence: number | undefined;
  /** Of "packet too big": the next hop's MTU. */
  readonly mtu: number | undefined;
  /** Of parameter problems: offset of the wrong byte in the packet. */
  readonly pointer: number | undefined;
  /** Of neighbor messages: whose link-layer address is meant. */
  readonly target: string | undefined;
  /** Of redirects: for which destination. */
  readonly redirected: string | undefined;
  /** Of neighbor discovery. */
  readonly options: readonly NeighborOption[];
}

/**
 * Decodes an ICMPv6 header.
 *
 * @param cursor At its first byte.
 * @returns `undefined` when it is not whole.
 */
export function decodeIcmpv6(cursor: PacketCursor): Icmpv6Layer | undefined {
  if (!cursor.has(KIND, HEADER_LENGTH)) return undefined;
  const { bytes, offset } = cursor;
  const type = bytes[offset + TYPE_OFFSET]!;
  const isEcho = type === Icmpv6Type.ECHO_REQUEST ||
    type === Icmpv6Type.ECHO_REPLY;
  const rest = readUint32(bytes, offset + REST_OFFSET);
  const discovery = DISCOVERY_LENGTHS.get(type);
  const isCaptured = discovery !== undefined &&
    offset + HEADER_LENGTH + discovery <= cursor.end;
  const options = offset + HEADER_LENGTH + (discovery ?? 0);
  const headerLength = isCaptured
    ? cursor.wireEnd - offset
    : HEADER_LENGTH + (discovery ?? 0);
  const layer: Icmpv6Layer = {
    kind: KIND,
    offset,
    headerLength,
    payloadLength: cursor.payloadLength(headerLength),
    type,
    code: bytes[offset + CODE_OFFSET]!,
    checksum: readUint16(bytes, offset + CHECKSUM_OFFSET),
    identifier: isEcho ? readUint16(bytes, offset + REST_OFFSET) : undefined,
    sequence: isEcho
      ? readUint16(bytes, offset + SECOND_HALF_OFFSET)
      : undefined,
    mtu: type === Icmpv6Type.PACKET_TOO_BIG ? rest : undefined,
    pointer: type === Icmpv6Type.PARAMETER_PROBLEM ? rest : undefined,
    target: isCaptured && discovery >= IPV6_ADDRESS_LENGTH
      ? formatIpv6(bytes, offset + TARGET_OFFSET)
      : undefined,
    redirected: isCaptured && type === Icmpv6Type.REDIRECT
      ? formatIpv6(bytes, offset + REDIRECT_DESTINATION_OFFSET)
      : undefined,
    options: isCaptured
      ? decodeNeighborOptions(bytes, options, cursor.end)
      : [],
  };
  if (type >= FIRST_INFORMATIONAL_TYPE) {
    cursor.advance(KIND, headerLength, Space.NONE, 0);
    return layer;
  }
  const words = bytes[offset + REST_OFFSET]!;
  if (
    words > 0 &&
    (type === Icmpv6Type.UNREACHABLE || type === Icmpv6Type.TIME_EXCEEDED)
  ) cursor.limit(KIND, HEADER_LENGTH + words * QUOTE_WORD);
  cursor.advance(KIND, HEADER_LENGTH, Space.QUOTE, EtherType.IPV6);
  return layer;
}

/**
 * Tells whether a message reports an error and thus quotes a packet.
 *
 * @param layer An ICMPv6 header.
 */
export function isIcmpv6Error(layer: Icmpv6Layer): boolean {
  return layer.type < FIRST_INFORMATIONAL_TYPE;
}

/**
 * Name of a message type in lower case, or `type-N`.
 *
 * @param type Message type.
 */
export function formatIcmpv6Type(type: number): string {
  for (const [name, value] of Object.entries(Icmpv6Type)) {
    if (value === type) return name.toLowerCase().replaceAll("_", "-");
  }
  return `type-${type}`;
}

function decodeNeighborOptions(
  bytes: Uint8Array,
  start: number,
  end: number,
): NeighborOption[] {
  const options: NeighborOption[] = [];
  let at = start;
  while (at + OPTION_HEADER_LENGTH <= end) {
    const length = bytes[at + 1]! * OPTION_UNIT;
    if (length === 0 || at + length > end) break;
    options.push({
      type: bytes[at]!,
      data: bytes.subarray(at + OPTION_HEADER_LENGTH, at + length),
    });
    at += length;
  }
  return options;
}
