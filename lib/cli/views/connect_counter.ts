/**
 * Counting attempts to connect instead of showing them.
 *
 * @module
 */
import { type Column, formatHeader, formatRow } from "../../text/table.ts";
import { formatCsvHeader, formatCsvRow } from "../../text/table.ts";
import type { ConnectionRow } from "../../views/rows.ts";
import type { OutputForm, ViewPrinter } from "./printer.ts";

/** One line of the result. */
interface Count {
  readonly family: 4 | 6;
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  connects: number;
}

/** Columns of tcpconnect. */
const COLUMNS: readonly Column<Count>[] = [
  { title: "LADDR", width: 25, value: (row) => row.localAddress },
  { title: "RADDR", width: 25, value: (row) => row.remoteAddress },
  { title: "RPORT", width: 20, value: (row) => String(row.remotePort) },
  { title: "CONNECTS", width: 0, value: (row) => String(row.connects) },
];

/** Counts attempts by local address and remote end. */
export class ConnectCounter implements ViewPrinter<ConnectionRow> {
  readonly #form: OutputForm;
  readonly #counts = new Map<string, Count>();

  /** Begins at zero. */
  constructor(form: OutputForm) {
    this.#form = form;
  }

  begin(): string {
    return "";
  }

  row(row: ConnectionRow): string {
    const { family, localAddress, remoteAddress, remotePort } = row;
    const key = `${localAddress} ${remoteAddress} ${remotePort}`;
    const count = this.#counts.get(key);
    if (count === undefined) {
      this.#counts.set(key, {
        family,
        localAddress,
        remoteAddress,
        remotePort,
        connects: 1,
      });
    } else count.connects++;
    return "";
  }

  /** IPv4 first, the most frequent first. */
  end(): string {
    const counts = [...this.#counts.values()].sort((a, b) =>
      a.family - b.family || b.connects - a.connects
    );
    const { csv, json } = this.#form;
    if (json) return counts.map((row) => `${JSON.stringify(row)}\n`).join("");
    const header = csv
      ? formatCsvHeader(COLUMNS)
      : `\n${formatHeader(COLUMNS)}`;
    const format = csv ? formatCsvRow : formatRow;
    return `${header}\n${
      counts.map((row) => `${format(COLUMNS, row)}\n`).join("")
    }`;
  }
}
