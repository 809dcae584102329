/**
 * What follows an IP header, by its protocol number.
 *
 * @module
 */

import { IpProtocol } from "../packet/ip_protocol.ts";
import { hex } from "./hex.ts";
import { ipProtocolName } from "./ip_protocol_names.ts";
import { printIcmp } from "./icmp_line.ts";
import { printIcmpv6 } from "./icmpv6_line.ts";
import { printIgmp } from "./igmp_line.ts";
import { printIpv4 } from "./ipv4_line.ts";
import { printIpv6 } from "./ipv6_line.ts";
import type { Line } from "./line.ts";
import { printTcp } from "./tcp_line.ts";
import { printGre } from "./tunnel_lines.ts";
import { printUdp } from "./udp_line.ts";
import { printUdpLite } from "./udplite_line.ts";

/** What the printers of the payload need to know of an IP header. */
export interface IpHeader {
  /** Where it begins. */
  readonly at: number;
  /**
   * Protocol number that it names. When it is that of the payload, the
   * addresses are not printed yet.
   */
  readonly protocol: number;
  /** Where the address of the final destination begins, for checksums. */
  readonly destination: number;
  /** The payload goes on in other fragments. */
  readonly isFragment: boolean;
}

/** Deeper nesting is taken for an attack on the printer. */
const MAX_DEPTH = 32;
const AH_FIXED_LENGTH = 12;

/**
 * Prints the payload of an IP packet.
 *
 * @param line Before it.
 * @param ip The IP header.
 * @param protocol IP protocol number of the payload.
 * @param at Where the payload begins.
 * @param length Bytes of it.
 */
export function printIpPayload(
  line: Line,
  ip: IpHeader,
  protocol: number,
  at: number,
  length: number,
): void {
  line.payloadAt = at;
  line.payloadEnd = line.end;
  if (line.depth === MAX_DEPTH) {
    line.text += "[nested too deeply]";
    return;
  }
  line.depth++;
  printProtocol(line, ip, protocol, at, length);
  line.depth--;
}

function printProtocol(
  line: Line,
  ip: IpHeader,
  protocol: number,
  at: number,
  length: number,
): void {
  switch (protocol) {
    case IpProtocol.TCP:
      return printTcp(line, ip, at, length);
    case IpProtocol.UDP:
      return printUdp(line, ip, at, length);
    case IpProtocol.UDPLITE:
      return printUdpLite(line, ip, at, length);
    case IpProtocol.ICMP:
      return isVersion(line, ip, 4)
        ? printIcmp(line, ip, at, length)
        : misplaced(line, protocol, 4);
    case IpProtocol.ICMPV6:
      return isVersion(line, ip, 6)
        ? printIcmpv6(line, ip, at, length)
        : misplaced(line, protocol, 6);
    case IpProtocol.IGMP:
      return isVersion(line, ip, 4)
        ? printIgmp(line, at, length)
        : misplaced(line, protocol, 4);
    case IpProtocol.IPIP:
      return printIpv4(line, at, length);
    case IpProtocol.IPV6:
      return printIpv6(line, at, length);
    case IpProtocol.GRE:
      return printGre(line, at, length);
    case IpProtocol.AH:
      return printAuthentication(line, ip, at, length);
    case IpProtocol.ESP:
      line.protocol = "esp";
      line.text += `ESP(spi=${hex(line.u32(at), 8)}`;
      line.text += `,seq=0x${line.u32(at + 4).toString(16)}), length ${length}`;
      return;
    case IpProtocol.NO_NEXT_HEADER:
      line.text += "no next header";
      return;
    default:
      line.text += ` ip-proto-${protocol} ${length}`;
  }
}

/** Prints an authentication header and what follows it. */
function printAuthentication(
  line: Line,
  ip: IpHeader,
  at: number,
  length: number,
): void {
  line.protocol = "ah";
  if (!line.has(at, 1)) return line.cut();
  const units = line.u8(at + 1);
  const headerLength = (units + 2) * 4;
  line.text += "AH(";
  if (line.style.verbosity > 0) {
    line.text += `length=${units}(${headerLength}-bytes),`;
  }
  const reserved = line.u16(at + 2);
  if (reserved !== 0) {
    line.text += `reserved=0x${reserved.toString(16)}[MustBeZero],`;
  }
  line.text += `spi=${hex(line.u32(at + 4), 8)},`;
  line.text += `seq=0x${line.u32(at + 8).toString(16)},icv=0x`;
  for (let i = AH_FIXED_LENGTH; i < headerLength; i++) {
    line.text += line.u8(at + i).toString(16).padStart(2, "0");
  }
  line.text += "): ";
  const rest = length - headerLength;
  printIpPayload(line, ip, line.u8(at), at + headerLength, Math.max(0, rest));
}

function isVersion(line: Line, ip: IpHeader, version: number): boolean {
  return line.u8(ip.at) >>> 4 === version;
}

function misplaced(line: Line, protocol: number, version: number): void {
  const name = ipProtocolName(protocol);
  line.text += `[${name} requires IPv${version}] (invalid)`;
}
