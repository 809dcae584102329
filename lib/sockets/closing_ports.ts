/**
 * Ports of connections whose socket is closed: they stay open for the last
 * segments.
 *
 * @module
 */
import type { KernelRules } from "./kernel_rules.ts";
import { NumberRecords } from "./number_records.ts";
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

/*
 * A port that is to be closed, in numbers: protocol << 16 | port, slot and its
 * generation, whether it is whole, when the socket was closed by
 * performance.now().
 */
const WORDS = 5;
const PORT = 0;
const SLOT = 1;
const GENERATION = 2;
const WHOLE = 3;
const SINCE = 4;

/** How long the port of a closed connection stays open at least, ms. */
const CLOSING = 2000;

/** The ports that are to be closed. */
export class ClosingPorts {
  readonly #table: SocketTableWriter;
  readonly #rules: KernelRules;
  readonly #entries = new NumberRecords(WORDS);

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
    const at = this.#entries.append();
    const { values } = this.#entries;
    values[at + PORT] = protocol << 16 | localPort;
    values[at + SLOT] = slot;
    values[at + GENERATION] = this.#table.generation(slot);
    values[at + WHOLE] = whole ? 1 : 0;
    values[at + SINCE] = since;
  }

  /**
   * Whether a connection that was closed less than `linger` milliseconds ago
   * may still say something.
   */
  awaited(linger: number, now: Moment): boolean {
    const earliest = performance.now() - linger;
    const { values } = this.#entries;
    return this.#entries.some((at) => {
      const slot = values[at + SLOT]!;
      const generation = values[at + GENERATION]!;
      return values[at + SINCE]! > earliest && (
        values[at + WHOLE] !== 0 && !this.#table.isOver(slot, generation) ||
        this.#table.awaitsReset(slot, generation, now)
      );
    });
  }

  /** Closes the ports of connections that have exchanged everything. */
  tidy(): void {
    const now = performance.now();
    const { values } = this.#entries;
    this.#entries.filter((at) => {
      const age = now - values[at + SINCE]!;
      const over = age > DESTROYED_SECONDS * 1000 || age > CLOSING &&
          this.#table.isOver(values[at + SLOT]!, values[at + GENERATION]!);
      const port = values[at + PORT]!;
      if (over) this.#rules.closePort(port >>> 16, port & 0xffff);
      return !over;
    });
  }
}
