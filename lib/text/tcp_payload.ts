/**
 * What TCP segments carry. TLS and HTTP are recognized by their first bytes on
 * every port, the other protocols by their ports.
 *
 * @module
 */

import { decodeHttpHead, HTTP_METHODS } from "../packet/app/http.ts";
import { printDnsSegment } from "./app/dns_line.ts";
import {
  printTextProtocol,
  type TextProtocol,
} from "./app/text_protocol_line.ts";
import { printTls } from "./app/tls_line.ts";
import type { Line } from "./line.ts";

const HTTP: TextProtocol = { name: "HTTP", commands: HTTP_METHODS };
const RTSP: TextProtocol = {
  name: "RTSP",
  commands: new Set([
    "ANNOUNCE",
    "DESCRIBE",
    "GET_PARAMETER",
    "OPTIONS",
    "PAUSE",
    "PLAY",
    "RECORD",
    "REDIRECT",
    "SETUP",
    "SET_PARAMETER",
    "TEARDOWN",
  ]),
};

const DNS_PORT = 53;
const SSH_PORT = 22;
/** Protocols of text lines by their ports. */
const TEXT_PROTOCOLS: ReadonlyMap<number, TextProtocol> = new Map([
  [21, { name: "FTP" }],
  [25, { name: "SMTP" }],
  [43, { name: "WHOIS" }],
  [80, HTTP],
  [554, RTSP],
  [8080, HTTP],
  [8554, RTSP],
]);
const SSH_BANNER = "SSH-";

/**
 * Prints what a segment carries, when it is known.
 *
 * @param line After the header's text.
 * @param at Where the payload begins.
 * @param length Bytes of it; not 0.
 * @param sourcePort Port of the sender.
 * @param destinationPort Port of the receiver.
 */
export function printStream(
  line: Line,
  at: number,
  length: number,
  sourcePort: number,
  destinationPort: number,
): void {
  if (printTls(line, at, length)) return;
  const byPort = TEXT_PROTOCOLS.get(destinationPort) ??
    TEXT_PROTOCOLS.get(sourcePort);
  const text = beginsHttp(line, at, length, byPort === undefined)
    ? HTTP
    : byPort;
  if (text !== undefined) {
    if (text === HTTP) line.subject = "http";
    line.text += ": ";
    printTextProtocol(line, at, length, text);
  } else if (sourcePort === DNS_PORT || destinationPort === DNS_PORT) {
    printDnsSegment(line, at, length);
  } else if (sourcePort === SSH_PORT || destinationPort === SSH_PORT) {
    printBanner(line, at, length);
  }
}

/** Whether an HTTP message begins; its first line may be cut if need be. */
function beginsHttp(
  line: Line,
  at: number,
  length: number,
  mayBeCut: boolean,
): boolean {
  const end = Math.min(line.end, at + length);
  const head = decodeHttpHead(line.bytes, at, end);
  return head !== undefined && (mayBeCut || head.version !== undefined);
}

/** The line with which both sides of SSH begin (RFC 4253 section 4.2). */
function printBanner(line: Line, at: number, length: number): void {
  line.protocol = "ssh";
  let text = "";
  for (let i = 0; i < length; i++) {
    if (i < SSH_BANNER.length && line.u8(at + i) !== SSH_BANNER.charCodeAt(i)) {
      return;
    }
    const byte = line.u8(at + i);
    if (byte === 0x0a || byte === 0x0d && line.u8(at + i + 1) === 0x0a) {
      line.text += `: SSH: ${text}`;
      return;
    }
    if (byte < 0x20 || byte > 0x7e) return;
    text += String.fromCharCode(byte);
  }
}
