/**
 * From rows to text: tables, comma-separated values, JSON.
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

/** Makes the text of one view. */
export interface ViewPrinter<Row> {
  /** What comes first, with newlines; may be empty. */
  begin(): string;
  /** What is printed for a row, with its newline; may be empty. */
  row(row: Row): string;
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
  columns: readonly Column<Row>[],
  { csv, json }: OutputForm,
): ViewPrinter<Row> {
  if (json) {
    return {
      begin: () => "",
      row: (row) => `${JSON.stringify(row)}\n`,
      end: () => "",
    };
  }
  return csv
    ? {
      begin: () => `${formatCsvHeader(columns)}\n`,
      row: (row) => `${formatCsvRow(columns, row)}\n`,
      end: () => "",
    }
    : {
      begin: () => `${formatHeader(columns)}\n`,
      row: (row) => `${formatRow(columns, row)}\n`,
      end: () => "",
    };
}
