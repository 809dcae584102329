/**
 * Rows of the system-wide views: plain data, one object for each thing that
 * happened.
 *
 * @module
 */

/**
 * Who a connection belongs to, and between which ends it is.
 * See {@linkcode watchConnections}.
 */
export interface ViewRow {
  /** Process that connected, accepted or listens; 0 where it is not known. */
  readonly pid: number;
  /** Its thread; 0 where it is not known. */
  readonly tid: number;
  /** Name of the thread at that moment; empty where it is not known. */
  readonly comm: string;
  /** User of the process. */
  readonly uid: number;
  /** Id of the process's cgroup: the inode of its folder; 0 for none. */
  readonly cgroup: number;
  /** Inode of the network namespace; 0 where it is not known. */
  readonly netns: number;
  /** Family of the socket; an IPv6 socket may have v4-mapped addresses. */
  readonly family: 4 | 6;
  /** Transport protocol. */
  readonly protocol: "tcp" | "udp";
  /** Address of this end, as text. */
  readonly localAddress: string;
  /** 0 where none was chosen. */
  readonly localPort: number;
  /** Address of the other end, as text. */
  readonly remoteAddress: string;
  /** Port of the other end. */
  readonly remotePort: number;
}

/** An attempt to connect. See {@linkcode watchConnections}. */
export interface ConnectionRow extends ViewRow {
  /** When connect(2) was called: milliseconds since 1970. */
  readonly time: number;
  /**
   * `ok`, the name of the error such as `ECONNREFUSED`, `closed` when the
   * program gave up, or `pending` when nothing was decided yet.
   */
  readonly result: string;
  /** Milliseconds until the outcome; unset while there is none. */
  readonly latency: number | undefined;
  /** Name that an answer of DNS gave the remote address for, if asked for. */
  readonly name?: string;
}

/** Who ended a connection, and how. See {@linkcode watchConnections}. */
export type CloseKind =
  /** This end closed first. */
  | "local"
  /** The other end closed first. */
  | "remote"
  /** This end broke off: data was left unread, or SO_LINGER asked for it. */
  | "local-reset"
  /** The other end broke off, or refused. */
  | "remote-reset"
  /** Nothing came for too long, or the network said it cannot be reached. */
  | "timeout"
  /** It is still open. */
  | "open"
  /** Without eBPF nothing tells. */
  | "unknown";

/**
 * One end of a TCP connection, from beginning to end.
 * See {@linkcode watchSessions}.
 */
export interface SessionRow extends ViewRow {
  /** Sessions are TCP's. */
  readonly protocol: "tcp";
  /** When the socket was closed, or looked at: milliseconds since 1970. */
  readonly time: number;
  /** Bytes of data sent and acknowledged. */
  readonly bytesSent: number;
  /** Bytes of data received. */
  readonly bytesReceived: number;
  /**
   * Milliseconds since it was established, or since it began to connect when
   * that failed; of a session that was open before, since we began to look.
   */
  readonly duration: number;
  /** Segments that were sent again. */
  readonly retransmits: number;
  /** Smoothed round-trip time in microseconds; 0 where none was measured. */
  readonly roundTrip: number;
  /** Who ended it. */
  readonly closedBy: CloseKind;
  /** Name of the error that ended it, such as `ECONNRESET`. */
  readonly error: string | undefined;
  /** It was there before we began to look. */
  readonly openBefore: boolean;
  /** It is still there. */
  readonly stillOpen: boolean;
  /** How the owner is known. */
  readonly ownerFrom: OwnerKind;
}

/** How the owner of a connection is known. See {@linkcode watchConnections}. */
export type OwnerKind =
  /** It connected or accepted. */
  | "call"
  /** Nobody accepted the connection: it listens. */
  | "listener"
  /** It closed the socket. */
  | "closer"
  /** It held the descriptor when we began to look. */
  | "descriptor"
  | "unknown";

/** A connection that was accepted. See {@linkcode watchAccepts}. */
export interface AcceptRow extends ViewRow {
  /** When accept(2) returned: milliseconds since 1970. */
  readonly time: number;
}

/** A segment that was sent again. See {@linkcode watchRetransmits}. */
export interface RetransmitRow extends ViewRow {
  /** When it was sent again: milliseconds since 1970. */
  readonly time: number;
  /** `loss`: it counts as lost; `probe`: a tail loss probe (RFC 8985 7). */
  readonly reason: "loss" | "probe";
  /** State of the connection, such as `ESTABLISHED`. */
  readonly state: string;
  /** Sequence number of the segment. */
  readonly sequence: number;
}

/** A change of a TCP socket's state. See {@linkcode watchStates}. */
export interface StateRow extends ViewRow {
  /** When it changed: milliseconds since 1970. */
  readonly time: number;
  /** Address of the socket in the kernel, hexadecimal. */
  readonly socket: string;
  /** State before, such as `SYN_SENT`. */
  readonly oldState: string;
  /** State from now on. */
  readonly newState: string;
  /** Milliseconds in the old state; 0 where that is not known. */
  readonly duration: number;
}

/** What connections carried in some time. See {@linkcode watchTraffic}. */
export interface TrafficSample {
  /** End of the time: milliseconds since 1970. */
  readonly time: number;
  /** Connections that carried something, the busiest first. */
  readonly rows: readonly TrafficRow[];
}

/** What one end of a connection carried. See {@linkcode watchTraffic}. */
export interface TrafficRow extends ViewRow {
  /** Bytes of data that were acknowledged. */
  readonly bytesSent: number;
  /** Bytes of data that were received. */
  readonly bytesReceived: number;
}
