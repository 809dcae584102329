/**
 * What is remembered of TCP connections: the first sequence numbers, from
 * which the printed ones count, and what each side is expected to send next.
 *
 * ```
 *  entry   | 8 words of addresses | ports | origins (2) | next (2) | known |
 * ```
 *
 * Memory is bounded: when a table is full it becomes the older of two, and
 * what is looked up there moves into the newer one. So at least the
 * `MAX_SLOTS / 2` connections that spoke last are known.
 *
 * @module
 */

import { readUint32 } from "../bytes/integers.ts";

const ADDRESS_WORDS = 8;
const PORTS = ADDRESS_WORDS;
const ORIGINS = PORTS + 1;
const NEXT = ORIGINS + 2;
const KNOWN = NEXT + 2;
const ENTRY_WORDS = 16;
const USED_BIT = 1;
const ORIGINS_BIT = 2;
/** Bit of side 0; that of side 1 is twice as much. */
const NEXT_BIT = 4;

const FIRST_SLOTS = 1 << 8;
const MAX_SLOTS = 1 << 16;
const HASH_FACTOR = 0x9e37_79b1;

const IPV4_WORDS = 1;
const IPV6_WORDS = 4;

/** Finds connections and remembers their numbers. */
export class TcpConnections {
  #slots = FIRST_SLOTS;
  #used = 0;
  #table = new Int32Array(FIRST_SLOTS * ENTRY_WORDS);
  #older = new Int32Array(0);
  readonly #key = new Int32Array(ADDRESS_WORDS + 1);
  #at = 0;
  /** Which side sends the packet looked up last: 0 or 1. */
  #side = 0;

  /**
   * Finds the connection of a packet; it is then the current one.
   *
   * @param bytes The packet.
   * @param source Where the source address begins.
   * @param length Bytes of an address; the destination follows the source.
   * @param sourcePort Port of the sender.
   * @param destinationPort Port of the receiver.
   */
  select(
    bytes: Uint8Array,
    source: number,
    length: number,
    sourcePort: number,
    destinationPort: number,
  ): void {
    const words = length === 4 ? IPV4_WORDS : IPV6_WORDS;
    const destination = source + length;
    let isReversed = sourcePort > destinationPort;
    if (sourcePort === destinationPort) {
      isReversed = compare(bytes, source, destination, length) > 0;
    }
    const key = this.#key;
    const low = isReversed ? destination : source;
    const high = isReversed ? source : destination;
    for (let i = 0; i < words; i++) {
      key[i] = readUint32(bytes, low + 4 * i);
      key[IPV6_WORDS + i] = readUint32(bytes, high + 4 * i);
    }
    for (let i = words; i < IPV6_WORDS; i++) {
      key[i] = key[IPV6_WORDS + i] = 0;
    }
    key[PORTS] = isReversed
      ? destinationPort << 16 | sourcePort
      : sourcePort << 16 | destinationPort;
    this.#side = isReversed ? 1 : 0;
    this.#find();
  }

  /** Whether the numbers of the current connection are known. */
  get hasOrigins(): boolean {
    return (this.#table[this.#at + KNOWN]! & ORIGINS_BIT) !== 0;
  }

  /**
   * Remembers where the numbers of the current connection begin.
   *
   * @param own First sequence number of the packet's sender.
   * @param other First sequence number of its receiver.
   */
  setOrigins(own: number, other: number): void {
    const at = this.#at;
    this.#table[at + ORIGINS + this.#side] = own;
    this.#table[at + ORIGINS + 1 - this.#side] = other;
    this.#table[at + KNOWN]! |= ORIGINS_BIT;
  }

  /** First sequence number of the packet's sender; 0 when not known. */
  get ownOrigin(): number {
    return this.#table[this.#at + ORIGINS + this.#side]!;
  }

  /** First sequence number of the packet's receiver; 0 when not known. */
  get otherOrigin(): number {
    return this.#table[this.#at + ORIGINS + 1 - this.#side]!;
  }

  /**
   * Notes what the packet's sender sent, and tells whether it comes in order.
   *
   * @param sequence Sequence number of its first byte.
   * @param length How many sequence numbers it takes; not 0.
   * @param isFirst It opens the connection.
   * @returns Negative when bytes before it were sent again, 0 when it is next,
   *   positive when bytes before it were not seen.
   */
  follow(sequence: number, length: number, isFirst: boolean): number {
    const at = this.#at;
    const bit = NEXT_BIT << this.#side;
    const next = at + NEXT + this.#side;
    const gap = sequence - this.#table[next]! | 0;
    const isKnown = (this.#table[at + KNOWN]! & bit) !== 0 && !isFirst;
    this.#table[at + KNOWN]! |= bit;
    if (!isKnown || (gap + length | 0) > 0) {
      this.#table[next] = sequence + length;
    }
    return isKnown ? gap : 0;
  }

  #find(): void {
    const key = this.#key;
    this.#at = locate(this.#table, this.#slots, key);
    if (this.#table[this.#at + KNOWN] !== 0) return;
    if (2 * (this.#used + 1) > this.#slots) {
      this.#makeRoom();
      this.#at = locate(this.#table, this.#slots, key);
    }
    this.#used++;
    const at = this.#at;
    this.#table.set(key, at);
    this.#table[at + KNOWN] = USED_BIT;
    if (this.#older.length === 0) return;
    const old = locate(this.#older, MAX_SLOTS, key);
    if (this.#older[old + KNOWN] === 0) return;
    this.#table.set(this.#older.subarray(old, old + ENTRY_WORDS), at);
  }

  #makeRoom(): void {
    const full = this.#table;
    if (this.#slots === MAX_SLOTS) {
      this.#table = this.#older.length === 0
        ? new Int32Array(full.length)
        : this.#older.fill(0);
      this.#older = full;
      this.#used = 0;
      return;
    }
    this.#slots *= 2;
    this.#table = new Int32Array(this.#slots * ENTRY_WORDS);
    for (let from = 0; from < full.length; from += ENTRY_WORDS) {
      if (full[from + KNOWN] === 0) continue;
      const entry = full.subarray(from, from + ENTRY_WORDS);
      this.#table.set(entry, locate(this.#table, this.#slots, entry));
    }
  }
}

/** Where an entry with the key is, or else the free one where it belongs. */
function locate(table: Int32Array, slots: number, key: Int32Array): number {
  let hash = 0;
  for (let i = 0; i <= PORTS; i++) {
    hash = Math.imul(hash ^ key[i]!, HASH_FACTOR);
    hash ^= hash >>> 15;
  }
  for (let slot = hash & (slots - 1);; slot = (slot + 1) & (slots - 1)) {
    const at = slot * ENTRY_WORDS;
    if (table[at + KNOWN] === 0) return at;
    let i = PORTS;
    while (i >= 0 && table[at + i] === key[i]) i--;
    if (i < 0) return at;
  }
}

/** Order of two byte runs of the same length, as of memcmp(3). */
function compare(
  bytes: Uint8Array,
  a: number,
  b: number,
  length: number,
): number {
  for (let i = 0; i < length; i++) {
    const difference = bytes[a + i]! - bytes[b + i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
