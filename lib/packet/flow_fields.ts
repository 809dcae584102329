/**
 * The few fields of a packet that say which connection it belongs to, read
 * without making a single object: this runs for each captured packet.
 *
 * Sources: RFC 791, RFC 8200 section 4, RFC 9293, RFC 768, RFC 3828, IEEE
 * 802.1Q.
 *
 * @module
 */

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const ETHERTYPE_VLAN = 0x8100;
const ETHERTYPE_QINQ = 0x88a8;

/** IP protocol number of TCP. */
export const PROTOCOL_TCP = 6;
/** IP protocol number of UDP. */
export const PROTOCOL_UDP = 17;
/** IP protocol number of UDP-Lite, whose ports are where those of UDP are. */
export const PROTOCOL_UDP_LITE = 136;

/** TCP flag bits of {@linkcode FlowFields.tcpFlags}. */
export const TcpFlag = { FIN: 1, SYN: 2, RST: 4, ACK: 16 } as const;

/** How a packet takes part in fragmentation. */
export const Fragment = {
  /** Not fragmented. */
  NONE: 0,
  /** The first fragment: it has the ports. */
  FIRST: 1,
  /** A later one. */
  LATER: 2,
} as const;

/** Words 0 to 2 of a v4-mapped address, read as little-endian integers. */
const MAPPED_WORD_2 = 0xffff_0000 | 0;

const PROTOCOL_ICMP = 1;
const PROTOCOL_ICMPV6 = 58;
/** Bytes of an ICMP error before the packet that it quotes. */
const ICMP_ERROR_LENGTH = 8;
/** Unreachable, quench, redirect, time exceeded, parameter problem. */
const ICMP_ERRORS: ReadonlySet<number> = new Set([3, 4, 5, 11, 12]);
/** Unreachable, too big, time exceeded, parameter problem. */
const ICMPV6_ERRORS: ReadonlySet<number> = new Set([1, 2, 3, 4]);

/** IPv6 extension headers that may stand before TCP or UDP. */
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION_OPTIONS = 60;
const MOBILITY = 135;
const HIP = 139;
const SHIM6 = 140;

/**
 * Fields of one packet, overwritten by each {@linkcode FlowFields.parse}.
 * Addresses are four words each, loaded little-endian from 16 bytes in network
 * order; IPv4 is v4-mapped.
 */
export class FlowFields {
  /** 4 or 6. */
  version = 0;
  protocol = 0;
  sourcePort = 0;
  destinationPort = 0;
  readonly source: Int32Array = new Int32Array(4);
  readonly destination: Int32Array = new Int32Array(4);
  /** TCP flags, 0 for other protocols. */
  tcpFlags = 0;
  /** Where the transport header begins. */
  transportAt = 0;
  /** A {@linkcode Fragment}. */
  fragment = 0;
  /** Identification of the fragmented packet. */
  fragmentId = 0;
  #quoting = false;

  /**
   * Reads a packet.
   *
   * @param at where the network header begins
   * @param end where the captured bytes end
   * @returns whether it is of a protocol with ports (TCP, UDP, UDP-Lite) with
   *   all the fields in the capture
   */
  parse(
    bytes: Uint8Array,
    at: number,
    end: number,
    etherType: number,
  ): boolean {
    while (etherType === ETHERTYPE_VLAN || etherType === ETHERTYPE_QINQ) {
      // 0 tag control information, 2 EtherType of what follows
      if (at + 4 > end) return false;
      etherType = bytes[at + 2]! << 8 | bytes[at + 3]!;
      at += 4;
    }
    this.fragment = Fragment.NONE;
    this.tcpFlags = 0;
    if (etherType === ETHERTYPE_IPV4) return this.#parseIpv4(bytes, at, end);
    if (etherType === ETHERTYPE_IPV6) return this.#parseIpv6(bytes, at, end);
    return false;
  }

  /**
   * Reads the packet that an ICMP or ICMPv6 error quotes (RFC 792, RFC 4443):
   * the addresses and ports are those of the quoted packet.
   *
   * @returns whether it is such an error and quotes a packet with ports
   */
  parseQuoted(
    bytes: Uint8Array,
    at: number,
    end: number,
    etherType: number,
  ): boolean {
    let inner: number;
    if (etherType === ETHERTYPE_IPV4) {
      if (at + 20 > end || bytes[at + 9] !== PROTOCOL_ICMP) return false;
      inner = at + (bytes[at]! & 15) * 4;
      if (inner >= end || !ICMP_ERRORS.has(bytes[inner]!)) return false;
    } else {
      // Errors with extension headers of their own are rare enough.
      if (at + 48 > end || bytes[at + 6] !== PROTOCOL_ICMPV6) return false;
      inner = at + 40;
      if (!ICMPV6_ERRORS.has(bytes[inner]!)) return false;
    }
    this.#quoting = true;
    const found = this.parse(bytes, inner + ICMP_ERROR_LENGTH, end, etherType);
    this.#quoting = false;
    return found;
  }

  #parseIpv4(bytes: Uint8Array, at: number, end: number): boolean {
    if (at + 20 > end || bytes[at]! >> 4 !== 4) return false;
    this.version = 4;
    this.protocol = bytes[at + 9]!;
    const { source, destination } = this;
    source[0] =
      source[1] =
      destination[0] =
      destination[1] =
        0;
    source[2] = destination[2] = MAPPED_WORD_2;
    source[3] = word(bytes, at + 12);
    destination[3] = word(bytes, at + 16);
    const fragmentation = bytes[at + 6]! << 8 | bytes[at + 7]!;
    if ((fragmentation & 0x3fff) !== 0) {
      this.fragmentId = bytes[at + 4]! << 8 | bytes[at + 5]!;
      if ((fragmentation & 0x1fff) !== 0) {
        return this.#later() && hasPorts(this.protocol);
      }
      this.fragment = Fragment.FIRST;
    }
    const headerLength = (bytes[at]! & 15) * 4;
    if (headerLength < 20) return false;
    return this.#parsePorts(bytes, at + headerLength, end);
  }

  #parseIpv6(bytes: Uint8Array, at: number, end: number): boolean {
    if (at + 40 > end || bytes[at]! >> 4 !== 6) return false;
    this.version = 6;
    for (let i = 0; i < 4; i++) {
      this.source[i] = word(bytes, at + 8 + 4 * i);
      this.destination[i] = word(bytes, at + 24 + 4 * i);
    }
    let next = bytes[at + 6]!;
    at += 40;
    for (;;) {
      if (hasPorts(next)) {
        this.protocol = next;
        return this.#parsePorts(bytes, at, end);
      }
      if (at + 8 > end) return false;
      switch (next) {
        case HOP_BY_HOP:
        case ROUTING:
        case DESTINATION_OPTIONS:
        case MOBILITY:
        case HIP:
        case SHIM6:
          next = bytes[at]!;
          at += 8 + bytes[at + 1]! * 8;
          break;
        case AUTHENTICATION:
          next = bytes[at]!;
          at += 8 + bytes[at + 1]! * 4;
          break;
        case FRAGMENT: {
          // 0 next header, 2 offset << 3 | M, 4 identification
          const offset = (bytes[at + 2]! << 8 | bytes[at + 3]!) >> 3;
          next = bytes[at]!;
          const more = (bytes[at + 3]! & 1) !== 0;
          this.fragmentId = word(bytes, at + 4);
          if (offset !== 0) {
            this.protocol = next;
            return this.#later();
          }
          if (more) this.fragment = Fragment.FIRST;
          at += 8;
          break;
        }
        default:
          return false;
      }
    }
  }

  #later(): boolean {
    this.fragment = Fragment.LATER;
    this.sourcePort = 0;
    this.destinationPort = 0;
    return true;
  }

  #parsePorts(bytes: Uint8Array, at: number, end: number): boolean {
    if (this.protocol === PROTOCOL_TCP) {
      // Errors quote as little as 8 bytes of the transport header.
      if (at + (this.#quoting ? 8 : 14) > end) return false;
      if (!this.#quoting) this.tcpFlags = bytes[at + 13]!;
    } else if (!hasPorts(this.protocol) || at + 4 > end) {
      return false;
    }
    this.sourcePort = bytes[at]! << 8 | bytes[at + 1]!;
    this.destinationPort = bytes[at + 2]! << 8 | bytes[at + 3]!;
    this.transportAt = at;
    return true;
  }
}

/** Whether packets of an IP protocol begin with two ports. */
export function hasPorts(protocol: number): boolean {
  return protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP ||
    protocol === PROTOCOL_UDP_LITE;
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 |
    bytes[at + 3]! << 24;
}

/** The 16 bytes of an address given as four words. */
export function addressBytes(words: ArrayLike<number>, at = 0): Uint8Array {
  const bytes = new Uint8Array(16);
  for (let i = 0; i < 16; i++) {
    bytes[i] = words[at + (i >> 2)]! >>> 8 * (i & 3);
  }
  return bytes;
}
