/**
 * Colors of lines: by protocol, and loud where there is trouble.
 *
 * @module
 */

import type { Subject } from "./line.ts";

/** SGR parameters (ECMA-48) by subject; none: the terminal's own color. */
const COLORS: Readonly<Record<Subject, string>> = {
  other: "",
  arp: "33",
  icmp: "35",
  "icmp-error": "1;31",
  tcp: "",
  "tcp-open": "34",
  "tcp-reset": "31",
  "tcp-disorder": "1;33",
  udp: "36",
  dns: "32",
  http: "1;32",
  tls: "1;34",
  quic: "1;36",
};

/**
 * Colors a line.
 *
 * @param text The line.
 * @param subject What it is about.
 */
export function paint(text: string, subject: Subject): string {
  const color = COLORS[subject];
  return color === "" ? text : `\x1b[${color}m${text}\x1b[0m`;
}
