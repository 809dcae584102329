/**
 * The socket table: which packets are the program's. One thread writes it
 * (whoever follows the program), the sniffer reads it while packets fly by;
 * neither ever waits for the other.
 *
 * The table is shared memory: slots of 128 bytes in chains that start in three
 * arrays of heads. A slot says "packets of this protocol between this local
 * and this remote endpoint, from this moment on until that moment, belong to
 * that owner". Packets are compared with it by their time stamps, because
 * they are looked at a little later than they were taken.
 *
 * Chains are changed so that a reader in the midst of one still gets to its
 * end, and a slot is used again only after the reader has begun a new round
 * (see `epoch`), as with RCU.
 *
 * @module
 */
import { PROTOCOL_PORTS, protocolPort } from "../packet/protocol_port.ts";

/** What a slot describes; the value 0 marks a slot that is not in use. */
export const SlotKind = {
  /** Both ends are known. */
  CONNECTED: 1,
  /** The local end is known, the remote one is anybody: listener, plain UDP. */
  LOCAL: 2,
  /** A call under way names the remote end; the local port is not known yet. */
  PENDING_REMOTE: 3,
  /** A call under way names the local end; whether it succeeds is not known. */
  PENDING_LOCAL: 4,
} as const;
export type SlotKind = typeof SlotKind[keyof typeof SlotKind];

/** Bits of the flags word. */
export const SlotFlag = {
  /** The local address is any IPv4 address. */
  ANY_IPV4: 0x1_0000,
  /** The local address is any IPv6 address. */
  ANY_IPV6: 0x2_0000,
  /** Only what the program sends is meant, not what others send to it. */
  SENT_ONLY: 0x4_0000,
  /**
   * Sockets of other programs have the same local end (SO_REUSEPORT): only
   * connections that have slots of their own are meant.
   */
  SHARED: 0x8_0000,
} as const;

/*
 * A slot, in 32-bit words:
 *
 *     0 kind            1 protocol << 16 | local port
 *     2 flags | remote port
 *     3-6 local address, 7-10 remote address (network order, IPv4 mapped)
 *     11, 12 from (seconds, nanoseconds)   13, 14 until
 *     15 owner          16 next slot of the chain
 *     17 generation: how often the slot was given out
 *     18, 19 when the socket was closed; what it left behind may still send
 *     20 what the reader has seen of the connection's end: see `Ending`
 *     21 when the program's SYN passed, 22 how long its answer took, 23 when
 *     the program's last RST passed; times as `wrappedTime`, 0 for not yet
 *     24 network namespace: see `netnsNumber`
 */
const SLOT_WORDS = 32;
/** Word offsets in a slot, for the reader. */
export const SlotWord = {
  KIND: 0,
  LOCAL: 1,
  REMOTE: 2,
  LOCAL_ADDRESS: 3,
  REMOTE_ADDRESS: 7,
  FROM: 11,
  UNTIL: 13,
  OWNER: 15,
  NEXT: 16,
  GENERATION: 17,
  CLOSED: 18,
  ENDING: 20,
  SYN_SENT: 21,
  ROUND_TRIP: 22,
  RESET_SENT: 23,
  NETNS: 24,
} as const;

/** Bits of {@linkcode SlotWord.ENDING}; the reader writes it and what follows. */
export const Ending = {
  FIN_SENT: 1,
  FIN_RECEIVED: 2,
  /** Both directions are closed. */
  BOTH: 3,
  RESET: 4,
  /** Somebody else began a new connection between the same ends. */
  REUSED: 8,
} as const;

/** Microseconds after which {@linkcode wrappedTime} begins again. */
const WRAP = 1_000_000_000;

/** A time in microseconds that fits into a word and is never 0. */
export function wrappedTime(seconds: number, nanoseconds: number): number {
  return (seconds % (WRAP / 1e6)) * 1e6 + Math.floor(nanoseconds / 1000) + 1;
}

/** Microseconds from one {@linkcode wrappedTime} to a later one. */
export function wrappedAge(earlier: number, later: number): number {
  return (later - earlier + WRAP) % WRAP;
}

/**
 * A network namespace as slots tell it: the low bits of SO_NETNS_COOKIE, which
 * the kernel counts up from 1; 0 where it does not tell.
 */
export function netnsNumber(cookie: bigint): number {
  return Number(BigInt.asUintN(31, cookie));
}

/** Seconds of an end that has not come yet. */
export const NO_END = 0x7fff_ffff;

/** Marks the end of a chain. */
export const NO_SLOT = -1;

/** Chains are short: each slot in a chain that is not meant is a cache miss. */
const CONNECTED_HEADS = 1 << 18;
/** One head for each port of TCP, then of UDP, then of UDP-Lite. */
const PORT_HEADS = PROTOCOL_PORTS;

// Header words, before the heads.
const VERSION = 0;
const EPOCH = 1;
const PROGRESS = 2;
const CHANGES = 3;
const PENDING = 4;
const HEADER_WORDS = 16;

const HEADS_AT = HEADER_WORDS;
const LOCAL_AT = HEADS_AT + CONNECTED_HEADS;
const PENDING_REMOTE_AT = LOCAL_AT + PORT_HEADS;
const PENDING_LOCAL_AT = PENDING_REMOTE_AT + PORT_HEADS;
const SLOTS_AT = PENDING_LOCAL_AT + PORT_HEADS;

/**
 * Slots of a table unless asked for otherwise: 256 MiB, touched as used. Closed
 * connections keep theirs until the packets in the ring are through, which may
 * take a minute where the ring is large and the machine is busy.
 */
export const DEFAULT_CAPACITY = 1 << 21;

/** Makes the shared memory of a table. */
export function createTable(capacity = DEFAULT_CAPACITY): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(
    4 * (SLOTS_AT + capacity * SLOT_WORDS),
  );
  new Int32Array(memory).fill(NO_SLOT, HEADS_AT, SLOTS_AT);
  return memory;
}

/** Words and places that reader and writer have in common. */
export class SocketTable {
  /** The whole table, as 32-bit words. */
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly capacity: number;

  /** Opens a table made by {@linkcode createTable}. */
  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory);
    this.capacity = (this.words.length - SLOTS_AT) / SLOT_WORDS;
  }

  /** Index of a slot's first word. */
  slotAt(slot: number): number {
    return SLOTS_AT + slot * SLOT_WORDS;
  }

  /** Index of the head of the chain of connections between two ports. */
  connectedHead(
    protocol: number,
    localPort: number,
    remotePort: number,
    remoteWord: number,
  ): number {
    const hash = Math.imul(localPort ^ (protocol << 11), 0x9e37_79b1) ^
      Math.imul(remotePort, 0x85eb_ca6b) ^ Math.imul(remoteWord, 0xc2b2_ae35);
    return HEADS_AT + ((hash ^ hash >>> 16) & (CONNECTED_HEADS - 1));
  }

  /** Index of the head of the chain of local ends with a port. */
  localHead(protocol: number, port: number): number {
    return LOCAL_AT + protocolPort(protocol, port);
  }

  /** Index of the head of the calls under way to a remote port. */
  pendingRemoteHead(protocol: number, port: number): number {
    return PENDING_REMOTE_AT + protocolPort(protocol, port);
  }

  /** Index of the head of the calls under way on a local port. */
  pendingLocalHead(protocol: number, port: number): number {
    return PENDING_LOCAL_AT + protocolPort(protocol, port);
  }

  /**
   * Changes whenever a call under way is settled: before its slot goes, and
   * when it is gone.
   */
  version(): number {
    return Atomics.load(this.words, VERSION);
  }

  /** Waits, at most `timeout` milliseconds, until the version is another. */
  waitForVersion(version: number, timeout: number): void {
    Atomics.wait(this.words, VERSION, version, timeout);
  }

  /** Writer: a call under way is about to be settled. */
  changeVersion(): void {
    Atomics.add(this.words, VERSION, 1);
  }

  /** Writer: a call under way was settled. Wakes the reader. */
  bumpVersion(): void {
    Atomics.add(this.words, VERSION, 1);
    Atomics.notify(this.words, VERSION);
  }

  /**
   * How often slots were added or changed: what was found out from them holds
   * while this stays the same.
   */
  changes(): number {
    return Atomics.load(this.words, CHANGES);
  }

  /** A slot was added or changed, and whoever reads them can see it. */
  changed(): void {
    Atomics.add(this.words, CHANGES, 1);
  }

  /** Whether there may be calls under way; there are none most of the time. */
  hasPending(): boolean {
    return Atomics.load(this.words, PENDING) !== 0;
  }

  /** Writer: before a call under way gets a slot, and after it has lost it. */
  countPending(difference: 1 | -1): void {
    Atomics.add(this.words, PENDING, difference);
  }

  /**
   * Reader: begins a new round; `progress` is the time (seconds since 1970)
   * up to which all packets have been dealt with.
   */
  beginRound(progress: number): void {
    Atomics.store(this.words, PROGRESS, progress);
    Atomics.add(this.words, EPOCH, 1);
  }

  /** Writer: how many rounds the reader has begun. */
  epoch(): number {
    return Atomics.load(this.words, EPOCH);
  }

  /** Writer: see {@linkcode SocketTable.beginRound}. */
  progress(): number {
    return Atomics.load(this.words, PROGRESS);
  }
}
