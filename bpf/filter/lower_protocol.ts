/**
 * Conditions on protocols: `tcp`, `ip proto 17`, `isis`.
 *
 * @module
 */
import { BPF_JSET } from "../classic/opcodes.ts";
import { all, any, compare, type Condition, equals } from "./condition.ts";
import { not } from "./condition.ts";
import type { Context } from "./context.ts";
import type { Protocol } from "./keywords.ts";
import { ahead, networkPlace } from "./link.ts";
import { carries, Ethertype, Sap } from "./lower_link.ts";
import { ETHER_PROTOCOLS, IP_PROTOCOLS } from "./names.ts";
import type { Place, Value } from "./value.ts";

/** Offsets in the IPv4 header (RFC 791, section 3.1). */
const IPV4_FRAGMENT_OFFSET = 6;
const IPV4_PROTOCOL_OFFSET = 9;
/** Bits of the IPv4 fragment word that hold the fragment's place. */
const IPV4_FRAGMENT_MASK = 0x1fff;
/** Offset in the IPv6 header (RFC 8200, section 3). */
const IPV6_NEXT_HEADER_OFFSET = 6;
/** Bytes of the IPv6 header. */
export const IPV6_HEADER_LENGTH = 40;
/** Next header number of a fragment header. */
const IPV6_FRAGMENT = 44;

/** IP protocol numbers (IANA). */
export const IpProtocol = {
  ICMP: 1,
  IGMP: 2,
  TCP: 6,
  IGRP: 9,
  UDP: 17,
  ESP: 50,
  AH: 51,
  ICMPV6: 58,
  PIM: 103,
  VRRP: 112,
  SCTP: 132,
} as const;

/** Protocols that the link layer carries. */
const LINK_PROTOCOLS: Readonly<Partial<Record<Protocol, number>>> = {
  ip: Ethertype.IPV4,
  ip6: Ethertype.IPV6,
  arp: Ethertype.ARP,
  rarp: Ethertype.RARP,
  atalk: Ethertype.ATALK,
  aarp: Ethertype.AARP,
  decnet: Ethertype.DECNET,
  lat: Ethertype.LAT,
  sca: Ethertype.SCA,
  moprc: Ethertype.MOPRC,
  mopdl: Ethertype.MOPDL,
  iso: Sap.ISO,
  stp: Sap.STP,
  ipx: Sap.IPX,
  netbeui: Sap.NETBEUI,
};

/** Protocols over IPv4 alone. */
const IPV4_PROTOCOLS: Readonly<Partial<Record<Protocol, number>>> = {
  icmp: IpProtocol.ICMP,
  igmp: IpProtocol.IGMP,
  igrp: IpProtocol.IGRP,
  vrrp: IpProtocol.VRRP,
  carp: IpProtocol.VRRP,
};

/** Protocols over IPv4 and IPv6. */
const IP_BOTH_PROTOCOLS: Readonly<Partial<Record<Protocol, number>>> = {
  tcp: IpProtocol.TCP,
  udp: IpProtocol.UDP,
  sctp: IpProtocol.SCTP,
  pim: IpProtocol.PIM,
  ah: IpProtocol.AH,
  esp: IpProtocol.ESP,
};

/** First byte of an ISO network protocol (ISO/IEC TR 9577). */
const ISO_PROTOCOLS: Readonly<Partial<Record<Protocol, number>>> = {
  clnp: 0x81,
  esis: 0x82,
  isis: 0x83,
};

/** PDU types of IS-IS (ISO/IEC 10589, section 9). */
const ISIS_TYPES: Readonly<Partial<Record<Protocol, readonly number[]>>> = {
  l1: [26, 24, 18, 15, 17],
  l2: [27, 25, 20, 16, 17],
  iih: [17, 15, 16],
  lsp: [18, 20],
  snp: [26, 27, 24, 25],
  csnp: [24, 25],
  psnp: [26, 27],
};
/** Offset of the PDU type from the protocol's first byte. */
const ISIS_TYPE_OFFSET = 4;
/** Bytes of an LLC header before an ISO network protocol. */
const LLC_LENGTH = 3;

/** Words after `proto` that libpcap takes for these protocols. */
const ISO_NAMES: ReadonlyMap<string, Protocol> = new Map([
  ["clnp", "clnp"],
  ["esis", "esis"],
  ["isis", "isis"],
]);

/** The ethertype that a protocol word stands for, if it has one. */
export function linkProtocolOf(protocol: Protocol): number | undefined {
  return LINK_PROTOCOLS[protocol];
}

/** The number of a transport protocol that can be indexed over IPv4. */
export function ipv4ProtocolOf(protocol: Protocol): number | undefined {
  if (protocol === "ah" || protocol === "esp") return undefined;
  return IPV4_PROTOCOLS[protocol] ?? IP_BOTH_PROTOCOLS[protocol];
}

/** The packet is of the protocol that a word names. */
export function isProtocol(
  context: Context,
  protocol: Protocol,
  at: number,
): Condition {
  const link = LINK_PROTOCOLS[protocol];
  if (link !== undefined) return carries(context, link, at);
  const v4 = IPV4_PROTOCOLS[protocol];
  if (v4 !== undefined) return isIpv4Protocol(context, v4, at);
  const both = IP_BOTH_PROTOCOLS[protocol];
  if (both !== undefined) return isIpProtocol(context, both, at);
  if (protocol === "icmp6") {
    return isIpv6Protocol(context, IpProtocol.ICMPV6, at);
  }
  const iso = ISO_PROTOCOLS[protocol];
  if (iso !== undefined) return isIsoProtocol(context, iso, at);
  const types = ISIS_TYPES[protocol];
  if (types !== undefined) {
    return all(
      isIsoProtocol(context, ISO_PROTOCOLS.isis!, at),
      any(...types.map((type) => isIsisType(context, type))),
    );
  }
  return context.fail(
    at,
    `"${protocol}" alone is no condition`,
    '"host", "src", "dst", "proto", "broadcast" or "[" after it',
  );
}

/** The protocol that a number or name after `proto` stands for. */
export function matchesProto(
  context: Context,
  qualifier: Protocol | undefined,
  identifier: number | string,
  at: number,
): Condition {
  switch (qualifier) {
    case undefined:
      return isIpProtocol(context, ipNumber(context, identifier, at), at);
    case "ip":
      return isIpv4Protocol(context, ipNumber(context, identifier, at), at);
    case "ip6":
      return isIpv6Protocol(context, ipNumber(context, identifier, at), at);
    case "ether":
      return carries(context, etherNumber(context, identifier, at), at);
    case "iso":
      return isIsoProtocol(context, isoNumber(context, identifier, at), at);
    case "isis":
      if (typeof identifier === "number") {
        return all(
          isIsoProtocol(context, ISO_PROTOCOLS.isis!, at),
          isIsisType(context, identifier),
        );
      }
      return context.fail(at, `IS-IS type "${identifier}" is not known`);
    default:
      return context.fail(
        at,
        `"${qualifier}" does not carry another protocol by number`,
        '"ip proto", "ip6 proto", "ether proto" or "proto"',
      );
  }
}

/** The number of an IP protocol, given by number or name. */
export function ipNumber(
  context: Context,
  identifier: number | string,
  at: number,
): number {
  if (typeof identifier === "number") return identifier;
  return context.names.protocol?.(identifier) ??
    IP_PROTOCOLS.get(identifier) ??
    context.fail(at, `IP protocol "${identifier}" is not known`);
}

function etherNumber(
  context: Context,
  identifier: number | string,
  at: number,
): number {
  if (typeof identifier === "number") return identifier;
  return ETHER_PROTOCOLS.get(identifier) ??
    context.fail(at, `Ethernet protocol "${identifier}" is not known`);
}

function isoNumber(
  context: Context,
  identifier: number | string,
  at: number,
): number {
  if (typeof identifier === "number") return identifier;
  const protocol = ISO_NAMES.get(identifier);
  return protocol === undefined
    ? context.fail(at, `ISO protocol "${identifier}" is not known`)
    : ISO_PROTOCOLS[protocol]!;
}

/** IPv4 or IPv6 with a protocol number. */
export function isIpProtocol(
  context: Context,
  number: number,
  at: number,
): Condition {
  return any(
    isIpv4Protocol(context, number, at),
    isIpv6Protocol(context, number, at),
  );
}

/** IPv4 with a protocol number. */
export function isIpv4Protocol(
  context: Context,
  number: number,
  at: number,
): Condition {
  return all(
    carries(context, Ethertype.IPV4, at),
    equals(context.values, ipv4Protocol(context), number),
  );
}

/** IPv6 with a protocol number, perhaps after a fragment header. */
function isIpv6Protocol(
  context: Context,
  number: number,
  at: number,
): Condition {
  const { values, layout } = context;
  const next = ipv6NextHeader(context);
  const place = ahead(networkPlace(layout), IPV6_HEADER_LENGTH);
  return all(
    carries(context, Ethertype.IPV6, at),
    any(
      equals(values, next, number),
      all(
        equals(values, next, IPV6_FRAGMENT),
        equals(values, values.load(1, place), number),
      ),
    ),
  );
}

function isIsoProtocol(
  context: Context,
  number: number,
  at: number,
): Condition {
  const { values } = context;
  const first = values.load(1, isoPlace(context));
  return all(carries(context, Sap.ISO, at), equals(values, first, number));
}

function isIsisType(context: Context, type: number): Condition {
  const { values } = context;
  const place = ahead(isoPlace(context), ISIS_TYPE_OFFSET);
  return equals(values, values.load(1, place), type);
}

/** libpcap counts an LLC header on Ethernet only, and so do we. */
function isoPlace({ layout }: Context): Place {
  const place = networkPlace(layout);
  return layout.kind === "ethernet" ? ahead(place, LLC_LENGTH) : place;
}

/** The protocol number in an IPv4 header. */
export function ipv4Protocol({ values, layout }: Context): Value {
  return values.load(1, ahead(networkPlace(layout), IPV4_PROTOCOL_OFFSET));
}

/** The next header number in an IPv6 header. */
export function ipv6NextHeader({ values, layout }: Context): Value {
  return values.load(1, ahead(networkPlace(layout), IPV6_NEXT_HEADER_OFFSET));
}

/** An IPv4 packet that starts with its transport header. */
export function isFirstFragment({ values, layout }: Context): Condition {
  const place = ahead(networkPlace(layout), IPV4_FRAGMENT_OFFSET);
  const mask = values.constant(IPV4_FRAGMENT_MASK);
  return not(compare(values, BPF_JSET, values.load(2, place), mask));
}

/** Start of the transport header after an IPv4 header. */
export function ipv4Transport({ values, layout }: Context): Place {
  const place = networkPlace(layout);
  return values.move(place, values.headerLength(place));
}
