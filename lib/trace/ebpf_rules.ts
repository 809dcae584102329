/**
 * The rules of a packet socket behind the map filter, for trackers that
 * follow the program from user space: each rule is in force when the call
 * returns, for one map update of a few microseconds.
 *
 * @module
 */
import type { KernelFilter } from "./ebpf_filter.ts";

/** What rules are written to. */
export type RuleFilter = Pick<
  KernelFilter,
  "setPort" | "removePort" | "addRemote" | "removeRemote"
>;

/** Rules of a packet socket, kept by the thread that follows the program. */
export class MapRules {
  readonly #filter: RuleFilter;
  /** Sockets that hold a port, by protocol and port. */
  readonly #ports = new Map<number, number>();
  /** Calls under way to a remote endpoint. */
  readonly #remotes = new Map<string, number>();

  /** Keeps the rules of a filter. */
  constructor(filter: RuleFilter) {
    this.#filter = filter;
  }

  /**
   * Lets packets of a local port through.
   *
   * @throws {SyscallError} E2BIG when no more rules fit
   */
  openPort(protocol: number, port: number): void {
    const key = protocol << 16 | port;
    const sockets = this.#ports.get(key) ?? 0;
    this.#ports.set(key, sockets + 1);
    if (sockets === 0) this.#filter.setPort(protocol, port);
  }

  /** As {@linkcode MapRules.openPort}: nothing is cheaper to put off. */
  openCoveredPort(protocol: number, port: number): void {
    this.openPort(protocol, port);
  }

  /** Ends one opening of a port. */
  closePort(protocol: number, port: number): void {
    const key = protocol << 16 | port;
    const sockets = this.#ports.get(key) ?? 0;
    if (sockets > 1) {
      this.#ports.set(key, sockets - 1);
    } else if (this.#ports.delete(key)) {
      this.#filter.removePort(protocol, port);
    }
  }

  /**
   * Lets packets from and to a remote endpoint through.
   *
   * @throws {SyscallError} E2BIG when no more rules fit
   */
  openRemote(protocol: number, address: Uint8Array, port: number): void {
    const key = remoteKey(protocol, address, port);
    const calls = this.#remotes.get(key) ?? 0;
    this.#remotes.set(key, calls + 1);
    if (calls === 0) this.#filter.addRemote(protocol, { address, port });
  }

  /** Ends one opening of a remote endpoint; open its local port before. */
  closeRemote(protocol: number, address: Uint8Array, port: number): void {
    const key = remoteKey(protocol, address, port);
    const calls = this.#remotes.get(key) ?? 0;
    if (calls > 1) {
      this.#remotes.set(key, calls - 1);
    } else if (this.#remotes.delete(key)) {
      this.#filter.removeRemote(protocol, { address, port });
    }
  }

  /** Everything is in force already. */
  apply(): void {}

  /** Nothing is left over. */
  tidy(): void {}
}

function remoteKey(
  protocol: number,
  address: Uint8Array,
  port: number,
): string {
  return `${protocol} ${port} ${address}`;
}
