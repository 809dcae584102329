/**
 * Local ports that sockets of other programs have, too (SO_REUSEPORT): the
 * kernel gives each connection or datagram to one of them.
 *
 * @module
 */
import { IPPROTO_TCP } from "../../ffi/socket.ts";
import { transportName } from "../packet/protocol_port.ts";
import type { SocketRegistry } from "../sockets/registry.ts";
import { mapped, type NamespacedSocket } from "./socket_cleanup.ts";

/** How often to look, ms. */
const INTERVAL = 500;

/** Looks for ports that are shared. */
export class SharedPorts {
  readonly #registry: SocketRegistry;
  readonly #servers: () => readonly NamespacedSocket[];
  readonly #found: (text: string) => void;
  /** Whether the tracker tells of each connection that is accepted. */
  readonly #knowsAccepted: boolean;
  readonly #learn: (() => void) | undefined;
  /** Cookies of rivals that were seen the last time. */
  #suspects = new Set<bigint>();
  /** Set when the program has a new server. */
  #isDue = false;
  #nextAt = 0;

  /**
   * @param servers lists the machine's sockets that anybody may talk to
   * @param found called for each port
   * @param learn learns of all sockets that the program has at this moment;
   *   unset where that takes an unknown time
   */
  constructor(
    registry: SocketRegistry,
    servers: () => readonly NamespacedSocket[],
    found: (warning: string) => void,
    knowsAccepted: boolean,
    learn?: () => void,
  ) {
    this.#registry = registry;
    this.#servers = servers;
    this.#found = found;
    this.#knowsAccepted = knowsAccepted;
    this.#learn = learn;
  }

  /** The program has a new server: others may be at its port already. */
  expect(): void {
    this.#isDue = true;
  }

  /** Looks if the program has a new server. */
  lookIfDue(): void {
    if (this.#isDue) this.#lookNow();
  }

  /** Looks, unless that was done a short time ago. */
  look(): void {
    const now = performance.now();
    if (now < this.#nextAt || this.#registry.servers.isEmpty) return;
    this.#lookNow();
  }

  #lookNow(): void {
    this.#isDue = false;
    this.#nextAt = performance.now() + INTERVAL;
    const suspects = new Set<bigint>();
    const servers = this.#servers();
    // In this order no socket of the program is taken for a stranger's.
    this.#learn?.();
    for (const { socket, netns } of servers) {
      const { cookie, protocol, localPort } = socket;
      const address = mapped(socket.localAddress);
      if (
        !this.#registry.servers.isRival(
          cookie,
          protocol,
          address,
          localPort,
          netns,
        )
      ) {
        continue;
      }
      // The program's own may not be known yet: they are the second time.
      if (this.#learn === undefined && !this.#suspects.has(cookie)) {
        suspects.add(cookie);
        continue;
      }
      this.#share(protocol, localPort);
    }
    this.#suspects = suspects;
  }

  /**
   * A socket that is not the program's got a port of the program.
   *
   * @param address 16 bytes, IPv4 v4-mapped
   * @param netns SO_NETNS_COOKIE; 0 where it is not known
   */
  rival(
    cookie: bigint,
    protocol: number,
    address: Uint8Array,
    port: number,
    netns: bigint,
  ): void {
    if (
      this.#registry.servers.isRival(cookie, protocol, address, port, netns)
    ) {
      this.#share(protocol, port);
    }
  }

  #share(protocol: number, port: number): void {
    this.#registry.servers.share(protocol, port);
    this.#found(this.#text(protocol, port));
  }

  #text(protocol: number, port: number): string {
    if (protocol !== IPPROTO_TCP) {
      return `${
        transportName(protocol)
      } port ${port} is shared with other programs: whose a ` +
        "datagram is cannot be told, all of them are captured";
    }
    return `tcp port ${port} is shared with other programs: connections that ` +
      "they accept are left out from now on" +
      (this.#knowsAccepted
        ? ""
        : ", and the program's own that end within a tenth of a second " +
          "(--tracker ebpf misses none)");
  }
}
