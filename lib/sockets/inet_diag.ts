/**
 * What sock_diag(7) tells about an IPv4 or IPv6 socket: struct inet_diag_msg
 * of linux/inet_diag.h and the attributes behind it. Pure.
 *
 * ```text
 *  0      1      2      3      4           52        56     60     64    68
 * +------+------+------+------+-----------+---------+------+------+-----+-----+
 * |family|state |timer |retran| sockid    | expires |rqueue|wqueue| uid |inode|
 * +------+------+------+------+-----------+---------+------+------+-----+-----+
 * struct inet_diag_sockid, offsets from its begin; ports and addresses in
 * network byte order, the rest in the machine's (little endian):
 *  0       2       4             20            36          40            48
 * +-------+-------+-------------+-------------+-----------+-------------+
 * | sport | dport | src[4]      | dst[4]      | interface | cookie[2]   |
 * +-------+-------+-------------+-------------+-----------+-------------+
 * ```
 *
 * @module
 */

import { align } from "./sock_diag.ts";

/** AF_INET. */
export const AF_INET = 2;
/** AF_INET6. */
export const AF_INET6 = 10;
/** Protocol number of TCP. */
export const IPPROTO_TCP = 6;
/** Protocol number of UDP. */
export const IPPROTO_UDP = 17;
/** Protocol number of UDP-Lite. */
export const IPPROTO_UDPLITE = 136;

/** Offsets in struct inet_diag_sockid, which requests contain too. */
export const SOCKID = {
  SPORT: 0,
  DPORT: 2,
  SRC: 4,
  DST: 20,
  INTERFACE: 36,
  COOKIE: 40,
  LENGTH: 48,
} as const;

// Offsets in struct inet_diag_msg.
const FAMILY = 0;
const STATE = 1;
const ID = 4;
const EXPIRES = ID + SOCKID.LENGTH;
const RQUEUE = EXPIRES + 4;
const WQUEUE = RQUEUE + 4;
const UID = WQUEUE + 4;
const INODE = UID + 4;
/** Length of struct inet_diag_msg. */
export const INET_DIAG_MSG_LENGTH: number = INODE + 4;

/** Kinds of attributes that are read; INET_DIAG_* of linux/inet_diag.h. */
export const INET_DIAG = {
  INFO: 2,
  SHUTDOWN: 8,
  PROTOCOL: 10,
  SKV6ONLY: 11,
} as const;

// struct nlattr: u16 length with header, u16 type with two flag bits.
const NLA_HDRLEN = 4;
const NLA_TYPE_MASK = 0x3fff;

/**
 * States of include/net/tcp_states.h. UDP sockets are ESTABLISHED when they
 * are connected and CLOSE otherwise.
 */
export const TCP_STATE = {
  ESTABLISHED: 1,
  SYN_SENT: 2,
  SYN_RECV: 3,
  FIN_WAIT1: 4,
  FIN_WAIT2: 5,
  TIME_WAIT: 6,
  CLOSE: 7,
  CLOSE_WAIT: 8,
  LAST_ACK: 9,
  LISTEN: 10,
  CLOSING: 11,
  NEW_SYN_RECV: 12,
  /** In requests only (Linux 6.8): bound, but neither connected nor listening. */
  BOUND_INACTIVE: 13,
} as const;

/** A state of {@linkcode TCP_STATE}. */
export type TcpState = typeof TCP_STATE[keyof typeof TCP_STATE];

const STATE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(TCP_STATE).map(([name, value]) => [value, name]),
);

/**
 * Name of a state.
 *
 * @param state Number of the state.
 * @returns The kernel's name without `TCP_`, or `state 14` for an unknown one.
 */
export function tcpStateName(state: number): string {
  return STATE_NAMES.get(state) ?? `state ${state}`;
}

/** One socket, as a dump, a lookup or a destroy event describes it. */
export interface InetDiagSocket {
  /** AF_INET or AF_INET6; the latter also with IPv4-mapped addresses. */
  readonly family: typeof AF_INET | typeof AF_INET6;
  /** IPPROTO_TCP, IPPROTO_UDP or IPPROTO_UDPLITE; 0 when neither message nor caller said. */
  readonly protocol: number;
  /** A value of {@linkcode TCP_STATE}. CLOSE in destroy events of TCP. */
  readonly state: number;
  /** 4 or 16 bytes; all zero when bound to any address. */
  readonly localAddress: Uint8Array<ArrayBuffer>;
  /** 0 when not bound. */
  readonly localPort: number;
  /** 4 or 16 bytes; all zero when not connected. */
  readonly remoteAddress: Uint8Array<ArrayBuffer>;
  /** 0 when not connected. */
  readonly remotePort: number;
  /** Index of the interface the socket is bound to, or 0. */
  readonly interface: number;
  /** SO_COOKIE: never used again while the machine runs. */
  readonly cookie: bigint;
  /** User who made the socket; means nothing in events. */
  readonly uid: number;
  /**
   * Inode on sockfs, as `/proc/PID/fd` shows it. 0 when no descriptor refers
   * to the socket: not yet accepted, closed, TIME_WAIT, and in events.
   */
  readonly inode: number;
  /** Milliseconds until the socket's timer fires, or 0. */
  readonly expires: number;
  /** Bytes not yet read; of a listening socket: connections not accepted. */
  readonly receiveQueue: number;
  /** Bytes not yet acknowledged; of a listening socket: its backlog. */
  readonly sendQueue: number;
  /** Bits of sk_shutdown: 1 no more receiving, 2 no more sending. */
  readonly shutdown: number | undefined;
  /** IPV6_V6ONLY; told of listening and unconnected IPv6 sockets only. */
  readonly v6Only: boolean | undefined;
  /** struct tcp_info, see {@linkcode decodeTcpInfo}; when it was asked for. */
  readonly tcpInfo: Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Decodes one message's payload. Never throws.
 *
 * @param view The datagram.
 * @param start Offset of struct inet_diag_msg.
 * @param end Offset behind the message.
 * @param protocol The protocol that was asked for: answers do not repeat it.
 * @returns The socket; its arrays are copies. `undefined` when the payload is
 * too short or of a family that is neither IPv4 nor IPv6.
 */
export function decodeInetDiag(
  view: DataView<ArrayBuffer>,
  start: number,
  end: number,
  protocol: number = 0,
): InetDiagSocket | undefined {
  if (
    start < 0 || end > view.byteLength || end - start < INET_DIAG_MSG_LENGTH
  ) return undefined;
  const family = view.getUint8(start + FAMILY);
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  const addressLength = family === AF_INET ? 4 : 16;
  const id = start + ID;

  let toldProtocol = protocol;
  let shutdown: number | undefined;
  let v6Only: boolean | undefined;
  let tcpInfo: Uint8Array<ArrayBuffer> | undefined;
  let offset = start + INET_DIAG_MSG_LENGTH;
  while (offset + NLA_HDRLEN <= end) {
    const length = view.getUint16(offset, true);
    const value = offset + NLA_HDRLEN;
    const next = offset + length;
    if (next < value || next > end) break;
    switch (view.getUint16(offset + 2, true) & NLA_TYPE_MASK) {
      case INET_DIAG.PROTOCOL:
        if (next > value) toldProtocol = view.getUint8(value);
        break;
      case INET_DIAG.SHUTDOWN:
        if (next > value) shutdown = view.getUint8(value);
        break;
      case INET_DIAG.SKV6ONLY:
        if (next > value) v6Only = view.getUint8(value) !== 0;
        break;
      case INET_DIAG.INFO:
        tcpInfo = copy(view, value, next - value);
        break;
    }
    offset = align(next);
  }

  return {
    family,
    protocol: toldProtocol,
    state: view.getUint8(start + STATE),
    localAddress: copy(view, id + SOCKID.SRC, addressLength),
    localPort: view.getUint16(id + SOCKID.SPORT),
    remoteAddress: copy(view, id + SOCKID.DST, addressLength),
    remotePort: view.getUint16(id + SOCKID.DPORT),
    interface: view.getUint32(id + SOCKID.INTERFACE, true),
    cookie: view.getBigUint64(id + SOCKID.COOKIE, true),
    uid: view.getUint32(start + UID, true),
    inode: view.getUint32(start + INODE, true),
    expires: view.getUint32(start + EXPIRES, true),
    receiveQueue: view.getUint32(start + RQUEUE, true),
    sendQueue: view.getUint32(start + WQUEUE, true),
    shutdown,
    v6Only,
    tcpInfo,
  };
}

/**
 * Reads only the inode of a message's socket: the cheap way to find a few
 * sockets among thousands.
 *
 * @param view The datagram.
 * @param start Offset of struct inet_diag_msg.
 * @param end Offset behind the message.
 * @returns The inode; 0 for none, and when the payload is too short.
 */
export function inetDiagInode(
  view: DataView,
  start: number,
  end: number,
): number {
  return start < 0 || end > view.byteLength ||
      end - start < INET_DIAG_MSG_LENGTH
    ? 0
    : view.getUint32(start + INODE, true);
}

// Offsets in struct tcp_info of linux/tcp.h.
const TCPI_BYTES_ACKED = 120;
const TCPI_BYTES_RECEIVED = 128;
const TCPI_SEGS_OUT = 136;
const TCPI_SEGS_IN = 140;

/** Selected fields of struct tcp_info (Linux 4.2). */
export interface TcpInfo {
  /** Bytes sent and acknowledged; the SYN and FIN count as one each. */
  readonly bytesAcked: bigint;
  /** Bytes received in order. */
  readonly bytesReceived: bigint;
  /** Segments sent, with and without data. */
  readonly segmentsOut: number;
  /** Segments received, with and without data. */
  readonly segmentsIn: number;
}

/**
 * Reads some fields of struct tcp_info.
 *
 * @param bytes {@linkcode InetDiagSocket.tcpInfo}.
 * @returns The fields, or `undefined` when an old kernel's struct is shorter.
 */
export function decodeTcpInfo(bytes: Uint8Array): TcpInfo | undefined {
  if (bytes.length < TCPI_SEGS_IN + 4) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    bytesAcked: view.getBigUint64(TCPI_BYTES_ACKED, true),
    bytesReceived: view.getBigUint64(TCPI_BYTES_RECEIVED, true),
    segmentsOut: view.getUint32(TCPI_SEGS_OUT, true),
    segmentsIn: view.getUint32(TCPI_SEGS_IN, true),
  };
}

// The same, since Linux 4.19.
const TCPI_RTT = 68;
const TCPI_TOTAL_RETRANS = 100;
const TCPI_BYTES_SENT = 200;
const TCPI_BYTES_RETRANS = 208;

/** Further fields of struct tcp_info (Linux 4.19). */
export interface TcpTotals {
  /** Smoothed round-trip time in microseconds. */
  readonly roundTrip: number;
  /** Segments sent again. */
  readonly retransmits: number;
  /** Bytes of data sent for the first time: neither SYN nor FIN counts. */
  readonly bytesSentOnce: number;
}

/**
 * Reads the further fields.
 *
 * @param bytes {@linkcode InetDiagSocket.tcpInfo}.
 * @returns The fields, or `undefined` when an old kernel's struct is shorter.
 */
export function decodeTcpTotals(bytes: Uint8Array): TcpTotals | undefined {
  if (bytes.length < TCPI_BYTES_RETRANS + 8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sent = view.getBigUint64(TCPI_BYTES_SENT, true);
  return {
    roundTrip: view.getUint32(TCPI_RTT, true),
    retransmits: view.getUint32(TCPI_TOTAL_RETRANS, true),
    bytesSentOnce: Number(sent - view.getBigUint64(TCPI_BYTES_RETRANS, true)),
  };
}

function copy(
  view: DataView<ArrayBuffer>,
  offset: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  // Small arrays that are filled by hand stay on the JavaScript heap, which is
  // several times faster than slicing the buffer.
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = view.getUint8(offset + i);
  return bytes;
}
