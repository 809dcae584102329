/**
 * ICMP: `ICMP echo request, id 77, seq 1, length 12`; errors with `-v` show
 * the packet that they are about on a line of its own.
 *
 * The layout is drawn in `lib/packet/net/icmp.ts`.
 *
 * @module
 */

import { internetChecksum } from "../bytes/checksum.ts";
import { IpProtocol } from "../packet/ip_protocol.ts";
import { IcmpType } from "../packet/net/icmp.ts";
import { shouldBe } from "./checksum_text.ts";
import { hex } from "./hex.ts";
import type { IpHeader } from "./ip_payload.ts";
import { printIpv4 } from "./ipv4_line.ts";
import type { Line } from "./line.ts";

const CHECKSUM = 2;
const REST = 4;
const SECOND_HALF = 6;
const QUOTE = 8;
const IP_LENGTH = 2;
const IP_PROTOCOL = 9;
const IP_DESTINATION = 16;

const ADDRESS_MASK_REPLY = 18;
const OTHER_TYPES: ReadonlyMap<number, string> = new Map([
  [4, "source quench"],
  [10, "router solicitation"],
  [15, "information request"],
  [16, "information reply"],
  [17, "address mask request"],
]);

const ERRORS: readonly number[] = [
  IcmpType.UNREACHABLE,
  IcmpType.SOURCE_QUENCH,
  IcmpType.REDIRECT,
  IcmpType.TIME_EXCEEDED,
  IcmpType.PARAMETER_PROBLEM,
];

const UNREACHABLE_PROTOCOL = 2;
const UNREACHABLE_PORT = 3;
const FRAGMENTATION_NEEDED = 4;
/** What comes before and after the address, by code. */
const UNREACHABLE: ReadonlyMap<number, readonly [string, string]> = new Map([
  [0, ["net ", " unreachable"]],
  [1, ["host ", " unreachable"]],
  [5, ["", " unreachable - source route failed"]],
  [6, ["net ", " unreachable - unknown"]],
  [7, ["host ", " unreachable - unknown"]],
  [8, ["", " unreachable - source host isolated"]],
  [9, ["net ", " unreachable - admin prohibited"]],
  [10, ["host ", " unreachable - admin prohibited"]],
  [11, ["net ", " unreachable - tos prohibited"]],
  [12, ["host ", " unreachable - tos prohibited"]],
  [13, ["host ", " unreachable - admin prohibited filter"]],
  [14, ["host ", " unreachable - host precedence violation"]],
  [15, ["host ", " unreachable - precedence cutoff"]],
]);
const REDIRECTS: readonly (readonly [string, string])[] = [
  ["redirect", "net "],
  ["redirect", "host "],
  ["redirect-tos", "net "],
  ["redirect-tos", "host "],
];

/** Bytes without which nothing is said about a message. */
const FIXED_LENGTHS: ReadonlyMap<number, number> = new Map<number, number>([
  [IcmpType.ROUTER_ADVERTISEMENT, QUOTE],
  [IcmpType.TIME_EXCEEDED, QUOTE + IP_DESTINATION + 4],
  [IcmpType.TIMESTAMP_REPLY, 20],
]);

/**
 * Prints an ICMP message.
 *
 * @param line Before it.
 * @param ip The IP header before it.
 * @param at Where it begins.
 * @param length Bytes of it.
 */
export function printIcmp(
  line: Line,
  ip: IpHeader,
  at: number,
  length: number,
): void {
  const { verbosity } = line.style;
  line.protocol = "icmp";
  const type = line.u8(at);
  const isError = ERRORS.includes(type);
  line.subject = isError ? "icmp-error" : "icmp";
  const needed = FIXED_LENGTHS.get(type);
  const isPort = type === IcmpType.UNREACHABLE &&
    line.u8(at + 1) === UNREACHABLE_PORT;
  if (
    needed !== undefined && !line.has(at, needed) ||
    isPort && !line.has(at, QUOTE + IP_PROTOCOL + 1)
  ) return line.cut();
  line.text += `ICMP ${describe(line, at, type)}, length ${length}`;
  line.payloadAt = at + QUOTE;
  if (verbosity > 0 && !ip.isFragment && line.has(at, length)) {
    const sum = internetChecksum(line.bytes, at, at + length);
    if (sum !== 0) {
      const stated = line.u16(at + CHECKSUM);
      line.text += ` (wrong icmp cksum ${stated.toString(16)} (->${
        shouldBe(stated, sum).toString(16)
      })!)`;
    }
  }
  if (verbosity > 0 && isError) {
    const quote = at + QUOTE;
    line.text += "\n\t";
    const stated = line.u16(quote + IP_LENGTH);
    const { payloadAt, payloadEnd, subject } = line;
    const end = line.narrow(quote + stated);
    printIpv4(line, quote, stated);
    line.end = end;
    line.payloadAt = payloadAt;
    line.payloadEnd = payloadEnd;
    line.subject = subject;
  }
}

function describe(line: Line, at: number, type: number): string {
  const code = line.u8(at + 1);
  const rest = at + REST;
  switch (type) {
    case IcmpType.ECHO_REQUEST:
    case IcmpType.ECHO_REPLY: {
      const kind = type === IcmpType.ECHO_REQUEST ? "request" : "reply";
      return `echo ${kind}, id ${line.u16(rest)}, seq ${
        line.u16(at + SECOND_HALF)
      }`;
    }
    case IcmpType.UNREACHABLE:
      return describeUnreachable(line, at, code);
    case IcmpType.REDIRECT: {
      const [name, kind] = REDIRECTS[code] ?? [`redirect-#${code}`, ""];
      return `${name} ${quotedHost(line, at)} to ${kind}${line.ipv4(rest)}`;
    }
    case IcmpType.ROUTER_ADVERTISEMENT:
      return describeAdvertisement(line, at);
    case IcmpType.TIME_EXCEEDED:
      return code === 0
        ? "time exceeded in-transit"
        : code === 1
        ? "ip reassembly time exceeded"
        : `time exceeded-#${code}`;
    case IcmpType.PARAMETER_PROBLEM:
      return code === 0
        ? `parameter problem - octet ${line.u8(rest)}`
        : `parameter problem - code ${code}`;
    case ADDRESS_MASK_REPLY:
      return `address mask is ${hex(line.u32(at + QUOTE), 8)}`;
    case IcmpType.TIMESTAMP:
      return `time stamp query id ${line.u16(rest)} seq ${
        line.u16(at + SECOND_HALF)
      }`;
    case IcmpType.TIMESTAMP_REPLY: {
      const [origin, received, sent] = [8, 12, 16].map((offset) =>
        formatMilliseconds(line.u32(at + offset))
      );
      return `time stamp reply id ${line.u16(rest)} seq ${
        line.u16(at + SECOND_HALF)
      }: org ${origin}, recv ${received}, xmit ${sent}`;
    }
    default:
      return OTHER_TYPES.get(type) ?? `type-#${type}`;
  }
}

/** Where the quoted packet was going. */
function quotedHost(line: Line, at: number): string {
  return line.ipv4(at + QUOTE + IP_DESTINATION);
}

function describeUnreachable(line: Line, at: number, code: number): string {
  const quote = at + QUOTE;
  switch (code) {
    case UNREACHABLE_PROTOCOL:
      return `${quotedHost(line, at)} protocol ${
        line.u8(quote + IP_PROTOCOL)
      } unreachable`;
    case UNREACHABLE_PORT:
      return describePort(line, at);
    case FRAGMENTATION_NEEDED: {
      const mtu = line.u16(at + SECOND_HALF);
      const more = mtu === 0 ? "" : ` (mtu ${mtu})`;
      return `${quotedHost(line, at)} unreachable - need to frag${more}`;
    }
    default: {
      const [before, after] = UNREACHABLE.get(code) ??
        ["", ` unreachable - #${code}`];
      return `${before}${quotedHost(line, at)}${after}`;
    }
  }
}

function describePort(line: Line, at: number): string {
  const quote = at + QUOTE;
  const headerLength = (line.u8(quote) & 15) * 4;
  const port = line.u16(quote + headerLength + 2);
  const protocol = line.u8(quote + IP_PROTOCOL);
  const host = quotedHost(line, at);
  const { names } = line.style;
  switch (protocol) {
    case IpProtocol.TCP:
      return `${host} tcp port ${
        names?.port?.(port, "tcp") ?? port
      } unreachable`;
    case IpProtocol.UDP:
      return `${host} udp port ${
        names?.port?.(port, "udp") ?? port
      } unreachable`;
    default:
      return `${host} protocol ${protocol} port ${port} unreachable`;
  }
}

/** Router advertisements (RFC 1256). */
function describeAdvertisement(line: Line, at: number): string {
  const count = line.u8(at + REST);
  const size = line.u8(at + REST + 1);
  let text = `router advertisement lifetime ${
    formatLifetime(line.u16(at + SECOND_HALF))
  } ${count}:`;
  if (size !== 2) return `${text} [size ${size}]`;
  for (let i = 0; i < count; i++) {
    const router = at + QUOTE + 8 * i;
    text += ` {${line.ipv4(router)} ${line.u32(router + 4)}}`;
  }
  return text;
}

function formatLifetime(seconds: number): string {
  const second = String(seconds % 60).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return String(seconds);
  if (minutes < 60) return `${minutes}:${second}`;
  const minute = String(minutes % 60).padStart(2, "0");
  return `${Math.floor(minutes / 60)}:${minute}:${second}`;
}

/** Milliseconds since midnight as a time of day. */
function formatMilliseconds(time: number): string {
  const pad = (value: number, digits: number): string =>
    String(Math.floor(value)).padStart(digits, "0");
  return `${pad(time / 3_600_000, 2)}:${pad(time / 60_000 % 60, 2)}:${
    pad(time / 1_000 % 60, 2)
  }.${pad(time % 1_000, 3)}`;
}
