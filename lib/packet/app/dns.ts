/**
 * DNS messages, over UDP and TCP; multicast DNS and LLMNR have the same form.
 *
 * Reference: RFC 1035 section 4, RFC 4035 section 3.2 (AD, CD), RFC 7766
 * section 8 (TCP), RFC 6762 (multicast).
 *
 * ```
 *  0                            2                            4
 *  +----------------------------+--+------+--+--+--+--+-+--+--+-----+
 *  | id                         |QR|opcode|AA|TC|RD|RA|0|AD|CD|rcode|   0
 *  +----------------------------+--+------+--+--+--+--+-+--+--+-----+
 *  | questions                  | answers                           |   4
 *  +----------------------------+-----------------------------------+
 *  | authorities                | additionals                       |   8
 *  +----------------------------+-----------------------------------+
 *  | questions: name, type (2), class (2); then records             |  12
 *  +----------------------------------------------------------------+
 *  Over TCP each message follows its length (2).
 * ```
 *
 * @module
 */

import { readUint16 } from "../../bytes/integers.ts";
import { ByteReader, Truncated } from "../../bytes/reader.ts";
import type { LayerBase, PacketCursor } from "../cursor.ts";
import { Space } from "../cursor.ts";
import { IpProtocol } from "../ip_protocol.ts";
import { MalformedDns, readName } from "./dns_name.ts";
import { type DnsRecord, readRecord } from "./dns_records.ts";

const HEADER_LENGTH = 12;
const FLAGS_OFFSET = 2;
const TCP_PREFIX_LENGTH = 2;
const KIND = "dns";

const RESPONSE_BIT = 0x8000;
const OPCODE_SHIFT = 11;
const OPCODE_MASK = 0x0f;
const AUTHORITATIVE_BIT = 0x0400;
const TRUNCATION_BIT = 0x0200;
const RECURSION_DESIRED_BIT = 0x0100;
const RECURSION_AVAILABLE_BIT = 0x0080;
const ZERO_BIT = 0x0040;
const AUTHENTIC_DATA_BIT = 0x0020;
const CHECKING_DISABLED_BIT = 0x0010;
const RESPONSE_CODE_MASK = 0x000f;
/** Largest operation code in use (DSO). */
const MAX_OPCODE = 6;

/** A question. See {@linkcode decodePacket}. */
export interface DnsQuestion {
  /** Name, see {@linkcode readName}. */
  readonly name: string;
  /** See {@linkcode DnsType}; other types occur too. */
  readonly type: number;
  /** See {@linkcode DnsClass}. Multicast DNS uses the high bit as a flag. */
  readonly class: number;
}

/**
 * A DNS message, as far as it could be decoded.
 * See {@linkcode decodePacket}.
 */
export interface DnsMessage {
  /** Connects a response with its query. */
  readonly id: number;
  /** QR flag. */
  readonly isResponse: boolean;
  /** See {@linkcode DnsOpcode}. */
  readonly opcode: number;
  /** AA flag: the server is an authority for the name. */
  readonly authoritative: boolean;
  /** The sender had more than fits into the message. */
  readonly isShortened: boolean;
  /** RD flag. */
  readonly recursionDesired: boolean;
  /** RA flag. */
  readonly recursionAvailable: boolean;
  /** AD flag: the resolver validated the answer. */
  readonly authenticData: boolean;
  /** CD flag: the resolver need not validate. */
  readonly checkingDisabled: boolean;
  /** See {@linkcode DnsResponseCode}; without the bits of an OPT record. */
  readonly responseCode: number;
  /** How many of each the header states; damage may have hidden some. */
  readonly counts: {
    readonly questions: number;
    readonly answers: number;
    readonly authorities: number;
    readonly additionals: number;
  };
  /** What is asked. */
  readonly questions: readonly DnsQuestion[];
  /** Records that answer the question. */
  readonly answers: readonly DnsRecord[];
  /** Records that name authorities, or prove that there is no answer. */
  readonly authorities: readonly DnsRecord[];
  /** Further records, and OPT. */
  readonly additionals: readonly DnsRecord[];
}

/**
 * A DNS message in a packet; the header is the whole message.
 * See {@linkcode decodePacket}.
 */
export interface DnsLayer extends LayerBase, DnsMessage {
  /** Tells the kinds of layers apart. */
  readonly kind: "dns";
}

/** A message and how decoding it ended. */
export interface DnsResult {
  /** The message as far as it goes. */
  readonly message: DnsMessage;
  /** Offset after the last byte that was decoded. */
  readonly end: number;
  /** The data ended here, so many bytes too early. */
  readonly truncated:
    | { readonly offset: number; readonly needed: number }
    | undefined;
  /** What contradicts the format. */
  readonly malformed:
    | { readonly offset: number; readonly reason: string }
    | undefined;
}

/**
 * Decodes a message.
 *
 * @param bytes Data.
 * @param start Offset of the message's first byte.
 * @param end Offset after its last byte.
 * @returns What could be decoded, or `undefined` when not even the 12 bytes of
 *   the header are there.
 */
export function decodeDnsMessage(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): DnsResult | undefined {
  const reader = new ByteReader(bytes, start, end);
  if (reader.remaining < HEADER_LENGTH) return undefined;
  const id = reader.u16();
  const flags = reader.u16();
  const counts = {
    questions: reader.u16(),
    answers: reader.u16(),
    authorities: reader.u16(),
    additionals: reader.u16(),
  };
  const questions: DnsQuestion[] = [];
  const answers: DnsRecord[] = [];
  const authorities: DnsRecord[] = [];
  const additionals: DnsRecord[] = [];
  let truncated: DnsResult["truncated"];
  let malformed: DnsResult["malformed"];
  const complain = (offset: number, reason: string): void => {
    malformed ??= { offset, reason };
  };
  try {
    for (let i = 0; i < counts.questions; i++) {
      questions.push({
        name: readName(reader, start),
        type: reader.u16(),
        class: reader.u16(),
      });
    }
    const sections: [number, DnsRecord[]][] = [
      [counts.answers, answers],
      [counts.authorities, authorities],
      [counts.additionals, additionals],
    ];
    for (const [count, records] of sections) {
      for (let i = 0; i < count; i++) {
        records.push(readRecord(reader, start, complain));
      }
    }
  } catch (error) {
    if (error instanceof Truncated) {
      truncated = { offset: error.offset, needed: error.needed };
    } else if (error instanceof MalformedDns) {
      complain(error.offset, error.message);
    } else throw error;
  }
  const message: DnsMessage = {
    id,
    isResponse: (flags & RESPONSE_BIT) !== 0,
    opcode: (flags >>> OPCODE_SHIFT) & OPCODE_MASK,
    authoritative: (flags & AUTHORITATIVE_BIT) !== 0,
    isShortened: (flags & TRUNCATION_BIT) !== 0,
    recursionDesired: (flags & RECURSION_DESIRED_BIT) !== 0,
    recursionAvailable: (flags & RECURSION_AVAILABLE_BIT) !== 0,
    authenticData: (flags & AUTHENTIC_DATA_BIT) !== 0,
    checkingDisabled: (flags & CHECKING_DISABLED_BIT) !== 0,
    responseCode: flags & RESPONSE_CODE_MASK,
    counts,
    questions,
    answers,
    authorities,
    additionals,
  };
  return { message, end: Math.min(reader.offset, end), truncated, malformed };
}

/**
 * Decodes the DNS message that a UDP datagram or the rest of a TCP segment
 * holds. Over TCP, a segment that does not begin with a message (because it
 * goes on with one) is left undecoded, and several messages give several
 * layers.
 *
 * @param cursor At the first byte of the payload.
 * @returns `undefined` when there is no message.
 */
export function decodeDns(cursor: PacketCursor): DnsLayer | undefined {
  return cursor.code === IpProtocol.TCP
    ? decodeSegment(cursor)
    : decodeDatagram(cursor);
}

function decodeDatagram(cursor: PacketCursor): DnsLayer | undefined {
  if (!cursor.has(KIND, HEADER_LENGTH)) return undefined;
  return decodeAt(cursor, cursor.offset, cursor.end);
}

function decodeSegment(cursor: PacketCursor): DnsLayer | undefined {
  const { bytes, offset } = cursor;
  const start = offset + TCP_PREFIX_LENGTH;
  if (start + HEADER_LENGTH > cursor.end || !looksLikeMessage(bytes, start)) {
    cursor.stop();
    return undefined;
  }
  const { end, wireEnd, isOpen } = cursor;
  const messageEnd = start + readUint16(bytes, offset);
  // The end of the message may be in the next segment.
  cursor.wireEnd = messageEnd;
  cursor.end = Math.min(messageEnd, end);
  cursor.isOpen = false;
  const layer = decodeAt(cursor, start, cursor.end);
  cursor.end = end;
  cursor.wireEnd = wireEnd;
  cursor.isOpen = isOpen;
  if (cursor.malformed === undefined && messageEnd < end) {
    cursor.offset = messageEnd;
    cursor.space = Space.APPLICATION;
  }
  return layer;
}

function decodeAt(
  cursor: PacketCursor,
  start: number,
  end: number,
): DnsLayer | undefined {
  const { offset } = cursor;
  const result = decodeDnsMessage(cursor.bytes, start, end);
  cursor.stop();
  if (result === undefined) return undefined;
  const { message, truncated, malformed } = result;
  if (malformed !== undefined) {
    cursor.complain(KIND, malformed.offset, malformed.reason);
  }
  if (truncated !== undefined) {
    cursor.runOut(KIND, truncated.offset, truncated.needed);
  }
  const headerLength = result.end - offset;
  cursor.offset = result.end;
  return {
    kind: KIND,
    offset,
    headerLength,
    payloadLength: Math.max(0, cursor.wireEnd - result.end),
    ...message,
  };
}

/** Whether the length before and the flags are those of a message. */
function looksLikeMessage(bytes: Uint8Array, start: number): boolean {
  const length = readUint16(bytes, start - TCP_PREFIX_LENGTH);
  const flags = readUint16(bytes, start + FLAGS_OFFSET);
  return length >= HEADER_LENGTH && (flags & ZERO_BIT) === 0 &&
    ((flags >>> OPCODE_SHIFT) & OPCODE_MASK) <= MAX_OPCODE;
}
