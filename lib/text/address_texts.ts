/**
 * Addresses as text, remembered: the same few stand in nearly all packets of a
 * capture.
 *
 * @module
 */

import { formatIpv4, formatIpv6 } from "../packet/address.ts";
import { readUint32 } from "../bytes/integers.ts";

/** Slots of each kind; a power of two. An address has one place to be. */
const SLOTS = 1024;
const SLOT_MASK = SLOTS - 1;
const WORDS = 4;
/** Multiplier of Fibonacci hashing: 2^32 divided by the golden ratio. */
const HASH_FACTOR = 0x9e37_79b1;
const HASH_SHIFT = 22;

/** Text of the addresses seen last. */
export class AddressTexts {
  readonly #name: (text: string) => string;
  readonly #keys4 = new Int32Array(SLOTS);
  readonly #texts4: string[] = new Array<string>(SLOTS).fill("");
  readonly #keys6 = new Int32Array(SLOTS * WORDS);
  readonly #texts6: string[] = new Array<string>(SLOTS).fill("");

  /**
   * Begins empty.
   *
   * @param host Name of a host, if it has one that is to be printed. Asked each
   *   time, because names are learned along the way.
   */
  constructor(host?: (address: string) => string | undefined) {
    this.#name = host === undefined
      ? (text): string => text
      : (text): string => host(text) ?? text;
  }

  /**
   * Text of the IPv4 address at `at`.
   *
   * @param bytes Bytes that hold all of it.
   * @param at Where it begins.
   */
  ipv4(bytes: Uint8Array, at: number): string {
    const key = readUint32(bytes, at) | 0;
    const slot = hash(key);
    const known = this.#texts4[slot]!;
    if (this.#keys4[slot] === key && known !== "") return this.#name(known);
    const text = formatIpv4(bytes, at);
    this.#keys4[slot] = key;
    this.#texts4[slot] = text;
    return this.#name(text);
  }

  /**
   * Text of the IPv6 address at `at`.
   *
   * @param bytes Bytes that hold all of it.
   * @param at Where it begins.
   */
  ipv6(bytes: Uint8Array, at: number): string {
    const a = readUint32(bytes, at) | 0;
    const b = readUint32(bytes, at + 4) | 0;
    const c = readUint32(bytes, at + 8) | 0;
    const d = readUint32(bytes, at + 12) | 0;
    const slot = hash(a ^ b ^ c ^ d);
    const keys = this.#keys6;
    const key = slot * WORDS;
    const known = this.#texts6[slot]!;
    if (
      known !== "" && keys[key] === a && keys[key + 1] === b &&
      keys[key + 2] === c && keys[key + 3] === d
    ) return this.#name(known);
    // tcpdump writes IPv4-compatible addresses (RFC 4291 section 2.5.5.1) so.
    const isCompatible = (a | b | c) === 0 && d >>> 16 !== 0;
    const text = isCompatible
      ? `::${formatIpv4(bytes, at + 12)}`
      : formatIpv6(bytes, at);
    keys[key] = a;
    keys[key + 1] = b;
    keys[key + 2] = c;
    keys[key + 3] = d;
    this.#texts6[slot] = text;
    return this.#name(text);
  }
}

function hash(key: number): number {
  return (Math.imul(key, HASH_FACTOR) >>> HASH_SHIFT) & SLOT_MASK;
}
