/**
 * TLS records, and the handshake messages that are not encrypted.
 *
 * Reference: RFC 8446 (TLS 1.3) sections 4 to 6, RFC 5246 (TLS 1.2).
 *
 * ```
 * Record
 *  0      1              3           5
 *  +------+--------------+-----------+------------------------+
 *  | type | version      | length    | fragment               |
 *  +------+--------------+-----------+------------------------+
 *
 * Handshake message
 *  0      1                   4
 *  +------+-------------------+-------------------------------+
 *  | type | length (3)        | body                          |
 *  +------+-------------------+-------------------------------+
 *
 * Alert
 *  +-------+-------------+
 *  | level | description |      longer ones are encrypted
 *  +-------+-------------+
 * ```
 *
 * Records are recognized by their header, on any port. A segment that goes on
 * with a record is not.
 *
 * @module
 */

import { readUint16 } from "../../bytes/integers.ts";
import type { LayerBase, PacketCursor } from "../cursor.ts";
import { decodeTlsHello, type TlsHello } from "./tls_hello.ts";

const KIND = "tls";
const RECORD_HEADER_LENGTH = 5;
const HANDSHAKE_HEADER_LENGTH = 4;
const ALERT_LENGTH = 2;
const VERSION_MAJOR = 3;
const MAX_VERSION_MINOR = 4;
/** 2^14 bytes of plaintext, and what encryption may add. */
const MAX_FRAGMENT_LENGTH = 16_384 + 2_048;

/** Content types of records. */
export const TlsContentType = {
  CHANGE_CIPHER_SPEC: 20,
  ALERT: 21,
  HANDSHAKE: 22,
  APPLICATION_DATA: 23,
} as const;

/** One of the values of {@linkcode TlsContentType}. */
export type TlsContentType = typeof TlsContentType[keyof typeof TlsContentType];

/** Handshake messages that are decoded. */
export const TlsHandshakeType = {
  CLIENT_HELLO: 1,
  SERVER_HELLO: 2,
} as const;

/** One of the values of {@linkcode TlsHandshakeType}. */
export type TlsHandshakeType =
  typeof TlsHandshakeType[keyof typeof TlsHandshakeType];

/** Descriptions of alerts (RFC 8446 section 6). */
const ALERT_NAMES: ReadonlyMap<number, string> = new Map([
  [0, "close_notify"],
  [10, "unexpected_message"],
  [20, "bad_record_mac"],
  [21, "decryption_failed"],
  [22, "record_overflow"],
  [40, "handshake_failure"],
  [42, "bad_certificate"],
  [43, "unsupported_certificate"],
  [44, "certificate_revoked"],
  [45, "certificate_expired"],
  [46, "certificate_unknown"],
  [47, "illegal_parameter"],
  [48, "unknown_ca"],
  [49, "access_denied"],
  [50, "decode_error"],
  [51, "decrypt_error"],
  [70, "protocol_version"],
  [71, "insufficient_security"],
  [80, "internal_error"],
  [86, "inappropriate_fallback"],
  [90, "user_canceled"],
  [100, "no_renegotiation"],
  [109, "missing_extension"],
  [110, "unsupported_extension"],
  [112, "unrecognized_name"],
  [113, "bad_certificate_status_response"],
  [115, "unknown_psk_identity"],
  [116, "certificate_required"],
  [120, "no_application_protocol"],
]);

/** An alert that is not encrypted. See {@linkcode decodePacket}. */
export interface TlsAlert {
  /** Whether it ends the connection at once. */
  readonly isFatal: boolean;
  /** See {@linkcode formatTlsAlert}. */
  readonly description: number;
}

/** A TLS record. See {@linkcode decodePacket}. */
export interface TlsRecord {
  /** See {@linkcode TlsContentType}. */
  readonly type: number;
  /** Version of the record layer, for example 0x0303. */
  readonly version: number;
  /** Bytes of the fragment; not all need to be in the segment. */
  readonly length: number;
  /** First message of a handshake record that is not encrypted. */
  readonly hello: TlsHello | undefined;
  /** Content of an alert record that is not encrypted. */
  readonly alert: TlsAlert | undefined;
}

/**
 * The TLS records that a segment begins with; they are the header.
 * See {@linkcode decodePacket}.
 */
export interface TlsLayer extends LayerBase {
  /** Tells the kinds of layers apart. */
  readonly kind: "tls";
  /** The records whose header is in the segment. */
  readonly records: readonly TlsRecord[];
}

/**
 * Decodes the records that begin in a segment.
 *
 * @param bytes Data.
 * @param start Offset of the payload.
 * @param end Offset after its last captured byte.
 * @returns The records; none when no record begins at `start`.
 */
export function decodeTlsRecords(
  bytes: Uint8Array,
  start: number,
  end: number,
): TlsRecord[] {
  const records: TlsRecord[] = [];
  for (let at = start; at + RECORD_HEADER_LENGTH <= end;) {
    const type = bytes[at]!;
    const version = readUint16(bytes, at + 1);
    const length = readUint16(bytes, at + 3);
    if (!isRecord(type, version, length)) break;
    const fragment = at + RECORD_HEADER_LENGTH;
    const fragmentEnd = Math.min(fragment + length, end);
    records.push({
      type,
      version,
      length,
      hello: type === TlsContentType.HANDSHAKE
        ? decodeMessage(bytes, fragment, fragmentEnd)
        : undefined,
      alert: type === TlsContentType.ALERT && length === ALERT_LENGTH &&
          fragmentEnd - fragment === ALERT_LENGTH
        ? {
          isFatal: bytes[fragment] === 2,
          description: bytes[fragment + 1]!,
        }
        : undefined,
    });
    at = fragment + length;
  }
  return records;
}

/**
 * Decodes the records that a TCP segment begins with.
 *
 * @param cursor At the first byte of the payload.
 * @returns `undefined` when no record begins there.
 */
export function decodeTls(cursor: PacketCursor): TlsLayer | undefined {
  const { offset, end } = cursor;
  const records = decodeTlsRecords(cursor.bytes, offset, end);
  cursor.stop();
  if (records.length === 0) return undefined;
  let after = offset;
  for (const { length } of records) after += RECORD_HEADER_LENGTH + length;
  if (records.some(({ hello }) => hello?.isCut) && end < cursor.wireEnd) {
    cursor.runOut(KIND, end, 1);
  }
  cursor.offset = Math.min(after, end);
  return {
    kind: KIND,
    offset,
    headerLength: after - offset,
    payloadLength: Math.max(0, cursor.wireEnd - after),
    records,
  };
}

/**
 * Name of an alert's description.
 *
 * @param description Description field.
 * @returns For example `unknown_ca` or `alert-7`.
 */
export function formatTlsAlert(description: number): string {
  return ALERT_NAMES.get(description) ?? `alert-${description}`;
}

/**
 * Name of a protocol version.
 *
 * @param version For example 0x0304.
 * @returns For example `TLS 1.3`, `SSL 3.0`, or `TLS 0x7f1c`.
 */
export function formatTlsVersion(version: number): string {
  const minor = version - (VERSION_MAJOR << 8);
  if (minor === 0) return "SSL 3.0";
  return minor > 0 && minor <= MAX_VERSION_MINOR
    ? `TLS 1.${minor - 1}`
    : `TLS 0x${version.toString(16).padStart(4, "0")}`;
}

function isRecord(type: number, version: number, length: number): boolean {
  return type >= TlsContentType.CHANGE_CIPHER_SPEC &&
    type <= TlsContentType.APPLICATION_DATA &&
    version >>> 8 === VERSION_MAJOR && (version & 0xff) <= MAX_VERSION_MINOR &&
    length > 0 && length <= MAX_FRAGMENT_LENGTH;
}

function decodeMessage(
  bytes: Uint8Array,
  start: number,
  end: number,
): TlsHello | undefined {
  if (start + HANDSHAKE_HEADER_LENGTH > end) return undefined;
  const type = bytes[start]!;
  if (
    type !== TlsHandshakeType.CLIENT_HELLO &&
    type !== TlsHandshakeType.SERVER_HELLO
  ) return undefined;
  // An encrypted message does not begin with a length that fits.
  if (bytes[start + 1] !== 0) return undefined;
  const length = readUint16(bytes, start + 2);
  const body = start + HANDSHAKE_HEADER_LENGTH;
  const hello = decodeTlsHello(
    bytes,
    body,
    Math.min(body + length, end),
    type === TlsHandshakeType.CLIENT_HELLO,
  );
  return hello === undefined || body + length <= end
    ? hello
    : { ...hello, isCut: true };
}
