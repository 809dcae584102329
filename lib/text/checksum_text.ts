/**
 * Checksums as they are judged with `-v`.
 *
 * @module
 */

import { internetChecksum, sumWords } from "../bytes/checksum.ts";
import type { IpHeader } from "./ip_payload.ts";
import type { Line } from "./line.ts";

const IPV4_SOURCE = 12;
const IPV4_LENGTH = 4;
const IPV6_SOURCE = 8;
const IPV6_LENGTH = 16;

/**
 * What a checksum field should hold.
 *
 * @param stated What it holds.
 * @param sum Checksum over everything, the field included; not 0.
 */
export function shouldBe(stated: number, sum: number): number {
  const total = stated + sum;
  return (total & 0xffff) + (total >>> 16);
}

/**
 * Checksum over the pseudo header of an IP packet and what it carries.
 *
 * @param line All the bytes must be captured.
 * @param ip The IP header.
 * @param protocol IP protocol number that counts.
 * @param at Where the covered bytes begin.
 * @param length How many.
 * @returns 0 when the checksum in the bytes is correct.
 */
export function transportChecksum(
  line: Line,
  ip: IpHeader,
  protocol: number,
  at: number,
  length: number,
): number {
  const { bytes } = line;
  const isIpv4 = line.u8(ip.at) >>> 4 === 4;
  const source = ip.at + (isIpv4 ? IPV4_SOURCE : IPV6_SOURCE);
  const size = isIpv4 ? IPV4_LENGTH : IPV6_LENGTH;
  const { destination } = ip;
  let pseudo = sumWords(bytes, source, source + size);
  pseudo = sumWords(bytes, destination, destination + size, pseudo);
  pseudo += protocol + (length & 0xffff) + (length >>> 16);
  return internetChecksum(bytes, at, at + length, pseudo);
}
