/**
 * The local ports at which anybody may talk to the program, and those of them
 * that sockets of other programs have, too.
 *
 * @module
 */
import { isAnyAddress } from "../../ffi/sockaddr.ts";
import type { SocketState } from "../../ffi/socket.ts";
import { SlotFlag } from "./table.ts";
import type { SocketTableWriter } from "./table_writer.ts";

const TCP = 6;

/** A socket of the program that listens, or takes datagrams from anybody. */
interface Server {
  readonly slot: number;
  readonly address: Uint8Array;
  readonly netns: bigint;
}

/** Ports of servers. */
export class ServerPorts {
  readonly #table: SocketTableWriter;
  readonly #isKnown: (cookie: bigint) => boolean;
  /** By protocol and port, then by cookie. */
  readonly #servers = new Map<number, Map<bigint, Server>>();
  readonly #shared = new Set<number>();

  /** @param isKnown tells whether a socket is the program's */
  constructor(
    table: SocketTableWriter,
    isKnown: (cookie: bigint) => boolean,
  ) {
    this.#table = table;
    this.#isKnown = isKnown;
  }

  /** Whether there is none. */
  get isEmpty(): boolean {
    return this.#servers.size === 0;
  }

  /** Whether there is one that sockets of other programs have, too. */
  get hasShared(): boolean {
    return this.#shared.size > 0;
  }

  /** Whether a socket is at a port that sockets of other programs have, too. */
  isShared({ protocol, local }: SocketState): boolean {
    return this.#shared.has(keyOf(protocol, local.port));
  }

  /**
   * Whether a socket is a connection that a server of the program accepted, and
   * its packets are taken for that reason.
   */
  isAccepted({ protocol, local, remote }: SocketState): boolean {
    const key = keyOf(TCP, local.port);
    return protocol === TCP && remote.port !== 0 && this.#servers.has(key) &&
      !this.#shared.has(key);
  }

  /**
   * Whether a socket of somebody else has the same local end as a server of
   * the program, and that was not told before.
   *
   * @param netns SO_NETNS_COOKIE; 0 where it is not known
   */
  isRival(
    cookie: bigint,
    protocol: number,
    address: Uint8Array,
    port: number,
    netns = 0n,
  ): boolean {
    const key = keyOf(protocol, port);
    const servers = this.#servers.get(key);
    if (servers === undefined || this.#shared.has(key)) return false;
    if (this.#isKnown(cookie)) return false;
    for (const server of servers.values()) {
      const isElsewhere = netns !== 0n && netns !== server.netns;
      if (!isElsewhere && overlap(server.address, address)) return true;
    }
    return false;
  }

  /**
   * Other programs have sockets at a port, too: only connections that are known
   * to be accepted by the program are its own.
   */
  share(protocol: number, port: number): void {
    const key = keyOf(protocol, port);
    this.#shared.add(key);
    if (protocol !== TCP) return;
    for (const { slot } of this.#servers.get(key)?.values() ?? []) {
      this.#table.flag(slot, SlotFlag.SHARED);
    }
  }

  /** A server has come, with a slot of the socket table. */
  add({ cookie, protocol, netns, local }: SocketState, slot: number): void {
    const key = keyOf(protocol, local.port);
    const servers = this.#servers.get(key) ?? new Map<bigint, Server>();
    servers.set(cookie, { slot, address: local.address.slice(), netns });
    this.#servers.set(key, servers);
    if (protocol === TCP && this.#shared.has(key)) {
      this.#table.flag(slot, SlotFlag.SHARED);
    }
  }

  /** A socket has gone; no matter whether it was a server. */
  remove(cookie: bigint, protocol: number, port: number): void {
    const key = keyOf(protocol, port);
    const servers = this.#servers.get(key);
    if (servers === undefined || !servers.delete(cookie)) return;
    if (servers.size === 0) this.#servers.delete(key);
  }
}

function keyOf(protocol: number, port: number): number {
  return protocol << 16 | port;
}

/** Whether two local addresses of one port may mean the same packets. */
function overlap(one: Uint8Array, other: Uint8Array): boolean {
  return isAnyAddress(one) || isAnyAddress(other) ||
    one.every((byte, i) => byte === other[i]);
}
