/**
 * Ports of connections whose socket is closed: they stay open for the last
 * segments.
 *
 * @module
 */
import type { KernelRules } from "./kernel_rules.ts";
import {
  DESTROYED_SECONDS,
  type Moment,
  type SocketTableWriter,
} from "./table_writer.ts";

/** A connection whose socket was closed. */
export interface ClosedConnection {
  readonly protocol: number;
  readonly localPort: number;
  /** Its slot of the socket table. */
  readonly slot: number;
  /** Whether its packets were seen from the first one on. */
  readonly whole: boolean;
}

interface ClosingPort {
  readonly protocol: number;
  readonly port: number;
  readonly slot: number;
  readonly generation: number;
  readonly whole: boolean;
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

  /**
   * The connection of a slot is closed: its port shall follow.
   *
   * @param since when it was closed, by performance.now()
   */
  add(
    { protocol, localPort, slot, whole }: ClosedConnection,
    since: number,
  ): void {
    const generation = this.#table.generation(slot);
    const port = localPort;
    this.#entries.push({ protocol, port, slot, generation, whole, since });
  }

  /**
   * Whether a connection that was closed less than `linger` milliseconds ago
   * may still say something.
   */
  awaited(linger: number, now: Moment): boolean {
    const earliest = performance.now() - linger;
    return this.#entries.some(({ slot, generation, whole, since }) =>
      since > earliest && (whole && !this.#table.isOver(slot, generation) ||
        this.#table.awaitsReset(slot, generation, now))
    );
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
