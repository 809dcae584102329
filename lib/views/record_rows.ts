/**
 * Rows of the records of the programs in the kernel.
 *
 * Where rows are many, they are windows on the record: what nobody looks at is
 * not read, and nothing is made for each of them.
 *
 * @module
 */
import {
  CLOSED_EARLY,
  RETRANSMIT,
  SOCKET_FLAG,
} from "../../bpf/programs/views/layout.ts";
import { errnoName } from "../../ffi/errno.ts";
import { tcpStateName } from "../sockets/inet_diag.ts";
import type { ProcessIds } from "../trace/ebpf_process_ids.ts";
import type { ViewRecord } from "./record.ts";
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

const NANOSECONDS = 1e6;

/** States of include/net/tcp_states.h that say who closed. */
const TCP = {
  FIN_WAIT1: 4,
  FIN_WAIT2: 5,
  LAST_ACK: 9,
  CLOSING: 11,
} as const;

/** ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENETDOWN: nobody answered. */
const UNANSWERED: ReadonlySet<number> = new Set([110, 113, 101, 100]);

/** What rows need to know besides the record. */
export interface RecordContext {
  /** CLOCK_REALTIME minus CLOCK_MONOTONIC, milliseconds. */
  readonly clockOffset: number;
  /** CLOCK_MONOTONIC when tracing began, nanoseconds. */
  readonly began: number;
  /** Translates process ids. */
  readonly ids: Pick<ProcessIds, "toInner">;
}

/** What every row says, read from the record when it is asked for. */
class RowWindow implements ViewRow {
  /** The record, wherever it is at the moment. */
  protected readonly record: ViewRecord;
  /** What is known besides. */
  protected readonly context: RecordContext;

  constructor(record: ViewRecord, context: RecordContext) {
    this.record = record;
    this.context = context;
  }

  get pid(): number {
    const { tgid } = this.record;
    return this.context.ids.toInner(tgid) ?? tgid;
  }

  get tid(): number {
    return this.record.tid;
  }

  get comm(): string {
    return this.record.comm;
  }

  get uid(): number {
    return this.record.uid;
  }

  get cgroup(): number {
    return this.record.cgroup;
  }

  get netns(): number {
    return this.record.netns;
  }

  get family(): 4 | 6 {
    return this.record.family;
  }

  get protocol(): "tcp" | "udp" {
    return this.record.protocol;
  }

  get localAddress(): string {
    return this.record.localAddress;
  }

  get localPort(): number {
    return this.record.localPort;
  }

  get remoteAddress(): string {
    return this.record.remoteAddress;
  }

  get remotePort(): number {
    return this.record.remotePort;
  }
}

/** Copies what every row says. */
export function endsOf(row: ViewRow): ViewRow {
  return {
    pid: row.pid,
    tid: row.tid,
    comm: row.comm,
    uid: row.uid,
    cgroup: row.cgroup,
    netns: row.netns,
    family: row.family,
    protocol: row.protocol,
    localAddress: row.localAddress,
    localPort: row.localPort,
    remoteAddress: row.remoteAddress,
    remotePort: row.remotePort,
  };
}

function ends(record: ViewRecord, context: RecordContext): ViewRow {
  return endsOf(new RowWindow(record, context));
}

/** An attempt to connect, as long as its record is there. */
export class ConnectionWindow extends RowWindow implements ConnectionRow {
  readonly #isPending: boolean;

  /**
   * Looks at a record, and at those that it moves to.
   *
   * @param isPending Whether there is no outcome.
   */
  constructor(
    record: ViewRecord,
    context: RecordContext,
    isPending = false,
  ) {
    super(record, context);
    this.#isPending = isPending;
  }

  get time(): number {
    return this.record.start / NANOSECONDS + this.context.clockOffset;
  }

  get result(): string {
    return this.#isPending ? PENDING : resultName(this.record.error);
  }

  get latency(): number | undefined {
    if (this.#isPending) return undefined;
    return (this.record.now - this.record.start) / NANOSECONDS;
  }

  /** What JSON says of it. */
  toJSON(): ConnectionRow {
    return keepConnection(this);
  }
}

/** Copies an attempt that is to stay. */
export function keepConnection(row: ConnectionRow): ConnectionRow {
  const { time, result, latency } = row;
  return { ...endsOf(row), time, result, latency };
}

/** Result of an attempt without an outcome. */
const PENDING = "pending";

function resultName(error: number): string {
  if (error === 0) return "ok";
  return error === CLOSED_EARLY ? "closed" : errnoName(error);
}

/** A session, as long as its record is there. */
export class SessionWindow extends RowWindow implements SessionRow {
  /** Whether it has not ended. */
  readonly stillOpen: boolean;

  /** Looks at a record, and at those that it moves to. */
  constructor(
    record: ViewRecord,
    context: RecordContext,
    stillOpen = false,
  ) {
    super(record, context);
    this.stillOpen = stillOpen;
  }

  override get protocol(): "tcp" {
    return "tcp";
  }

  get time(): number {
    return this.record.now / NANOSECONDS + this.context.clockOffset;
  }

  get bytesSent(): number {
    return this.record.dataSent;
  }

  get bytesReceived(): number {
    return this.record.dataReceived;
  }

  get duration(): number {
    const start = this.openBefore ? this.context.began : this.record.start;
    return (this.record.now - start) / NANOSECONDS;
  }

  get retransmits(): number {
    return this.record.retransmits;
  }

  get roundTrip(): number {
    return this.record.roundTrip;
  }

  get closedBy(): CloseKind {
    const { oldState, error } = this.record;
    return this.stillOpen ? "open" : closeKind(oldState, error);
  }

  get error(): string | undefined {
    const { error } = this.record;
    return error === 0 || this.stillOpen ? undefined : errnoName(error);
  }

  get openBefore(): boolean {
    return (this.record.flags & SOCKET_FLAG.OPEN_BEFORE) !== 0;
  }

  get ownerFrom(): OwnerKind {
    const { tgid, flags } = this.record;
    return tgid === 0 ? "unknown" : ownerKind(flags);
  }

  /** What JSON says of it. */
  toJSON(): SessionRow {
    return keepSession(this);
  }
}

/** Copies a session that is to stay. */
export function keepSession(row: SessionRow): SessionRow {
  return {
    ...endsOf(row),
    protocol: row.protocol,
    time: row.time,
    bytesSent: row.bytesSent,
    bytesReceived: row.bytesReceived,
    duration: row.duration,
    retransmits: row.retransmits,
    roundTrip: row.roundTrip,
    closedBy: row.closedBy,
    error: row.error,
    openBefore: row.openBefore,
    stillOpen: row.stillOpen,
    ownerFrom: row.ownerFrom,
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
  context: RecordContext,
): AcceptRow {
  const time = record.now / NANOSECONDS + context.clockOffset;
  return { ...ends(record, context), time };
}

/** The row of a segment that is sent again. */
export function retransmitRow(
  record: ViewRecord,
  context: RecordContext,
): RetransmitRow {
  return {
    ...ends(record, context),
    time: record.now / NANOSECONDS + context.clockOffset,
    reason: record.retransmit === RETRANSMIT.PROBE ? "probe" : "loss",
    state: tcpStateName(record.newState),
    sequence: record.sequence,
  };
}

/** The row of a change of state. */
export function stateRow(
  record: ViewRecord,
  context: RecordContext,
): StateRow {
  const { now, changed, flags } = record;
  const isKnown = (flags & SOCKET_FLAG.OPEN_BEFORE) === 0;
  return {
    ...ends(record, context),
    time: now / NANOSECONDS + context.clockOffset,
    socket: record.socket.toString(16),
    oldState: tcpStateName(record.oldState),
    newState: tcpStateName(record.newState),
    duration: isKnown ? (now - changed) / NANOSECONDS : 0,
  };
}
