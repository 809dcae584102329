/**
 * Verification of the checksums in a decoded packet.
 *
 * Reference: RFC 1071; RFC 791 (IPv4 header), RFC 9293 section 3.1 (TCP),
 * RFC 768 (UDP), RFC 3828 section 3.1 (UDP-Lite), RFC 792 (ICMP), RFC 4443 section 2.3 (ICMPv6), RFC 8200
 * section 8.1 (pseudo header of IPv6).
 *
 * @module
 */

import { internetChecksum, sumPseudoHeader } from "../bytes/checksum.ts";
import { IPV4_ADDRESS_LENGTH, IPV6_ADDRESS_LENGTH } from "./address.ts";
import { IpProtocol } from "./ip_protocol.ts";
import { Ipv4OptionType } from "./net/ipv4_options.ts";
import type { DecodedPacket, Ipv4Layer, Ipv6Layer, Layer } from "./layer.ts";

const IPV4_SOURCE_OFFSET = 12;
const IPV6_SOURCE_OFFSET = 8;
const SOURCE_ROUTES: readonly number[] = [
  Ipv4OptionType.LOOSE_SOURCE_ROUTE,
  Ipv4OptionType.STRICT_SOURCE_ROUTE,
];

/** What a checksum says. */
export type ChecksumState =
  | "correct"
  /**
   * Does not fit the data. Usual for packets that this machine sent, because
   * the network card fills the checksum in after they were captured.
   */
  | "incorrect"
  /** The sender computed none (UDP over IPv4). */
  | "absent"
  /**
   * The layer has no checksum, or the data that it covers are not all there:
   * cut, fragmented, or on a source route.
   */
  | "unknown";

/**
 * Verifies the checksum of a layer.
 *
 * @param packet A decoded packet.
 * @param layer One of its `layers`.
 * @returns See {@linkcode ChecksumState}.
 */
export function verifyChecksum(
  packet: DecodedPacket,
  layer: Layer,
): ChecksumState {
  const { data } = packet;
  const { offset, headerLength } = layer;
  if (layer.kind === "ipv4") {
    const end = offset + headerLength;
    if (end > data.length) return "unknown";
    return internetChecksum(data, offset, end) === 0 ? "correct" : "incorrect";
  }
  if (
    layer.kind !== "tcp" && layer.kind !== "udp" &&
    layer.kind !== "udplite" && layer.kind !== "icmp" &&
    layer.kind !== "icmpv6"
  ) return "unknown";
  const ip = packet.layers[packet.layers.indexOf(layer) - 1];
  if (ip === undefined || (ip.kind !== "ipv4" && ip.kind !== "ipv6")) {
    return "unknown";
  }
  const length = headerLength + layer.payloadLength;
  if (isPartial(ip)) return "unknown";
  const covered = layer.kind === "udplite" && layer.coverage !== 0
    ? layer.coverage
    : length;
  if (covered > length) return "incorrect";
  if (offset + covered > data.length) return "unknown";
  if (layer.kind === "udplite" && layer.checksum === 0) return "incorrect";
  if (layer.kind === "udp" && layer.checksum === 0) {
    return ip.kind === "ipv4" ? "absent" : "incorrect";
  }
  const initial = layer.kind === "icmp" ? 0 : pseudoHeader(data, ip, length);
  return internetChecksum(data, offset, offset + covered, initial) === 0
    ? "correct"
    : "incorrect";
}

function isPartial(ip: Ipv4Layer | Ipv6Layer): boolean {
  if (ip.moreFragments || ip.fragmentOffset !== 0) return true;
  // On the way, the header does not name the final destination.
  return ip.kind === "ipv4"
    ? ip.options.some(({ type }) => SOURCE_ROUTES.includes(type))
    : ip.extensions.some(({ protocol }) => protocol === IpProtocol.ROUTING);
}

function pseudoHeader(
  data: Uint8Array,
  ip: Ipv4Layer | Ipv6Layer,
  length: number,
): number {
  const [at, size] = ip.kind === "ipv4"
    ? [ip.offset + IPV4_SOURCE_OFFSET, IPV4_ADDRESS_LENGTH]
    : [ip.offset + IPV6_SOURCE_OFFSET, IPV6_ADDRESS_LENGTH];
  return sumPseudoHeader(
    data.subarray(at, at + size),
    data.subarray(at + size, at + 2 * size),
    ip.protocol,
    length,
  );
}
