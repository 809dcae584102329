/**
 * TCP: `192.0.2.1.40000 > 192.0.2.2.80: Flags [P.], seq 1:28, ack 1, win 63,
 * length 27`.
 *
 * The layout is drawn in `lib/packet/transport/tcp.ts`.
 *
 * @module
 */

import { IpProtocol } from "../packet/ip_protocol.ts";
import { formatTcpFlagLetters, TcpFlag } from "../packet/transport/tcp.ts";
import { shouldBe, transportChecksum } from "./checksum_text.ts";
import { hex } from "./hex.ts";
import type { IpHeader } from "./ip_payload.ts";
import type { Line } from "./line.ts";
import { formatAddresses, formatEnds } from "./port_text.ts";
import { formatPrintable } from "./printable.ts";
import { printTcpOptions } from "./tcp_options_line.ts";
import { printStream } from "./tcp_payload.ts";

const HEADER_LENGTH = 20;
const DESTINATION_PORT = 2;
const SEQUENCE = 4;
const ACKNOWLEDGMENT = 8;
const DATA_OFFSET = 12;
const FLAGS = 13;
const WINDOW = 14;
const CHECKSUM = 16;
const URGENT_POINTER = 18;

const IPV4_SOURCE = 12;
const IPV6_SOURCE = 8;
/** How much of the text in a reset is printed. */
const MAX_RESET_LENGTH = 30;

const { FIN, SYN, RST, ACK, URG } = TcpFlag;
const FLAG_TEXTS: readonly string[] = Array.from(
  { length: 256 },
  (_, flags) => `Flags [${formatTcpFlagLetters(flags)}]`,
);

/**
 * Prints a TCP segment.
 *
 * @param line Before it.
 * @param ip The IP header before it.
 * @param at Where it begins.
 * @param total Bytes of it.
 */
export function printTcp(
  line: Line,
  ip: IpHeader,
  at: number,
  total: number,
): void {
  const { style } = line;
  line.protocol = "tcp";
  line.subject = "tcp";
  if (!line.has(at + DESTINATION_PORT, 2)) {
    line.text += `${formatAddresses(line, ip.at)}:`;
    return line.cut();
  }
  const sourcePort = line.u16(at);
  const destinationPort = line.u16(at + DESTINATION_PORT);
  line.text += formatEnds(
    line,
    ip.at,
    ip.protocol === IpProtocol.TCP,
    "tcp",
    sourcePort,
    destinationPort,
  );
  if (!line.has(at, HEADER_LENGTH)) return line.cut();
  const headerLength = (line.u8(at + DATA_OFFSET) >>> 4) * 4;
  const length = total - headerLength;
  if (headerLength < HEADER_LENGTH) {
    line.text += ` tcp ${length >>> 0} [bad hdr length ${headerLength}` +
      ` - too short, < ${HEADER_LENGTH}]`;
    return;
  }
  if (style.quiet) {
    line.text += `tcp ${length >>> 0}`;
    if (headerLength > total) line.text += tooLong(headerLength, total);
    setPayload(line, at + headerLength);
    return;
  }
  line.text += FLAG_TEXTS[line.u8(at + FLAGS)]!;
  const origin = printNumbers(line, ip, at, total, headerLength);
  if (origin === undefined) return;
  if (headerLength > HEADER_LENGTH) {
    const options = at + HEADER_LENGTH;
    const end = at + headerLength;
    if (printTcpOptions(line, options, end, origin) !== "whole") return;
  }
  line.text += `, length ${length}`;
  setPayload(line, at + headerLength);
  if (length === 0) return;
  if (!line.has(at, headerLength)) {
    line.text += ` [remaining caplen(${
      line.end - at
    }) < header length(${headerLength})]`;
    line.need(at, headerLength);
  }
  if ((line.u8(at + FLAGS) & RST) !== 0 && style.verbosity > 0) {
    printReset(line, at + headerLength, length);
    return;
  }
  printStream(line, at + headerLength, length, sourcePort, destinationPort);
}

/**
 * Prints checksum, sequence numbers and window. Returns what the edges of SACK
 * blocks count from, or `undefined` when the line ends with a complaint.
 */
function printNumbers(
  line: Line,
  ip: IpHeader,
  at: number,
  total: number,
  headerLength: number,
): number | undefined {
  const { style } = line;
  const flags = line.u8(at + FLAGS);
  const length = total - headerLength;
  let sequence = line.u32(at + SEQUENCE);
  let acknowledgment = line.u32(at + ACKNOWLEDGMENT);
  if (style.color) classify(line, ip, at, flags, sequence, length);
  let origin = 0;
  if (!style.absoluteSequence && (flags & ACK) !== 0) {
    select(line, ip, at);
    const { connections } = line;
    if (!connections.hasOrigins || (flags & SYN) !== 0) {
      connections.setOrigins(sequence, acknowledgment - 1);
    } else {
      sequence = sequence - connections.ownOrigin >>> 0;
      acknowledgment = acknowledgment - connections.otherOrigin >>> 0;
    }
    origin = connections.otherOrigin;
  }
  if (headerLength > total) {
    line.text += tooLong(headerLength, total);
    return undefined;
  }
  if (style.verbosity > 0 && !ip.isFragment && line.has(at, total)) {
    printChecksum(line, ip, at, total);
  }
  if (
    length > 0 || (flags & (SYN | FIN | RST)) !== 0 || style.verbosity > 1
  ) {
    line.text += length > 0
      ? `, seq ${sequence}:${sequence + length >>> 0}`
      : `, seq ${sequence}`;
  }
  if ((flags & ACK) !== 0) line.text += `, ack ${acknowledgment}`;
  line.text += `, win ${line.u16(at + WINDOW)}`;
  if ((flags & URG) !== 0) {
    line.text += `, urg ${line.u16(at + URGENT_POINTER)}`;
  }
  return origin;
}

function tooLong(headerLength: number, total: number): string {
  return ` [bad hdr length ${headerLength} - too long, > ${total}]`;
}

function setPayload(line: Line, at: number): void {
  line.payloadAt = at;
  line.payloadEnd = line.end;
}

/** Makes the segment's connection the current one. */
function select(line: Line, ip: IpHeader, at: number): void {
  const isIpv4 = line.u8(ip.at) >>> 4 === 4;
  line.connections.select(
    line.bytes,
    ip.at + (isIpv4 ? IPV4_SOURCE : IPV6_SOURCE),
    isIpv4 ? 4 : 16,
    line.u16(at),
    line.u16(at + DESTINATION_PORT),
  );
}

function classify(
  line: Line,
  ip: IpHeader,
  at: number,
  flags: number,
  sequence: number,
  length: number,
): void {
  if ((flags & RST) !== 0) {
    line.subject = "tcp-reset";
    return;
  }
  if ((flags & (SYN | FIN)) !== 0) line.subject = "tcp-open";
  const isCounted = (flags & (SYN | FIN)) !== 0;
  const taken = Math.max(0, length) + (isCounted ? 1 : 0);
  if (taken === 0) return;
  select(line, ip, at);
  const gap = line.connections.follow(sequence, taken, (flags & SYN) !== 0);
  if (gap !== 0) line.subject = "tcp-disorder";
}

function printChecksum(
  line: Line,
  ip: IpHeader,
  at: number,
  total: number,
): void {
  const stated = line.u16(at + CHECKSUM);
  const sum = transportChecksum(line, ip, IpProtocol.TCP, at, total);
  line.text += sum === 0
    ? `, cksum ${hex(stated, 4)} (correct)`
    : `, cksum ${hex(stated, 4)} (incorrect -> ${
      hex(shouldBe(stated, sum), 4)
    })`;
}

/** Resets may say in words why (RFC 9293 section 3.5.3). */
function printReset(line: Line, at: number, length: number): void {
  line.text += line.has(at, length) ? " [RST" : " [!RST";
  if (length > MAX_RESET_LENGTH) line.text += "+";
  line.text += " ";
  const end = Math.min(at + Math.min(length, MAX_RESET_LENGTH), line.end);
  line.text += `${formatPrintable(line.bytes, at, end)}]`;
}
