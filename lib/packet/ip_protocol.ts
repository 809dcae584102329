/**
 * IP protocol numbers.
 *
 * Reference: IANA Assigned Internet Protocol Numbers.
 *
 * @module
 */

/** Protocols that can follow an IP header or an IPv6 extension header. */
export const IpProtocol = {
  /** IPv6 hop-by-hop options. */
  HOP_BY_HOP: 0,
  ICMP: 1,
  IGMP: 2,
  /** IPv4 in IP. */
  IPIP: 4,
  TCP: 6,
  UDP: 17,
  /** IPv6 in IP. */
  IPV6: 41,
  /** IPv6 routing header. */
  ROUTING: 43,
  /** IPv6 fragment header. */
  FRAGMENT: 44,
  GRE: 47,
  /** Encapsulating security payload: everything after it is encrypted. */
  ESP: 50,
  /** Authentication header. */
  AH: 51,
  ICMPV6: 58,
  /** IPv6: nothing follows. */
  NO_NEXT_HEADER: 59,
  /** IPv6 destination options. */
  DESTINATION_OPTIONS: 60,
  SCTP: 132,
  /** IPv6 mobility header (RFC 6275). */
  MOBILITY: 135,
  UDPLITE: 136,
  /** Host identity protocol (RFC 7401). */
  HIP: 139,
  /** Site multihoming by IPv6 intermediation (RFC 5533). */
  SHIM6: 140,
} as const;

/** One of the values of {@linkcode IpProtocol}. */
export type IpProtocol = typeof IpProtocol[keyof typeof IpProtocol];

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(IpProtocol).map(([name, value]) => [
    value,
    name.toLowerCase().replaceAll("_", "-"),
  ]),
);

/**
 * Name of a protocol in lower case, or its number in decimal.
 *
 * @param protocol IP protocol number.
 * @returns For example `tcp`, `icmpv6`, `89`.
 */
export function formatIpProtocol(protocol: number): string {
  return NAMES.get(protocol) ?? String(protocol);
}
