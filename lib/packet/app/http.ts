/**
 * Beginnings of HTTP/1 messages.
 *
 * Reference: RFC 9112 sections 2 to 5.
 *
 * ```
 *  GET /index.html HTTP/1.1 CRLF          request line
 *  HTTP/1.1 404 Not Found CRLF            or status line
 *  Host: example.org CRLF                 fields
 *  CRLF                                   then the content
 * ```
 *
 * A message is recognized by its first line, on any port. What goes on with a
 * message in later segments is not recognized.
 *
 * @module
 */

import type { LayerBase, PacketCursor } from "../cursor.ts";

const KIND = "http";
const SPACE = 0x20;
const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** This one and those above are shown as question marks. */
const DELETE = 0x7f;
/** Longer lines are no start lines. */
const MAX_LINE_LENGTH = 16_384;
const VERSION_REGEXP = /^HTTP\/\d\.\d$/;
const STATUS_LINE_REGEXP = /^(HTTP\/\d\.\d) (\d{3})(?: (.*))?$/;
const FIELD_REGEXP = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)$/;

/** Methods of HTTP (IANA HTTP Method Registry), of WebDAV and of UPnP. */
export const HTTP_METHODS: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "CONNECT",
  "OPTIONS",
  "TRACE",
  "PATCH",
  "BASELINE-CONTROL",
  "BCOPY",
  "BDELETE",
  "BMOVE",
  "BPROPFIND",
  "BPROPPATCH",
  "CCM_POST",
  "CHECKIN",
  "CHECKOUT",
  "COPY",
  "LABEL",
  "LOCK",
  "MERGE",
  "MKACTIVITY",
  "MKCOL",
  "MKWORKSPACE",
  "MOVE",
  "NOTIFY",
  "POLL",
  "PROPFIND",
  "PROPPATCH",
  "REPORT",
  "RPC_CONNECT",
  "SEARCH",
  "SUBSCRIBE",
  "UNCHECKOUT",
  "UNLOCK",
  "UNSUBSCRIBE",
  "UPDATE",
  "VERSION-CONTROL",
  // Begins HTTP/2 (RFC 9113 section 3.4).
  "PRI",
]);
const MAX_METHOD_LENGTH = 16;
/** First bytes of methods and of `HTTP`. */
const FIRST_BYTES: ReadonlySet<number> = new Set(
  [...HTTP_METHODS, "HTTP"].map((word) => word.charCodeAt(0)),
);

/** A line of an HTTP message's head. See {@linkcode decodePacket}. */
export interface HttpField {
  /** As it stands in the message. */
  readonly name: string;
  /** Without the space around it. */
  readonly value: string;
}

/**
 * What a segment holds of an HTTP message's head.
 * See {@linkcode decodePacket}.
 */
export interface HttpHead {
  /** The first line, perhaps cut. */
  readonly startLine: string;
  /** Of requests, for example `GET`. */
  readonly method: string | undefined;
  /** Of requests, for example `/index.html`; perhaps cut. */
  readonly target: string | undefined;
  /** For example `HTTP/1.1`; `undefined` when it was cut off. */
  readonly version: string | undefined;
  /** Of responses, for example 404. */
  readonly status: number | undefined;
  /** Of responses, for example `Not Found`. */
  readonly reason: string | undefined;
  /** The fields in the same segment that are whole. */
  readonly fields: readonly HttpField[];
  /** The data end within the head. */
  readonly isCut: boolean;
  /** Offset after the last byte that was decoded. */
  readonly end: number;
}

/**
 * The head of an HTTP message; it is the layer's header.
 * See {@linkcode decodePacket}.
 */
export interface HttpLayer extends LayerBase, Omit<HttpHead, "end"> {
  /** Tells the kinds of layers apart. */
  readonly kind: "http";
}

/**
 * Decodes the head of a message.
 *
 * @param bytes Data.
 * @param start Offset of the payload.
 * @param end Offset after its last captured byte.
 * @returns `undefined` when no message begins there.
 */
export function decodeHttpHead(
  bytes: Uint8Array,
  start: number,
  end: number,
): HttpHead | undefined {
  if (start >= end || !FIRST_BYTES.has(bytes[start]!)) return undefined;
  const firstWord = wordAt(bytes, start, end);
  if (!HTTP_METHODS.has(firstWord) && !firstWord.startsWith("HTTP/")) {
    return undefined;
  }
  const line = readLine(bytes, start, Math.min(end, start + MAX_LINE_LENGTH));
  const first = parseStartLine(line.text, line.isWhole);
  if (first === undefined) return undefined;
  const fields: HttpField[] = [];
  let last = line;
  while (last.isWhole && last.next < end) {
    last = readLine(bytes, last.next, end);
    const field = last.isWhole ? FIELD_REGEXP.exec(last.text) : null;
    if (field === null) break;
    fields.push({ name: field[1]!, value: field[2]!.trimEnd() });
  }
  const isDone = last.isWhole && last !== line && last.text === "";
  return {
    ...first,
    startLine: line.text,
    fields,
    isCut: last.next >= end && !isDone,
    end: last.next,
  };
}

/**
 * Decodes the head of a message that a TCP segment begins with.
 *
 * @param cursor At the first byte of the payload.
 * @returns `undefined` when no message begins there.
 */
export function decodeHttp(cursor: PacketCursor): HttpLayer | undefined {
  const { offset } = cursor;
  const head = decodeHttpHead(cursor.bytes, offset, cursor.end);
  cursor.stop();
  if (head === undefined) return undefined;
  const { end, ...rest } = head;
  if (head.isCut && cursor.end < cursor.wireEnd) {
    cursor.runOut(KIND, cursor.end, 1);
  }
  cursor.offset = end;
  return {
    kind: KIND,
    offset,
    headerLength: end - offset,
    payloadLength: Math.max(0, cursor.wireEnd - end),
    ...rest,
  };
}

function parseStartLine(
  line: string,
  isWhole: boolean,
):
  | Pick<
    HttpHead,
    "method" | "target" | "version" | "status" | "reason"
  >
  | undefined {
  const status = STATUS_LINE_REGEXP.exec(line);
  if (status !== null) {
    return {
      method: undefined,
      target: undefined,
      version: status[1]!,
      status: Number(status[2]),
      reason: status[3] ?? "",
    };
  }
  const [method, target, version, more] = line.split(" ");
  if (method === undefined || !HTTP_METHODS.has(method) || !target) {
    return undefined;
  }
  const isValid = isWhole
    ? VERSION_REGEXP.test(version ?? "") && more === undefined
    : more === undefined;
  if (!isValid) return undefined;
  return {
    method,
    target,
    version: isWhole ? version : undefined,
    status: undefined,
    reason: undefined,
  };
}

/** The bytes before the first space, if a method can be as long. */
function wordAt(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  const last = Math.min(end, start + MAX_METHOD_LENGTH + 1);
  for (let at = start; at < last; at++) {
    if (bytes[at] === SPACE) return text;
    text += String.fromCharCode(bytes[at]!);
  }
  return "";
}

/** A line up to its end or the first byte that is not text. */
function readLine(
  bytes: Uint8Array,
  start: number,
  end: number,
): { text: string; next: number; isWhole: boolean } {
  let text = "";
  let at = start;
  for (; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === LINE_FEED) return { text, next: at + 1, isWhole: true };
    if (byte === CARRIAGE_RETURN) {
      if (at + 1 < end && bytes[at + 1] !== LINE_FEED) break;
      continue;
    }
    if (byte < SPACE && byte !== TAB) break;
    text += byte < DELETE ? String.fromCharCode(byte) : "?";
  }
  return { text, next: at, isWhole: false };
}
