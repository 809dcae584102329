/**
 * ICMPv6: `ICMP6, neighbor solicitation, who has 2001:db8::2, length 32`.
 *
 * The layout is drawn in `lib/packet/net/icmpv6.ts`.
 *
 * @module
 */

import { IpProtocol } from "../packet/ip_protocol.ts";
import { Icmpv6Type } from "../packet/net/icmpv6.ts";
import { shouldBe, transportChecksum } from "./checksum_text.ts";
import { formatHex } from "./dump.ts";
import { type FlagTable, formatFlags } from "./flag_names.ts";
import { printGroupRecords, printSources } from "./group_records_line.ts";
import { hex } from "./hex.ts";
import type { IpHeader } from "./ip_payload.ts";
import type { Line } from "./line.ts";
import {
  formatPreference,
  printNeighborOptions,
} from "./neighbor_options_line.ts";

const CHECKSUM = 2;
const REST = 4;
const SECOND_HALF = 6;
const HEADER_LENGTH = 8;
const IP_NEXT_HEADER = 6;
const IP_SOURCE = 8;
const IP_DESTINATION = 24;
const IP_LENGTH = 40;
const FRAGMENT_LENGTH = 8;

const SOLICITATION_LENGTH = 24;
const ADVERTISEMENT_LENGTH = 16;
const REDIRECT_LENGTH = 40;
const MLD_LENGTH = 24;
const MLD2_QUERY_LENGTH = 28;

const NAMES: ReadonlyMap<number, string> = new Map<number, string>([
  [Icmpv6Type.UNREACHABLE, "destination unreachable"],
  [Icmpv6Type.PACKET_TOO_BIG, "packet too big"],
  [Icmpv6Type.TIME_EXCEEDED, "time exceeded in-transit"],
  [Icmpv6Type.PARAMETER_PROBLEM, "parameter problem"],
  [Icmpv6Type.ECHO_REQUEST, "echo request"],
  [Icmpv6Type.ECHO_REPLY, "echo reply"],
  [Icmpv6Type.MULTICAST_LISTENER_QUERY, "multicast listener query"],
  [Icmpv6Type.MULTICAST_LISTENER_REPORT, "multicast listener report"],
  [Icmpv6Type.MULTICAST_LISTENER_DONE, "multicast listener done"],
  [Icmpv6Type.ROUTER_SOLICITATION, "router solicitation"],
  [Icmpv6Type.ROUTER_ADVERTISEMENT, "router advertisement"],
  [Icmpv6Type.NEIGHBOR_SOLICITATION, "neighbor solicitation"],
  [Icmpv6Type.NEIGHBOR_ADVERTISEMENT, "neighbor advertisement"],
  [Icmpv6Type.REDIRECT, "redirect"],
  [Icmpv6Type.MULTICAST_LISTENER_REPORT_V2, "multicast listener report v2"],
]);

const PORT_UNREACHABLE = 4;
const UNREACHABLE: readonly string[] = [
  "unreachable route",
  // The second space is tcpdump's.
  " unreachable prohibited",
  "beyond scope",
  "unreachable address",
  "unreachable port",
];
const PARAMETER_PROBLEMS: readonly string[] = [
  "erroneous",
  "next header",
  "option",
  "incomplete header chain",
];
const ROUTER_FLAGS: FlagTable = [
  [0x80, "managed"],
  [0x40, "other stateful"],
  [0x20, "home agent"],
  [0x02, "ipv6 only"],
];
const NEIGHBOR_FLAGS: FlagTable = [
  [0x80, "router"],
  [0x40, "solicited"],
  [0x20, "override"],
];

/**
 * Prints an ICMPv6 message.
 *
 * @param line Before it.
 * @param ip The IP header before it.
 * @param at Where it begins.
 * @param length Bytes of it.
 */
export function printIcmpv6(
  line: Line,
  ip: IpHeader,
  at: number,
  length: number,
): void {
  const { verbosity } = line.style;
  line.protocol = "icmp6";
  line.subject = "icmp";
  if (length === 0) {
    line.text += "ICMP6, length 0 (invalid)";
    return;
  }
  if (verbosity > 0 && !ip.isFragment && line.has(at, length)) {
    printChecksum(line, ip, at, length);
  }
  const type = line.u8(at);
  if (type < Icmpv6Type.ECHO_REQUEST) line.subject = "icmp-error";
  line.payloadAt = at + HEADER_LENGTH;
  line.text += `ICMP6, ${NAMES.get(type) ?? `unknown icmp6 type (${type})`}`;
  const isDiscovery = type >= Icmpv6Type.ROUTER_SOLICITATION &&
    type <= Icmpv6Type.REDIRECT;
  if (verbosity > 0 && isDiscovery) line.text += `, length ${length}`;
  line.need(at, 2);
  if (!NAMES.has(type)) {
    line.text += `, length ${length}`;
    if (verbosity < 2) printBytes(line, at, length);
    return;
  }
  const isDone = isDiscovery
    ? printDiscovery(line, at, length, type)
    : printMessage(line, at, length, type);
  if (isDone && verbosity === 0) line.text += `, length ${length}`;
}

function printChecksum(
  line: Line,
  ip: IpHeader,
  at: number,
  length: number,
): void {
  const stated = line.u16(at + CHECKSUM);
  const sum = transportChecksum(line, ip, IpProtocol.ICMPV6, at, length);
  line.text += sum === 0
    ? "[icmp6 sum ok] "
    : `[bad icmp6 cksum ${hex(stated, 4)} -> ${
      hex(shouldBe(stated, sum), 4)
    }!] `;
}

/** Prints everything but neighbor discovery; false when the line ends. */
function printMessage(
  line: Line,
  at: number,
  length: number,
  type: number,
): boolean {
  const code = line.u8(at + 1);
  const quote = at + HEADER_LENGTH;
  switch (type) {
    case Icmpv6Type.UNREACHABLE:
      return printUnreachable(line, at, length, code);
    case Icmpv6Type.PACKET_TOO_BIG:
      line.text += `, mtu ${line.u32(at + REST)}`;
      return true;
    case Icmpv6Type.TIME_EXCEEDED:
      line.text += code === 0
        ? ` for ${line.ipv6(quote + IP_DESTINATION)}`
        : code === 1
        ? " (reassembly)"
        : `, unknown code (${code})`;
      return true;
    case Icmpv6Type.PARAMETER_PROBLEM: {
      if (!line.has(quote + IP_DESTINATION, 16)) {
        line.cut();
        return false;
      }
      const problem = PARAMETER_PROBLEMS[code];
      line.text += problem === undefined
        ? `, code-#${code}`
        : `, ${problem} - octet ${line.u32(at + REST)}`;
      return true;
    }
    case Icmpv6Type.ECHO_REQUEST:
    case Icmpv6Type.ECHO_REPLY:
      line.text += `, id ${line.u16(at + REST)}, seq ${
        line.u16(at + SECOND_HALF)
      }`;
      return true;
    case Icmpv6Type.MULTICAST_LISTENER_QUERY:
      if (length === MLD_LENGTH) printListener(line, at);
      else if (length >= MLD2_QUERY_LENGTH) printQuery(line, at, length);
      else line.text += ` unknown-version (len ${length}) `;
      return true;
    case Icmpv6Type.MULTICAST_LISTENER_REPORT_V2:
      if (length < HEADER_LENGTH) line.text += ` [invalid len ${length}]`;
      else {
        printGroupRecords(line, at, length, {
          addressLength: 16,
          version: "v2",
        });
      }
      return true;
    default:
      printListener(line, at);
      return true;
  }
}

function printUnreachable(
  line: Line,
  at: number,
  length: number,
  code: number,
): boolean {
  const quote = at + HEADER_LENGTH;
  const reason = UNREACHABLE[code];
  line.text += `, ${reason ?? `unknown unreach code (${code})`}`;
  if (reason === undefined) {
    if (line.style.verbosity > 1) return true;
    printBytes(line, at, length);
    return false;
  }
  if (code !== PORT_UNREACHABLE) {
    line.text += ` ${line.ipv6(quote + IP_DESTINATION)}`;
    if (code === 2) {
      line.text += `, source address ${line.ipv6(quote + IP_SOURCE)}`;
    }
    return true;
  }
  const transport = findTransport(line, quote);
  if (transport === undefined) {
    line.cut();
    return false;
  }
  const protocol = transport.protocol === IpProtocol.TCP ? "tcp" : "udp";
  const port = line.u16(transport.at + 2);
  line.text += `, ${line.ipv6(quote + IP_DESTINATION)} ${protocol} port ${
    line.style.names?.port?.(port, protocol) ?? port
  }`;
  return true;
}

/** Where TCP or UDP begins in a quoted packet. */
function findTransport(
  line: Line,
  quote: number,
): { at: number; protocol: number } | undefined {
  if (!line.has(quote + IP_NEXT_HEADER, 1)) return undefined;
  let protocol = line.u8(quote + IP_NEXT_HEADER);
  let at = quote + IP_LENGTH;
  while (line.has(at, 4)) {
    switch (protocol) {
      case IpProtocol.TCP:
      case IpProtocol.UDP:
        return { at, protocol };
      case IpProtocol.HOP_BY_HOP:
      case IpProtocol.DESTINATION_OPTIONS:
      case IpProtocol.ROUTING:
        protocol = line.u8(at);
        at += (line.u8(at + 1) + 1) * 8;
        break;
      case IpProtocol.FRAGMENT:
        if ((line.u16(at + 2) & 0xfff8) !== 0) return undefined;
        protocol = line.u8(at);
        at += FRAGMENT_LENGTH;
        break;
      case IpProtocol.AH:
        protocol = line.u8(at);
        at += (line.u8(at + 1) + 2) * 4;
        break;
      default:
        return undefined;
    }
  }
  return undefined;
}

/** Multicast listener discovery, version 1 (RFC 2710). */
function printListener(line: Line, at: number): void {
  if (!line.has(at, MLD_LENGTH)) return;
  line.text += `max resp delay: ${line.u16(at + REST)} addr: ${
    line.ipv6(at + HEADER_LENGTH)
  }`;
}

/** Queries of multicast listener discovery, version 2 (RFC 3810). */
function printQuery(line: Line, at: number, length: number): void {
  const isVerbose = line.style.verbosity > 0;
  const code = line.u16(at + REST);
  const delay = code < 0x8000
    ? code
    : (code & 0xfff | 0x1000) << ((code >>> 12 & 7) + 3);
  line.text += " v2";
  if (isVerbose) line.text += ` [max resp delay=${delay}]`;
  line.text += ` [gaddr ${line.ipv6(at + HEADER_LENGTH)}`;
  if (isVerbose) {
    const flags = line.u8(at + 24);
    const interval = line.u8(at + 25);
    if ((flags & 8) !== 0) line.text += " sflag";
    if ((flags & 7) !== 0) line.text += ` robustness=${flags & 7}`;
    line.text += ` qqi=${
      interval < 0x80
        ? interval
        : (interval & 0x0f | 0x10) << ((interval >>> 4 & 7) + 3)
    }`;
  }
  const count = line.u16(at + 26);
  if (count > 0) {
    if (length < MLD2_QUERY_LENGTH + 16 * count) {
      line.text += " [invalid number of sources]";
    } else printSources(line, at + MLD2_QUERY_LENGTH, count, 16);
  }
  line.text += "]";
}

/** Prints neighbor discovery (RFC 4861); false when it was cut. */
function printDiscovery(
  line: Line,
  at: number,
  length: number,
  type: number,
): boolean {
  const isVerbose = line.style.verbosity > 0;
  let fixedLength = SOLICITATION_LENGTH;
  switch (type) {
    case Icmpv6Type.ROUTER_SOLICITATION:
      fixedLength = HEADER_LENGTH;
      break;
    case Icmpv6Type.ROUTER_ADVERTISEMENT:
      fixedLength = ADVERTISEMENT_LENGTH;
      if (isVerbose) printAdvertisement(line, at);
      break;
    case Icmpv6Type.NEIGHBOR_SOLICITATION:
      line.text += `, who has ${line.ipv6(at + HEADER_LENGTH)}`;
      break;
    case Icmpv6Type.NEIGHBOR_ADVERTISEMENT:
      line.text += `, tgt is ${line.ipv6(at + HEADER_LENGTH)}`;
      if (isVerbose) {
        const flags = formatFlags(NEIGHBOR_FLAGS, line.u8(at + REST));
        line.text += `, Flags [${flags}]`;
      }
      break;
    default:
      fixedLength = REDIRECT_LENGTH;
      line.text += `, ${line.ipv6(at + 24)} to ${line.ipv6(at + 8)}`;
  }
  if (
    !isVerbose ||
    printNeighborOptions(line, at + fixedLength, length - fixedLength)
  ) return true;
  line.cut();
  return false;
}

function printAdvertisement(line: Line, at: number): void {
  const flags = line.u8(at + 5);
  line.text += `\n\thop limit ${line.u8(at + REST)}, Flags [${
    formatFlags(ROUTER_FLAGS, flags)
  }], pref ${formatPreference(flags)}, router lifetime ${
    line.u16(at + SECOND_HALF)
  }s, reachable time ${line.u32(at + 8)}ms, retrans timer ${
    line.u32(at + 12)
  }ms`;
}

function printBytes(line: Line, at: number, length: number): void {
  const end = Math.min(at + length, line.end);
  line.text += formatHex(line.bytes, at, end, false);
}
