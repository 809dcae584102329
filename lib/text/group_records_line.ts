/**
 * Reports about multicast groups, which IGMP and MLD share:
 * `1 group record(s) [gaddr 224.0.0.251 to_ex, 0 source(s)]`.
 *
 * ```
 *  0      1            2                4
 *  +------+------------+----------------+-------------+---------------+
 *  | type | aux. words | sources        | group       | sources       |
 *  +------+------------+----------------+-------------+---------------+
 * ```
 *
 * Reference: RFC 3376 section 4.2, RFC 3810 section 5.2.
 *
 * @module
 */

import type { Line } from "./line.ts";

const REPORT_LENGTH = 8;
const COUNT = 6;
const RECORD_LENGTH = 4;
const TYPES = ["", "is_in", "is_ex", "to_in", "to_ex", "allow", "block"];

/** How the printed texts of IGMP and MLD differ. */
export interface GroupFamily {
  /** Bytes of an address. */
  readonly addressLength: 4 | 16;
  /** Begins the name of an unknown record type. */
  readonly version: string;
}

/**
 * Prints a report.
 *
 * @param line Before it.
 * @param at Where the message begins.
 * @param length Bytes of it.
 * @param family Of the addresses.
 */
export function printGroupRecords(
  line: Line,
  at: number,
  length: number,
  { addressLength, version }: GroupFamily,
): void {
  const address = (from: number): string =>
    addressLength === 4 ? line.ipv4(from) : line.ipv6(from);
  const { verbosity } = line.style;
  const count = line.u16(at + COUNT);
  line.text += `, ${count} group record(s)`;
  if (verbosity === 0) return;
  let record = REPORT_LENGTH;
  for (let i = 0; i < count; i++) {
    const sources = record + RECORD_LENGTH + addressLength;
    if (length < sources) {
      line.text += " [invalid number of groups]";
      return;
    }
    const type = line.u8(at + record);
    line.text += ` [gaddr ${address(at + record + RECORD_LENGTH)} ${
      TYPES[type] || ` [${version}-report-#${type}]`
    }`;
    const number = line.u16(at + record + 2);
    record = sources + number * addressLength;
    if (length < record) {
      line.text += ` [invalid number of sources ${number}]`;
      return;
    }
    printSources(line, at + sources, number, addressLength);
    line.text += "]";
  }
}

/**
 * Prints addresses of sources, or how many there are.
 *
 * @param line Before them.
 * @param at Where they begin.
 * @param count How many.
 * @param addressLength Bytes of an address.
 */
export function printSources(
  line: Line,
  at: number,
  count: number,
  addressLength: 4 | 16,
): void {
  if (line.style.verbosity < 2) {
    line.text += `, ${count} source(s)`;
    return;
  }
  line.text += " {";
  for (let i = 0; i < count; i++) {
    const source = at + i * addressLength;
    line.text += addressLength === 4
      ? ` ${line.ipv4(source)}`
      : ` ${line.ipv6(source)}`;
  }
  line.text += " }";
}
