/**
 * UDP-Lite: `192.0.2.1.40000 > 192.0.2.2.9: UDP-Lite, coverage 8, length 10`,
 * where coverage is told if it is not all.
 *
 * The layout is drawn in `lib/packet/transport/udplite.ts`.
 *
 * @module
 */

import { IpProtocol } from "../packet/ip_protocol.ts";
import type { IpHeader } from "./ip_payload.ts";
import type { Line } from "./line.ts";
import { formatAddresses, formatEnds } from "./port_text.ts";

const HEADER_LENGTH = 8;
const DESTINATION_PORT = 2;
const COVERAGE = 4;

/**
 * Prints a UDP-Lite datagram.
 *
 * @param line Before it.
 * @param ip The IP header before it.
 * @param at Where it begins.
 * @param total Bytes that are there for it.
 */
export function printUdpLite(
  line: Line,
  ip: IpHeader,
  at: number,
  total: number,
): void {
  line.protocol = "udplite";
  line.subject = "udp";
  const hasAddresses = ip.protocol === IpProtocol.UDPLITE;
  if (!line.has(at + DESTINATION_PORT, 2)) {
    if (hasAddresses) line.text += `${formatAddresses(line, ip.at)}: `;
    return line.cut();
  }
  line.text += formatEnds(
    line,
    ip.at,
    hasAddresses,
    "udplite",
    line.u16(at),
    line.u16(at + DESTINATION_PORT),
  );
  if (total < HEADER_LENGTH) {
    line.text += `truncated-udplite ${total}`;
    return;
  }
  if (!line.has(at, HEADER_LENGTH)) return line.cut();
  const length = total - HEADER_LENGTH;
  line.payloadAt = at + HEADER_LENGTH;
  line.payloadEnd = Math.min(line.end, line.payloadAt + length);
  const coverage = line.u16(at + COVERAGE);
  const isWhole = coverage === 0 || coverage === total;
  line.text += `UDP-Lite, ${isWhole ? "" : `coverage ${coverage}, `}length ` +
    length;
}
