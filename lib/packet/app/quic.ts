/**
 * QUIC packets with a long header. What follows the connection ids of a known
 * version is decoded too, as far as it is not encrypted.
 *
 * Reference: RFC 8999 (all versions), RFC 9000 section 17.2 (version 1), RFC
 * 9369 section 3.2 (version 2).
 *
 * ```
 *  0        1             5
 *  +--------+-------------+------+---------+------+---------+
 *  |11ttxxxx| version     | dlen | dest id | slen | src id  |
 *  +--------+-------------+------+---------+------+---------+
 *  Initial:      token, after its length; then the length of the rest
 *  0-RTT, Handshake: the length of the rest
 *  Retry:        token, 16 bytes of integrity tag
 *  version 0:    the versions that the server knows
 *
 * Variable-length integer: the two highest bits tell its 1, 2, 4 or 8 bytes.
 * ```
 *
 * @module
 */

import { readUint32 } from "../../bytes/integers.ts";
import { ByteReader, Truncated } from "../../bytes/reader.ts";
import type { LayerBase, PacketCursor } from "../cursor.ts";

const KIND = "quic";
const LONG_HEADER_BIT = 0x80;
const FIXED_BIT = 0x40;
const TYPE_SHIFT = 4;
const TYPE_MASK = 3;
const VERSION_OFFSET = 1;
/** First byte, version and one length: enough to recognize a packet. */
const MIN_LENGTH = 7;
const MAX_ID_LENGTH = 20;
const VERSION_1 = 1;
const VERSION_2 = 0x6b33_43cf;
/** Drafts before version 1: `ff0000nn`. */
const DRAFT_PREFIX = 0xff00_00;
const INTEGER_LENGTH_SHIFT = 6;
const INTEGER_HIGH_MASK = 0x3f;

/**
 * Types of packets with a long header, as version 1 numbers them.
 * See {@linkcode decodePacket}.
 */
export const QuicPacketType = {
  INITIAL: 0,
  ZERO_RTT: 1,
  HANDSHAKE: 2,
  RETRY: 3,
  /** Version 0: no type, but the versions that the server knows. */
  VERSION_NEGOTIATION: 4,
} as const;

/** One of the values of {@linkcode QuicPacketType}. */
export type QuicPacketType = typeof QuicPacketType[keyof typeof QuicPacketType];

/** A QUIC packet with a long header. See {@linkcode decodePacket}. */
export interface QuicHeader {
  /** See {@linkcode QuicPacketType}. */
  readonly type: QuicPacketType;
  /** 1, 0x6b3343cf (version 2), a draft's, or 0 in a version negotiation. */
  readonly version: number;
  /** A view on the packet, at most 20 bytes. */
  readonly destinationId: Uint8Array;
  /** A view on the packet, at most 20 bytes. */
  readonly sourceId: Uint8Array;
  /** Of Initial and Retry packets; a view on the packet. */
  readonly token: Uint8Array | undefined;
  /** Bytes of packet number and encrypted payload, when stated. */
  readonly length: number | undefined;
  /** Of a version negotiation. */
  readonly versions: readonly number[];
  /** Offset after the last byte that was decoded. */
  readonly end: number;
}

/** A QUIC packet with a long header. See {@linkcode decodePacket}. */
export interface QuicLayer extends LayerBase, Omit<QuicHeader, "end"> {
  /** Tells the kinds of layers apart. */
  readonly kind: "quic";
}

/**
 * Decodes a long header of a version that is known.
 *
 * @param bytes Data.
 * @param start Offset of the datagram's payload.
 * @param end Offset after its last captured byte.
 * @returns `undefined` when there is no such header.
 */
export function decodeQuicHeader(
  bytes: Uint8Array,
  start: number,
  end: number,
): QuicHeader | undefined {
  if (start + MIN_LENGTH > end) return undefined;
  const first = bytes[start]!;
  const version = readUint32(bytes, start + VERSION_OFFSET);
  if ((first & LONG_HEADER_BIT) === 0) return undefined;
  if (version !== 0 && !isNamed(version)) return undefined;
  if (version !== 0 && (first & FIXED_BIT) === 0) return undefined;
  const reader = new ByteReader(bytes, start + 5, end);
  try {
    const destinationId = readId(reader);
    const sourceId = readId(reader);
    if (destinationId === undefined || sourceId === undefined) return undefined;
    const rest = readRest(reader, typeOf(version, first));
    // A version of 0 alone does not make a version negotiation.
    if (version === 0 && !rest.versions.some(isNamed)) return undefined;
    return {
      version,
      destinationId,
      sourceId,
      ...rest,
      end: reader.offset,
    };
  } catch (error) {
    if (error instanceof Truncated) return undefined;
    throw error;
  }
}

/**
 * Decodes the first QUIC packet of a UDP datagram. Datagrams may hold several;
 * the others are payload.
 *
 * @param cursor At the first byte of the payload.
 * @returns `undefined` when it has no long header of a known version.
 */
export function decodeQuic(cursor: PacketCursor): QuicLayer | undefined {
  const { offset } = cursor;
  const header = decodeQuicHeader(cursor.bytes, offset, cursor.end);
  cursor.stop();
  if (header === undefined) return undefined;
  const { end, ...rest } = header;
  cursor.offset = end;
  return {
    kind: KIND,
    offset,
    headerLength: end - offset,
    payloadLength: Math.max(0, cursor.wireEnd - end),
    ...rest,
  };
}

/**
 * Name of a packet type.
 *
 * @param type See {@linkcode QuicPacketType}.
 * @returns For example `initial` or `0-rtt`.
 */
export function formatQuicType(type: QuicPacketType): string {
  switch (type) {
    case QuicPacketType.INITIAL:
      return "initial";
    case QuicPacketType.ZERO_RTT:
      return "0-rtt";
    case QuicPacketType.HANDSHAKE:
      return "handshake";
    case QuicPacketType.RETRY:
      return "retry";
    case QuicPacketType.VERSION_NEGOTIATION:
      return "version negotiation";
  }
}

/**
 * Name of a version.
 *
 * @param version Version field.
 * @returns For example `v1`, `draft-29`, `0x1a2a3a4a`.
 */
export function formatQuicVersion(version: number): string {
  if (version === VERSION_1) return "v1";
  if (version === VERSION_2) return "v2";
  return version >>> 8 === DRAFT_PREFIX
    ? `draft-${version & 0xff}`
    : `0x${version.toString(16).padStart(8, "0")}`;
}

function isNamed(version: number): boolean {
  return version === VERSION_1 || version === VERSION_2 ||
    version >>> 8 === DRAFT_PREFIX;
}

function typeOf(version: number, first: number): QuicPacketType {
  if (version === 0) return QuicPacketType.VERSION_NEGOTIATION;
  const type = first >>> TYPE_SHIFT & TYPE_MASK;
  // Version 2 numbers them the other way round, by one.
  const common = version === VERSION_2 ? type + 3 & TYPE_MASK : type;
  return common as QuicPacketType;
}

function readId(reader: ByteReader): Uint8Array | undefined {
  const length = reader.u8();
  return length > MAX_ID_LENGTH ? undefined : reader.take(length);
}

function readRest(
  reader: ByteReader,
  type: QuicPacketType,
): Pick<QuicHeader, "type" | "token" | "length" | "versions"> {
  const rest = { type, token: undefined, length: undefined, versions: [] };
  switch (type) {
    case QuicPacketType.VERSION_NEGOTIATION: {
      const versions: number[] = [];
      while (reader.remaining >= 4) versions.push(reader.u32());
      return { ...rest, versions };
    }
    case QuicPacketType.RETRY:
      return { ...rest, token: reader.take(reader.remaining) };
    case QuicPacketType.INITIAL: {
      const token = reader.take(readInteger(reader));
      return { ...rest, token, length: readInteger(reader) };
    }
    default:
      return { ...rest, length: readInteger(reader) };
  }
}

/** A variable-length integer (RFC 9000 section 16). */
function readInteger(reader: ByteReader): number {
  const first = reader.u8();
  let value = first & INTEGER_HIGH_MASK;
  for (let i = (1 << (first >>> INTEGER_LENGTH_SHIFT)) - 1; i > 0; i--) {
    value = value * 256 + reader.u8();
  }
  return value;
}
