/**
 * How packets travel between threads: many in one piece of memory, which
 * changes hands without being copied.
 *
 * ```text
 *  0         4             8          12      16          20
 *  +---------+-------------+----------+-------+-----------+-----------+
 *  | seconds | nanoseconds | captured | wire  | link type | interface |
 *  +---------+-------------+----------+-------+-----------+-----------+
 *  24        28            32
 *  +---------+-------------+----------------------------+
 *  | owner   | packet type | captured bytes, padding to 4 |  next packet …
 *  +---------+-------------+----------------------------+
 * ```
 *
 * All of them 32 bits in the machine's own byte order.
 *
 * @module
 */

const SECONDS = 0;
const NANOSECONDS = 1;
const CAPTURED = 2;
const WIRE = 3;
const LINK_TYPE = 4;
const INTERFACE = 5;
const OWNER = 6;
const PACKET_TYPE = 7;
const HEAD_WORDS = 8;
const HEAD_LENGTH = 4 * HEAD_WORDS;

/** Bytes of an ordinary batch. */
const BATCH_SIZE = 1 << 18;

/** Owner of packets that nobody owns. */
export const NO_OWNER = -1;

/** A packet as it travels. */
export interface TransferredPacket {
  /** Seconds since 1970. */
  readonly seconds: number;
  readonly nanoseconds: number;
  /** Bytes that the packet had, link header included. */
  readonly wireLength: number;
  /** LINKTYPE_ number. */
  readonly linkType: number;
  /** Number of the interface, in the order in which they were named. */
  readonly interface: number;
  /** Number of the owner, or {@linkcode NO_OWNER}. */
  readonly owner: number;
  /** sll_pkttype, packet(7). */
  readonly packetType: number;
}

/** Puts packets together until there are enough to send. */
export class BatchWriter {
  #bytes = new Uint8Array(0);
  #words = new Int32Array(0);
  #length = 0;

  /** Bytes that are taken. */
  get length(): number {
    return this.#length;
  }

  /** Whether another packet of `length` bytes fits; an empty one takes any. */
  hasRoom(length: number): boolean {
    return this.#length === 0 ||
      this.#length + recordLength(length) <= this.#bytes.length;
  }

  /**
   * Appends a packet; there must be room.
   *
   * @param source memory that holds its captured bytes
   * @param start where they begin
   * @param end where they end
   */
  append(
    packet: TransferredPacket,
    source: Uint8Array,
    start: number,
    end: number,
  ): void {
    const size = recordLength(end - start);
    if (this.#length + size > this.#bytes.length) {
      this.#bytes = new Uint8Array(Math.max(BATCH_SIZE, size));
      this.#words = new Int32Array(this.#bytes.buffer);
    }
    const words = this.#words;
    const at = this.#length >> 2;
    words[at + SECONDS] = packet.seconds;
    words[at + NANOSECONDS] = packet.nanoseconds;
    words[at + CAPTURED] = end - start;
    words[at + WIRE] = packet.wireLength;
    words[at + LINK_TYPE] = packet.linkType;
    words[at + INTERFACE] = packet.interface;
    words[at + OWNER] = packet.owner;
    words[at + PACKET_TYPE] = packet.packetType;
    this.#bytes.set(source.subarray(start, end), this.#length + HEAD_LENGTH);
    this.#length += size;
  }

  /** Takes out what there is, to be sent away. */
  take(): ArrayBuffer {
    const length = this.#length;
    this.#length = 0;
    // Little is copied, so that nobody has to keep much memory for it.
    if (length < this.#bytes.length >> 1) {
      return this.#bytes.buffer.slice(0, length);
    }
    const { buffer } = this.#bytes;
    this.#bytes = new Uint8Array(0);
    this.#words = new Int32Array(0);
    return buffer.transfer(length);
  }
}

/** Bytes that a packet takes in a batch. */
export function recordLength(captured: number): number {
  return HEAD_LENGTH + ((captured + 3) & ~3);
}

/**
 * Reads a batch.
 *
 * @param make called for each packet with a view on its captured bytes
 */
export function readBatch<T>(
  buffer: ArrayBuffer,
  make: (packet: TransferredPacket, data: Uint8Array) => T,
): T[] {
  const bytes = new Uint8Array(buffer);
  const words = new Int32Array(buffer);
  const made: T[] = [];
  for (let at = 0; at < bytes.length;) {
    const word = at >> 2;
    const captured = words[word + CAPTURED]!;
    const start = at + HEAD_LENGTH;
    made.push(make({
      seconds: words[word + SECONDS]! >>> 0,
      nanoseconds: words[word + NANOSECONDS]!,
      wireLength: words[word + WIRE]!,
      linkType: words[word + LINK_TYPE]!,
      interface: words[word + INTERFACE]!,
      owner: words[word + OWNER]!,
      packetType: words[word + PACKET_TYPE]!,
    }, bytes.subarray(start, start + captured)));
    at += recordLength(captured);
  }
  return made;
}
