/**
 * UDP: `192.0.2.1.40000 > 192.0.2.2.9: UDP, length 10`, or what the
 * application protocol says.
 *
 * The layout is drawn in `lib/packet/transport/udp.ts`.
 *
 * @module
 */

import { IpProtocol } from "../packet/ip_protocol.ts";
import { shouldBe, transportChecksum } from "./checksum_text.ts";
import { hex } from "./hex.ts";
import type { IpHeader } from "./ip_payload.ts";
import type { Line } from "./line.ts";
import { formatAddresses, formatEnds } from "./port_text.ts";
import { printDatagram } from "./udp_payload.ts";

const HEADER_LENGTH = 8;
const DESTINATION_PORT = 2;
const LENGTH = 4;
const CHECKSUM = 6;
/** Larger ones have a length field of 0 (RFC 2675). */
const MAX_LENGTH = 0xffff;

/**
 * Prints a UDP datagram.
 *
 * @param line Before it.
 * @param ip The IP header before it.
 * @param at Where it begins.
 * @param total Bytes that are there for it.
 */
export function printUdp(
  line: Line,
  ip: IpHeader,
  at: number,
  total: number,
): void {
  const { style } = line;
  line.protocol = "udp";
  line.subject = "udp";
  const hasAddresses = ip.protocol === IpProtocol.UDP;
  if (!line.has(at + DESTINATION_PORT, 2)) {
    if (hasAddresses) line.text += `${formatAddresses(line, ip.at)}: `;
    return line.cut();
  }
  const sourcePort = line.u16(at);
  const destinationPort = line.u16(at + DESTINATION_PORT);
  line.text += formatEnds(
    line,
    ip.at,
    hasAddresses,
    "udp",
    sourcePort,
    destinationPort,
  );
  if (total < HEADER_LENGTH) {
    line.text += `truncated-udp ${total}`;
    return;
  }
  if (!line.has(at + LENGTH, 2)) return line.cut();
  let stated = line.u16(at + LENGTH);
  if (stated === 0 && total > MAX_LENGTH) stated = total;
  if (stated < HEADER_LENGTH) {
    line.text += `truncated-udplength ${stated}`;
    return;
  }
  if (!line.has(at, HEADER_LENGTH)) return line.cut();
  stated -= HEADER_LENGTH;
  const length = Math.min(stated, total - HEADER_LENGTH);
  const payload = at + HEADER_LENGTH;
  line.payloadAt = payload;
  line.payloadEnd = Math.min(line.end, payload + length);
  if (style.verbosity > 0 && !style.quiet && !ip.isFragment) {
    printChecksum(line, ip, at, length);
  }
  if (
    style.quiet ||
    !printDatagram(line, payload, length, sourcePort, destinationPort)
  ) {
    line.text += stated > length && !ip.isFragment
      ? `UDP, bad length ${stated} > ${length}`
      : `UDP, length ${stated}`;
  }
}

function printChecksum(
  line: Line,
  ip: IpHeader,
  at: number,
  length: number,
): void {
  const isIpv4 = line.u8(ip.at) >>> 4 === 4;
  if (isIpv4 && line.style.verbosity < 2) return;
  const stated = line.u16(at + CHECKSUM);
  const total = HEADER_LENGTH + length;
  if (isIpv4 && stated === 0) {
    line.text += "[no cksum] ";
  } else if (line.has(at, total)) {
    const sum = transportChecksum(line, ip, IpProtocol.UDP, at, total);
    line.text += sum === 0
      ? "[udp sum ok] "
      : `[bad udp cksum ${hex(stated, 4)} -> ${
        hex(shouldBe(stated, sum), 4)
      }!] `;
  }
}
