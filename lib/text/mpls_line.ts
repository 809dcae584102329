/**
 * MPLS: `MPLS (label 5, tc 0, [S], ttl 64) IP …`.
 *
 * Reference: RFC 3032, RFC 5462 (traffic class).
 *
 * ```
 *  0            20   23  24       32
 *  +------------+----+---+--------+
 *  | label      | tc | S | TTL    |     S: the last entry of the stack
 *  +------------+----+---+--------+
 * ```
 *
 * @module
 */

import { printIpv4 } from "./ipv4_line.ts";
import { printIpv6 } from "./ipv6_line.ts";
import type { Line } from "./line.ts";

const ENTRY_LENGTH = 4;
const LAST_BIT = 0x100;
const Label = {
  IPV4_NULL: 0,
  ROUTER_ALERT: 1,
  IPV6_NULL: 2,
  IMPLICIT_NULL: 3,
} as const;
/** Names of the first labels; the others up to this one are reserved. */
const NAMES = [
  "IPv4 explicit NULL",
  "router alert",
  "IPv6 explicit NULL",
  "implicit NULL",
] as const;
const LAST_RESERVED = 15;

/**
 * Prints a stack of labels and the packet below it.
 *
 * @param line Before it.
 * @param start Where it begins.
 * @param total Bytes of it.
 */
export function printMpls(line: Line, start: number, total: number): void {
  const isVerbose = line.style.verbosity > 0;
  const end = start + total;
  line.protocol = "mpls";
  line.text += "MPLS";
  let at = start;
  let label = 0;
  for (let isLast = false; !isLast; at += ENTRY_LENGTH) {
    if (end - at < ENTRY_LENGTH) {
      line.text += " (invalid)";
      return line.need(at, end - at);
    }
    const entry = line.u32(at);
    label = entry >>> 12;
    isLast = (entry & LAST_BIT) !== 0;
    const name = isVerbose && label <= LAST_RESERVED
      ? ` (${NAMES[label] ?? "rsvd"})`
      : "";
    line.text += `${
      isVerbose && at > start ? "\n\t" : " "
    }(label ${label}${name}, tc ${entry >>> 9 & 7}${
      isLast ? ", [S]" : ""
    }, ttl ${entry & 0xff})`;
  }
  printBelow(line, label, at, end - at);
}

/** Nothing but the last label or the first byte tells what follows. */
function printBelow(
  line: Line,
  label: number,
  at: number,
  length: number,
): void {
  let version: number | undefined;
  if (label === Label.IPV4_NULL || label === Label.IMPLICIT_NULL) version = 4;
  else if (label === Label.IPV6_NULL) version = 6;
  else if (length === 0) return;
  else {
    const first = line.u8(at);
    if (first >= 0x45 && first <= 0x4f) version = 4;
    else if (first >>> 4 === 6) version = 6;
  }
  if (version === undefined) return line.dump(at);
  line.text += line.style.verbosity > 0 ? "\n\t" : " ";
  if (version === 4) printIpv4(line, at, length);
  else printIpv6(line, at, length);
}
