/**
 * Framing of NETLINK_SOCK_DIAG: netlink(7), linux/netlink.h and
 * linux/sock_diag.h. Pure: bytes in, values out.
 *
 * ```text
 *  0               4       6       8              12              16
 * +---------------+-------+-------+---------------+---------------+------
 * | length        | type  | flags | sequence      | port id       | payload
 * +---------------+-------+-------+---------------+---------------+------
 * ```
 *
 * All in the machine's byte order, which is little endian on every machine
 * that is supported. The next message begins at the next multiple of 4.
 *
 * @module
 */

/** Length of struct nlmsghdr. */
export const NLMSG_HDRLEN = 16;
const LENGTH = 0;
const TYPE = 4;
const FLAGS = 6;
const SEQUENCE = 8;
const PORT_ID = 12;

/** nlmsg_type: an error, or, with error 0, an acknowledgment. */
export const NLMSG_ERROR = 2;
/** nlmsg_type: the end of a dump. */
export const NLMSG_DONE = 3;
/** nlmsg_type of socket requests, answers and events. */
export const SOCK_DIAG_BY_FAMILY = 20;

/** nlmsg_flags of every request. */
export const NLM_F_REQUEST = 0x1;
/** nlmsg_flags: the sockets changed while they were dumped. */
export const NLM_F_DUMP_INTR = 0x10;
/** nlmsg_flags: all sockets, not one (NLM_F_ROOT and NLM_F_MATCH). */
export const NLM_F_DUMP = 0x300;

/** Multicast groups of enum sknetlink_groups: sockets that were destroyed. */
export const SKNLGRP = {
  INET_TCP_DESTROY: 1,
  INET_UDP_DESTROY: 2,
  INET6_TCP_DESTROY: 3,
  INET6_UDP_DESTROY: 4,
} as const;

/** One netlink message: its header, and where its payload is. */
export interface NetlinkMessage {
  /** nlmsg_type, such as {@linkcode SOCK_DIAG_BY_FAMILY}. */
  readonly type: number;
  /** nlmsg_flags. */
  readonly flags: number;
  /** nlmsg_seq: that of the request; 0 in events. */
  readonly sequence: number;
  /** nlmsg_pid: port id of the receiver; 0 in events. */
  readonly portId: number;
  /** Offset of the payload in the datagram. */
  readonly start: number;
  /** Offset behind the payload, without padding. */
  readonly end: number;
}

/** The messages of one datagram. */
export interface NetlinkDatagram {
  /** The complete messages, in order. */
  readonly messages: readonly NetlinkMessage[];
  /** The last message was cut off, or its length makes no sense. */
  readonly truncated: boolean;
}

/**
 * Splits a datagram into its messages. Never throws.
 *
 * @param view The datagram.
 * @returns All complete messages before the first damaged one.
 */
export function splitNetlinkMessages(view: DataView): NetlinkDatagram {
  const messages: NetlinkMessage[] = [];
  let offset = 0;
  while (offset + NLMSG_HDRLEN <= view.byteLength) {
    const end = offset + view.getUint32(offset + LENGTH, true);
    if (end < offset + NLMSG_HDRLEN || end > view.byteLength) break;
    messages.push({
      type: view.getUint16(offset + TYPE, true),
      flags: view.getUint16(offset + FLAGS, true),
      sequence: view.getUint32(offset + SEQUENCE, true),
      portId: view.getUint32(offset + PORT_ID, true),
      start: offset + NLMSG_HDRLEN,
      end,
    });
    offset = align(end);
  }
  return { messages, truncated: offset < view.byteLength };
}

/**
 * Reads the error number that an NLMSG_ERROR or NLMSG_DONE message carries.
 *
 * @param view The datagram.
 * @param message One of its messages.
 * @returns A positive errno value; 0 for success, and for a message that is
 * too short to tell or of another type.
 */
export function netlinkErrno(view: DataView, message: NetlinkMessage): number {
  const { type, start, end } = message;
  if (type !== NLMSG_ERROR && type !== NLMSG_DONE) return 0;
  return end - start < 4 ? 0 : Math.max(0, -view.getInt32(start, true));
}

/**
 * Writes a message header.
 *
 * @param view The whole message; its length is what the header will say.
 * @param type nlmsg_type.
 * @param flags nlmsg_flags.
 * @param sequence nlmsg_seq, which the answer repeats.
 */
export function writeNetlinkHeader(
  view: DataView,
  type: number,
  flags: number,
  sequence: number,
): void {
  view.setUint32(LENGTH, view.byteLength, true);
  view.setUint16(TYPE, type, true);
  view.setUint16(FLAGS, flags, true);
  view.setUint32(SEQUENCE, sequence, true);
  // 0: the kernel fills in the sender's port.
  view.setUint32(PORT_ID, 0, true);
}

/** NLMSG_ALIGN and NLA_ALIGN: up to the next multiple of 4. */
export function align(offset: number): number {
  return (offset + 3) & ~3;
}
