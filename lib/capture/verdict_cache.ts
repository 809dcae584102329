/**
 * Verdicts about packets of late, by what their headers say: most packets are
 * one more of a flow whose owner is known, and need not be looked up again.
 *
 * Only what cannot change a verdict is answered from here: whole TCP and UDP
 * packets without a VLAN tag, IP options or extension headers, and no TCP
 * segments that open a connection. All else is looked up.
 *
 * Sources: RFC 791, RFC 8200, RFC 9293, RFC 768.
 *
 * @module
 */
import { PacketField, TP_STATUS_VLAN_VALID } from "../../ffi/packet.ts";
import type { PacketRing } from "./packet_ring.ts";

const ENTRY_BITS = 12;
const ENTRIES = 1 << ENTRY_BITS;

/*
 * An entry, in words:
 *
 *     0 stamp          1 interface       2 protocol << 8 | packet type
 *     3 ports          4-11 addresses; of IPv4 two words, and then zeros
 *     12 owner, -1 for nobody    13 sent    14 flow
 *     15, 16 since when the verdict holds (seconds, nanoseconds)
 *     17 slot
 */
const WORDS = 18;
const STAMP = 0;
const INTERFACE = 1;
const KIND = 2;
const PORTS = 3;
const ADDRESSES = 4;
const OWNER = 12;
const SENT = 13;
const FLOW = 14;
const FROM = 15;
const SLOT = 17;

// EtherTypes as they stand in the upper half of a little-endian word.
const IPV4 = 0x0008;
const IPV6 = 0xdd86;
const TCP = 6;
const UDP = 17;
const SYN = 2;
/** FIN and RST. */
const ENDS = 5;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
/** Bytes of a TCP header up to its flags, and of a UDP header. */
const TCP_NEEDED = 14;
const UDP_NEEDED = 8;

/** What is needed of a ring: its current packet. */
export type PacketInRing = Pick<
  PacketRing,
  "words" | "at" | "networkAt" | "interfaceIndex"
>;

/** Remembers verdicts about the packets of one ring. */
export class VerdictCache {
  readonly #ring: PacketInRing;
  readonly #ringWords: Int32Array<ArrayBuffer>;
  readonly #words = new Int32Array(ENTRIES * WORDS);
  /** Where the current packet's entry belongs; -1 for nowhere. */
  #at = -1;
  // What was read of the current packet.
  #kind = 0;
  #ports = 0;
  /** Where its addresses begin in the ring, and how many words they are. */
  #addresses = 0;
  #addressWords = 0;
  #tcpFlags = 0;

  /** Owner of the packet that was found; -1 when it is not to be taken. */
  owner = 0;
  /** Whether the owner sent it. */
  sent = false;
  /** Its flow, as it was remembered. */
  flow = 0;
  /** Its slot of the socket table, as it was remembered. */
  slot = 0;

  /** Begins without verdicts. */
  constructor(ring: PacketInRing) {
    this.#ring = ring;
    this.#ringWords = ring.words;
  }

  /**
   * Looks the ring's current packet up; what is known of it stands in
   * `owner`, `sent`, `flow` and `slot` then. Allocates nothing.
   *
   * @param stamp verdicts that were given under another one do not hold
   */
  find(stamp: number): boolean {
    const at = this.#locate();
    this.#at = at;
    if (at < 0 || (this.#tcpFlags & SYN) !== 0) return false;
    const words = this.#words;
    const ring = this.#ringWords;
    const packet = this.#ring.at >> 2;
    if (
      words[at + STAMP] !== stamp || words[at + KIND] !== this.#kind ||
      words[at + PORTS] !== this.#ports ||
      words[at + INTERFACE] !== ring[packet + (PacketField.IFINDEX >> 2)]
    ) return false;
    const from = this.#addresses;
    if (
      words[at + ADDRESSES] !== ring[from] ||
      words[at + ADDRESSES + 1] !== ring[from + 1]
    ) return false;
    for (let i = 2; i < this.#addressWords; i++) {
      if (words[at + ADDRESSES + i] !== ring[from + i]) return false;
    }
    const seconds = ring[packet + (PacketField.SECONDS >> 2)]!;
    const since = words[at + FROM]!;
    if (
      seconds < since ||
      seconds === since &&
        ring[packet + (PacketField.NANOSECONDS >> 2)]! < words[at + FROM + 1]!
    ) return false;
    this.owner = words[at + OWNER]!;
    this.sent = words[at + SENT] !== 0;
    this.flow = words[at + FLOW]!;
    this.slot = words[at + SLOT]!;
    return true;
  }

  /** FIN and RST of the packet that was found; 0 for most. */
  get ends(): number {
    return this.#tcpFlags & ENDS;
  }

  /**
   * Remembers the verdict about the packet that was not found just now.
   *
   * @param stamp as for `find`
   * @param owner its owner; -1 when packets like it are not to be taken
   * @param seconds since when the verdict holds
   */
  remember(
    stamp: number,
    owner: number,
    sent: boolean,
    flow: number,
    slot: number,
    seconds: number,
    nanoseconds: number,
  ): void {
    const at = this.#at;
    if (at < 0) return;
    const words = this.#words;
    const ring = this.#ringWords;
    words[at + STAMP] = stamp;
    words[at + KIND] = this.#kind;
    words[at + PORTS] = this.#ports;
    words[at + INTERFACE] = this.#ring.interfaceIndex;
    for (let i = 0; i < this.#addressWords; i++) {
      words[at + ADDRESSES + i] = ring[this.#addresses + i]!;
    }
    words[at + OWNER] = owner;
    words[at + SENT] = sent ? 1 : 0;
    words[at + FLOW] = flow;
    words[at + SLOT] = slot;
    words[at + FROM] = seconds;
    words[at + FROM + 1] = nanoseconds;
  }

  /** Forgets all. */
  clear(): void {
    this.#words.fill(0);
    this.#at = -1;
  }

  /** Reads the current packet's headers, and where its entry would be. */
  #locate(): number {
    const words = this.#ringWords;
    const ring = this.#ring;
    const packet = ring.at >> 2;
    const network = ring.networkAt;
    const status = words[packet + (PacketField.STATUS >> 2)]!;
    if ((network & 3) !== 0 || (status & TP_STATUS_VLAN_VALID) !== 0) return -1;
    const length = words[packet + (PacketField.SNAPLEN >> 2)]!;
    const etherType = words[packet + (PacketField.PROTOCOL >> 2)]! >>> 16;
    const at = network >> 2;
    const first = words[at]!;
    let protocol: number;
    let transport: number;
    let hash: number;
    if (etherType === IPV4) {
      // Version 4, five words; neither MF nor an offset.
      if (
        length < IPV4_HEADER + UDP_NEEDED || (first & 0xff) !== 0x45 ||
        (words[at + 1]! & 0xff3f_0000) !== 0
      ) return -1;
      protocol = words[at + 2]! >>> 8 & 0xff;
      transport = at + (IPV4_HEADER >> 2);
      this.#addresses = at + 3;
      this.#addressWords = 2;
      hash = words[at + 3]! + Math.imul(words[at + 4]!, 0x85eb_ca6b);
    } else if (etherType === IPV6) {
      if (length < IPV6_HEADER + UDP_NEEDED || (first & 0xf0) !== 0x60) {
        return -1;
      }
      protocol = words[at + 1]! >>> 16 & 0xff;
      transport = at + (IPV6_HEADER >> 2);
      this.#addresses = at + 2;
      this.#addressWords = 8;
      hash = words[at + 5]! + Math.imul(words[at + 9]!, 0x85eb_ca6b);
    } else {
      return -1;
    }
    if (protocol === TCP) {
      const needed = (transport << 2) - network + TCP_NEEDED;
      if (length < needed) return -1;
      this.#tcpFlags = words[transport + 3]! >>> 8 & 0xff;
    } else if (protocol === UDP) {
      this.#tcpFlags = 0;
    } else {
      return -1;
    }
    const type = words[packet + (PacketField.PACKET_TYPE >> 2)]! >>> 16 & 0xff;
    const ports = words[transport]!;
    this.#kind = (etherType === IPV4 ? 4 : 6) << 16 | protocol << 8 | type;
    this.#ports = ports;
    // Of a product only the upper bits depend on all bits of a factor.
    hash = Math.imul(hash ^ hash >>> 16 ^ ports, 0x9e37_79b1) + type;
    hash = Math.imul(hash ^ hash >>> 16, 0xc2b2_ae35);
    return (hash >>> 32 - ENTRY_BITS) * WORDS;
  }
}
