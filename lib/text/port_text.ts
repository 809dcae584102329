/**
 * The two ends of a packet: `192.0.2.1.40000 > 192.0.2.2.80: `.
 *
 * @module
 */

import type { Line } from "./line.ts";

const IPV4_SOURCE = 12;
const IPV4_DESTINATION = 16;
const IPV6_SOURCE = 8;
const IPV6_DESTINATION = 24;

/**
 * Addresses of an IP header.
 *
 * @param line The line.
 * @param ip Where the IP header begins.
 * @returns For example `192.0.2.1 > 192.0.2.2`.
 */
export function formatAddresses(line: Line, ip: number): string {
  return line.u8(ip) >>> 4 === 4
    ? `${line.ipv4(ip + IPV4_SOURCE)} > ${line.ipv4(ip + IPV4_DESTINATION)}`
    : `${line.ipv6(ip + IPV6_SOURCE)} > ${line.ipv6(ip + IPV6_DESTINATION)}`;
}

/**
 * Addresses and ports.
 *
 * @param line The line.
 * @param ip Where the IP header begins.
 * @param hasAddresses Without the addresses when false: they stand already.
 * @param protocol Whose ports they are.
 * @param source Port of the sender.
 * @param destination Port of the receiver.
 * @returns For example `192.0.2.1.40000 > 192.0.2.2.80: `.
 */
export function formatEnds(
  line: Line,
  ip: number,
  hasAddresses: boolean,
  protocol: "tcp" | "udp" | "udplite",
  source: number,
  destination: number,
): string {
  const { names } = line.style;
  const from = names?.port?.(source, protocol) ?? source;
  const to = names?.port?.(destination, protocol) ?? destination;
  if (!hasAddresses) return `${from} > ${to}: `;
  if (line.u8(ip) >>> 4 === 4) {
    return `${line.ipv4(ip + IPV4_SOURCE)}.${from} > ${
      line.ipv4(ip + IPV4_DESTINATION)
    }.${to}: `;
  }
  return `${line.ipv6(ip + IPV6_SOURCE)}.${from} > ${
    line.ipv6(ip + IPV6_DESTINATION)
  }.${to}: `;
}
