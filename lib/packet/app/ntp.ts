/**
 * Network time protocol, the messages that carry times.
 *
 * Reference: RFC 5905 section 7.3.
 *
 * ```
 *  0                 1          2         3           4
 *  +------+------+---+----------+---------+-----------+
 *  | leap | vers | mode | stratum | poll  | precision |   0
 *  +------+------+------+---------+-------+-----------+
 *  | root delay (16.16 fixed point)                   |   4
 *  +--------------------------------------------------+
 *  | root dispersion (16.16 fixed point)              |   8
 *  +--------------------------------------------------+
 *  | reference id                                     |  12
 *  +--------------------------------------------------+
 *  | reference, origin, receive, transmit time: each  |  16
 *  | seconds since 1900 and fraction (32.32)          |
 *  +--------------------------------------------------+
 * ```
 *
 * @module
 */

import { ByteReader } from "../../bytes/reader.ts";
import type { LayerBase, PacketCursor } from "../cursor.ts";

const KIND = "ntp";
const HEADER_LENGTH = 48;
const LEAP_SHIFT = 6;
const VERSION_SHIFT = 3;
const VERSION_MASK = 7;
const MODE_MASK = 7;
const SIGN_SHIFT = 24;
const SHORT_FRACTION = 0x1_0000;
/** Modes whose messages have another layout: control and private. */
const FIRST_OTHER_MODE = 6;
const REFERENCE_ID_LENGTH = 4;

/** A time of an NTP message. See {@linkcode decodePacket}. */
export interface NtpTime {
  /** Seconds since 1900, modulo 2^32; 0 with fraction 0 means unknown. */
  readonly seconds: number;
  /** Units of 2^-32 seconds. */
  readonly fraction: number;
}

/** An NTP message. See {@linkcode decodePacket}. */
export interface NtpLayer extends LayerBase {
  /** Tells the kinds of layers apart. */
  readonly kind: "ntp";
  /** 0 none, 1 and 2 a second is inserted or left out, 3 not synchronized. */
  readonly leap: number;
  /** Version of the protocol. */
  readonly version: number;
  /** 3 client, 4 server, 5 broadcast, 1 and 2 peers. */
  readonly mode: number;
  /** Distance to the reference clock; 0 unspecified. */
  readonly stratum: number;
  /** Binary logarithm of the seconds between messages. */
  readonly poll: number;
  /** Binary logarithm of the clock's precision in seconds. */
  readonly precision: number;
  /** Round trip to the reference clock, in seconds. */
  readonly rootDelay: number;
  /** Error relative to the reference clock, in seconds. */
  readonly rootDispersion: number;
  /** Name or address of the reference clock; a view on the packet. */
  readonly referenceId: Uint8Array;
  /** When the clock was set last. */
  readonly reference: NtpTime;
  /** When the request was sent, by the client's clock. */
  readonly origin: NtpTime;
  /** When the request arrived. */
  readonly receive: NtpTime;
  /** When this message was sent. */
  readonly transmit: NtpTime;
}

/**
 * Decodes a message that carries times.
 *
 * @param cursor At its first byte.
 * @returns `undefined` when it is not whole or another kind of message.
 */
export function decodeNtp(cursor: PacketCursor): NtpLayer | undefined {
  if (!cursor.has(KIND, HEADER_LENGTH)) return undefined;
  const { bytes, offset } = cursor;
  const reader = new ByteReader(bytes, offset, cursor.end);
  const first = reader.u8();
  const mode = first & MODE_MASK;
  cursor.stop();
  if (mode >= FIRST_OTHER_MODE) return undefined;
  const layer: NtpLayer = {
    kind: KIND,
    offset,
    headerLength: HEADER_LENGTH,
    payloadLength: cursor.payloadLength(HEADER_LENGTH),
    leap: first >>> LEAP_SHIFT,
    version: first >>> VERSION_SHIFT & VERSION_MASK,
    mode,
    stratum: reader.u8(),
    poll: signed(reader.u8()),
    precision: signed(reader.u8()),
    rootDelay: reader.u32() / SHORT_FRACTION,
    rootDispersion: reader.u32() / SHORT_FRACTION,
    referenceId: reader.take(REFERENCE_ID_LENGTH),
    reference: readTime(reader),
    origin: readTime(reader),
    receive: readTime(reader),
    transmit: readTime(reader),
  };
  cursor.offset += HEADER_LENGTH;
  return layer;
}

function readTime(reader: ByteReader): NtpTime {
  return { seconds: reader.u32(), fraction: reader.u32() };
}

function signed(byte: number): number {
  return byte << SIGN_SHIFT >> SIGN_SHIFT;
}
