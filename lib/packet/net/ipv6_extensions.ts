/**
 * IPv6 extension headers.
 *
 * Reference: RFC 8200 section 4, RFC 4302 (AH), RFC 2675 (jumbo payload),
 * IANA IPv6 Extension Header Types.
 *
 * ```
 * Most kinds                            Fragment
 *  0      1        2                     0      1     2              4
 *  +------+--------+------------+        +------+-----+-----------+--+----+
 *  | next | length | contents   |        | next | res | offset/8  |..| M  |
 *  +------+--------+------------+        +------+-----+-----------+--+----+
 *  8 * (length + 1) bytes;               | identification                 |
 *  AH: 4 * (length + 2)                  +--------------------------------+
 *
 * Option inside hop-by-hop and destination options
 *  +------+--------+------+      type 0: one byte of padding
 *  | type | length | data |      length counts the data only
 *  +------+--------+------+
 * ```
 *
 * @module
 */

import { readUint16, readUint32 } from "../../bytes/integers.ts";
import { IpProtocol } from "../ip_protocol.ts";

const NEXT_HEADER_OFFSET = 0;
const LENGTH_OFFSET = 1;
const FRAGMENT_OFFSET_OFFSET = 2;
const IDENTIFICATION_OFFSET = 4;
const OPTIONS_OFFSET = 2;
const MIN_LENGTH = 8;
const LENGTH_UNIT = 8;
const AH_LENGTH_UNIT = 4;
const AH_LENGTH_BASE = 8;
/** The offset counts 8-byte units above three other bits, so no shift. */
const FRAGMENT_BYTES_MASK = 0xfff8;
const MORE_FRAGMENTS_BIT = 0x0001;
const PAD1_OPTION = 0;
const JUMBO_OPTION = 0xc2;
const JUMBO_DATA_LENGTH = 4;

const EXTENSIONS: readonly number[] = [
  IpProtocol.HOP_BY_HOP,
  IpProtocol.ROUTING,
  IpProtocol.FRAGMENT,
  IpProtocol.AH,
  IpProtocol.DESTINATION_OPTIONS,
  IpProtocol.MOBILITY,
  IpProtocol.HIP,
  IpProtocol.SHIM6,
];

/** An extension header. See {@linkcode decodePacket}. */
export interface ExtensionHeader {
  /** Its own protocol number, for example 43 routing. */
  readonly protocol: number;
  /** Offset in the packet of its first byte. */
  readonly offset: number;
  /** Its bytes with the two of its own header. */
  readonly length: number;
}

/** What a chain of extension headers says. */
export interface ExtensionChain {
  /** In the order of the packet. */
  readonly extensions: readonly ExtensionHeader[];
  /** Protocol number of what follows. */
  readonly protocol: number;
  /** Offset after the last header that was whole. */
  readonly end: number;
  /** Bytes at `end` that the next header needs beyond those captured. */
  readonly missing: number;
  /** M flag of the fragment header. */
  readonly moreFragments: boolean;
  /** Of the fragment header, in bytes. */
  readonly fragmentOffset: number;
  /** Of the fragment header. */
  readonly identification: number | undefined;
  /** Of the jumbo payload option: bytes after the fixed IPv6 header. */
  readonly jumboLength: number | undefined;
}

/**
 * Tells whether a protocol number stands for an extension header.
 *
 * @param protocol IP protocol number.
 */
export function isExtension(protocol: number): boolean {
  return EXTENSIONS.includes(protocol);
}

/**
 * Walks along the extension headers. Stops at the first that is not whole and
 * after the fragment header of a later fragment.
 *
 * @param bytes The packet.
 * @param start Offset of the first extension header.
 * @param end Offset after the last captured byte.
 * @param first Protocol number of the first extension header.
 */
export function decodeExtensions(
  bytes: Uint8Array,
  start: number,
  end: number,
  first: number,
): ExtensionChain {
  const extensions: ExtensionHeader[] = [];
  let protocol = first;
  let offset = start;
  let missing = 0;
  let fragment = 0;
  let identification: number | undefined;
  let jumboLength: number | undefined;
  while (isExtension(protocol) && (fragment & FRAGMENT_BYTES_MASK) === 0) {
    const length = offset + MIN_LENGTH <= end
      ? extensionLength(protocol, bytes[offset + LENGTH_OFFSET]!)
      : MIN_LENGTH;
    if (offset + length > end) {
      missing = length;
      break;
    }
    if (protocol === IpProtocol.FRAGMENT) {
      fragment = readUint16(bytes, offset + FRAGMENT_OFFSET_OFFSET);
      identification = readUint32(bytes, offset + IDENTIFICATION_OFFSET);
    } else if (protocol === IpProtocol.HOP_BY_HOP) {
      jumboLength ??= findJumboLength(bytes, offset, offset + length);
    }
    extensions.push({ protocol, offset, length });
    protocol = bytes[offset + NEXT_HEADER_OFFSET]!;
    offset += length;
  }
  return {
    extensions,
    protocol,
    end: offset,
    missing,
    moreFragments: (fragment & MORE_FRAGMENTS_BIT) !== 0,
    fragmentOffset: fragment & FRAGMENT_BYTES_MASK,
    identification,
    jumboLength,
  };
}

function extensionLength(protocol: number, field: number): number {
  if (protocol === IpProtocol.FRAGMENT) return MIN_LENGTH;
  if (protocol === IpProtocol.AH) {
    return AH_LENGTH_BASE + field * AH_LENGTH_UNIT;
  }
  return MIN_LENGTH + field * LENGTH_UNIT;
}

function findJumboLength(
  bytes: Uint8Array,
  start: number,
  end: number,
): number | undefined {
  let at = start + OPTIONS_OFFSET;
  while (at + 1 < end) {
    const type = bytes[at]!;
    if (type === PAD1_OPTION) {
      at++;
      continue;
    }
    const length = bytes[at + 1]!;
    if (
      type === JUMBO_OPTION && length === JUMBO_DATA_LENGTH &&
      at + 2 + JUMBO_DATA_LENGTH <= end
    ) return readUint32(bytes, at + 2);
    at += 2 + length;
  }
  return undefined;
}
