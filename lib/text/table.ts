/**
 * Tables of fixed columns and comma-separated values, row by row.
 *
 * @module
 */

/** One column. */
export interface Column<Row> {
  /** Heading. */
  readonly title: string;
  /** Least width; longer values push what follows. 0 for the last column. */
  readonly width: number;
  /** Values stand at the right end. */
  readonly right?: boolean;
  /** Longest value of a table; more is cut off. */
  readonly cut?: number;
  /** Heading among comma-separated values, where it is another one. */
  readonly csvTitle?: string;
  /** The value. */
  readonly value: (row: Row) => string;
}

/** The line of headings, without a newline. */
export function formatHeader(columns: readonly Column<never>[]): string {
  return join(columns, ({ title }) => title);
}

/** One line of a table, without a newline. */
export function formatRow<Row>(
  columns: readonly Column<Row>[],
  row: Row,
): string {
  return join(columns, ({ value }) => value(row));
}

/** The line of headings of comma-separated values, without a newline. */
export function formatCsvHeader(columns: readonly Column<never>[]): string {
  return columns.map(({ title, csvTitle }) => csvField(csvTitle ?? title))
    .join(",");
}

/** One line of comma-separated values (RFC 4180), without a newline. */
export function formatCsvRow<Row>(
  columns: readonly Column<Row>[],
  row: Row,
): string {
  let line = csvField(columns[0]?.value(row) ?? "");
  for (let at = 1; at < columns.length; at++) {
    line += `,${csvField(columns[at]!.value(row))}`;
  }
  return line;
}

/** Puts a field in quotes where it has to be (RFC 4180 section 2). */
export function csvField(text: string): string {
  return QUOTED_REGEXP.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const QUOTED_REGEXP = /[",\r\n]/;

function join<Row>(
  columns: readonly Column<Row>[],
  text: (column: Column<Row>) => string,
): string {
  let line = "";
  for (let at = 0; at < columns.length; at++) {
    const column = columns[at]!;
    const { cut, width } = column;
    let value = text(column);
    if (cut !== undefined && value.length > cut) {
      value = [...value].slice(0, cut).join("");
    }
    if (at > 0) line += " ";
    // Padding is dear where none is needed.
    line += value.length >= width
      ? value
      : column.right === true
      ? value.padStart(width)
      : value.padEnd(width);
  }
  return line;
}
