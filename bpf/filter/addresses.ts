/**
 * Network addresses as text and as bytes.
 *
 * @module
 */

const GROUPS = 8;

/**
 * Reads an IPv6 address (RFC 4291, section 2.2), without zone or prefix.
 *
 * @returns 16 bytes, or `undefined` when the text is something else.
 */
export function parseIpv6(text: string): Uint8Array | undefined {
  let source = text;
  const dotted = /^(.*:)(\d{1,3}(?:\.\d{1,3}){3})$/.exec(text);
  if (dotted !== null) {
    const quad = parseIpv4(dotted[2]!);
    if (quad === undefined) return undefined;
    source = dotted[1]! + (quad >>> 16).toString(16) + ":" +
      (quad & 0xffff).toString(16);
  }
  const halves = source.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => half === "" ? [] : half.split(":"));
  const count = head!.length + (tail?.length ?? 0);
  if (tail === undefined ? count !== GROUPS : count >= GROUPS) return undefined;
  const zeros = new Array<string>(GROUPS - count).fill("0");
  const groups = [...head!, ...zeros, ...(tail ?? [])];
  const bytes = new Uint8Array(2 * GROUPS);
  for (const [index, group] of groups.entries()) {
    if (!/^[0-9A-Fa-f]{1,4}$/.test(group)) return undefined;
    const value = parseInt(group, 16);
    bytes[2 * index] = value >> 8;
    bytes[2 * index + 1] = value & 0xff;
  }
  return bytes;
}

/**
 * Reads an IPv4 address with all four numbers.
 *
 * @returns The address as a number, or `undefined`.
 */
export function parseIpv4(text: string): number | undefined {
  const partial = parsePartialIpv4(text);
  return partial?.bits === 32 ? partial.address : undefined;
}

/** Leading numbers of an IPv4 address. */
export interface PartialIpv4 {
  /** The numbers in the low bits: 10.1 is 0x0a01. */
  readonly address: number;
  /** How many bits were given: 8 for each number. */
  readonly bits: number;
}

/** Reads one to four numbers of an IPv4 address. */
export function parsePartialIpv4(text: string): PartialIpv4 | undefined {
  const parts = text.split(".");
  if (parts.length > 4) return undefined;
  let address = 0;
  for (const part of parts) {
    if (!/^\d+$/.test(part) || Number(part) > 255) return undefined;
    address = (address * 256 + Number(part)) >>> 0;
  }
  return { address, bits: 8 * parts.length };
}

/** `1:2:3:4:5:6`, the same with `-` or `.`, `0102.0304.0506`, 12 digits. */
const MAC_REGEXP =
  /^(?:[0-9a-f]{1,2}([:.-])(?:[0-9a-f]{1,2}\1){4}[0-9a-f]{1,2}|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}|[0-9a-f]{12})$/i;

/**
 * Reads an Ethernet address.
 *
 * @returns Six bytes, or `undefined` when the text is something else.
 */
export function parseMac(text: string): Uint8Array | undefined {
  const match = MAC_REGEXP.exec(text);
  if (match === null) return undefined;
  const separator = match[1];
  if (separator !== undefined) {
    return Uint8Array.from(text.split(separator), (part) => parseInt(part, 16));
  }
  const digits = text.replaceAll(".", "");
  return Uint8Array.from(
    { length: 6 },
    (_, index) => parseInt(digits.slice(2 * index, 2 * index + 2), 16),
  );
}
