/**
 * The writing side of the socket table.
 *
 * @module
 */
import { sameWords } from "./fragments.ts";
import { NumberRecords } from "./number_records.ts";
import {
  Ending,
  NO_END,
  NO_SLOT,
  SlotKind,
  SlotWord,
  SocketTable,
  wrappedAge,
  wrappedTime,
} from "./table.ts";

/** A moment as packets carry it. */
export interface Moment {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** What a new slot says. Addresses are 16 bytes, IPv4 in v4-mapped form. */
export interface SlotContent {
  readonly kind: SlotKind;
  /** 6 (TCP) or 17 (UDP). */
  readonly protocol: number;
  readonly localPort: number;
  readonly localAddress: Uint8Array;
  readonly remotePort: number;
  readonly remoteAddress: Uint8Array;
  /** SlotFlag bits. */
  readonly flags: number;
  readonly from: Moment;
  readonly owner: number;
  /** See `netnsNumber`; 0 by default. */
  readonly netns?: number;
}

/** The address `::`, for ends that do not matter. */
export const ANY_ADDRESS: Uint8Array = new Uint8Array(16);

/**
 * How long an ended slot still explains packets with earlier time stamps, in
 * seconds beyond what the sniffer has dealt with.
 */
const KEEP_SECONDS = 5;
/** How long a closed TCP connection may send: TIME_WAIT (60 s) and a bit. */
export const DESTROYED_SECONDS = 75;

/** So many slots in use are a crowd. */
const CROWDED = 1 << 17;
/** What to wait for where a round trip was not seen, microseconds. */
const UNKNOWN_ROUND_TRIP = 300_000;

/** Adds, ends and removes slots. */
export class SocketTableWriter {
  readonly #table: SocketTable;
  readonly #words: Int32Array<SharedArrayBuffer>;
  #unused = 0;
  readonly #free: number[] = [];
  /** Unlinked slots that a reader may still be looking at: slot, epoch. */
  readonly #leaving = new NumberRecords(2);
  /** Slot, seconds since 1970 after which it can go. */
  readonly #ended = new NumberRecords(2);
  readonly #destroyed = new NumberRecords(2);
  #used = 0;
  /** An address that is looked for. */
  readonly #remote = new Int32Array(4);

  /** Opens a table for writing; there must be one writer only. */
  constructor(memory: SharedArrayBuffer) {
    this.#table = new SocketTable(memory);
    this.#words = this.#table.words;
  }

  /** Slots in use, ended ones included. */
  get used(): number {
    return this.#used;
  }

  /**
   * Adds a slot; from now on the reader finds it.
   *
   * @throws {RangeError} when the table is full
   */
  add(content: SlotContent): number {
    const slot = this.#take();
    const at = this.#table.slotAt(slot);
    const words = this.#words;
    words[at + SlotWord.LOCAL] = content.protocol << 16 | content.localPort;
    words[at + SlotWord.REMOTE] = content.flags | content.remotePort;
    writeAddress(words, at + SlotWord.LOCAL_ADDRESS, content.localAddress);
    writeAddress(words, at + SlotWord.REMOTE_ADDRESS, content.remoteAddress);
    words[at + SlotWord.FROM] = content.from.seconds;
    words[at + SlotWord.FROM + 1] = content.from.nanoseconds;
    words[at + SlotWord.UNTIL] = NO_END;
    words[at + SlotWord.UNTIL + 1] = 0;
    words[at + SlotWord.CLOSED] = NO_END;
    words[at + SlotWord.CLOSED + 1] = 0;
    words[at + SlotWord.ENDING] = 0;
    words[at + SlotWord.SYN_SENT] = 0;
    words[at + SlotWord.ROUND_TRIP] = 0;
    words[at + SlotWord.RESET_SENT] = 0;
    words[at + SlotWord.NETNS] = content.netns ?? 0;
    words[at + SlotWord.OWNER] = content.owner;
    words[at + SlotWord.GENERATION] = words[at + SlotWord.GENERATION]! + 1;
    words[at + SlotWord.KIND] = content.kind;
    if (isPending(content.kind)) this.#table.countPending(1);
    const head = this.#head(at);
    words[at + SlotWord.NEXT] = Atomics.load(words, head);
    Atomics.store(words, head, slot);
    this.#table.changed();
    this.#used++;
    return slot;
  }

  /** Adds SlotFlag bits to a slot. */
  flag(slot: number, flags: number): void {
    Atomics.or(this.#words, this.#table.slotAt(slot) + SlotWord.REMOTE, flags);
    this.#table.changed();
  }

  /**
   * Ends a slot: packets after `until` are not meant any more. The slot goes
   * by itself when no earlier packet can be on its way to the reader.
   */
  end(slot: number, until: Moment): void {
    const at = this.#table.slotAt(slot);
    if (this.#words[at + SlotWord.UNTIL] !== NO_END) return;
    this.#words[at + SlotWord.UNTIL + 1] = until.nanoseconds;
    Atomics.store(this.#words, at + SlotWord.UNTIL, until.seconds);
    this.#table.changed();
    appendPair(this.#ended, slot, until.seconds + KEEP_SECONDS);
  }

  /**
   * Marks a connection whose socket is closed. Its last segments still
   * belong to it, a new connection between the same ends does not.
   */
  destroy(slot: number, now: Moment): void {
    const at = this.#table.slotAt(slot);
    this.#words[at + SlotWord.CLOSED + 1] = now.nanoseconds;
    Atomics.store(this.#words, at + SlotWord.CLOSED, now.seconds);
    appendPair(this.#destroyed, slot, now.seconds + DESTROYED_SECONDS);
  }

  /**
   * Whether there is a connection between two ends whose socket was closed.
   *
   * @param since seconds since 1970: closed then or later
   */
  wasClosed(
    protocol: number,
    localPort: number,
    remotePort: number,
    remoteAddress: Uint8Array,
    since: number,
  ): boolean {
    const words = this.#words;
    const remote = this.#remote;
    writeAddress(remote, 0, remoteAddress);
    let slot = words[
      this.#table.connectedHead(protocol, localPort, remotePort, remote[3]!)
    ]!;
    while (slot !== NO_SLOT) {
      const at = this.#table.slotAt(slot);
      const closed = words[at + SlotWord.CLOSED]!;
      if (
        words[at + SlotWord.LOCAL] === (protocol << 16 | localPort) &&
        (words[at + SlotWord.REMOTE]! & 0xffff) === remotePort &&
        closed !== NO_END &&
        closed + words[at + SlotWord.CLOSED + 1]! / 1e9 >= since &&
        sameWords(words, at + SlotWord.REMOTE_ADDRESS, remote)
      ) return true;
      slot = words[at + SlotWord.NEXT]!;
    }
    return false;
  }

  /** How often a slot was given out: tells it from later uses. */
  generation(slot: number): number {
    return this.#words[this.#table.slotAt(slot) + SlotWord.GENERATION]!;
  }

  /** Whether the last segments of a slot's connection have been seen. */
  isOver(slot: number, generation: number): boolean {
    const at = this.#table.slotAt(slot);
    if (this.generation(slot) !== generation) return true;
    const ending = this.#words[at + SlotWord.ENDING]!;
    return (ending & Ending.BOTH) === Ending.BOTH ||
      (ending & (Ending.RESET | Ending.REUSED)) !== 0;
  }

  /**
   * Whether what the peer of a connection sent before it got the program's RST
   * may still be under way.
   */
  awaitsReset(slot: number, generation: number, now: Moment): boolean {
    const at = this.#table.slotAt(slot);
    const reset = this.#words[at + SlotWord.RESET_SENT]!;
    if (this.generation(slot) !== generation || reset === 0) return false;
    const roundTrip = this.#words[at + SlotWord.ROUND_TRIP]!;
    const patience = roundTrip === 0 ? UNKNOWN_ROUND_TRIP : 2 * roundTrip;
    const age = wrappedAge(reset, wrappedTime(now.seconds, now.nanoseconds));
    return age < patience;
  }

  /** Removes a slot at once, as if it had never been; a settled call. */
  remove(slot: number): void {
    // Whoever does not find it any more must notice that it was there.
    this.#table.changeVersion();
    this.#unlink(slot);
    this.#table.bumpVersion();
  }

  /**
   * Lets slots go whose time is over.
   *
   * @param now seconds since 1970
   */
  collect(now: number): void {
    const horizon = Math.min(now, this.#table.progress());
    const ended = this.#ended;
    while (!ended.isEmpty && ended.values[ended.first + 1]! <= horizon) {
      this.#unlink(ended.values[ended.first]!);
      ended.shift();
    }
    // A table that fills up gives its oldest closed connections up early; most
    // of it is for those whose packets still wait in the ring.
    const crowded = this.#used > Math.min(this.#table.capacity / 4, CROWDED);
    const destroyed = this.#destroyed;
    while (!destroyed.isEmpty) {
      const expires = destroyed.values[destroyed.first + 1]!;
      const early = crowded && expires - DESTROYED_SECONDS + 2 < horizon;
      if (expires > horizon && !early) break;
      this.#unlink(destroyed.values[destroyed.first]!);
      destroyed.shift();
    }
  }

  #take(): number {
    if (!this.#leaving.isEmpty) this.#reclaim();
    const slot = this.#free.pop();
    if (slot !== undefined) return slot;
    if (this.#unused < this.#table.capacity) return this.#unused++;
    throw new RangeError(
      `Cannot follow more than ${this.#table.capacity} sockets`,
    );
  }

  /** Frees slots that no reader can hold any more. */
  #reclaim(): void {
    const epoch = this.#table.epoch();
    // Two rounds: the first may have begun before the slot was unlinked. Their
    // number wraps.
    const leaving = this.#leaving;
    while (
      !leaving.isEmpty &&
      (epoch - leaving.values[leaving.first + 1]! | 0) >= 2
    ) {
      this.#free.push(leaving.values[leaving.first]!);
      leaving.shift();
    }
  }

  #unlink(slot: number): void {
    const at = this.#table.slotAt(slot);
    const words = this.#words;
    if (words[at + SlotWord.KIND] === 0) return;
    const head = this.#head(at);
    const next = words[at + SlotWord.NEXT]!;
    let place = head;
    while (words[place] !== slot) {
      const current = words[place]!;
      if (current === NO_SLOT) return;
      place = this.#table.slotAt(current) + SlotWord.NEXT;
    }
    Atomics.store(words, place, next);
    if (isPending(words[at + SlotWord.KIND]!)) this.#table.countPending(-1);
    this.#table.changed();
    words[at + SlotWord.KIND] = 0;
    this.#used--;
    appendPair(this.#leaving, slot, this.#table.epoch());
  }

  #head(at: number): number {
    const words = this.#words;
    const protocol = words[at + SlotWord.LOCAL]! >>> 16;
    const localPort = words[at + SlotWord.LOCAL]! & 0xffff;
    const remotePort = words[at + SlotWord.REMOTE]! & 0xffff;
    switch (words[at + SlotWord.KIND]) {
      case SlotKind.CONNECTED:
        return this.#table.connectedHead(
          protocol,
          localPort,
          remotePort,
          words[at + SlotWord.REMOTE_ADDRESS + 3]!,
        );
      case SlotKind.PENDING_REMOTE:
        return this.#table.pendingRemoteHead(protocol, remotePort);
      case SlotKind.PENDING_LOCAL:
        return this.#table.pendingLocalHead(protocol, localPort);
      default:
        return this.#table.localHead(protocol, localPort);
    }
  }
}

function isPending(kind: number): boolean {
  return kind === SlotKind.PENDING_REMOTE || kind === SlotKind.PENDING_LOCAL;
}

function appendPair(
  records: NumberRecords,
  slot: number,
  value: number,
): void {
  const at = records.append();
  records.values[at] = slot;
  records.values[at + 1] = value;
}

function writeAddress(
  words: Int32Array,
  at: number,
  address: Uint8Array,
): void {
  for (let i = 0; i < 4; i++) {
    words[at + i] = address[4 * i]! | address[4 * i + 1]! << 8 |
      address[4 * i + 2]! << 16 | address[4 * i + 3]! << 24;
  }
}
