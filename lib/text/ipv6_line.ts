/**
 * IPv6 with its extension headers: `IP6 2001:db8::1 > 2001:db8::2: …`.
 *
 * The layouts are drawn in `lib/packet/net/ipv6.ts` and `ipv6_extensions.ts`.
 *
 * @module
 */

import { hasPorts } from "../packet/flow_fields.ts";
import { IpProtocol } from "../packet/ip_protocol.ts";
import { printIpPayload } from "./ip_payload.ts";
import { ipProtocolName } from "./ip_protocol_names.ts";
import { printExtensionOptions } from "./ipv6_options_line.ts";
import { hex } from "./hex.ts";
import type { Line } from "./line.ts";
import { formatAddresses } from "./port_text.ts";

const HEADER_LENGTH = 40;
const PAYLOAD_LENGTH = 4;
const NEXT_HEADER = 6;
const HOP_LIMIT = 7;
const DESTINATION = 24;
/** Where the addresses of a routing header begin. */
const ROUTE = 8;
const SEGMENT_ROUTING = 4;
const FRAGMENT_LENGTH = 8;
const FRAGMENT_OFFSET_MASK = 0xfff8;
const EXTENSION_UNIT = 8;
/** tcpdump prints mobility headers under both numbers. */
const OLD_MOBILITY = 62;

/** State of walking along the extension headers. */
interface Walk {
  /** Where the IPv6 header begins. */
  readonly ip: number;
  /** Payload length of the header, or of a jumbo payload option. */
  payloadLength: number;
  hasJumbo: boolean;
  isFragment: boolean;
  /** Where the address of the final destination begins. */
  destination: number;
}

/**
 * Prints an IPv6 packet.
 *
 * @param line Before it.
 * @param at Where it begins.
 * @param length Bytes that are there for it.
 */
export function printIpv6(line: Line, at: number, length: number): void {
  const { style } = line;
  line.protocol = "ip6";
  if (!line.has(at, HEADER_LENGTH)) return line.cut();
  if (length < HEADER_LENGTH) {
    line.text += `truncated-ip6 ${length}`;
    return;
  }
  if (!style.linkHeader) line.text += "IP6 ";
  const version = line.u8(at) >>> 4;
  if (version !== 6) {
    line.text += `version error: ${version} != 6`;
    return;
  }
  const payloadLength = line.u16(at + PAYLOAD_LENGTH);
  const total = HEADER_LENGTH + (payloadLength === 0 ? length : payloadLength);
  if (payloadLength !== 0 && length < total) {
    line.text += `truncated-ip6 - ${total - length} bytes missing!`;
  }
  if (style.verbosity > 0) printHeader(line, at, payloadLength);
  const end = line.narrow(at + total);
  const walk: Walk = {
    ip: at,
    payloadLength,
    hasJumbo: false,
    isFragment: false,
    destination: at + DESTINATION,
  };
  printPayload(line, walk, length, total);
  line.end = end;
}

function printHeader(line: Line, at: number, payloadLength: number): void {
  const first = line.u32(at);
  const trafficClass = first >>> 20 & 0xff;
  const flowLabel = first & 0xf_ffff;
  const nextHeader = line.u8(at + NEXT_HEADER);
  line.text += "(";
  if (trafficClass !== 0) line.text += `class ${hex(trafficClass, 2)}, `;
  if (flowLabel !== 0) line.text += `flowlabel ${hex(flowLabel, 5)}, `;
  line.text += `hlim ${line.u8(at + HOP_LIMIT)}, next-header ${
    ipProtocolName(nextHeader)
  } (${nextHeader}) payload length: ${payloadLength}) `;
}

function printPayload(
  line: Line,
  walk: Walk,
  length: number,
  total: number,
): void {
  const first = line.u8(walk.ip + NEXT_HEADER);
  let nextHeader = first;
  let at = walk.ip;
  let advance = HEADER_LENGTH;
  let rest = total;
  let previous: number | undefined;
  while (at < line.end) {
    if (rest < advance) return line.cut();
    at += advance;
    rest -= advance;
    if (previous === undefined && !hasPorts(first)) {
      line.text += `${formatAddresses(line, walk.ip)}: `;
    }
    const size = printExtension(line, walk, nextHeader, at, previous);
    if (size === "end") return;
    if (size === "none") {
      return printRest(line, walk, nextHeader, at, length, rest, previous);
    }
    previous = nextHeader;
    nextHeader = line.u8(at);
    advance = size;
    line.protocol = "ip6";
  }
}

/** Prints what follows the last extension header. */
function printRest(
  line: Line,
  walk: Walk,
  protocol: number,
  at: number,
  length: number,
  left: number,
  previous: number | undefined,
): void {
  let rest = left;
  if (walk.hasJumbo) {
    const total = HEADER_LENGTH + walk.payloadLength;
    if (length < total) {
      line.text += `truncated-ip6 - ${total - length} bytes missing!`;
    }
    rest = total - (at - walk.ip);
  } else if (walk.payloadLength === 0) {
    if (previous !== undefined) return line.cut();
    // Without a jumbo payload option, no payload belongs to the packet.
    line.narrow(at);
    rest = 0;
  }
  const first = line.u8(walk.ip + NEXT_HEADER);
  const header = {
    at: walk.ip,
    protocol: first,
    destination: walk.destination,
    isFragment: walk.isFragment,
  };
  printIpPayload(line, header, protocol, at, rest);
}

/**
 * Prints an extension header. Returns its length, `none` when it is the
 * payload that begins here, `end` when nothing more can be printed.
 */
function printExtension(
  line: Line,
  walk: Walk,
  protocol: number,
  at: number,
  previous: number | undefined,
): number | "none" | "end" {
  switch (protocol) {
    case IpProtocol.HOP_BY_HOP:
      if (previous !== undefined) {
        line.text += previous === IpProtocol.HOP_BY_HOP
          ? "[The Hop-by-Hop Options header was already found] (invalid)"
          : "[The Hop-by-Hop Options header don't follow the IPv6 header]" +
            " (invalid)";
        return "end";
      }
      return printHopByHop(line, walk, at);
    case IpProtocol.DESTINATION_OPTIONS:
      return printDestinationOptions(line, at);
    case IpProtocol.FRAGMENT:
      return printFragment(line, walk, at);
    case IpProtocol.ROUTING:
      return printRouting(line, walk, at);
    case IpProtocol.MOBILITY:
    case OLD_MOBILITY:
      line.protocol = "mobility";
      line.text += `mobility: type=${line.u8(at + 2)}`;
      return "end";
    default:
      return "none";
  }
}

function printHopByHop(line: Line, walk: Walk, at: number): number | "end" {
  line.protocol = "hbhopt";
  const length = (line.u8(at + 1) + 1) * EXTENSION_UNIT;
  if (!line.has(at, length)) {
    line.cut();
    return "end";
  }
  line.text += "HBH ";
  const jumbo = printExtensionOptions(
    line,
    at + 2,
    at + length,
    walk.payloadLength,
  );
  if (typeof jumbo === "number") {
    walk.hasJumbo = true;
    walk.payloadLength = jumbo;
  }
  if (walk.payloadLength === 0) {
    line.text += "[No valid Jumbo Payload Hop-by-Hop option found] (invalid)";
    return "end";
  }
  return jumbo === "cut" ? "end" : length;
}

function printDestinationOptions(line: Line, at: number): number | "end" {
  line.protocol = "dstopt";
  const length = (line.u8(at + 1) + 1) * EXTENSION_UNIT;
  if (!line.has(at, length)) {
    line.cut();
    return "end";
  }
  line.text += "DSTOPT ";
  return line.style.verbosity > 0 &&
      printExtensionOptions(line, at + 2, at + length) === "cut"
    ? "end"
    : length;
}

function printFragment(line: Line, walk: Walk, at: number): number | "end" {
  line.protocol = "frag6";
  const offset = line.u16(at + 2) & FRAGMENT_OFFSET_MASK;
  const id = line.style.verbosity > 0 ? `${hex(line.u32(at + 4), 8)}:` : "";
  const length = HEADER_LENGTH + line.u16(walk.ip + PAYLOAD_LENGTH) -
    (at - walk.ip) - FRAGMENT_LENGTH;
  line.text += `frag (${id}${offset}|${length})`;
  if (offset !== 0) {
    line.payloadAt = at + FRAGMENT_LENGTH;
    line.payloadEnd = line.end;
    return "end";
  }
  line.text += " ";
  walk.isFragment = true;
  return line.end <= at + FRAGMENT_LENGTH ? "end" : FRAGMENT_LENGTH;
}

/** Routing headers (RFC 8200 section 4.4, RFC 8754). */
function printRouting(line: Line, walk: Walk, at: number): number | "end" {
  const isVerbose = line.style.verbosity > 0;
  line.need(at, 1);
  line.protocol = "rt6";
  const units = line.u8(at + 1);
  line.text += `RT6 (len=${units}`;
  const type = line.u8(at + 2);
  line.text += type === 0 ? ", type=0 [Deprecated]" : `, type=${type}`;
  line.text += `, segleft=${line.u8(at + 3)}`;
  if (type === 0 || type === 2) {
    const reserved = line.u32(at + 4);
    if (reserved !== 0 || isVerbose) {
      line.text += `, rsv=0x${reserved.toString(16)}`;
    }
  } else if (type === SEGMENT_ROUTING) {
    line.text += `, last-entry=${line.u8(at + 4)}`;
    const flags = line.u8(at + 5);
    if (flags !== 0 || isVerbose) {
      line.text += `, flags=0x${flags.toString(16)}`;
    }
    line.text += `, tag=${line.u16(at + 6).toString(16)}`;
  } else {
    line.text += " (unknown type) (invalid)";
    return "end";
  }
  if (units % 2 === 1) {
    line.text += ` (invalid length ${units}) (invalid)`;
    return "end";
  }
  const count = units / 2;
  for (let i = 0; i < count; i++) {
    line.text += `, [${i}]${line.ipv6(at + ROUTE + 16 * i)}`;
  }
  // Segments (type 4) stand in reverse order.
  const last = type === SEGMENT_ROUTING ? 0 : count - 1;
  if (count > 0) walk.destination = at + ROUTE + 16 * last;
  line.text += ") ";
  return (units + 1) * EXTENSION_UNIT;
}
