/**
 * Layouts of what the programs behind the system-wide views share with user
 * space: maps, and the records that tell about connections.
 *
 * A record begins with what a map keeps of a socket ({@linkcode SOCKET}); the
 * rest is added when something is told. Numbers are little-endian, addresses
 * 16 bytes, IPv4 v4-mapped, whatever the family of the socket.
 *
 * @module
 */
import { COMM_LENGTH, MAP } from "../layout.ts";

/** Names of the maps. */
export const VIEW_MAP = {
  /** TCP sockets from birth to end; address of the socket → SOCKET. */
  sessions: "sessions",
  /** The same as an array of {@linkcode SLOT}, which comes first. */
  sessionSlots: "session_slots",
  /** Calls of connect(2) whose outcome is open; the same key and value. */
  attempts: "attempts",
  attemptSlots: "attempt_slots",
  /** Threads inside such a call; thread id → address of the socket. */
  callers: "callers",
  /** The same as an array of {@linkcode CALLER}. */
  callerSlots: "caller_slots",
  /** One u64 for each processor, see `writeKey()`. */
  scratch: "scratch",
  /**
   * Who listens, or did last; {@linkcode LISTENER_KEY} → SOCKET. Connections
   * that nobody accepted end after their listener.
   */
  listeners: "listeners",
  /** Destinations of unconnected UDP sockets; {@linkcode DATAGRAM_KEY}. */
  datagrams: "datagrams",
  /** Processes that are watched, where not all are; process id → flags. */
  targets: MAP.targets,
  /** The ring of records; {@linkcode RECORD}. */
  records: "records",
  /** {@linkcode COUNTS}. */
  counts: "counts",
} as const;

/** Name of a map of the views. */
export type ViewMapName = typeof VIEW_MAP[keyof typeof VIEW_MAP];

/** Bytes of the address of a socket, a key. */
export const SOCKET_KEY_SIZE = 8;

/** What is kept of a socket. */
export const SOCKET = {
  /** u64, CLOCK_MONOTONIC of the last change of its state. */
  time: 0,
  /** u64, when it was established, or began to connect; 0 before we began. */
  start: 8,
  /** u64, cgroup of the owner when it took the socket. */
  cgroup: 16,
  /** u32, process that connected, accepted or listens; 0 while not known. */
  tgid: 24,
  /** u32, its thread. */
  tid: 28,
  /** u32, its user. */
  uid: 32,
  /** u32, inode of the network namespace. */
  netns: 36,
  /** u16, AF_INET or AF_INET6: family of the socket. */
  family: 40,
  /** u16, IPPROTO_TCP or IPPROTO_UDP. */
  protocol: 42,
  /** u16, host order; 0 while not chosen. */
  localPort: 44,
  /** u16, host order. */
  remotePort: 46,
  local: 48,
  remote: 64,
  /** Name of the thread, NUL-terminated. */
  comm: 80,
  /** u32, {@linkcode SOCKET_FLAG}. */
  flags: 96,
  /** u64, address of the socket: tells sockets apart while they live. */
  socket: 104,
  size: 112,
} as const;

/** Slots of each array; a power of two. */
export const SLOTS = 2048;

/** A slot for a socket. */
export const SLOT = {
  /** u64, key; 0 while the slot is free. */
  key: 0,
  /** {@linkcode SOCKET}. */
  socket: 8,
  size: 120,
} as const;

/** A slot for a thread. */
export const CALLER = {
  /** u32, thread; 0 while the slot is free. */
  tid: 0,
  /** u64, key of the socket. */
  key: 8,
  size: 16,
} as const;

/** Bits of a socket's flags. */
export const SOCKET_FLAG = {
  /** This end connected. */
  ACTIVE: 1,
  /** The handshake was completed. */
  ESTABLISHED: 2,
  /** Existed before tracing began. */
  OPEN_BEFORE: 4,
  /** The owner is the one that listens: nobody accepted it. */
  LISTENER: 8,
  /** The owner is the one that closed it. */
  CLOSER: 16,
  /** connect(2) has returned without an outcome. */
  RETURNED: 32,
  /** The owner is one of the watched processes. */
  WATCHED: 64,
  /** The byte count of what was sent includes a FIN. */
  FIN_ACKED: 128,
  /** The byte count of what was received includes a FIN. */
  FIN_RECEIVED: 256,
} as const;

/** A record of the ring. */
export const RECORD = {
  ...SOCKET,
  /** u32, {@linkcode RECORD_TYPE}. */
  type: 100,
  /** s32, errno value; {@linkcode CLOSED_EARLY}; 0 for none. */
  error: 112,
  /** u16, state before (include/net/tcp_states.h). */
  oldState: 116,
  /** u16, state now. */
  newState: 118,
  /** u64, CLOCK_MONOTONIC of what is told. */
  now: 120,
  /** u64, bytes that were acknowledged; SYN and FIN count. */
  bytesAcked: 128,
  /** u64, bytes received in order; a FIN counts. */
  bytesReceived: 136,
  /** u64, bytes of data sent, repeated ones too. */
  bytesSent: 144,
  /** u64, bytes of data sent again. */
  bytesRetransmitted: 152,
  /** u32, segments sent again. */
  retransmits: 160,
  /** u32, smoothed round-trip time in 1/8 microseconds. */
  roundTrip: 164,
  /** u32, sequence number of the segment that is sent again. */
  sequence: 168,
  /** u32, {@linkcode RETRANSMIT}. */
  retransmit: 172,
  size: 176,
} as const;

/** Kinds of records. */
export const RECORD_TYPE = {
  /** Outcome of a connect(2), or of the first datagram to a destination. */
  ATTEMPT: 1,
  /** A process took a connection from a listening socket. */
  ACCEPTED: 2,
  /** The full socket ended; TIME_WAIT is not waited for. */
  CLOSED: 3,
  /** The state changed. */
  STATE: 4,
  /** A segment is sent again. */
  RETRANSMIT: 5,
  /** A socket that a process holds open; written by the iterator. */
  OPEN: 6,
  /** A connection that this end opened is established. */
  CONNECTED: 7,
} as const;

/** Number of a kind of record. */
export type RecordType = typeof RECORD_TYPE[keyof typeof RECORD_TYPE];

/**
 * Value of `error`: the program closed the socket before there was an outcome.
 * Kernel errors end below it (MAX_ERRNO).
 */
export const CLOSED_EARLY = 4096;

/** Why a segment is sent again. */
export const RETRANSMIT = {
  /** It counts as lost. */
  LOSS: 0,
  /** A tail loss probe. */
  PROBE: 1,
} as const;

/** Key of `listeners`. */
export const LISTENER_KEY = {
  /** u32, inode of the network namespace. */
  netns: 0,
  /** u32, port in host order. */
  port: 4,
  size: 8,
} as const;

/** Key of `datagrams`. */
export const DATAGRAM_KEY = {
  /** u64, address of the socket. */
  socket: 0,
  remote: 8,
  /** u32, network order. */
  port: 24,
  /** u32, lower half of the socket's cookie: addresses come again. */
  cookie: 28,
  size: 32,
} as const;

/** Bytes of a value of `datagrams`, which says nothing. */
export const DATAGRAM_VALUE_SIZE = 8;

/** The only value of `counts`. */
export const COUNTS = {
  /** u64, records that did not fit into the ring. */
  lostRecords: 0,
  /** u64, sockets that did not fit into a map. */
  lostSockets: 8,
  /** u64, threads inside of connect(2). */
  callers: 16,
  /** u64, entries of `sessions`, where slots are used. */
  sessions: 24,
  /** u64, entries of `attempts`, alike. */
  attempts: 32,
  size: 40,
} as const;

export { COMM_LENGTH };
