/**
 * A packet as traces give it: what was captured, when, where and whose, with
 * headers that are decoded when they are asked for.
 *
 * @module
 */
import { LinkType } from "../../bytes/link_type.ts";
import type {
  ArpLayer,
  DecodedPacket,
  DnsLayer,
  EthernetLayer,
  Fault,
  Flow,
  IcmpLayer,
  Icmpv6Layer,
  Ipv4Layer,
  Ipv6Layer,
  Layer,
  LayerKind,
  LayerOf,
  TcpLayer,
  UdpLayer,
  VlanLayer,
} from "../../packet/layer.ts";
import {
  decodePacket,
  findLayer,
  flowOf,
  payloadOf,
} from "../../packet/packet.ts";
import type { PacketOwner } from "../../pcap/capture_record.ts";

export type { PacketOwner };

/**
 * Which way a packet went, as seen from the machine that captured it.
 * See {@linkcode Packet}.
 */
export type PacketDirection =
  | "in" // to this machine, also by broadcast and multicast
  | "out" // sent by this machine
  | "other"; // for somebody else, seen in promiscuous mode

/**
 * What is known about a packet besides its bytes, read when asked for.
 * See {@linkcode Packet}.
 */
export interface PacketOrigin {
  /** Which way it went; default what a cooked link header tells. */
  readonly direction?: PacketDirection | undefined;
  /** Whose packet it is. */
  readonly process?: PacketOwner | undefined;
  /** Remarks of a pcapng file. */
  readonly comments?: readonly string[] | undefined;
}

/** What a {@linkcode Packet} is made of. */
export interface PacketInit extends PacketOrigin {
  /** Nanoseconds since 1970. */
  readonly timestamp: bigint;
  /** What `data` begins with, a LINKTYPE_ number, see {@linkcode LinkType}. */
  readonly linkType: number;
  /** Captured bytes. They are not copied, and must not change. */
  readonly data: Uint8Array;
  /** Bytes that the packet had; as many as there are if left out. */
  readonly wireLength?: number | undefined;
  /** Name of the network interface. */
  readonly interface?: string | undefined;
}

const SLL_PACKET_TYPE_OFFSET = 1;
const SLL2_PACKET_TYPE_OFFSET = 10;
/** By sll_pkttype, packet(7): host, broadcast, multicast, other host, outgoing. */
const DIRECTIONS: readonly PacketDirection[] = [
  "in",
  "in",
  "in",
  "other",
  "out",
];

const NO_COMMENTS: readonly string[] = [];
const NANOSECONDS_PER_MILLISECOND = 1_000_000n;

/**
 * A captured packet. It does not change, and is not used again for another
 * packet.
 *
 * Headers are decoded at the first look at one of them. A header that is not
 * there, or that cannot be decoded, is `undefined`; why, is told by
 * {@linkcode Packet.truncated} and {@linkcode Packet.malformed}.
 *
 * @example Look at a packet
 * ```ts
 * import { Packet } from "./packet.ts";
 * import assert from "node:assert/strict";
 *
 * const data = new Uint8Array(32);
 * data.set([0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1]);
 * data.set([127, 0, 0, 1, 0x30, 0x39, 0x03, 0xe7, 0, 12, 0, 0], 16);
 * data.set(new TextEncoder().encode("ping"), 28);
 * const packet = new Packet({ timestamp: 0n, linkType: 101, data });
 *
 * assert.equal(packet.ip?.destination, "127.0.0.1");
 * assert.equal(packet.udp?.destinationPort, 999);
 * assert.equal(packet.tcp, undefined);
 * assert.equal(new TextDecoder().decode(packet.payload), "ping");
 * ```
 */
export class Packet {
  /** When it was captured: nanoseconds since 1970. */
  readonly timestamp: bigint;
  /** What `data` begins with, a LINKTYPE_ number, see {@linkcode LinkType}. */
  readonly linkType: number;
  /**
   * Captured bytes, link header included. A view that must not be written to;
   * it may be part of a larger piece of memory, so `slice()` what is kept for
   * long.
   */
  readonly data: Uint8Array;
  /** Bytes that the packet had, link header included. */
  readonly wireLength: number;
  /** Name of the network interface, where it is known. */
  readonly interface: string | undefined;
  readonly #origin: PacketOrigin;
  #decoded: DecodedPacket | undefined;

  /**
   * Makes a packet; nothing is decoded yet.
   *
   * @param origin Asked for the rest when it is wanted; by default `init`.
   */
  constructor(init: PacketInit, origin: PacketOrigin = init) {
    const { data, linkType } = init;
    this.timestamp = init.timestamp;
    this.linkType = linkType;
    this.data = data;
    this.wireLength = init.wireLength ?? data.length;
    this.interface = init.interface;
    this.#origin = origin;
    Object.freeze(this);
  }

  /** Number of captured bytes, link header included. */
  get captureLength(): number {
    return this.data.length;
  }

  /** When it was captured, to the millisecond. */
  get time(): Date {
    return new Date(Number(this.timestamp / NANOSECONDS_PER_MILLISECOND));
  }

  /** Which way it went, where that is known. */
  get direction(): PacketDirection | undefined {
    return this.#origin.direction ?? cookedDirection(this.data, this.linkType);
  }

  /** Whose packet it is: in traces `pid:` and `cmd:`, and files that say so. */
  get process(): PacketOwner | undefined {
    return this.#origin.process;
  }

  /** Remarks about the packet, of a pcapng file. */
  get comments(): readonly string[] {
    return this.#origin.comments ?? NO_COMMENTS;
  }

  /** All headers that could be decoded, from the outside to the inside. */
  get layers(): readonly Layer[] {
    return this.#decode().layers;
  }

  /**
   * The outermost header of a kind.
   *
   * @typeParam K The kind.
   * @param kind For example `http`.
   */
  layer<K extends LayerKind>(kind: K): LayerOf<K> | undefined {
    return findLayer(this.#decode(), kind);
  }

  /** The Ethernet header. */
  get ethernet(): EthernetLayer | undefined {
    return this.layer("ethernet");
  }

  /** The outermost VLAN tag. */
  get vlan(): VlanLayer | undefined {
    return this.layer("vlan");
  }

  /** The ARP message. */
  get arp(): ArpLayer | undefined {
    return this.layer("arp");
  }

  /** The outermost IPv4 header. */
  get ip(): Ipv4Layer | undefined {
    return this.layer("ipv4");
  }

  /** The outermost IPv6 header. */
  get ip6(): Ipv6Layer | undefined {
    return this.layer("ipv6");
  }

  /** The TCP header. */
  get tcp(): TcpLayer | undefined {
    return this.layer("tcp");
  }

  /** The UDP header. */
  get udp(): UdpLayer | undefined {
    return this.layer("udp");
  }

  /** The ICMP header, of IPv4. */
  get icmp(): IcmpLayer | undefined {
    return this.layer("icmp");
  }

  /** The ICMPv6 header. */
  get icmp6(): Icmpv6Layer | undefined {
    return this.layer("icmpv6");
  }

  /** The DNS message. */
  get dns(): DnsLayer | undefined {
    return this.layer("dns");
  }

  /**
   * Captured bytes that TCP or UDP carry; in other packets those after the
   * last header that could be decoded. Without padding.
   */
  get payload(): Uint8Array {
    const decoded = this.#decode();
    const transport = this.tcp ?? this.udp;
    return transport === undefined
      ? this.data.subarray(decoded.payloadOffset, decoded.payloadEnd)
      : payloadOf(decoded, transport);
  }

  /** The two ends: innermost IP addresses, and ports if there are any. */
  get flow(): Flow | undefined {
    return flowOf(this.#decode());
  }

  /** Headers of the packet that an ICMP error is about; otherwise empty. */
  get quoted(): readonly Layer[] {
    return this.#decode().quoted;
  }

  /** Set when a header was not captured to its end. */
  get truncated(): Fault | undefined {
    return this.#decode().truncated;
  }

  /** Set when the packet contradicts its format. */
  get malformed(): Fault | undefined {
    return this.#decode().malformed;
  }

  /**
   * The same packet with fewer captured bytes.
   *
   * @param snaplen Bytes to keep, link header included; 0 for all.
   */
  cut(snaplen: number): Packet {
    return snaplen === 0 || this.data.length <= snaplen ? this : new Packet(
      { ...this, data: this.data.subarray(0, snaplen) },
      this.#origin,
    );
  }

  #decode(): DecodedPacket {
    return this.#decoded ??= decodePacket(this.data, this.linkType, {
      originalLength: this.wireLength,
    });
  }
}

/**
 * The direction that a packet type tells.
 *
 * @param packetType sll_pkttype, packet(7)
 */
export function directionOf(
  packetType: number | undefined,
): PacketDirection | undefined {
  return packetType === undefined ? undefined : DIRECTIONS[packetType];
}

/** The direction that the header of a cooked capture tells. */
function cookedDirection(
  data: Uint8Array,
  linkType: number,
): PacketDirection | undefined {
  switch (linkType) {
    case LinkType.LINUX_SLL:
      return directionOf(data[SLL_PACKET_TYPE_OFFSET]);
    case LinkType.LINUX_SLL2:
      return directionOf(data[SLL2_PACKET_TYPE_OFFSET]);
    default:
      return undefined;
  }
}
