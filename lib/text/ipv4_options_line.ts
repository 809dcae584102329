/**
 * IPv4 options, as `-v` prints them: `RA`, `RR 192.0.2.1, 0.0.0.0`.
 *
 * The layout is drawn in `lib/packet/net/ipv4_options.ts`.
 *
 * @module
 */

import { Ipv4OptionType } from "../packet/net/ipv4_options.ts";
import type { Line } from "./line.ts";

const SECURITY = 130;
const POINTER = 2;
const ROUTE = 3;
const TIMESTAMP_FLAGS = 3;
const TIMESTAMPS = 4;
const TIMESTAMP_KINDS: ReadonlyMap<number, string> = new Map([
  [0, "TSONLY"],
  [1, "TS+ADDR"],
  [3, "PRESPEC"],
]);

const NAMES: ReadonlyMap<number, string> = new Map<number, string>([
  [Ipv4OptionType.END, "EOL"],
  [Ipv4OptionType.NOP, "NOP"],
  [Ipv4OptionType.TIMESTAMP, "timestamp"],
  [SECURITY, "security"],
  [Ipv4OptionType.RECORD_ROUTE, "RR"],
  [Ipv4OptionType.STRICT_SOURCE_ROUTE, "SSRR"],
  [Ipv4OptionType.LOOSE_SOURCE_ROUTE, "LSRR"],
  [Ipv4OptionType.ROUTER_ALERT, "RA"],
]);

/**
 * Prints options.
 *
 * @param line Before them.
 * @param start Where they begin.
 * @param end Where they end.
 * @returns false when they were cut.
 */
export function printIpv4Options(
  line: Line,
  start: number,
  end: number,
): boolean {
  let at = start;
  while (at < end) {
    if (at > start) line.text += ",";
    const type = line.u8(at);
    line.text += NAMES.get(type) ?? `unknown ${type}`;
    const isSingle = type === Ipv4OptionType.NOP || type === Ipv4OptionType.END;
    const length = isSingle ? 1 : line.u8(at + 1);
    if ((!isSingle && length < 2) || at + length > end) {
      line.text += ` [bad length ${length}]`;
      return true;
    }
    if (!line.has(at, length)) return false;
    switch (type) {
      case Ipv4OptionType.END:
        return true;
      case Ipv4OptionType.TIMESTAMP:
        printTimestamps(line, at, length);
        break;
      case Ipv4OptionType.RECORD_ROUTE:
      case Ipv4OptionType.STRICT_SOURCE_ROUTE:
      case Ipv4OptionType.LOOSE_SOURCE_ROUTE:
        if (!printRoute(line, at, length)) return false;
        break;
      case Ipv4OptionType.ROUTER_ALERT:
        if (length < 4) line.text += ` [bad length ${length}]`;
        else if (line.u16(at + 2) !== 0) {
          line.text += ` value ${line.u16(at + 2)}`;
        }
    }
    at += length;
  }
  return true;
}

function printRoute(line: Line, at: number, length: number): boolean {
  if (length < ROUTE) {
    line.text += ` [bad length ${length}]`;
    return true;
  }
  if ((length + 1 & 3) !== 0) line.text += ` [bad length ${length}]`;
  const stated = line.u8(at + POINTER);
  const pointer = stated - 1;
  if (pointer < ROUTE || (pointer + 1 & 3) !== 0 || pointer > length + 1) {
    line.text += ` [bad ptr ${stated}]`;
  }
  for (let hop = ROUTE; hop < length; hop += 4) {
    if (!line.has(at + hop, 4)) return false;
    line.text += ` ${line.ipv4(at + hop)}${pointer > hop ? "," : ""}`;
  }
  return true;
}

function printTimestamps(line: Line, at: number, length: number): void {
  if (length < TIMESTAMPS) {
    line.text += `[bad length ${length}]`;
    return;
  }
  const flags = line.u8(at + TIMESTAMP_FLAGS);
  const size = (flags & 15) === 0 ? 4 : 8;
  const stated = line.u8(at + POINTER);
  const pointer = stated - 1;
  line.text += " TS{";
  if ((length - TIMESTAMPS) % size !== 0) line.text += `[bad length ${length}]`;
  if (
    pointer < TIMESTAMPS || (pointer - TIMESTAMPS) % size !== 0 ||
    pointer > length + 1
  ) line.text += `[bad ptr ${stated}]`;
  const kind = TIMESTAMP_KINDS.get(flags & 15);
  line.text += kind ?? `[bad ts type ${flags & 15}]`;
  let hop = kind === undefined ? 0 : TIMESTAMPS;
  for (; kind !== undefined && hop < length; hop += size) {
    line.need(at + hop, size);
    const time = line.u32(at + hop + size - 4);
    const address = size === 8 ? line.ipv4(at + hop) : "";
    line.text += `${pointer === hop ? " ^ " : " "}${time}@${address}`;
  }
  if (pointer === hop) line.text += " ^ ";
  line.text += flags >>> 4 === 0
    ? "}"
    : ` [${flags >>> 4} hops not recorded]} `;
}
