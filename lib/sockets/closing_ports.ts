/**
 * Ports of connections whose socket is closed: they stay open for the last
 * segments.
 *
 * @module
 */
import type { KernelRules } from "./kernel_rules.ts";
import { DESTROYED_SECONDS, type SocketTableWriter } from "./table_writer.ts";

interface ClosingPort {
  readonly protocol: number;
  readonly port: number;
  readonly slot: number;
  readonly generation: number;
  /** When the socket was closed, by performance.now(). */
  readonly since: number;
}

/** How long the port of a closed connection stays open at least, ms. */
const CLOSING = 2000;

/** The ports that are to be closed. */
export class ClosingPorts {
  readonly #table: SocketTableWriter;
  readonly #rules: KernelRules;
  #entries: ClosingPort[] = [];

  /** The rules that opened the ports close them. */
  constructor(table: SocketTableWriter, rules: KernelRules) {
    this.#table = table;
    this.#rules = rules;
  }

  /** The connection of a slot is closed: its port shall follow. */
  add(protocol: number, port: number, slot: number): void {
    const generation = this.#table.generation(slot);
    const since = performance.now();
    this.#entries.push({ protocol, port, slot, generation, since });
  }

  /** Closes the ports of connections that have exchanged everything. */
  tidy(): void {
    const now = performance.now();
    this.#entries = this.#entries.filter((entry) => {
      const age = now - entry.since;
      const over = age > DESTROYED_SECONDS * 1000 ||
        age > CLOSING && this.#table.isOver(entry.slot, entry.generation);
      if (over) this.#rules.closePort(entry.protocol, entry.port);
      return !over;
    });
  }
}
