/**
 * Link types: what the first bytes of a captured packet are.
 *
 * Reference: draft-ietf-opsawg-pcaplinktype (the `LINKTYPE_` registry).
 *
 * @module
 */

/**
 * Link types (the `LINKTYPE_` registry) that this program knows by name.
 * See {@linkcode formatLinkType}.
 */
export const LinkType = {
  /** BSD loopback: 4-byte address family in the writer's byte order. */
  NULL: 0,
  ETHERNET: 1,
  /** IP packet without link header; the version field tells which. */
  RAW: 101,
  /** OpenBSD loopback: 4-byte address family, big-endian. */
  LOOP: 108,
  /** Linux cooked capture, 16-byte header. */
  LINUX_SLL: 113,
  USER0: 147,
  IPV4: 228,
  IPV6: 229,
  NFLOG: 239,
  WIRESHARK_UPPER_PDU: 252,
  NETLINK: 253,
  PKTAP: 258,
  /** Linux cooked capture v2, 20-byte header with the interface index. */
  LINUX_SLL2: 276,
} as const;

/** One of the values of {@linkcode LinkType}. */
export type LinkType = typeof LinkType[keyof typeof LinkType];

/**
 * Name of a link type as the registry has it without `LINKTYPE_`, or the
 * number in decimal when it is not in {@linkcode LinkType}.
 *
 * @param linkType Value from a file or interface.
 * @returns For example `"LINUX_SLL"` or `"195"`.
 *
 * @example Name a link type
 * ```ts
 * import { formatLinkType, LinkType } from "./link_type.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(formatLinkType(LinkType.LINUX_SLL), "LINUX_SLL");
 * assert.equal(formatLinkType(195), "195");
 * ```
 */
export function formatLinkType(linkType: number): string {
  for (const [name, value] of Object.entries(LinkType)) {
    if (value === linkType) return name;
  }
  return String(linkType);
}
