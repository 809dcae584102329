/**
 * From rows to text: tables, comma-separated values, JSON.
 *
 * @module
 */
import type { TextBuffer } from "../../bytes/text_buffer.ts";
import {
  type Column,
  formatCsvHeader,
  formatHeader,
  uniformColumns,
  writeCsvRow,
  writeRow,
} from "../../text/table.ts";

/** Makes the text of one view. */
export interface ViewPrinter<Row> {
  /** What comes first, with newlines; may be empty. */
  begin(): string;
  /** Appends what is printed for a row, with its newline; may be nothing. */
  row(row: Row, text: TextBuffer): void;
  /** What comes last. */
  end(): string;
}

/** Forms of the output. */
export interface OutputForm {
  readonly csv: boolean;
  readonly json: boolean;
}

/** Prints rows as they are, one line each. */
export function rowPrinter<Row>(
  given: readonly Column<Row>[],
  { csv, json }: OutputForm,
): ViewPrinter<Row> {
  if (json) {
    return {
      begin: () => "",
      row: (row, text) => text.text(`${JSON.stringify(row)}\n`),
      end: () => "",
    };
  }
  const columns = uniformColumns(given);
  const write = csv ? writeCsvRow : writeRow;
  return {
    begin: () => `${csv ? formatCsvHeader(columns) : formatHeader(columns)}\n`,
    row: (row, text) => {
      write(columns, row, text);
      text.text("\n");
    },
    end: () => "",
  };
}
