/**
 * IPv4 headers.
 *
 * Reference: RFC 791 section 3.1, RFC 2474 (DSCP), RFC 3168 (ECN).
 *
 * ```
 *  0             1             2                            4
 *  +------+------+-------------+----------------------------+
 *  | ver. | IHL  | DSCP | ECN  | total length               |   0
 *  +------+------+-------------+-------+--------------------+
 *  | identification            |0 DF MF| fragment offset    |   4
 *  +-------------+-------------+-------+--------------------+
 *  | TTL         | protocol    | checksum                   |   8
 *  +-------------+-------------+----------------------------+
 *  | source                                                 |  12
 *  +--------------------------------------------------------+
 *  | destination                                            |  16
 *  +--------------------------------------------------------+
 *  | options, to a multiple of 4                            |  20
 *  +--------------------------------------------------------+
 * ```
 *
 * @module
 */

import { readUint16 } from "../../bytes/integers.ts";
import { formatIpv4 } from "../address.ts";
import { type LayerBase, type PacketCursor, Space } from "../cursor.ts";
import { decodeIpv4Options, type Ipv4Option } from "./ipv4_options.ts";

const VERSION_OFFSET = 0;
const TRAFFIC_CLASS_OFFSET = 1;
const TOTAL_LENGTH_OFFSET = 2;
const IDENTIFICATION_OFFSET = 4;
const FRAGMENT_OFFSET = 6;
const TTL_OFFSET = 8;
const PROTOCOL_OFFSET = 9;
const CHECKSUM_OFFSET = 10;
const SOURCE_OFFSET = 12;
const DESTINATION_OFFSET = 16;
const MIN_HEADER_LENGTH = 20;

const VERSION = 4;
const VERSION_SHIFT = 4;
const HEADER_WORDS_MASK = 0x0f;
const RESERVED_BIT = 0x8000;
const DONT_FRAGMENT_BIT = 0x4000;
const MORE_FRAGMENTS_BIT = 0x2000;
const FRAGMENT_UNITS_MASK = 0x1fff;
const FRAGMENT_UNIT = 8;
const KIND = "ipv4";

const NO_OPTIONS: readonly Ipv4Option[] = [];

/** An IPv4 header. See {@linkcode decodePacket}. */
export interface Ipv4Layer extends LayerBase {
  /** Tells the kinds of layers apart. */
  readonly kind: "ipv4";
  /** DSCP (high 6 bits) and ECN (low 2 bits), once the type of service. */
  readonly trafficClass: number;
  /**
   * Total length field: bytes of header and payload. 0 in packets that the
   * kernel shows before the network card cuts them into segments.
   */
  readonly totalLength: number;
  /** Common to all fragments of a packet. */
  readonly identification: number;
  /** The unused flag, which should be clear. */
  readonly reservedFlag: boolean;
  /** DF flag. */
  readonly dontFragment: boolean;
  /** MF flag: this is not the last fragment. */
  readonly moreFragments: boolean;
  /** Where the payload belongs in the whole packet's payload, in bytes. */
  readonly fragmentOffset: number;
  /** Time to live: how many more hops the packet may make. */
  readonly ttl: number;
  /** IP protocol number of the payload. */
  readonly protocol: number;
  /** Checksum field. */
  readonly checksum: number;
  /** Address as text. */
  readonly source: string;
  /** Address as text. */
  readonly destination: string;
  /** In the order of the header. */
  readonly options: readonly Ipv4Option[];
}

/**
 * Decodes an IPv4 header. Nothing after the header of a later fragment is
 * decoded, because it is the middle of something.
 *
 * @param cursor At the first byte of the header.
 * @returns `undefined` when its fixed part is not whole or it is not IPv4.
 */
export function decodeIpv4(cursor: PacketCursor): Ipv4Layer | undefined {
  if (!cursor.has(KIND, MIN_HEADER_LENGTH)) return undefined;
  const { bytes, offset } = cursor;
  const first = bytes[offset + VERSION_OFFSET]!;
  if (first >>> VERSION_SHIFT !== VERSION) {
    const version = first >>> VERSION_SHIFT;
    cursor.reject(KIND, offset, `IP version is ${version} instead of 4`);
    return undefined;
  }
  const statedHeader = (first & HEADER_WORDS_MASK) * 4;
  const headerLength = Math.max(statedHeader, MIN_HEADER_LENGTH);
  const totalLength = readUint16(bytes, offset + TOTAL_LENGTH_OFFSET);
  const fragment = readUint16(bytes, offset + FRAGMENT_OFFSET);
  const moreFragments = (fragment & MORE_FRAGMENTS_BIT) !== 0;
  const fragmentOffset = (fragment & FRAGMENT_UNITS_MASK) * FRAGMENT_UNIT;
  const protocol = bytes[offset + PROTOCOL_OFFSET]!;
  if (totalLength >= headerLength) cursor.limit(KIND, totalLength);
  const layer: Ipv4Layer = {
    kind: KIND,
    offset,
    headerLength,
    payloadLength: cursor.payloadLength(headerLength),
    trafficClass: bytes[offset + TRAFFIC_CLASS_OFFSET]!,
    totalLength,
    identification: readUint16(bytes, offset + IDENTIFICATION_OFFSET),
    reservedFlag: (fragment & RESERVED_BIT) !== 0,
    dontFragment: (fragment & DONT_FRAGMENT_BIT) !== 0,
    moreFragments,
    fragmentOffset,
    ttl: bytes[offset + TTL_OFFSET]!,
    protocol,
    checksum: readUint16(bytes, offset + CHECKSUM_OFFSET),
    source: formatIpv4(bytes, offset + SOURCE_OFFSET),
    destination: formatIpv4(bytes, offset + DESTINATION_OFFSET),
    options: headerLength === MIN_HEADER_LENGTH
      ? NO_OPTIONS
      : decodeIpv4Options(
        bytes,
        offset + MIN_HEADER_LENGTH,
        Math.min(offset + headerLength, cursor.end),
      ),
  };
  cursor.advance(
    KIND,
    headerLength,
    fragmentOffset === 0 ? Space.IP_PROTOCOL : Space.NONE,
    protocol,
  );
  if (moreFragments) cursor.isOpen = true;
  if (statedHeader < MIN_HEADER_LENGTH) {
    cursor.reject(
      KIND,
      offset + VERSION_OFFSET,
      `header length ${statedHeader} is less than ${MIN_HEADER_LENGTH}`,
    );
  } else if (totalLength < headerLength && totalLength !== 0) {
    cursor.reject(
      KIND,
      offset + TOTAL_LENGTH_OFFSET,
      `total length ${totalLength} is less than the header's ${headerLength}`,
    );
  }
  return layer;
}
