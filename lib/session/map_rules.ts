/**
 * Kernel rules as updates of maps: one or two microseconds each, any number of
 * them, nothing to put off.
 *
 * @module
 */
import { attachBpf } from "../../ffi/socket.ts";
import { endsKey } from "../packet/ends_key.ts";
import { PROTOCOL_PORTS, protocolPort } from "../packet/protocol_port.ts";
import type { KernelFilter } from "../trace/ebpf_filter.ts";

/** Keeps an eBPF packet filter up to date for the socket registry. */
export class MapRules {
  readonly #filter: KernelFilter;
  /** How many sockets want a port, by `protocolPort`. */
  readonly #ports = new Int32Array(PROTOCOL_PORTS);
  readonly #remotes = new Map<string, number>();

  /** The filter stays the caller's to close. */
  constructor(filter: KernelFilter) {
    this.#filter = filter;
  }

  /**
   * Makes the filter that of a packet socket.
   *
   * @throws {SyscallError}
   */
  attach(socket: number): void {
    attachBpf(socket, this.#filter.program.fd);
  }

  /** Lets packets of a local port through. */
  openPort(protocol: number, port: number): void {
    if (this.#ports[protocolPort(protocol, port)]!++ === 0) {
      this.#filter.setPort(protocol, port);
    }
  }

  /** The same: an update is cheap. */
  openCoveredPort(protocol: number, port: number): void {
    this.openPort(protocol, port);
  }

  /** Ends one opening of a port. */
  closePort(protocol: number, port: number): void {
    if (--this.#ports[protocolPort(protocol, port)]! === 0) {
      this.#filter.removePort(protocol, port);
    }
  }

  /** Lets packets from and to a remote endpoint through. */
  openRemote(protocol: number, address: Uint8Array, port: number): void {
    const key = endsKey(protocol, port, address);
    const calls = this.#remotes.get(key) ?? 0;
    this.#remotes.set(key, calls + 1);
    if (calls === 0) this.#filter.addRemote(protocol, { address, port });
  }

  /** Ends one opening of a remote endpoint. */
  closeRemote(protocol: number, address: Uint8Array, port: number): void {
    const key = endsKey(protocol, port, address);
    const calls = (this.#remotes.get(key) ?? 1) - 1;
    if (calls > 0) {
      this.#remotes.set(key, calls);
    } else {
      this.#remotes.delete(key);
      this.#filter.removeRemote(protocol, { address, port });
    }
  }

  /** Nothing to do: rules are in force at once. */
  apply(): void {}

  /** Nothing to do: rules end at once. */
  tidy(): void {}
}
