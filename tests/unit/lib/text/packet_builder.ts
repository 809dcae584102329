/**
 * Packets put together layer by layer, with right lengths and checksums.
 *
 * @module
 */

import {
  internetChecksum,
  sumPseudoHeader,
} from "../../../../lib/bytes/checksum.ts";
import { parseAddress } from "../../../../lib/packet/address.ts";

/** Bytes, or numbers and texts that stand for them. */
export type Part = number | string | Uint8Array | readonly Part[];

/** Joins parts: a number is a byte, a text its UTF-8. */
export function bytes(...parts: readonly Part[]): Uint8Array {
  const out: number[] = [];
  const add = (part: Part): void => {
    if (typeof part === "number") out.push(part);
    else if (typeof part === "string") {
      out.push(...new TextEncoder().encode(part));
    } else for (const inner of part) add(inner);
  };
  for (const part of parts) add(part);
  return Uint8Array.from(out);
}

/** A 16-bit number in network order. */
export const be16 = (value: number): number[] => [
  value >>> 8 & 0xff,
  value & 0xff,
];
/** A 32-bit number in network order. */
export const be32 = (value: number): number[] => [
  ...be16(value >>> 16),
  ...be16(value),
];
/** So many zero bytes. */
export const zeros = (count: number): Uint8Array => new Uint8Array(count);

/** An address as bytes. */
export function ip(text: string): Uint8Array {
  return parseAddress(text)!;
}

/** Puts a checksum at an offset. */
function sealed(data: Uint8Array, at: number, initial = 0): Uint8Array {
  const sum = internetChecksum(data, 0, data.length, initial);
  data.set(be16(sum), at);
  return data;
}

/** Ends of a packet and what else its IP header says. */
export interface IpFields {
  readonly from?: string;
  readonly to?: string;
  readonly ttl?: number;
  readonly tos?: number;
  readonly id?: number;
  /** Flags and offset in units of 8 bytes. */
  readonly fragment?: number;
  readonly options?: Part;
  readonly flow?: number;
}

/** An IPv4 packet. */
export function ipv4(
  protocol: number,
  payload: Part,
  {
    from = "192.0.2.1",
    to = "192.0.2.2",
    ttl = 64,
    tos = 0,
    id = 7,
    fragment = 0,
    options = [],
  }: IpFields = {},
): Uint8Array {
  const extra = bytes(options);
  const data = bytes(payload);
  const length = 20 + extra.length;
  const header = bytes(
    [0x40 | length / 4, tos, be16(length + data.length)],
    [be16(id), be16(fragment), ttl, protocol, 0, 0],
    ip(from),
    ip(to),
    extra,
  );
  return bytes(sealed(header, 10), data);
}

/** An IPv6 packet; extension headers are part of the payload. */
export function ipv6(
  nextHeader: number,
  payload: Part,
  { from = "2001:db8::1", to = "2001:db8::2", ttl = 64, tos = 0, flow = 0 }:
    IpFields = {},
): Uint8Array {
  const data = bytes(payload);
  return bytes(
    be32((6 << 28 | tos << 20 | flow) >>> 0),
    [be16(data.length), nextHeader, ttl],
    ip(from),
    ip(to),
    data,
  );
}

/** Adds the checksum over pseudo header and payload, then the IP header. */
function transport(
  protocol: number,
  data: Uint8Array,
  checksumAt: number,
  fields: IpFields,
): Uint8Array {
  const isIpv6 = (fields.from ?? fields.to ?? "").includes(":");
  const from = ip(fields.from ?? (isIpv6 ? "2001:db8::1" : "192.0.2.1"));
  const to = ip(fields.to ?? (isIpv6 ? "2001:db8::2" : "192.0.2.2"));
  const pseudo = sumPseudoHeader(from, to, protocol, data.length);
  sealed(data, checksumAt, pseudo);
  return isIpv6 ? ipv6(protocol, data, fields) : ipv4(protocol, data, fields);
}

/** Fields of a TCP header. */
export interface TcpFields extends IpFields {
  readonly seq?: number;
  readonly ack?: number;
  readonly window?: number;
  readonly urgent?: number;
  readonly tcpOptions?: Part;
}

const FLAG_BITS: Readonly<Record<string, number>> = {
  F: 1,
  S: 2,
  R: 4,
  P: 8,
  ".": 16,
  U: 32,
  E: 64,
  W: 128,
};

/** A TCP segment in an IP packet; flags in tcpdump's letters. */
export function tcp(
  sourcePort: number,
  destinationPort: number,
  flags: string,
  payload: Part = [],
  fields: TcpFields = {},
): Uint8Array {
  const options = bytes(fields.tcpOptions ?? []);
  const bits = [...flags].reduce((sum, flag) => sum | FLAG_BITS[flag]!, 0);
  const header = [
    [be16(sourcePort), be16(destinationPort), be32(fields.seq ?? 1000)],
    [be32(fields.ack ?? 0), (20 + options.length) / 4 << 4, bits],
    [be16(fields.window ?? 502), 0, 0, be16(fields.urgent ?? 0)],
  ];
  return transport(6, bytes(header, options, payload), 16, fields);
}

/** A UDP datagram in an IP packet. */
export function udp(
  sourcePort: number,
  destinationPort: number,
  payload: Part = [],
  fields: IpFields = {},
): Uint8Array {
  const data = bytes(payload);
  const header = [
    [be16(sourcePort), be16(destinationPort), be16(8 + data.length), 0, 0],
  ];
  return transport(17, bytes(header, data), 6, fields);
}

/** A UDP-Lite datagram in an IP packet; the checksum covers all if 0. */
export function udplite(
  sourcePort: number,
  destinationPort: number,
  coverage: number,
  payload: Part = [],
  fields: IpFields = {},
): Uint8Array {
  const data = bytes(payload);
  const header = bytes(
    [be16(sourcePort), be16(destinationPort), be16(coverage), 0, 0],
  );
  const isIpv6 = fields.from?.includes(":") ?? false;
  const from = ip(fields.from ?? "192.0.2.1");
  const to = ip(fields.to ?? "192.0.2.2");
  const length = header.length + data.length;
  const covered = bytes(header, data).subarray(0, coverage || length);
  sealed(covered, 6, sumPseudoHeader(from, to, 136, length));
  const datagram = bytes(covered, bytes(header, data).subarray(covered.length));
  return isIpv6 ? ipv6(136, datagram, fields) : ipv4(136, datagram, fields);
}

/** An ICMP message in an IPv4 packet; `rest` follows the checksum. */
export function icmp(
  type: number,
  code: number,
  rest: Part,
  fields: IpFields = {},
): Uint8Array {
  return ipv4(1, sealed(bytes(type, code, 0, 0, rest), 2), fields);
}

/** An ICMPv6 message in an IPv6 packet; `rest` follows the checksum. */
export function icmpv6(
  type: number,
  code: number,
  rest: Part,
  fields: IpFields = {},
): Uint8Array {
  const message = bytes(type, code, 0, 0, rest);
  return transport(58, message, 2, { from: "2001:db8::1", ...fields });
}

/** An IGMP message in an IPv4 packet. */
export function igmp(message: Part, to: string): Uint8Array {
  return ipv4(2, sealed(bytes(message), 2), { to, ttl: 1 });
}

const MAC_A = [2, 0, 0, 0, 0, 10];
const MAC_B = [2, 0, 0, 0, 0, 11];

/** An Ethernet frame around an IP packet, or of a given type. */
export function ethernet(payload: Uint8Array, type?: number): Uint8Array {
  const found = payload[0]! >>> 4 === 6 ? 0x86dd : 0x0800;
  return bytes(MAC_B, MAC_A, be16(type ?? found), payload);
}

/** A name in DNS form. */
export function dnsName(name: string): Part {
  const labels = name.split(".").filter((label) => label !== "");
  return [labels.map((label) => bytes(bytes(label).length, label)), 0];
}

/** A DNS message. */
export function dns(
  id: number,
  flags: number,
  counts: readonly [number, number, number, number],
  ...sections: readonly Part[]
): Uint8Array {
  return bytes(be16(id), be16(flags), counts.map(be16), sections);
}

/** A DNS question. */
export function question(name: string, type: number, dnsClass = 1): Part {
  return [dnsName(name), be16(type), be16(dnsClass)];
}

/** A DNS record. */
export function record(
  name: Part,
  type: number,
  data: Part,
  dnsClass = 1,
  ttl = 300,
): Part {
  const content = bytes(data);
  return [
    typeof name === "string" ? dnsName(name) : name,
    [be16(type), be16(dnsClass), be32(ttl), be16(content.length)],
    content,
  ];
}
