/**
 * IPv6 headers with their extension headers.
 *
 * Reference: RFC 8200 section 3, RFC 2675 (jumbo payloads).
 *
 * ```
 *  0                           2             3              4
 *  +------+---------------+----+-------------+--------------+
 *  | ver. | traffic class | flow label                      |   0
 *  +------+---------------+----+-------------+--------------+
 *  | payload length            | next header | hop limit    |   4
 *  +---------------------------+-------------+--------------+
 *  | source (16)                                            |   8
 *  +--------------------------------------------------------+
 *  | destination (16)                                       |  24
 *  +--------------------------------------------------------+
 *  | extension headers                                      |  40
 *  +--------------------------------------------------------+
 * ```
 *
 * @module
 */

import { readUint16, readUint32 } from "../../bytes/integers.ts";
import { formatIpv6 } from "../address.ts";
import { type LayerBase, type PacketCursor, Space } from "../cursor.ts";
import {
  decodeExtensions,
  type ExtensionChain,
  type ExtensionHeader,
  isExtension,
} from "./ipv6_extensions.ts";

const VERSION_OFFSET = 0;
const PAYLOAD_LENGTH_OFFSET = 4;
const NEXT_HEADER_OFFSET = 6;
const HOP_LIMIT_OFFSET = 7;
const SOURCE_OFFSET = 8;
const DESTINATION_OFFSET = 24;
const HEADER_LENGTH = 40;

const VERSION = 6;
const VERSION_SHIFT = 28;
const TRAFFIC_CLASS_SHIFT = 20;
const TRAFFIC_CLASS_MASK = 0xff;
const FLOW_LABEL_MASK = 0x000f_ffff;
const KIND = "ipv6";

/** An IPv6 header with its extension headers. See {@linkcode decodePacket}. */
export interface Ipv6Layer extends LayerBase {
  /** Tells the kinds of layers apart. */
  readonly kind: "ipv6";
  /** DSCP (high 6 bits) and ECN (low 2 bits). */
  readonly trafficClass: number;
  /** Flow label, 20 bits. */
  readonly flowLabel: number;
  /**
   * Payload length field, which counts the extension headers. 0 in jumbograms
   * and in packets that the kernel shows before they are cut into segments.
   */
  readonly length: number;
  /** Protocol number of the first extension header or of the payload. */
  readonly nextHeader: number;
  /** How many more hops the packet may make. */
  readonly hopLimit: number;
  /** Address as text. */
  readonly source: string;
  /** Address as text. */
  readonly destination: string;
  /** In the order of the packet. */
  readonly extensions: readonly ExtensionHeader[];
  /** Protocol number of what follows the last extension header. */
  readonly protocol: number;
  /** M flag of the fragment header: this is not the last fragment. */
  readonly moreFragments: boolean;
  /** Where the payload belongs in the whole packet's payload, in bytes. */
  readonly fragmentOffset: number;
  /** Of the fragment header, when there is one. */
  readonly identification: number | undefined;
}

/**
 * Decodes an IPv6 header and its extension headers. Nothing after the headers
 * of a later fragment is decoded, because it is the middle of something.
 *
 * @param cursor At the first byte of the header.
 * @returns `undefined` when the fixed header is not whole or it is not IPv6.
 */
export function decodeIpv6(cursor: PacketCursor): Ipv6Layer | undefined {
  if (!cursor.has(KIND, HEADER_LENGTH)) return undefined;
  const { bytes, offset } = cursor;
  const first = readUint32(bytes, offset + VERSION_OFFSET);
  if (first >>> VERSION_SHIFT !== VERSION) {
    const version = first >>> VERSION_SHIFT;
    cursor.reject(KIND, offset, `IP version is ${version} instead of 6`);
    return undefined;
  }
  const length = readUint16(bytes, offset + PAYLOAD_LENGTH_OFFSET);
  const nextHeader = bytes[offset + NEXT_HEADER_OFFSET]!;
  if (length !== 0) cursor.limit(KIND, HEADER_LENGTH + length);
  const chain: ExtensionChain | undefined = isExtension(nextHeader)
    ? decodeExtensions(
      bytes,
      offset + HEADER_LENGTH,
      cursor.end,
      nextHeader,
    )
    : undefined;
  if (chain?.jumboLength !== undefined && length === 0) {
    cursor.limit(KIND, HEADER_LENGTH + chain.jumboLength);
  }
  const headerLength = chain === undefined ? HEADER_LENGTH : chain.end - offset;
  const protocol = chain?.protocol ?? nextHeader;
  const layer: Ipv6Layer = {
    kind: KIND,
    offset,
    headerLength,
    payloadLength: cursor.payloadLength(headerLength),
    trafficClass: (first >>> TRAFFIC_CLASS_SHIFT) & TRAFFIC_CLASS_MASK,
    flowLabel: first & FLOW_LABEL_MASK,
    length,
    nextHeader,
    hopLimit: bytes[offset + HOP_LIMIT_OFFSET]!,
    source: formatIpv6(bytes, offset + SOURCE_OFFSET),
    destination: formatIpv6(bytes, offset + DESTINATION_OFFSET),
    extensions: chain?.extensions ?? [],
    protocol,
    moreFragments: chain?.moreFragments ?? false,
    fragmentOffset: chain?.fragmentOffset ?? 0,
    identification: chain?.identification,
  };
  cursor.advance(
    KIND,
    headerLength,
    layer.fragmentOffset === 0 ? Space.IP_PROTOCOL : Space.NONE,
    protocol,
  );
  if (chain !== undefined && chain.missing > 0) {
    cursor.runOut(KIND, chain.end, chain.missing);
  }
  if (layer.moreFragments) cursor.isOpen = true;
  return layer;
}
