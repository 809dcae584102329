/**
 * Questions to sock_diag(7) about IPv4 and IPv6 sockets: struct
 * inet_diag_req_v2 of linux/inet_diag.h. Pure.
 *
 * ```text
 *  0      1        2     3     4        8                       56
 * +------+--------+-----+-----+--------+-----------------------+
 * |family|protocol| ext | pad | states | inet_diag_sockid      |
 * +------+--------+-----+-----+--------+-----------------------+
 * ```
 *
 * @module
 */

import { AF_INET, AF_INET6, IPPROTO_TCP, SOCKID } from "./inet_diag.ts";
import {
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_HDRLEN,
  SOCK_DIAG_BY_FAMILY,
  writeNetlinkHeader,
} from "./sock_diag.ts";

// Offsets in the whole message.
const FAMILY = NLMSG_HDRLEN;
const PROTOCOL = NLMSG_HDRLEN + 1;
const EXTENSIONS = NLMSG_HDRLEN + 2;
const STATES = NLMSG_HDRLEN + 4;
const ID = NLMSG_HDRLEN + 8;
const MESSAGE_LENGTH = ID + SOCKID.LENGTH;

/** INET_DIAG_NOCOOKIE, twice: any cookie will do. */
const NO_COOKIE = 0xffff_ffff_ffff_ffffn;

/** idiag_states with every state, those of later kernels too. */
export const ALL_STATES = 0xffff_ffff;

/**
 * Makes an idiag_states mask.
 *
 * @param states Values of `TCP_STATE`.
 * @returns The mask.
 */
export function stateMask(...states: readonly number[]): number {
  return states.reduce((mask, state) => (mask | (1 << state)) >>> 0, 0);
}

/**
 * Makes the bit that asks for an attribute.
 *
 * @param attribute A value of `INET_DIAG` up to 8.
 * @returns A bit for `extensions`.
 */
export function extensionBit(attribute: number): number {
  return 1 << (attribute - 1);
}

/** What to list. */
export interface InetDiagDump {
  /** AF_INET or AF_INET6. */
  readonly family: number;
  /** IPPROTO_TCP, IPPROTO_UDP or IPPROTO_UDPLITE. */
  readonly protocol: number;
  /** Mask of wanted states; all by default. */
  readonly states?: number;
  /** Wanted optional attributes, see {@linkcode extensionBit}. */
  readonly extensions?: number;
  /** nlmsg_seq. */
  readonly sequence?: number;
}

/**
 * Builds the request for a list of sockets.
 *
 * @param dump What to list.
 * @returns One netlink message.
 */
export function encodeDumpRequest(
  dump: InetDiagDump,
): Uint8Array<ArrayBuffer> {
  const { states = ALL_STATES, extensions = 0, sequence = 0 } = dump;
  const view = new DataView(new ArrayBuffer(MESSAGE_LENGTH));
  writeNetlinkHeader(
    view,
    SOCK_DIAG_BY_FAMILY,
    NLM_F_REQUEST | NLM_F_DUMP,
    sequence,
  );
  view.setUint8(FAMILY, dump.family);
  view.setUint8(PROTOCOL, dump.protocol);
  view.setUint8(EXTENSIONS, extensions);
  view.setUint32(STATES, states, true);
  return new Uint8Array(view.buffer);
}

/** Which socket to look up. */
export interface InetDiagTuple {
  /** IPPROTO_TCP, IPPROTO_UDP or IPPROTO_UDPLITE. */
  readonly protocol: number;
  /** 4 or 16 bytes, which decide the family. */
  readonly localAddress: Uint8Array;
  /** Port in host byte order. */
  readonly localPort: number;
  /** As many bytes as `localAddress`; zeros for an unconnected socket. */
  readonly remoteAddress: Uint8Array;
  /** 0 for an unconnected socket. */
  readonly remotePort: number;
  /** Index of the interface that a packet would come in on; 0 for none. */
  readonly interface?: number;
  /** SO_COOKIE; without it any socket with these addresses will do. */
  readonly cookie?: bigint;
}

/**
 * Builds the request for one socket.
 *
 * @param tuple Which socket.
 * @param options Wanted optional attributes, and nlmsg_seq.
 * @returns One netlink message.
 * @throws {RangeError} when the addresses have odd or different lengths
 */
export function encodeLookupRequest(
  tuple: InetDiagTuple,
  options: { readonly extensions?: number; readonly sequence?: number } = {},
): Uint8Array<ArrayBuffer> {
  const { localAddress, remoteAddress } = tuple;
  const { length } = localAddress;
  if ((length !== 4 && length !== 16) || remoteAddress.length !== length) {
    throw new RangeError(
      `Cannot look up a socket: address lengths are ${length} and ${remoteAddress.length}`,
    );
  }
  const bytes = new Uint8Array(MESSAGE_LENGTH);
  const view = new DataView(bytes.buffer);
  writeNetlinkHeader(
    view,
    SOCK_DIAG_BY_FAMILY,
    NLM_F_REQUEST,
    options.sequence ?? 0,
  );
  view.setUint8(FAMILY, length === 4 ? AF_INET : AF_INET6);
  view.setUint8(PROTOCOL, tuple.protocol);
  view.setUint8(EXTENSIONS, options.extensions ?? 0);
  view.setUint32(STATES, ALL_STATES, true);
  // udp_dump_one() of net/ipv4/udp_diag.c takes source and destination from
  // the packet's point of view, TCP from the socket's.
  const swapped = tuple.protocol !== IPPROTO_TCP;
  view.setUint16(ID + (swapped ? SOCKID.DPORT : SOCKID.SPORT), tuple.localPort);
  view.setUint16(
    ID + (swapped ? SOCKID.SPORT : SOCKID.DPORT),
    tuple.remotePort,
  );
  bytes.set(localAddress, ID + (swapped ? SOCKID.DST : SOCKID.SRC));
  bytes.set(remoteAddress, ID + (swapped ? SOCKID.SRC : SOCKID.DST));
  view.setUint32(ID + SOCKID.INTERFACE, tuple.interface ?? 0, true);
  view.setBigUint64(ID + SOCKID.COOKIE, tuple.cookie ?? NO_COOKIE, true);
  return bytes;
}
