/**
 * IGMP: `igmp v2 report 224.0.0.251`.
 *
 * Reference: RFC 1112 (version 1), RFC 2236 (2), RFC 3376 (3).
 *
 * ```
 *  0      1             2          4
 *  +------+-------------+----------+---------+
 *  | type | response    | checksum | group   |    version 3 goes on
 *  +------+-------------+----------+---------+
 * ```
 *
 * @module
 */

import { internetChecksum } from "../bytes/checksum.ts";
import { formatDuration } from "./duration.ts";
import { printGroupRecords, printSources } from "./group_records_line.ts";
import type { Line } from "./line.ts";

const IgmpType = {
  QUERY: 0x11,
  REPORT_V1: 0x12,
  REPORT_V2: 0x16,
  LEAVE: 0x17,
  REPORT_V3: 0x22,
} as const;

const CHECKSUM = 2;
const GROUP = 4;
const SOURCE_COUNT = 10;
const QUERY_V3_LENGTH = 12;
const MIN_REPORT_V3 = 16;
const LENGTH_V1 = 8;
/** Tenths of a second that are not worth mentioning. */
const USUAL_RESPONSE = 100;
const LONG_RESPONSE = 600;

/**
 * Prints an IGMP message.
 *
 * @param line Before it.
 * @param at Where it begins.
 * @param length Bytes of it.
 */
export function printIgmp(line: Line, at: number, length: number): void {
  line.protocol = "igmp";
  if (line.style.quiet) {
    line.text += "igmp";
    return;
  }
  printMessage(line, at, length);
  if (line.style.verbosity > 0 && length >= 4 && line.has(at, length)) {
    if (internetChecksum(line.bytes, at, at + length) !== 0) {
      line.text += ` bad igmp cksum ${line.u16(at + CHECKSUM).toString(16)}!`;
    }
  }
}

function printMessage(line: Line, at: number, length: number): void {
  const type = line.u8(at);
  switch (type) {
    case IgmpType.QUERY:
      line.text += "igmp query";
      return length >= QUERY_V3_LENGTH
        ? printQueryV3(line, at, length)
        : printQuery(line, at, length);
    case IgmpType.REPORT_V1:
      line.text += `igmp v1 report ${line.ipv4(at + GROUP)}`;
      if (length !== LENGTH_V1) line.text += ` [len ${length}]`;
      return;
    case IgmpType.REPORT_V2:
      line.text += `igmp v2 report ${line.ipv4(at + GROUP)}`;
      return;
    case IgmpType.LEAVE:
      line.text += `igmp leave ${line.ipv4(at + GROUP)}`;
      return;
    case IgmpType.REPORT_V3:
      line.text += "igmp v3 report";
      if (length < MIN_REPORT_V3 || length % 4 !== 0) {
        line.text += ` [invalid len ${length}]`;
        return;
      }
      return printGroupRecords(line, at, length, {
        addressLength: 4,
        version: "v3",
      });
    default:
      line.text += `igmp-${type}`;
  }
}

function printQuery(line: Line, at: number, length: number): void {
  const response = line.u8(at + 1);
  line.text += response === 0 ? " v1" : " v2";
  if (response !== 0 && response !== USUAL_RESPONSE) {
    line.text += ` [max resp time ${response}]`;
  }
  if (line.u32(at + GROUP) !== 0) {
    line.text += ` [gaddr ${line.ipv4(at + GROUP)}]`;
  }
  if (length !== LENGTH_V1) line.text += ` [len ${length}]`;
}

function printQueryV3(line: Line, at: number, length: number): void {
  line.text += " v3";
  if (length % 4 !== 0) {
    line.text += ` [invalid len ${length}]`;
    return;
  }
  const code = line.u8(at + 1);
  const response = code < 0x80
    ? code
    : (code & 0x0f | 0x10) << ((code >>> 4 & 7) + 3);
  if (code !== USUAL_RESPONSE) {
    const time = response < LONG_RESPONSE
      ? `${(response / 10).toFixed(1)}s`
      : formatDuration(Math.floor(response / 10));
    line.text += ` [max resp time ${time}]`;
  }
  if (line.u32(at + GROUP) === 0) return;
  line.text += ` [gaddr ${line.ipv4(at + GROUP)}`;
  const count = line.u16(at + SOURCE_COUNT);
  if (count > 0) {
    if (length < QUERY_V3_LENGTH + 4 * count) {
      line.text += " [invalid number of sources]";
    } else printSources(line, at + QUERY_V3_LENGTH, count, 4);
  }
  line.text += "]";
}
