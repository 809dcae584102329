/**
 * Which packets of an independent capture belong to the sockets that a
 * program says it used.
 *
 * @module
 */

import type { TestPacket } from "./packets.ts";
import type { LoggedSocket } from "./workload_log.ts";

/** A socket whose local port stopped being the program's at some packet. */
export interface RetiredPort {
  readonly proto: LoggedSocket["proto"];
  readonly local: string;
  /** Packets from this index on belong to somebody else. */
  readonly index: number;
}

/**
 * Marks the packets of the given sockets.
 *
 * @param packets All packets, in the order of capture.
 * @param errors Whether ICMP errors belong to the sockets that they are about.
 * @returns For each packet the socket that it belongs to.
 */
export function ownersOf(
  packets: readonly TestPacket[],
  sockets: readonly LoggedSocket[],
  retired: readonly RetiredPort[] = [],
  errors = false,
): (LoggedSocket | undefined)[] {
  const table = new Map<string, LoggedSocket>();
  for (const socket of sockets) {
    table.set(keyOf(socket.proto, socket.local, socket.remote), socket);
  }
  const owners = packets.map((one, index) => {
    const packet = errors ? one.quoted ?? one : one;
    if (packet.protocol === "other" || one.isLaterFragment) return undefined;
    const { protocol, source, destination } = packet;
    const owner = lookUp(table, protocol, source, destination) ??
      lookUp(table, protocol, destination, source);
    const isOver = owner !== undefined &&
      retired.some((port) =>
        port.proto === owner.proto && port.local === owner.local &&
        index >= port.index
      );
    return isOver ? undefined : owner;
  });
  const fragments = new Map<string, LoggedSocket>();
  for (const [index, { fragmentOf }] of packets.entries()) {
    const owner = owners[index];
    if (fragmentOf !== undefined && owner !== undefined) {
      fragments.set(fragmentOf, owner);
    }
  }
  return owners.map((owner, index) => {
    const { fragmentOf, isLaterFragment } = packets[index]!;
    return isLaterFragment ? fragments.get(fragmentOf!) : owner;
  });
}

/** Text form of a socket, for messages and look-ups. */
export function keyOf(proto: string, local: string, remote: string): string {
  return `${proto} ${local} ${remote}`;
}

function lookUp(
  table: ReadonlyMap<string, LoggedSocket>,
  proto: string,
  local: string,
  remote: string,
): LoggedSocket | undefined {
  const port = local.slice(local.lastIndexOf(":"));
  // A v4 packet may belong to a dual-stack socket, never the other way round.
  const anywhere = local.startsWith("[") ? ["[::]"] : ["0.0.0.0", "[::]"];
  const locals = [local, ...anywhere.map((any) => `${any}${port}`)];
  for (const each of locals) {
    const owner = table.get(keyOf(proto, each, remote)) ??
      table.get(keyOf(proto, each, "*"));
    if (owner !== undefined) return owner;
  }
  return undefined;
}
