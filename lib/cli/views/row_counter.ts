/**
 * Counting rows that agree in something instead of showing them.
 *
 * @module
 */
import {
  type Column,
  formatCsvHeader,
  formatCsvRow,
  formatHeader,
  formatRow,
} from "../../text/table.ts";
import type { OutputForm, ViewPrinter } from "./printer.ts";

/** What rows agree in, and how many there are. */
export type Count<Key> = Key & { count: number };

/** Counts rows. */
export class RowCounter<Row, Key extends { readonly family: 4 | 6 }>
  implements ViewPrinter<Row> {
  readonly #form: OutputForm;
  readonly #columns: readonly Column<Count<Key>>[];
  readonly #keyOf: (row: Row) => Key;
  readonly #counts = new Map<string, Count<Key>>();

  /**
   * Begins at zero.
   *
   * @param keyOf What rows are put together by.
   */
  constructor(
    form: OutputForm,
    columns: readonly Column<Count<Key>>[],
    keyOf: (row: Row) => Key,
  ) {
    this.#form = form;
    this.#columns = columns;
    this.#keyOf = keyOf;
  }

  begin(): string {
    return "";
  }

  row(row: Row): void {
    const key = this.#keyOf(row);
    const text = Object.values(key).join(" ");
    const count = this.#counts.get(text);
    if (count === undefined) this.#counts.set(text, { ...key, count: 1 });
    else count.count++;
  }

  /** IPv4 first, the most frequent first. */
  end(): string {
    const counts = [...this.#counts.values()].sort((a, b) =>
      a.family - b.family || b.count - a.count
    );
    const { csv, json } = this.#form;
    if (json) return counts.map((row) => `${JSON.stringify(row)}\n`).join("");
    const columns = this.#columns;
    const header = csv
      ? formatCsvHeader(columns)
      : `\n${formatHeader(columns)}`;
    const format = csv ? formatCsvRow : formatRow;
    return `${header}\n${
      counts.map((row) => `${format(columns, row)}\n`).join("")
    }`;
  }
}
