/**
 * EtherTypes and what else stands in the two-byte protocol field of link
 * headers.
 *
 * Reference: IEEE 802 Numbers (IANA), linux/if_ether.h.
 *
 * @module
 */

/** Protocols that a link header can name. */
export const EtherType = {
  IPV4: 0x0800,
  ARP: 0x0806,
  /** IEEE 802.1Q customer tag. */
  VLAN: 0x8100,
  IPV6: 0x86dd,
  /** IEEE 802.1ad service tag. */
  QINQ: 0x88a8,
  /** Service tag as switches used it before 802.1ad. */
  OLD_QINQ: 0x9100,
} as const;

/** One of the values of {@linkcode EtherType}. */
export type EtherType = typeof EtherType[keyof typeof EtherType];

/** Smaller numbers are an IEEE 802.3 length or a Linux-internal protocol. */
export const FIRST_ETHER_TYPE = 0x0600;

/**
 * Name of an EtherType, or its number as `0x88cc`.
 *
 * @param value Two-byte protocol number.
 */
export function formatEtherType(value: number): string {
  for (const [name, known] of Object.entries(EtherType)) {
    if (known === value) return name;
  }
  return `0x${value.toString(16).padStart(4, "0")}`;
}
