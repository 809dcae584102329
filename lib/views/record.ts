/**
 * Reading the records of the programs in the kernel.
 *
 * @module
 */
import {
  CLOSED_EARLY,
  COMM_LENGTH,
  RECORD,
  RETRANSMIT,
  SOCKET_FLAG,
} from "../../bpf/programs/views/layout.ts";
import { errnoName } from "../../ffi/errno.ts";
import { formatIpv4, formatIpv6 } from "../packet/address.ts";
import { tcpStateName } from "../sockets/inet_diag.ts";
import type {
  AcceptRow,
  CloseKind,
  ConnectionRow,
  OwnerKind,
  RetransmitRow,
  SessionRow,
  StateRow,
  ViewRow,
} from "./rows.ts";

const AF_INET = 2;
const IPPROTO_UDP = 17;
/** Where the IPv4 address stands in a v4-mapped one. */
const MAPPED_OFFSET = 12;
const NANOSECONDS = 1e6;

/** States of include/net/tcp_states.h that say who closed. */
const TCP = {
  FIN_WAIT1: 4,
  FIN_WAIT2: 5,
  LAST_ACK: 9,
  CLOSING: 11,
} as const;

/** ETIMEDOUT, EHOSTUNREACH, ENETUNREACH: nobody answered. */
const UNANSWERED: ReadonlySet<number> = new Set([110, 113, 101, 100]);

const decoder = new TextDecoder();

/**
 * A window on bytes of the kernel that moves from record to record. It must
 * not be kept: take out rows.
 */
export class ViewRecord {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #offset = 0;
  readonly #addresses = new Map<number, string>();
  /** By their first half. */
  readonly #names = new Map<bigint, { tail: bigint; name: string }>();

  /** Makes a window. */
  constructor(view: DataView, bytes: Uint8Array) {
    this.#view = view;
    this.#bytes = bytes;
  }

  /** Moves the window to a record. */
  moveTo(offset: number): this {
    this.#offset = offset;
    return this;
  }

  /** One of `RECORD_TYPE`. */
  get type(): number {
    return this.#u32(RECORD.type);
  }

  /** CLOCK_MONOTONIC of what is told, nanoseconds. */
  get now(): number {
    return this.#u64(RECORD.now);
  }

  /** When the socket was established or began to connect, alike; 0: before. */
  get start(): number {
    return this.#u64(RECORD.start);
  }

  /** When its state changed before, alike. */
  get changed(): number {
    return this.#u64(RECORD.time);
  }

  /** `SOCKET_FLAG`. */
  get flags(): number {
    return this.#u32(RECORD.flags);
  }

  /** errno value, or `CLOSED_EARLY`; 0 for none. */
  get error(): number {
    return this.#u32(RECORD.error);
  }

  /** State before the change. */
  get oldState(): number {
    return this.#u16(RECORD.oldState);
  }

  /** State after the change. */
  get newState(): number {
    return this.#u16(RECORD.newState);
  }

  /** Address of the socket in the kernel; tells living sockets apart. */
  get socket(): bigint {
    return this.#view.getBigUint64(this.#offset + RECORD.socket, true);
  }

  /** Sequence number of a segment that is sent again. */
  get sequence(): number {
    return this.#u32(RECORD.sequence);
  }

  /** `RETRANSMIT`. */
  get retransmit(): number {
    return this.#u32(RECORD.retransmit);
  }

  /** Process in the numbers of the machine's outermost PID namespace. */
  get tgid(): number {
    return this.#u32(RECORD.tgid);
  }

  /** What every row says. */
  ends(): ViewRow {
    const family = this.#u16(RECORD.family) === AF_INET ? 4 : 6;
    return {
      pid: this.tgid,
      tid: this.#u32(RECORD.tid),
      comm: this.#comm(),
      uid: this.#u32(RECORD.uid),
      cgroup: this.#u64(RECORD.cgroup),
      netns: this.#u32(RECORD.netns),
      family,
      protocol: this.#u16(RECORD.protocol) === IPPROTO_UDP ? "udp" : "tcp",
      localAddress: this.#address(RECORD.local, family),
      localPort: this.#u16(RECORD.localPort),
      remoteAddress: this.#address(RECORD.remote, family),
      remotePort: this.#u16(RECORD.remotePort),
    };
  }

  /** Bytes of data sent and acknowledged: without SYN and FIN. */
  get dataSent(): number {
    const { flags } = this;
    const acked = this.#u64(RECORD.bytesAcked);
    const fin = flags & SOCKET_FLAG.FIN_ACKED ? 1 : 0;
    return Math.max(acked - fin - this.#synCounted(flags, acked - fin), 0);
  }

  /** Bytes of data received: without the FIN. */
  get dataReceived(): number {
    const fin = this.flags & SOCKET_FLAG.FIN_RECEIVED ? 1 : 0;
    return Math.max(this.#u64(RECORD.bytesReceived) - fin, 0);
  }

  /** Segments sent again. */
  get retransmits(): number {
    return this.#u32(RECORD.retransmits);
  }

  /** Round-trip time in microseconds. */
  get roundTrip(): number {
    return this.#u32(RECORD.roundTrip) / 8;
  }

  /**
   * The SYN of the end that connected counts among the acknowledged bytes. Of
   * a socket that was there before, nothing says who connected: there the data
   * that was sent for the first time tells.
   */
  #synCounted(flags: number, acked: number): number {
    if (flags & SOCKET_FLAG.ACTIVE) {
      return flags & SOCKET_FLAG.ESTABLISHED ? 1 : 0;
    }
    if ((flags & SOCKET_FLAG.OPEN_BEFORE) === 0) return 0;
    const sent = this.#u64(RECORD.bytesSent) -
      this.#u64(RECORD.bytesRetransmitted);
    return acked === sent + 1 ? 1 : 0;
  }

  #address(field: number, family: 4 | 6): string {
    const at = this.#offset + field;
    if (family === 6) return formatIpv6(this.#bytes, at);
    const key = this.#view.getUint32(at + MAPPED_OFFSET, true);
    const known = this.#addresses.get(key);
    if (known !== undefined) return known;
    const text = formatIpv4(this.#bytes, at + MAPPED_OFFSET);
    return remember(this.#addresses, key, text);
  }

  /** Most rows are about a few programs: their names are kept as strings. */
  #comm(): string {
    const start = this.#offset + RECORD.comm;
    const head = this.#view.getBigUint64(start, true);
    const tail = this.#view.getBigUint64(start + 8, true);
    const known = this.#names.get(head);
    if (known?.tail === tail) return known.name;
    let end = start;
    while (end < start + COMM_LENGTH && this.#bytes[end] !== 0) end++;
    const name = decoder.decode(this.#bytes.slice(start, end));
    return remember(this.#names, head, { tail, name }).name;
  }

  #u16(field: number): number {
    return this.#view.getUint16(this.#offset + field, true);
  }

  #u32(field: number): number {
    return this.#view.getUint32(this.#offset + field, true);
  }

  /** Exact below 2^53. */
  #u64(field: number): number {
    return this.#u32(field) + this.#u32(field + 4) * 2 ** 32;
  }
}

/** Texts of one kind that are remembered. */
const MAX_REMEMBERED = 4096;

function remember<K, V>(map: Map<K, V>, key: K, value: V): V {
  if (map.size >= MAX_REMEMBERED) map.clear();
  map.set(key, value);
  return value;
}

/** What rows need to know besides the record. */
export interface RecordContext {
  /** CLOCK_REALTIME minus CLOCK_MONOTONIC, milliseconds. */
  readonly clockOffset: number;
  /** CLOCK_MONOTONIC when tracing began, nanoseconds. */
  readonly began: number;
}

/** The row of an attempt to connect. */
export function connectionRow(
  record: ViewRecord,
  { clockOffset }: RecordContext,
  result: string = resultName(record.error),
): ConnectionRow {
  const { start, now } = record;
  return {
    ...record.ends(),
    time: start / NANOSECONDS + clockOffset,
    result,
    latency: result === PENDING ? undefined : (now - start) / NANOSECONDS,
  };
}

/** Result of an attempt without an outcome. */
export const PENDING = "pending";

function resultName(error: number): string {
  if (error === 0) return "ok";
  return error === CLOSED_EARLY ? "closed" : errnoName(error);
}

/** The row of a session. */
export function sessionRow(
  record: ViewRecord,
  { clockOffset, began }: RecordContext,
  stillOpen = false,
): SessionRow {
  const { now, flags, error } = record;
  const openBefore = (flags & SOCKET_FLAG.OPEN_BEFORE) !== 0;
  const start = openBefore ? began : record.start;
  return {
    ...record.ends(),
    protocol: "tcp",
    time: now / NANOSECONDS + clockOffset,
    bytesSent: record.dataSent,
    bytesReceived: record.dataReceived,
    duration: (now - start) / NANOSECONDS,
    retransmits: record.retransmits,
    roundTrip: record.roundTrip,
    closedBy: stillOpen ? "open" : closeKind(record.oldState, error),
    error: error === 0 || stillOpen ? undefined : errnoName(error),
    openBefore,
    stillOpen,
    ownerFrom: record.tgid === 0 ? "unknown" : ownerKind(flags),
  };
}

/** Who closed: told by the state that the socket had, and its error. */
export function closeKind(oldState: number, error: number): CloseKind {
  if (UNANSWERED.has(error)) return "timeout";
  switch (oldState) {
    case TCP.FIN_WAIT1:
    case TCP.FIN_WAIT2:
    case TCP.CLOSING:
      return "local";
    case TCP.LAST_ACK:
      return "remote";
    default:
      return error === 0 ? "local-reset" : "remote-reset";
  }
}

function ownerKind(flags: number): OwnerKind {
  if (flags & SOCKET_FLAG.LISTENER) return "listener";
  if (flags & SOCKET_FLAG.CLOSER) return "closer";
  if (flags & SOCKET_FLAG.OPEN_BEFORE) return "descriptor";
  return "call";
}

/** The row of an accepted connection. */
export function acceptRow(
  record: ViewRecord,
  { clockOffset }: RecordContext,
): AcceptRow {
  return { ...record.ends(), time: record.now / NANOSECONDS + clockOffset };
}

/** The row of a segment that is sent again. */
export function retransmitRow(
  record: ViewRecord,
  { clockOffset }: RecordContext,
): RetransmitRow {
  return {
    ...record.ends(),
    time: record.now / NANOSECONDS + clockOffset,
    reason: record.retransmit === RETRANSMIT.PROBE ? "probe" : "loss",
    state: tcpStateName(record.newState),
    sequence: record.sequence,
  };
}

/** The row of a change of state. */
export function stateRow(
  record: ViewRecord,
  { clockOffset }: RecordContext,
): StateRow {
  const { now, changed, flags } = record;
  const isKnown = (flags & SOCKET_FLAG.OPEN_BEFORE) === 0;
  return {
    ...record.ends(),
    time: now / NANOSECONDS + clockOffset,
    socket: record.socket.toString(16),
    oldState: tcpStateName(record.oldState),
    newState: tcpStateName(record.newState),
    duration: isKnown ? (now - changed) / NANOSECONDS : 0,
  };
}
