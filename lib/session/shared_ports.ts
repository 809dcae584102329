/**
 * Local ports that sockets of other programs have, too (SO_REUSEPORT): the
 * kernel gives each connection or datagram to one of them.
 *
 * @module
 */
import { IPPROTO_TCP } from "../../ffi/socket.ts";
import { transportName } from "../packet/protocol_port.ts";
import type { InetDiagSocket } from "../sockets/inet_diag.ts";
import type { SocketRegistry } from "../sockets/registry.ts";
import { mapped } from "./socket_cleanup.ts";

/** How often to look, ms. */
const INTERVAL = 500;

/** Looks for ports that are shared. */
export class SharedPorts {
  readonly #registry: SocketRegistry;
  readonly #servers: () => readonly InetDiagSocket[];
  readonly #found: (text: string) => void;
  /** Whether the tracker tells of each connection that is accepted. */
  readonly #knowsAccepted: boolean;
  /** Cookies of rivals that were seen the last time. */
  #suspects = new Set<bigint>();
  #nextAt = 0;

  /**
   * @param servers lists the machine's sockets that anybody may talk to
   * @param found called for each port
   */
  constructor(
    registry: SocketRegistry,
    servers: () => readonly InetDiagSocket[],
    found: (warning: string) => void,
    knowsAccepted: boolean,
  ) {
    this.#registry = registry;
    this.#servers = servers;
    this.#found = found;
    this.#knowsAccepted = knowsAccepted;
  }

  /** Looks, unless that was done a short time ago. */
  look(): void {
    const now = performance.now();
    if (now < this.#nextAt || !this.#registry.hasServers) return;
    this.#nextAt = now + INTERVAL;
    const suspects = new Set<bigint>();
    for (
      const { cookie, protocol, localAddress, localPort } of this.#servers()
    ) {
      const address = mapped(localAddress);
      if (!this.#registry.isRival(cookie, protocol, address, localPort)) {
        continue;
      }
      // The program's own may not be known yet: they are the second time.
      if (!this.#suspects.has(cookie)) {
        suspects.add(cookie);
        continue;
      }
      this.#registry.share(protocol, localPort);
      this.#found(this.#text(protocol, localPort));
    }
    this.#suspects = suspects;
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
