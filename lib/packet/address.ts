/**
 * IPv4, IPv6 and hardware addresses as text.
 *
 * IPv6 text follows RFC 5952: lower case, no leading zeros, `::` for the
 * first of the longest runs of at least two zero groups. An IPv4-mapped
 * address is written `::ffff:192.0.2.1` (RFC 5952 section 5).
 *
 * Parsing is strict: four decimal numbers without leading zeros for IPv4, the
 * syntax of RFC 4291 section 2.2 for IPv6, no zone, no surrounding space.
 *
 * @module
 */

/** Bytes of an IPv4 address. */
export const IPV4_ADDRESS_LENGTH = 4;
/** Bytes of an IPv6 address. */
export const IPV6_ADDRESS_LENGTH = 16;
/** Bytes of an Ethernet address. */
export const HARDWARE_ADDRESS_LENGTH = 6;

const GROUPS = 8;
const MAPPED_PREFIX_LENGTH = 12;
const HEX_PAIRS: readonly string[] = Array.from(
  { length: 256 },
  (_, value) => value.toString(16).padStart(2, "0"),
);
const IPV4_NUMBER_REGEXP = /^(?:0|[1-9][0-9]{0,2})$/;
const IPV6_GROUP_REGEXP = /^[0-9a-fA-F]{1,4}$/;

/**
 * Formats the IPv4 address at `offset`.
 *
 * @param bytes Bytes that hold the address.
 * @param offset Where its four bytes begin.
 * @returns For example `192.0.2.1`.
 * @throws {RangeError} When fewer than four bytes are there.
 */
export function formatIpv4(bytes: Uint8Array, offset = 0): string {
  checkRoom(bytes, offset, IPV4_ADDRESS_LENGTH);
  return `${bytes[offset]!}.${bytes[offset + 1]!}.${bytes[offset + 2]!}.${bytes[
    offset + 3
  ]!}`;
}

/**
 * Formats the IPv6 address at `offset` (RFC 5952).
 *
 * @param bytes Bytes that hold the address.
 * @param offset Where its sixteen bytes begin.
 * @returns For example `2001:db8::1` or `::ffff:192.0.2.1`.
 * @throws {RangeError} When fewer than sixteen bytes are there.
 */
export function formatIpv6(bytes: Uint8Array, offset = 0): string {
  checkRoom(bytes, offset, IPV6_ADDRESS_LENGTH);
  if (isIpv4Mapped(bytes, offset)) {
    return `::ffff:${formatIpv4(bytes, offset + MAPPED_PREFIX_LENGTH)}`;
  }
  let runStart = 0;
  let bestStart = -1;
  let bestLength = 1;
  for (let group = 0; group < GROUPS; group++) {
    if ((bytes[offset + 2 * group]! | bytes[offset + 2 * group + 1]!) !== 0) {
      runStart = group + 1;
    } else if (group + 1 - runStart > bestLength) {
      bestStart = runStart;
      bestLength = group + 1 - runStart;
    }
  }
  let text = "";
  for (let group = 0; group < GROUPS; group++) {
    if (group === bestStart) {
      text += "::";
      group += bestLength - 1;
      continue;
    }
    if (text !== "" && group !== bestStart + bestLength) text += ":";
    const high = bytes[offset + 2 * group]!;
    text += ((high << 8) | bytes[offset + 2 * group + 1]!).toString(16);
  }
  return text;
}

/**
 * Formats a hardware address as pairs of hexadecimal digits.
 *
 * @param bytes Bytes that hold the address.
 * @param offset Where it begins.
 * @param length How many bytes it has, 6 for Ethernet.
 * @returns For example `02:42:ac:11:00:02`; empty for length 0.
 * @throws {RangeError} When fewer bytes are there.
 */
export function formatHardwareAddress(
  bytes: Uint8Array,
  offset = 0,
  length: number = HARDWARE_ADDRESS_LENGTH,
): string {
  checkRoom(bytes, offset, length);
  let text = length === 0 ? "" : HEX_PAIRS[bytes[offset]!]!;
  for (let i = 1; i < length; i++) text += `:${HEX_PAIRS[bytes[offset + i]!]!}`;
  return text;
}

/**
 * Formats an address by its length.
 *
 * @param address 4 bytes (IPv4) or 16 bytes (IPv6).
 * @returns The address as text.
 * @throws {RangeError} When the length is another one.
 *
 * @example Write an address
 * ```ts
 * import { formatAddress } from "./address.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(formatAddress(Uint8Array.of(192, 0, 2, 1)), "192.0.2.1");
 * assert.equal(formatAddress(new Uint8Array(16)), "::");
 * ```
 */
export function formatAddress(address: Uint8Array): string {
  if (address.length === IPV4_ADDRESS_LENGTH) return formatIpv4(address);
  if (address.length === IPV6_ADDRESS_LENGTH) return formatIpv6(address);
  throw new RangeError(
    `Cannot format address: ${address.length} bytes are neither 4 nor 16`,
  );
}

/**
 * Tells whether the sixteen bytes at `offset` are an IPv4-mapped IPv6 address
 * (`::ffff:0:0/96`, RFC 4291 section 2.5.5.2).
 *
 * @param bytes Bytes that hold the address.
 * @param offset Where it begins.
 */
export function isIpv4Mapped(bytes: Uint8Array, offset = 0): boolean {
  for (let i = 0; i < MAPPED_PREFIX_LENGTH - 2; i++) {
    if (bytes[offset + i] !== 0) return false;
  }
  return bytes[offset + 10] === 0xff && bytes[offset + 11] === 0xff;
}

/**
 * Parses an IPv4 address.
 *
 * @param text For example `192.0.2.1`.
 * @returns Four bytes, or `undefined` when the text is not an IPv4 address.
 */
export function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== IPV4_ADDRESS_LENGTH) return undefined;
  const bytes = new Uint8Array(IPV4_ADDRESS_LENGTH);
  for (const [i, part] of parts.entries()) {
    if (!IPV4_NUMBER_REGEXP.test(part) || Number(part) > 0xff) return undefined;
    bytes[i] = Number(part);
  }
  return bytes;
}

/**
 * Parses an IPv6 address in any form of RFC 4291 section 2.2.
 *
 * @param text For example `2001:db8::1` or `::ffff:192.0.2.1`.
 * @returns Sixteen bytes, or `undefined` when the text is not an IPv6 address.
 */
export function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0]!, halves.length === 1);
  if (halves.length === 1) {
    return head?.length === IPV6_ADDRESS_LENGTH
      ? Uint8Array.from(head)
      : undefined;
  }
  const tail = parseGroups(halves[1]!, true);
  // "::" stands for at least one group.
  if (
    head === undefined || tail === undefined ||
    head.length + tail.length > IPV6_ADDRESS_LENGTH - 2
  ) return undefined;
  const bytes = new Uint8Array(IPV6_ADDRESS_LENGTH);
  bytes.set(head);
  bytes.set(tail, IPV6_ADDRESS_LENGTH - tail.length);
  return bytes;
}

/**
 * Parses an IPv4 or IPv6 address.
 *
 * @param text Address in text form.
 * @returns 4 or 16 bytes, or `undefined` when the text is neither.
 */
export function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/** Bytes of colon-separated groups; only the last may be a dotted IPv4. */
function parseGroups(text: string, isEnd: boolean): number[] | undefined {
  const bytes: number[] = [];
  if (text === "") return bytes;
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    if (IPV6_GROUP_REGEXP.test(group)) {
      const value = parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
      continue;
    }
    const dotted = isEnd && i === groups.length - 1
      ? parseIpv4(group)
      : undefined;
    if (dotted === undefined) return undefined;
    bytes.push(...dotted);
  }
  return bytes;
}

function checkRoom(bytes: Uint8Array, offset: number, length: number): void {
  if (offset < 0 || offset + length > bytes.length) {
    throw new RangeError(
      `Cannot format address: ${length} bytes at offset ${offset} exceed the ${bytes.length} given`,
    );
  }
}
