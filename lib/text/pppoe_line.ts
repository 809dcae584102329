/**
 * PPP over Ethernet: `PPPoE  [ses 0x5] IP …`.
 *
 * Reference: RFC 2516 section 4, RFC 1661 section 2 (PPP).
 *
 * ```
 *  0               1      2         4        6
 *  +------+--------+------+---------+--------+-----------------+
 *  | ver. | type   | code | session | length | PPP or tags     |
 *  +------+--------+------+---------+--------+-----------------+
 * ```
 *
 * @module
 */

import { hex } from "./hex.ts";
import { printIpv4 } from "./ipv4_line.ts";
import { printIpv6 } from "./ipv6_line.ts";
import type { Line } from "./line.ts";

const HEADER_LENGTH = 6;
/** Codes of discovery; 0 is a session. */
const CODES: ReadonlyMap<number, string> = new Map([
  [0x00, ""],
  [0x07, "PADO"],
  [0x09, "PADI"],
  [0x19, "PADR"],
  [0x65, "PADS"],
  [0xa7, "PADT"],
]);
const PPP_ADDRESS_CONTROL = 0xff03;
const Ppp = { IPV4: 0x0021, IPV6: 0x0057 } as const;

/**
 * Prints a packet of PPP over Ethernet; of discovery only what it is.
 *
 * @param line Before it.
 * @param at Where it begins.
 * @param total Bytes of it.
 */
export function printPppoe(line: Line, at: number, total: number): void {
  line.protocol = "pppoe";
  if (total < HEADER_LENGTH) {
    line.text += ` (length ${total} < ${HEADER_LENGTH}) (invalid)`;
    return;
  }
  line.need(at, HEADER_LENGTH);
  const first = line.u8(at);
  const code = line.u8(at + 1);
  const session = line.u16(at + 2);
  const stated = line.u16(at + 4);
  const length = Math.min(stated, total - HEADER_LENGTH);
  if (first >>> 4 !== 1) line.text += ` [ver ${first >>> 4}]`;
  if ((first & 15) !== 1) line.text += ` [type ${first & 15}]`;
  line.text += `PPPoE ${CODES.get(code) ?? `PAD-${code.toString(16)}`}`;
  if (stated > length) line.text += ` [len ${stated} > ${length}!]`;
  if (session !== 0) line.text += ` [ses ${hex(session)}]`;
  if (code !== 0) return;
  line.text += " ";
  printPpp(line, at + HEADER_LENGTH, length);
}

function printPpp(line: Line, start: number, total: number): void {
  line.protocol = "ppp";
  let at = start;
  const end = start + total;
  if (end - at < 2) return line.cut();
  if (line.u16(at) === PPP_ADDRESS_CONTROL) at += 2;
  if (end - at < 2) return line.cut();
  // Compressed protocol numbers are odd and have one byte.
  const isShort = (line.u8(at) & 1) !== 0;
  const protocol = isShort ? line.u8(at) : line.u16(at);
  at += isShort ? 1 : 2;
  const name = protocol === Ppp.IPV4
    ? "IP"
    : protocol === Ppp.IPV6
    ? "IP6"
    : "unknown";
  if (line.style.linkHeader) {
    line.text += `${name} (${hex(protocol, 4)}), length ${total}`;
    if (name === "unknown") return;
    line.text += ": ";
  }
  if (protocol === Ppp.IPV4) printIpv4(line, at, end - at);
  else if (protocol === Ppp.IPV6) printIpv6(line, at, end - at);
  else line.text += `PPP protocol ${hex(protocol, 4)}`;
}
