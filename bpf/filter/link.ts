/**
 * Link types, and where a packet of each has its headers.
 *
 * @module
 */
import { Extension, SKF_AD_OFF } from "../classic/opcodes.ts";
import type { Place } from "./value.ts";

/**
 * Link types that filters can be compiled for (LINKTYPE_* numbers).
 * See {@linkcode compileFilter}.
 */
export const FilterLinkType = {
  NULL: 0,
  ETHERNET: 1,
  RAW: 101,
  LOOP: 108,
  LINUX_SLL: 113,
  IPV4: 228,
  IPV6: 229,
  LINUX_SLL2: 276,
} as const;

/** Number of a link type that filters can be compiled for. */
export type FilterLinkType = typeof FilterLinkType[keyof typeof FilterLinkType];

/**
 * Where the program runs: on packets as they stand in files, or as filter of
 * a packet socket of type SOCK_DGRAM, which sees no link-layer header. The
 * latter is for LINUX_SLL and LINUX_SLL2, whose headers user space makes up.
 *
 * See {@linkcode compileFilter}.
 */
export type Placement = "file" | "socket";

/** How the protocol of a packet is written down. */
export type LinkKind =
  | "ethernet"
  | "sll"
  | "sll2"
  | "raw"
  | "ipv4"
  | "ipv6"
  | "null"
  | "loop"
  | "ppp";

/** Headers of the packet that a primitive looks at. */
export interface Layout {
  /** How the protocol is written down. */
  readonly kind: LinkKind;
  /** Start of the link-layer header; none when it cannot be seen. */
  readonly header: Place | undefined;
  /** Place of the protocol number. */
  readonly protocol: Place;
  /** Place of what the link layer carries, before MPLS labels. */
  readonly payload: Place;
  /** MPLS labels before the network header. */
  readonly labels: number;
  /**
   * Set inside Geneve: the condition "there is a link-layer header" is that
   * the payload does not start where the header would.
   */
  readonly isTunnel: boolean;
}

/** Bytes of an MPLS label stack entry (RFC 3032, section 2.1). */
export const MPLS_LENGTH = 4;

/** Bytes before the payload. Sources: pcap-linktype(7), tcpdump.org. */
const HEADER_LENGTHS: Readonly<Record<LinkKind, number>> = {
  ethernet: 14,
  sll: 16,
  sll2: 20,
  raw: 0,
  ipv4: 0,
  ipv6: 0,
  null: 4,
  loop: 4,
  ppp: 2,
};
/** Offset of the protocol number in the link-layer header. */
const PROTOCOL_OFFSETS: Readonly<Partial<Record<LinkKind, number>>> = {
  ethernet: 12,
  sll: 14,
};

const KINDS: Readonly<Record<FilterLinkType, LinkKind>> = {
  [FilterLinkType.NULL]: "null",
  [FilterLinkType.ETHERNET]: "ethernet",
  [FilterLinkType.RAW]: "raw",
  [FilterLinkType.LOOP]: "loop",
  [FilterLinkType.LINUX_SLL]: "sll",
  [FilterLinkType.IPV4]: "ipv4",
  [FilterLinkType.IPV6]: "ipv6",
  [FilterLinkType.LINUX_SLL2]: "sll2",
};

/** Names of link types in messages. */
export const LINK_NAMES: Readonly<Record<LinkKind, string>> = {
  ethernet: "Ethernet",
  sll: "Linux cooked v1",
  sll2: "Linux cooked v2",
  raw: "raw IP",
  ipv4: "raw IPv4",
  ipv6: "raw IPv6",
  null: "BSD loopback",
  loop: "OpenBSD loopback",
  ppp: "PPP",
};

/** Tells whether filters can be compiled for a link type. */
export function isFilterLinkType(linkType: number): linkType is FilterLinkType {
  return Object.hasOwn(KINDS, linkType);
}

/**
 * The layout of a whole packet.
 *
 * @throws {RangeError} when filters cannot be compiled for the link type.
 */
export function outerLayout(linkType: number, placement: Placement): Layout {
  if (!isFilterLinkType(linkType)) {
    throw new RangeError(
      `Cannot compile filter: link type ${linkType} is not supported`,
    );
  }
  const kind = KINDS[linkType];
  if (placement === "socket" && (kind === "sll" || kind === "sll2")) {
    return {
      kind,
      header: undefined,
      protocol: { base: undefined, k: SKF_AD_OFF + Extension.SKF_AD_PROTOCOL },
      payload: { base: undefined, k: 0 },
      labels: 0,
      isTunnel: false,
    };
  }
  return layoutAt(kind, { base: undefined, k: 0 });
}

/** The layout of a packet that starts at a place. */
export function layoutAt(kind: LinkKind, header: Place): Layout {
  return {
    kind,
    header,
    protocol: ahead(header, PROTOCOL_OFFSETS[kind] ?? 0),
    payload: ahead(header, HEADER_LENGTHS[kind]),
    labels: 0,
    isTunnel: false,
  };
}

/** Bytes of the link-layer header that a socket filter does not see. */
export function hiddenLength({ kind, header }: Layout): number {
  return header === undefined ? HEADER_LENGTHS[kind] : 0;
}

/** The place `count` bytes further on. */
export function ahead({ base, k }: Place, count: number): Place {
  return { base, k: k + count };
}

/** Place of the network header. */
export function networkPlace({ payload, labels }: Layout): Place {
  return ahead(payload, labels * MPLS_LENGTH);
}
