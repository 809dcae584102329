/**
 * The kernel's IPv4 and IPv6 sockets, by way of sock_diag(7): all of them,
 * one of them, and those that have just gone; and its network devices.
 *
 * @module
 */

import { Errno, SyscallError } from "../../ffi/errno.ts";
import { NetlinkSocket } from "../../ffi/netlink.ts";
import {
  AF_INET,
  AF_INET6,
  decodeInetDiag,
  inetDiagInode,
  type InetDiagSocket,
  IPPROTO_TCP,
  IPPROTO_UDP,
  TCP_STATE,
} from "./inet_diag.ts";
import {
  ALL_STATES,
  encodeDumpRequest,
  encodeLookupRequest,
  type InetDiagTuple,
  stateMask,
} from "./inet_diag_request.ts";
import { decodeLinks, encodeLinkRequest, type Link } from "./links.ts";
import {
  netlinkErrno,
  NLMSG_DONE,
  NLMSG_ERROR,
  SKNLGRP,
  SOCK_DIAG_BY_FAMILY,
  splitNetlinkMessages,
} from "./sock_diag.ts";

const ESTALE = 116;

/**
 * Lists the network devices of the namespace of a NETLINK_ROUTE socket.
 *
 * @throws {SyscallError} when the kernel refuses
 */
export function listLinks(netlink: NetlinkSocket): Link[] {
  const links: Link[] = [];
  netlink.request(encodeLinkRequest(netlink.nextSequence()), (datagram) => {
    const { buffer, byteOffset, byteLength } = datagram;
    const view = new DataView(buffer, byteOffset, byteLength);
    links.push(...decodeLinks(view));
    return splitNetlinkMessages(view).messages.some(({ type }) =>
      type === NLMSG_DONE || type === NLMSG_ERROR
    );
  });
  return links;
}

/** Every state except TIME_WAIT, which no program owns any more. */
export const LIVE_STATES: number =
  (ALL_STATES & ~stateMask(TCP_STATE.TIME_WAIT)) >>> 0;

/** Which sockets to list. */
export interface DumpOptions {
  /** IP protocol numbers; TCP and UDP by default. */
  readonly protocols?: readonly number[];
  /** Address families; AF_INET and AF_INET6 by default. */
  readonly families?: readonly number[];
  /** Mask of states; {@linkcode LIVE_STATES} by default. */
  readonly states?: number;
  /** Optional attributes, see `extensionBit()`. */
  readonly extensions?: number;
  /** Only sockets with one of these inodes; all by default. */
  readonly inodes?: ReadonlySet<number>;
}

/**
 * Lists sockets of the network namespace in which `netlink` was opened. Those
 * that were never bound are not in it, and neither are, before Linux 6.8, TCP
 * sockets that are bound but not yet connected or listening.
 *
 * The list is not a snapshot: sockets come and go while it is made.
 *
 * @param netlink Where to ask.
 * @param options Which sockets.
 * @returns The sockets; the order means nothing.
 * @throws {SyscallError} when the kernel refuses
 */
export function dumpSockets(
  netlink: NetlinkSocket,
  options: DumpOptions = {},
): InetDiagSocket[] {
  const {
    protocols = [IPPROTO_TCP, IPPROTO_UDP],
    families = [AF_INET, AF_INET6],
    states = LIVE_STATES,
    extensions = 0,
    inodes,
  } = options;
  const sockets: InetDiagSocket[] = [];
  for (const protocol of protocols) {
    for (const family of families) {
      const sequence = netlink.nextSequence();
      netlink.request(
        encodeDumpRequest({ family, protocol, states, extensions, sequence }),
        (datagram) =>
          take(datagram, { sequence, protocol, inodes }, sockets).done,
      );
    }
  }
  return sockets;
}

/**
 * Finds the socket that a packet from the remote to the local address is
 * delivered to: the connected one if there is one, else one that listens or
 * is bound there. With a cookie, only the socket that has it.
 *
 * @param netlink Where to ask.
 * @param tuple Which socket.
 * @param extensions Optional attributes, see `extensionBit()`.
 * @returns The socket, or `undefined` when there is none.
 * @throws {SyscallError} when the kernel refuses
 */
export function lookupSocket(
  netlink: NetlinkSocket,
  tuple: InetDiagTuple,
  extensions: number = 0,
): InetDiagSocket | undefined {
  const sequence = netlink.nextSequence();
  const { protocol } = tuple;
  const sockets: InetDiagSocket[] = [];
  let errno = 0;
  netlink.request(
    encodeLookupRequest(tuple, { extensions, sequence }),
    (datagram) => {
      const taken = take(
        datagram,
        { sequence, protocol, quiet: true },
        sockets,
      );
      errno = taken.errno;
      return taken.done || sockets.length > 0;
    },
  );
  // ESTALE: the addresses belong to a socket with another cookie.
  if (errno !== 0 && errno !== Errno.ENOENT && errno !== ESTALE) {
    throw new SyscallError("sock_diag", errno);
  }
  return sockets[0];
}

// A destroy event takes about 1.5 KiB of kernel memory.
const EVENT_BUFFER = 8 << 20;

/** What {@linkcode DestroyEvents.drain} found. */
export interface DestroyedSockets {
  /** Sockets that are gone, the oldest first. */
  readonly sockets: readonly InetDiagSocket[];
  /** More sockets went than the kernel could report. */
  readonly lost: boolean;
}

/**
 * Tells which TCP and UDP sockets ceased to exist, in the network namespace
 * in which it was made. The event comes when the kernel frees the socket: for
 * a closed TCP connection after the last handshake, when TIME_WAIT may go on
 * without it. Its addresses and its cookie are still those it had in life;
 * inode is 0, and for TCP state is CLOSE and `tcpInfo` is set.
 *
 * Needs no capability. Requires Linux 4.3.
 */
export class DestroyEvents implements Disposable {
  readonly #netlink = new NetlinkSocket();

  /**
   * Begins to listen.
   *
   * @throws {SyscallError} such as EINVAL before Linux 4.3
   */
  constructor(groups: readonly number[] = Object.values(SKNLGRP)) {
    try {
      this.#netlink.setReceiveBuffer(EVENT_BUFFER);
      this.#netlink.subscribe(groups);
    } catch (error) {
      this.#netlink.close();
      throw error;
    }
  }

  /** Number of the descriptor, to wait on with poll(2). */
  get number(): number {
    return this.#netlink.number;
  }

  /**
   * Takes the events that are there, without waiting.
   *
   * @param limit Return after about so many, for callers with other duties.
   * @returns The sockets, and whether some events were lost.
   * @throws {SyscallError}
   */
  drain(limit: number = 4096): DestroyedSockets {
    const sockets: InetDiagSocket[] = [];
    let lost = false;
    while (sockets.length < limit) {
      const datagram = this.#netlink.receive();
      if (datagram === undefined) break;
      if (datagram === "lost") lost = true;
      else take(datagram, EVENTS, sockets);
    }
    return { sockets, lost };
  }

  /** Stops listening; has no effect the second time. */
  close(): void {
    this.#netlink.close();
  }

  /** Same as {@linkcode DestroyEvents.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** Which messages are wanted, and how they are to be read. */
interface Wanted {
  /** Messages with other numbers belong to other requests. */
  readonly sequence?: number;
  /** What the messages leave out. */
  readonly protocol?: number;
  readonly inodes?: ReadonlySet<number> | undefined;
  /** Return errors instead of throwing them. */
  readonly quiet?: boolean;
}

const EVENTS: Wanted = {};

interface Taken {
  /** The answer is complete. */
  readonly done: boolean;
  /** The error that ended it, if `quiet`; else 0. */
  readonly errno: number;
}

const MORE: Taken = { done: false, errno: 0 };

/** Adds the wanted sockets of one datagram to `sockets`. */
function take(
  datagram: Uint8Array<ArrayBuffer>,
  wanted: Wanted,
  sockets: InetDiagSocket[],
): Taken {
  const { sequence, protocol, inodes, quiet = false } = wanted;
  const view = new DataView(
    datagram.buffer,
    datagram.byteOffset,
    datagram.byteLength,
  );
  for (const message of splitNetlinkMessages(view).messages) {
    if (sequence !== undefined && message.sequence !== sequence) continue;
    const { start, end } = message;
    switch (message.type) {
      case SOCK_DIAG_BY_FAMILY: {
        if (inodes?.has(inetDiagInode(view, start, end)) === false) break;
        const socket = decodeInetDiag(view, start, end, protocol);
        if (socket !== undefined) sockets.push(socket);
        break;
      }
      case NLMSG_DONE:
      case NLMSG_ERROR: {
        const errno = netlinkErrno(view, message);
        if (errno !== 0 && !quiet) throw new SyscallError("sock_diag", errno);
        return { done: true, errno };
      }
    }
  }
  return MORE;
}
