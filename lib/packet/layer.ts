/**
 * The shapes of a decoded packet, all in one place.
 *
 * A layer is plain data with a `kind`. To add a protocol: write a decoder file
 * beside its like, add its layer to {@linkcode Layer} and its decoder to the
 * tables in `dispatch.ts`.
 *
 * @module
 */

import type { DhcpLayer } from "./app/dhcp.ts";
import type { DnsLayer } from "./app/dns.ts";
import type { HttpLayer } from "./app/http.ts";
import type { NtpLayer } from "./app/ntp.ts";
import type { QuicLayer } from "./app/quic.ts";
import type { TlsLayer } from "./app/tls.ts";
import type { Fault } from "./cursor.ts";
import type { EthernetLayer } from "./link/ethernet.ts";
import type { LlcLayer } from "./link/llc.ts";
import type { NullLayer } from "./link/null.ts";
import type { SllLayer } from "./link/sll.ts";
import type { Sll2Layer } from "./link/sll2.ts";
import type { VlanLayer } from "./link/vlan.ts";
import type { ArpLayer } from "./net/arp.ts";
import type { IcmpLayer } from "./net/icmp.ts";
import type { Icmpv6Layer } from "./net/icmpv6.ts";
import type { Ipv4Layer } from "./net/ipv4.ts";
import type { Ipv6Layer } from "./net/ipv6.ts";
import type { PortsLayer } from "./transport/ports.ts";
import type { TcpLayer } from "./transport/tcp.ts";
import type { UdpLayer } from "./transport/udp.ts";
import type { UdpLiteLayer } from "./transport/udplite.ts";

export type { Fault, LayerBase } from "./cursor.ts";
export type {
  ArpLayer,
  DhcpLayer,
  DnsLayer,
  EthernetLayer,
  HttpLayer,
  IcmpLayer,
  Icmpv6Layer,
  Ipv4Layer,
  Ipv6Layer,
  LlcLayer,
  NtpLayer,
  NullLayer,
  PortsLayer,
  QuicLayer,
  Sll2Layer,
  SllLayer,
  TcpLayer,
  TlsLayer,
  UdpLayer,
  UdpLiteLayer,
  VlanLayer,
};

/** A decoded protocol header. See {@linkcode decodePacket}. */
export type Layer =
  | ArpLayer
  | DhcpLayer
  | DnsLayer
  | EthernetLayer
  | HttpLayer
  | IcmpLayer
  | Icmpv6Layer
  | Ipv4Layer
  | Ipv6Layer
  | LlcLayer
  | NtpLayer
  | NullLayer
  | PortsLayer
  | QuicLayer
  | Sll2Layer
  | SllLayer
  | TcpLayer
  | TlsLayer
  | UdpLayer
  | UdpLiteLayer
  | VlanLayer;

/** Discriminates {@linkcode Layer}. See {@linkcode decodePacket}. */
export type LayerKind = Layer["kind"];

/** The layer of a kind. See {@linkcode decodePacket}. */
export type LayerOf<K extends LayerKind> = Extract<Layer, { kind: K }>;

/** How far to decode. See {@linkcode decodePacket}. */
export type Depth = "link" | "network" | "transport" | "application";

/** A packet, decoded as far as possible. See {@linkcode decodePacket}. */
export interface DecodedPacket {
  /** The captured bytes. */
  readonly data: Uint8Array;
  /** What they begin with, see {@linkcode LinkType}. */
  readonly linkType: number;
  /** From the outside to the inside. */
  readonly layers: readonly Layer[];
  /**
   * What could be decoded of the IP packet that the ICMP error in `layers` is
   * about; otherwise empty.
   */
  readonly quoted: readonly Layer[];
  /** Offset of the first byte after the last layer. */
  readonly payloadOffset: number;
  /** Offset after the last captured byte that is not padding. */
  readonly payloadEnd: number;
  /**
   * A header is not wholly captured. (When only payload is missing this is
   * unset, and the last layer's `payloadLength` exceeds what was captured.)
   */
  readonly truncated: Fault | undefined;
  /**
   * The packet contradicts its format. Decoding ended there, unless a length
   * field was just too large.
   */
  readonly malformed: Fault | undefined;
}

/** The two ends of a packet. See {@linkcode flowOf}. */
export interface Flow {
  /** `tcp`, `udp`, `udplite`, `icmp`, `icmpv6`, another name, or a number. */
  readonly protocol: string;
  /** IP address as text. */
  readonly source: string;
  /** `undefined` when the protocol has none or the packet is a fragment. */
  readonly sourcePort: number | undefined;
  /** IP address as text. */
  readonly destination: string;
  /** `undefined` when the protocol has none or the packet is a fragment. */
  readonly destinationPort: number | undefined;
}
