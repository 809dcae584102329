/**
 * Which decoder comes next: the only tables to change when a decoder is added.
 *
 * @module
 */

import { LinkType } from "../bytes/link_type.ts";
import { decodeDhcp } from "./app/dhcp.ts";
import { decodeDns } from "./app/dns.ts";
import { decodeHttp } from "./app/http.ts";
import { decodeNtp } from "./app/ntp.ts";
import { decodeQuic } from "./app/quic.ts";
import { decodeTls } from "./app/tls.ts";
import { type PacketCursor, Space } from "./cursor.ts";
import { EtherType } from "./ether_type.ts";
import { IpProtocol } from "./ip_protocol.ts";
import type { Layer, TcpLayer, UdpLayer } from "./layer.ts";
import { decodeEthernet } from "./link/ethernet.ts";
import { decodeLlc } from "./link/llc.ts";
import { decodeNull } from "./link/null.ts";
import { decodeRaw } from "./link/raw.ts";
import { decodeSll } from "./link/sll.ts";
import { decodeSll2 } from "./link/sll2.ts";
import { decodeVlan } from "./link/vlan.ts";
import { decodeArp } from "./net/arp.ts";
import { decodeIcmp } from "./net/icmp.ts";
import { decodeIcmpv6 } from "./net/icmpv6.ts";
import { decodeIpv4 } from "./net/ipv4.ts";
import { decodeIpv6 } from "./net/ipv6.ts";
import { decodeTcp } from "./transport/tcp.ts";
import { decodeUdp } from "./transport/udp.ts";
import { decodeUdpLite } from "./transport/udplite.ts";

/**
 * Decodes the layer at the cursor and moves the cursor after its header.
 * Returns `undefined` when there is no layer; then either nothing follows or
 * the cursor has the reason.
 */
export type Decoder = (cursor: PacketCursor) => Layer | undefined;

/** Decodes the payload of TCP or UDP between certain ports. */
export interface ApplicationDecoder {
  /** IP protocol numbers of the transports that carry it. */
  readonly protocols: readonly number[];
  /** Ports at either end that are enough to try. */
  readonly ports: readonly number[];
  /** Decodes the payload. */
  readonly decode: Decoder;
}

/** Decoder of the first layer by link type. */
export const LINK_DECODERS: ReadonlyMap<number, Decoder> = new Map<
  number,
  Decoder
>([
  [LinkType.NULL, decodeNull],
  [LinkType.ETHERNET, decodeEthernet],
  [LinkType.RAW, decodeRaw],
  [LinkType.LOOP, decodeNull],
  [LinkType.LINUX_SLL, decodeSll],
  [LinkType.IPV4, decodeRaw],
  [LinkType.IPV6, decodeRaw],
  [LinkType.LINUX_SLL2, decodeSll2],
]);

/** Decoder of the next layer by EtherType. */
export const ETHER_TYPE_DECODERS: ReadonlyMap<number, Decoder> = new Map<
  number,
  Decoder
>([
  [EtherType.IPV4, decodeIpv4],
  [EtherType.IPV6, decodeIpv6],
  [EtherType.ARP, decodeArp],
  [EtherType.VLAN, decodeVlan],
  [EtherType.QINQ, decodeVlan],
  [EtherType.OLD_QINQ, decodeVlan],
]);

/** Decoder of the next layer by IP protocol number. */
export const IP_PROTOCOL_DECODERS: ReadonlyMap<number, Decoder> = new Map<
  number,
  Decoder
>([
  [IpProtocol.TCP, decodeTcp],
  [IpProtocol.UDP, decodeUdp],
  [IpProtocol.UDPLITE, decodeUdpLite],
  [IpProtocol.ICMP, decodeIcmp],
  [IpProtocol.ICMPV6, decodeIcmpv6],
  [IpProtocol.IPIP, decodeIpv4],
  [IpProtocol.IPV6, decodeIpv6],
]);

/** DNS, multicast DNS, LLMNR. */
const DNS_PORTS: readonly number[] = [53, 5353, 5355];

/** Client and server. */
const DHCP_PORTS: readonly number[] = [67, 68];
const NTP_PORTS: readonly number[] = [123];

/** Decoders of application protocols; the first that fits is taken. */
export const APPLICATION_DECODERS: readonly ApplicationDecoder[] = [
  {
    protocols: [IpProtocol.UDP, IpProtocol.TCP],
    ports: DNS_PORTS,
    decode: decodeDns,
  },
  { protocols: [IpProtocol.UDP], ports: DHCP_PORTS, decode: decodeDhcp },
  { protocols: [IpProtocol.UDP], ports: NTP_PORTS, decode: decodeNtp },
];

/**
 * Decoders of protocols that are recognized by their first bytes, on every
 * port that has no decoder of its own.
 */
export const CONTENT_DECODERS: ReadonlyMap<number, Decoder> = new Map<
  number,
  Decoder
>([
  [IpProtocol.TCP, (cursor) => decodeHttp(cursor) ?? decodeTls(cursor)],
  [IpProtocol.UDP, decodeQuic],
]);

/** Decoders of application protocols by transport and port. */
const DECODERS_BY_PORT: ReadonlyMap<number, Decoder> = new Map(
  APPLICATION_DECODERS.toReversed().flatMap(({ protocols, ports, decode }) =>
    protocols.flatMap((protocol) =>
      ports.map((port): [number, Decoder] => [portKey(protocol, port), decode])
    )
  ),
);

/**
 * The decoder of what begins at the cursor.
 *
 * @param cursor Its `space` and `code` name the layer.
 * @param transport The layer whose payload an application protocol is.
 * @returns `undefined` when the rest is payload.
 */
export function nextDecoder(
  cursor: PacketCursor,
  transport: TcpLayer | UdpLayer | undefined,
): Decoder | undefined {
  switch (cursor.space) {
    case Space.ETHER_TYPE:
      return ETHER_TYPE_DECODERS.get(cursor.code);
    case Space.IP_PROTOCOL:
      return IP_PROTOCOL_DECODERS.get(cursor.code);
    case Space.LLC:
      return decodeLlc;
    case Space.APPLICATION:
      return transport === undefined || cursor.offset >= cursor.wireEnd
        ? undefined
        : DECODERS_BY_PORT.get(
          portKey(cursor.code, transport.destinationPort),
        ) ?? DECODERS_BY_PORT.get(
          portKey(cursor.code, transport.sourcePort),
        ) ?? CONTENT_DECODERS.get(cursor.code);
    default:
      return undefined;
  }
}

function portKey(protocol: number, port: number): number {
  return (protocol << 16) | port;
}
