/**
 * Who talked to whom, how much, and how it went: counted packet by packet
 * without making objects, told as rows at the end.
 *
 * @module
 */
import {
  addressBytes,
  type FlowFields,
  PROTOCOL_TCP,
  TcpFlag,
} from "../packet/flow_fields.ts";

/** Traffic of one owner with one remote endpoint. */
export interface FlowRow {
  /** Owner number of the socket table. */
  readonly owner: number;
  readonly protocol: number;
  /** 16 bytes, IPv4 v4-mapped. */
  readonly remoteAddress: Uint8Array;
  /** The remote port, or the own one for `incoming` rows. */
  readonly port: number;
  /** Whether the remote side began. */
  readonly incoming: boolean;
  packetsSent: number;
  packetsReceived: number;
  bytesSent: number;
  bytesReceived: number;
  /** Seconds since 1970. */
  first: number;
  last: number;
  flows: number;
  failed: number;
}

/*
 * Key of a flow, in words: 0 owner, 1 protocol << 16 | local port,
 * 2 remote port, 3-6 remote address.
 */
const KEY_WORDS = 8;
/** Counters: packets sent, received, bytes sent, received, first, last. */
const COUNTERS = 6;

const USED = 1;
const INCOMING = 2;
const SYN = 4;
const ANSWERED = 8;
const RESET = 16;
const FINISHED = 32;

/** Counts flows. */
export class FlowTable {
  readonly #capacity: number;
  readonly #keys: Int32Array;
  readonly #counters: Float64Array;
  readonly #states: Uint8Array;
  readonly #rows = new Map<string, FlowRow>();
  /** What was added to last: flows of one row come one after the other. */
  #latestRow: FlowRow | undefined;
  readonly #latestKey = new Int32Array(7);
  readonly #moved: () => void;
  #used = 0;
  #lastEntry = 0;

  /**
   * @param moved told when entries are not any more what they were
   * @param capacity flows counted at a time, a power of two
   */
  constructor(moved: () => void = () => {}, capacity = 1 << 14) {
    this.#moved = moved;
    this.#capacity = capacity;
    this.#keys = new Int32Array(capacity * KEY_WORDS);
    this.#counters = new Float64Array(capacity * COUNTERS);
    this.#states = new Uint8Array(capacity);
  }

  /**
   * Counts a packet.
   *
   * @param listening whether the packet was matched by its local end only
   * @param length bytes of the IP packet
   * @returns whether it is the first one of its flow
   */
  count(
    fields: FlowFields,
    owner: number,
    sent: boolean,
    listening: boolean,
    length: number,
    time: number,
  ): boolean {
    const { protocol } = fields;
    const remote = sent ? fields.destination : fields.source;
    const localPort = sent ? fields.sourcePort : fields.destinationPort;
    const remotePort = sent ? fields.destinationPort : fields.sourcePort;
    const ports = protocol << 16 | localPort;
    const keys = this.#keys;
    const entry = this.#find(owner, ports, remotePort, remote);
    const key = entry * KEY_WORDS;
    const hash = entry * COUNTERS;
    const counters = this.#counters;
    let first = false;
    if (this.#states[entry] === 0) {
      if (this.#used > this.#capacity * 0.75) {
        this.#fold();
        return this.count(fields, owner, sent, listening, length, time);
      }
      first = true;
      this.#used++;
      keys[key] = owner;
      keys[key + 1] = ports;
      keys[key + 2] = remotePort;
      for (let i = 0; i < 4; i++) keys[key + 3 + i] = remote[i]!;
      counters.fill(0, hash, hash + COUNTERS);
      counters[hash + 4] = time;
      this.#states[entry] = USED | direction(fields, sent, listening);
    } else if (
      protocol === PROTOCOL_TCP && (this.#states[entry]! & FINISHED) !== 0 &&
      (fields.tcpFlags & (TcpFlag.SYN | TcpFlag.ACK)) === TcpFlag.SYN
    ) {
      // The same ends again: another connection.
      first = true;
      this.#addToRow(entry);
      counters.fill(0, hash, hash + COUNTERS);
      counters[hash + 4] = time;
      this.#states[entry] = USED | direction(fields, sent, listening);
    }
    counters[hash + (sent ? 0 : 1)]!++;
    counters[hash + (sent ? 2 : 3)]! += length;
    counters[hash + 5] = time;
    if (protocol === PROTOCOL_TCP) this.#follow(entry, fields.tcpFlags, sent);
    else if (!sent) this.#states[entry]! |= ANSWERED;
    return first;
  }

  /**
   * Notes that a segment, which the program sends to itself and which is
   * counted as sent, answers a SYN of another of its flows.
   *
   * @param owner whose the other end is
   */
  answer(fields: FlowFields, owner: number): void {
    const answers = TcpFlag.SYN | TcpFlag.ACK;
    if ((fields.tcpFlags & answers) !== answers) return;
    const ports = fields.protocol << 16 | fields.destinationPort;
    const entry = this.#find(owner, ports, fields.sourcePort, fields.source);
    if (this.#states[entry] !== 0) this.#states[entry]! |= ANSWERED;
  }

  /** Number of the flow that was counted last. */
  get latest(): number {
    return this.#lastEntry;
  }

  /**
   * Counts one more packet of a flow that is known: neither the first one nor
   * one that opens a connection.
   *
   * @param flow its number: see `latest`
   * @param ends FIN and RST of the packet
   */
  countMore(
    flow: number,
    sent: boolean,
    ends: number,
    length: number,
    time: number,
  ): void {
    const counters = this.#counters;
    const at = flow * COUNTERS;
    counters[at + (sent ? 0 : 1)]!++;
    counters[at + (sent ? 2 : 3)]! += length;
    counters[at + 5] = time;
    if (ends !== 0) this.#follow(flow, ends, sent);
    // Of TCP only an answer to the SYN counts.
    if (!sent && this.#keys[flow * KEY_WORDS + 1]! >>> 16 !== PROTOCOL_TCP) {
      this.#states[flow]! |= ANSWERED;
    }
  }

  /** The entry of a flow, or the free one where it belongs. */
  #find(
    owner: number,
    ports: number,
    remotePort: number,
    remote: Int32Array,
  ): number {
    // Packets of one flow come in a row.
    let entry = this.#lastEntry;
    if (!this.#isFlow(entry, owner, ports, remotePort, remote)) {
      const mask = this.#capacity - 1;
      const hash = hashOf(owner, ports, remotePort, remote[3]!);
      entry = (hash ^ hash >>> 15) & mask;
      while (
        this.#states[entry] !== 0 &&
        !this.#isFlow(entry, owner, ports, remotePort, remote)
      ) {
        entry = (entry + 1) & mask;
      }
      this.#lastEntry = entry;
    }
    return entry;
  }

  #isFlow(
    entry: number,
    owner: number,
    ports: number,
    remotePort: number,
    remote: Int32Array,
  ): boolean {
    const keys = this.#keys;
    const key = entry * KEY_WORDS;
    return this.#states[entry] !== 0 && keys[key] === owner &&
      keys[key + 1] === ports && keys[key + 2] === remotePort &&
      keys[key + 6] === remote[3] && keys[key + 3] === remote[0] &&
      keys[key + 4] === remote[1] && keys[key + 5] === remote[2];
  }

  #follow(entry: number, tcpFlags: number, sent: boolean): void {
    if ((tcpFlags & TcpFlag.SYN) !== 0) {
      this.#states[entry]! |= (tcpFlags & TcpFlag.ACK) === 0 ? SYN : ANSWERED;
    }
    if ((tcpFlags & TcpFlag.RST) !== 0) {
      this.#states[entry]! |= sent ? FINISHED : RESET | FINISHED;
    } else if ((tcpFlags & TcpFlag.FIN) !== 0) {
      this.#states[entry]! |= FINISHED;
    }
  }

  /** Rows of everything counted so far, busiest first. */
  rows(): FlowRow[] {
    for (let entry = 0; entry < this.#capacity; entry++) {
      if (this.#states[entry] !== 0) this.#addToRow(entry);
    }
    this.#states.fill(0);
    this.#used = 0;
    return [...this.#rows.values()].sort((a, b) =>
      b.bytesSent + b.bytesReceived - a.bytesSent - a.bytesReceived
    );
  }

  /** Makes room: adds all flows to their rows, and keeps the living ones. */
  #fold(): void {
    this.#moved();
    const living: number[][] = [];
    for (let entry = 0; entry < this.#capacity; entry++) {
      const state = this.#states[entry]!;
      if (state === 0) continue;
      const goesOn = (state & FINISHED) === 0 &&
        living.length < this.#capacity / 4;
      this.#addToRow(entry, goesOn);
      if (goesOn) {
        const key = entry * KEY_WORDS;
        living.push([
          state,
          this.#counters[entry * COUNTERS + 5]!,
          ...this.#keys.subarray(key, key + KEY_WORDS),
        ]);
      }
    }
    this.#states.fill(0);
    this.#used = living.length;
    for (const [state, time, ...key] of living) {
      this.#restore(state!, time!, key);
    }
  }

  #restore(state: number, time: number, key: readonly number[]): void {
    const hash = hashOf(key[0]!, key[1]!, key[2]!, key[6]!);
    let entry = (hash ^ hash >>> 15) & (this.#capacity - 1);
    while (this.#states[entry] !== 0) {
      entry = (entry + 1) & (this.#capacity - 1);
    }
    this.#keys.set(key, entry * KEY_WORDS);
    const counters = entry * COUNTERS;
    this.#counters.fill(0, counters, counters + COUNTERS);
    this.#counters[counters + 4] = time;
    this.#counters[counters + 5] = time;
    this.#states[entry] = state;
  }

  /** @param goesOn whether more is to be added: a flow is counted at its end */
  #addToRow(entry: number, goesOn = false): void {
    const key = entry * KEY_WORDS;
    const keys = this.#keys;
    const counters = entry * COUNTERS;
    const values = this.#counters;
    const state = this.#states[entry]!;
    const owner = keys[key]!;
    const protocol = keys[key + 1]! >>> 16;
    const incoming = (state & INCOMING) !== 0;
    const port = incoming ? keys[key + 1]! & 0xffff : keys[key + 2]!;
    const kind = protocol << 1 | (incoming ? 1 : 0);
    let row = this.#latestRow;
    if (row === undefined || !this.#isLatest(owner, kind, port, key + 3)) {
      row = this.#rowOf(owner, kind, port, key + 3, counters);
      this.#latestRow = row;
    }
    row.packetsSent += values[counters]!;
    row.packetsReceived += values[counters + 1]!;
    row.bytesSent += values[counters + 2]!;
    row.bytesReceived += values[counters + 3]!;
    row.first = Math.min(row.first, values[counters + 4]!);
    row.last = Math.max(row.last, values[counters + 5]!);
    if (goesOn) return;
    row.flows++;
    const opened = (state & SYN) !== 0 && (state & ANSWERED) === 0;
    if (protocol === PROTOCOL_TCP && opened) row.failed++;
  }

  /** Whether the row that was added to last is the one of this key. */
  #isLatest(
    owner: number,
    kind: number,
    port: number,
    remoteAt: number,
  ): boolean {
    const keys = this.#keys;
    const latest = this.#latestKey;
    return latest[0] === owner && latest[1] === kind && latest[2] === port &&
      latest[3] === keys[remoteAt] && latest[4] === keys[remoteAt + 1] &&
      latest[5] === keys[remoteAt + 2] && latest[6] === keys[remoteAt + 3];
  }

  /** The row of a key, which is the latest from now on. */
  #rowOf(
    owner: number,
    kind: number,
    port: number,
    remoteAt: number,
    counters: number,
  ): FlowRow {
    const keys = this.#keys;
    const latest = this.#latestKey;
    latest[0] = owner;
    latest[1] = kind;
    latest[2] = port;
    for (let i = 0; i < 4; i++) latest[3 + i] = keys[remoteAt + i]!;
    const name = rowKey(owner, kind, port, keys, remoteAt);
    let row = this.#rows.get(name);
    if (row === undefined) {
      row = {
        owner,
        protocol: kind >> 1,
        remoteAddress: addressBytes(keys, remoteAt),
        port,
        incoming: (kind & 1) !== 0,
        packetsSent: 0,
        packetsReceived: 0,
        bytesSent: 0,
        bytesReceived: 0,
        first: this.#counters[counters + 4]!,
        last: 0,
        flows: 0,
        failed: 0,
      };
      this.#rows.set(name, row);
    }
    return row;
  }
}

/** The key of a row: quick to make, as each flow is added to one. */
function rowKey(
  owner: number,
  kind: number,
  port: number,
  words: Int32Array,
  at: number,
): string {
  return String.fromCharCode(
    owner >>> 16,
    owner & 0xffff,
    kind,
    port,
    words[at]! >>> 16,
    words[at]! & 0xffff,
    words[at + 1]! >>> 16,
    words[at + 1]! & 0xffff,
    words[at + 2]! >>> 16,
    words[at + 2]! & 0xffff,
    words[at + 3]! >>> 16,
    words[at + 3]! & 0xffff,
  );
}

function hashOf(
  owner: number,
  ports: number,
  remotePort: number,
  remoteWord: number,
): number {
  return Math.imul(ports, 0x9e37_79b1) ^ Math.imul(remotePort, 0x85eb_ca6b) ^
    Math.imul(remoteWord, 0xc2b2_ae35) ^ owner;
}

/** Which side began, told by the first packet. */
function direction(
  { protocol, tcpFlags }: FlowFields,
  sent: boolean,
  listening: boolean,
): number {
  if (protocol === PROTOCOL_TCP) {
    const opens = (tcpFlags & (TcpFlag.SYN | TcpFlag.ACK)) === TcpFlag.SYN;
    if (opens) return sent ? 0 : INCOMING;
    return listening ? INCOMING : 0;
  }
  return listening && !sent ? INCOMING : 0;
}
