/**
 * Options of neighbor discovery, one on each line, as `-v` prints them.
 *
 * ```
 *  0      1        2
 *  +------+--------+------+
 *  | type | length | data |      length counts units of 8 bytes
 *  +------+--------+------+
 * ```
 *
 * Reference: RFC 4861 section 4.6, RFC 4191 (routes), RFC 8106 (DNS), RFC 6275
 * section 7 (home agents).
 *
 * @module
 */

import { ByteReader } from "../bytes/reader.ts";
import { MalformedDns, readName } from "../packet/app/dns_name.ts";
import { formatHex } from "./dump.ts";
import { type FlagTable, formatFlags } from "./flag_names.ts";
import type { Line } from "./line.ts";

const UNIT = 8;
const FOREVER = 0xffff_ffff;

const NAMES: ReadonlyMap<number, string> = new Map([
  [1, "source link-address"],
  [2, "destination link-address"],
  [3, "prefix info"],
  [4, "redirected header"],
  [5, "mtu"],
  [7, "advertisement interval"],
  [8, "homeagent information"],
  [24, "route info"],
  [25, "rdnss"],
  [31, "dnssl"],
]);

const PREFIX_FLAGS: FlagTable = [
  [0x80, "onlink"],
  [0x40, "auto"],
  [0x20, "router"],
];
const PREFERENCES = ["medium", "high", "rsv", "low"] as const;

/**
 * Prints options.
 *
 * @param line Before them.
 * @param start Where they begin.
 * @param length Bytes of them.
 * @returns false when they are cut or damaged.
 */
export function printNeighborOptions(
  line: Line,
  start: number,
  length: number,
): boolean {
  let at = start;
  while (at < line.end) {
    if (!line.has(at, 2)) return false;
    if (at - start >= length) return true;
    const type = line.u8(at);
    const units = line.u8(at + 1);
    const end = at + units * UNIT;
    if (units === 0 || end > line.end) return false;
    const name = NAMES.get(type) ?? "unknown";
    line.text += `\n\t  ${name} option (${type}), length ${
      units * UNIT
    } (${units}): `;
    if (!NAMES.has(type) && line.style.verbosity < 2) {
      line.text += formatHex(line.bytes, at + 2, end, false, "\n\t  ");
      return true;
    }
    if (!printOption(line, at, units)) return false;
    if (line.style.verbosity > 1) {
      line.text += formatHex(line.bytes, at + 2, end, false, "\n\t    ");
    }
    at = end;
  }
  return true;
}

/**
 * Preference of a router or a route (RFC 4191 section 2.1).
 *
 * @param flags The byte that holds it.
 */
export function formatPreference(flags: number): string {
  return PREFERENCES[flags >>> 3 & 3]!;
}

function printOption(line: Line, at: number, units: number): boolean {
  const end = at + units * UNIT;
  switch (line.u8(at)) {
    case 1:
    case 2:
      line.text += line.hardware(at + 2, units * UNIT - 2);
      return true;
    case 3: {
      const flags = line.u8(at + 3);
      line.text += `${line.ipv6(at + 16)}/${line.u8(at + 2)}${
        units === 4 ? "" : "badlen"
      }, Flags [${formatFlags(PREFIX_FLAGS, flags)}], valid time ${
        formatLifetime(line.u32(at + 4))
      }, pref. time ${formatLifetime(line.u32(at + 8))}`;
      return true;
    }
    case 4:
      line.text += formatHex(line.bytes, at, end, false, "\n\t    ");
      return true;
    case 5:
      line.text += ` ${line.u32(at + 4)}${
        units === 1 ? "" : "bad option length"
      }`;
      return true;
    case 7:
      line.text += ` ${line.u32(at + 4)}ms`;
      return true;
    case 8:
      line.text += ` preference ${line.u16(at + 4)}, lifetime ${
        line.u16(at + 6)
      }`;
      return true;
    case 24:
      return printRoute(line, at, units);
    case 25:
      line.text += ` lifetime ${line.u32(at + 4)}s,`;
      for (let i = 0; i < Math.floor((units - 1) / 2); i++) {
        line.text += ` addr: ${line.ipv6(at + UNIT + 16 * i)}`;
      }
      return true;
    case 31:
      return printSearchList(line, at, end);
    default:
      return true;
  }
}

function printRoute(line: Line, at: number, units: number): boolean {
  if (units > 3) return false;
  const prefix = new Uint8Array(16);
  prefix.set(line.bytes.subarray(at + UNIT, at + units * UNIT));
  line.text += ` ${line.addresses.ipv6(prefix, 0)}/${line.u8(at + 2)}` +
    `, pref=${formatPreference(line.u8(at + 3))}` +
    `, lifetime=${formatLifetime(line.u32(at + 4))}`;
  return true;
}

function printSearchList(line: Line, at: number, end: number): boolean {
  line.text += ` lifetime ${line.u32(at + 4)}s, domain(s):`;
  const reader = new ByteReader(line.bytes, at + UNIT, end);
  while (reader.remaining > 0 && line.bytes[reader.offset] !== 0) {
    try {
      line.text += ` ${readName(reader, at)}.`;
    } catch (error) {
      if (error instanceof MalformedDns) return false;
      throw error;
    }
  }
  return true;
}

function formatLifetime(seconds: number): string {
  return seconds === FOREVER ? "infinity" : `${seconds}s`;
}
