/**
 * TCP.
 *
 * Reference: RFC 9293 section 3.1, RFC 9768 (AE, once NS of RFC 3540).
 *
 * ```
 *  0                           2                           4
 *  +---------------------------+---------------------------+
 *  | source port               | destination port          |   0
 *  +---------------------------+---------------------------+
 *  | sequence number                                       |   4
 *  +-------------------------------------------------------+
 *  | acknowledgment number                                 |   8
 *  +------+-----+---+-+-+-+-+-+-+-+-+----------------------+
 *  |data  |res. |AE |C|E|U|A|P|R|S|F| window               |  12
 *  |offset|     |   |W|C|R|C|S|S|Y|I|                      |
 *  |(4)   |(3)  |   |R|E|G|K|H|T|N|N|                      |
 *  +------+-----+---+-+-+-+-+-+-+-+-+----------------------+
 *  | checksum                  | urgent pointer            |  16
 *  +---------------------------+---------------------------+
 *  | options, to a multiple of 4                           |  20
 *  +-------------------------------------------------------+
 * ```
 *
 * @module
 */

import { readUint16, readUint32 } from "../../bytes/integers.ts";
import { type LayerBase, type PacketCursor, Space } from "../cursor.ts";
import { IpProtocol } from "../ip_protocol.ts";
import { decodeTcpOptions, type TcpOption } from "./tcp_options.ts";

const SOURCE_PORT_OFFSET = 0;
const DESTINATION_PORT_OFFSET = 2;
const SEQUENCE_OFFSET = 4;
const ACKNOWLEDGMENT_OFFSET = 8;
const FLAGS_OFFSET = 12;
const WINDOW_OFFSET = 14;
const CHECKSUM_OFFSET = 16;
const URGENT_POINTER_OFFSET = 18;
const MIN_HEADER_LENGTH = 20;
const DATA_OFFSET_SHIFT = 12;
const FLAGS_MASK = 0x0fff;
const KIND = "tcp";

/** Control bits. See {@linkcode formatTcpFlags}. */
export const TcpFlag = {
  FIN: 0x001,
  SYN: 0x002,
  RST: 0x004,
  PSH: 0x008,
  ACK: 0x010,
  URG: 0x020,
  ECE: 0x040,
  CWR: 0x080,
  AE: 0x100,
} as const;

/** One of the values of {@linkcode TcpFlag}. */
export type TcpFlag = typeof TcpFlag[keyof typeof TcpFlag];

/** Letters in the order in which tcpdump prints them. */
const FLAG_LETTERS: readonly (readonly [number, string])[] = [
  [TcpFlag.FIN, "F"],
  [TcpFlag.SYN, "S"],
  [TcpFlag.RST, "R"],
  [TcpFlag.PSH, "P"],
  [TcpFlag.ACK, "."],
  [TcpFlag.URG, "U"],
  [TcpFlag.ECE, "E"],
  [TcpFlag.CWR, "W"],
  [TcpFlag.AE, "e"],
];

const NO_OPTIONS: readonly TcpOption[] = [];

/** A TCP header. See {@linkcode decodePacket}. */
export interface TcpLayer extends LayerBase {
  /** Tells the kinds of layers apart. */
  readonly kind: "tcp";
  /** Port of the sender. */
  readonly sourcePort: number;
  /** Port of the receiver. */
  readonly destinationPort: number;
  /** Number of the first payload byte, or of SYN. */
  readonly sequence: number;
  /** Number of the next byte that the sender expects, when ACK is set. */
  readonly acknowledgment: number;
  /** Bits of {@linkcode TcpFlag} and the three reserved bits above. */
  readonly flags: number;
  /** Not scaled. */
  readonly window: number;
  /** Checksum field. */
  readonly checksum: number;
  /** Offset after the last urgent byte, when URG is set. */
  readonly urgentPointer: number;
  /** In the order of the header. */
  readonly options: readonly TcpOption[];
}

/**
 * Decodes a TCP header.
 *
 * @param cursor At its first byte.
 * @returns `undefined` when its fixed part is not whole.
 */
export function decodeTcp(cursor: PacketCursor): TcpLayer | undefined {
  if (!cursor.has(KIND, MIN_HEADER_LENGTH)) return undefined;
  const { bytes, offset } = cursor;
  const word = readUint16(bytes, offset + FLAGS_OFFSET);
  const statedHeader = (word >>> DATA_OFFSET_SHIFT) * 4;
  const headerLength = Math.max(statedHeader, MIN_HEADER_LENGTH);
  const layer: TcpLayer = {
    kind: KIND,
    offset,
    headerLength,
    payloadLength: cursor.payloadLength(headerLength),
    sourcePort: readUint16(bytes, offset + SOURCE_PORT_OFFSET),
    destinationPort: readUint16(bytes, offset + DESTINATION_PORT_OFFSET),
    sequence: readUint32(bytes, offset + SEQUENCE_OFFSET),
    acknowledgment: readUint32(bytes, offset + ACKNOWLEDGMENT_OFFSET),
    flags: word & FLAGS_MASK,
    window: readUint16(bytes, offset + WINDOW_OFFSET),
    checksum: readUint16(bytes, offset + CHECKSUM_OFFSET),
    urgentPointer: readUint16(bytes, offset + URGENT_POINTER_OFFSET),
    options: headerLength === MIN_HEADER_LENGTH ? NO_OPTIONS : decodeTcpOptions(
      bytes,
      offset + MIN_HEADER_LENGTH,
      Math.min(offset + headerLength, cursor.end),
    ),
  };
  cursor.advance(KIND, headerLength, Space.APPLICATION, IpProtocol.TCP);
  if (statedHeader < MIN_HEADER_LENGTH) {
    cursor.reject(
      KIND,
      offset + FLAGS_OFFSET,
      `header length ${statedHeader} is less than ${MIN_HEADER_LENGTH}`,
    );
  }
  return layer;
}

/**
 * Names of the set bits, lowest first, joined by `|`; reserved bits as a
 * hexadecimal number.
 *
 * @param flags Flags of a TCP header.
 * @returns For example `SYN|ACK`, `RST|0x200`, or `none`.
 *
 * @example Write the flags of a segment
 * ```ts
 * import { formatTcpFlags, TcpFlag } from "./tcp.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(formatTcpFlags(TcpFlag.SYN | TcpFlag.ACK), "SYN|ACK");
 * ```
 */
export function formatTcpFlags(flags: number): string {
  const names: string[] = [];
  let unknown = flags;
  for (const [name, bit] of Object.entries(TcpFlag)) {
    if ((flags & bit) === 0) continue;
    names.push(name);
    unknown &= ~bit;
  }
  if (unknown !== 0) names.push(`0x${unknown.toString(16)}`);
  return names.length === 0 ? "none" : names.join("|");
}

/**
 * Letters of the set bits as tcpdump prints them between brackets.
 *
 * @param flags Flags of a TCP header.
 * @returns For example `S.` for SYN with ACK, or `none`.
 */
export function formatTcpFlagLetters(flags: number): string {
  let letters = "";
  for (const [bit, letter] of FLAG_LETTERS) {
    if ((flags & bit) !== 0) letters += letter;
  }
  return letters === "" ? "none" : letters;
}
