/**
 * Tables of fixed columns and comma-separated values, row by row.
 *
 * @module
 */
import { TextBuffer } from "../bytes/text_buffer.ts";

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
  /** Digits behind the point of values that are numbers; none unless told. */
  readonly digits?: number;
  /** The value; numbers take less time than texts. */
  readonly value: (row: Row) => string | number;
}

const COMMA = 0x2c;
const SPACE = 0x20;
const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * The same columns as objects of one shape: where lines are many, that saves a
 * quarter of the time.
 */
export function uniformColumns<Row>(
  columns: readonly Column<Row>[],
): readonly Column<Row>[] {
  return columns.map((
    { title, width, right, cut, csvTitle, digits, value },
  ) => ({
    title,
    width,
    right: right ?? false,
    cut: cut ?? Infinity,
    csvTitle: csvTitle ?? title,
    digits: digits ?? 0,
    value,
  }));
}

/** The line of headings, without a newline. */
export function formatHeader(columns: readonly Column<never>[]): string {
  const text = new TextBuffer();
  for (let at = 0; at < columns.length; at++) {
    if (at > 0) text.character(SPACE);
    const column = columns[at]!;
    writeCell(column, column.title, text);
  }
  return text.toString();
}

/** One line of a table, without a newline. */
export function formatRow<Row>(
  columns: readonly Column<Row>[],
  row: Row,
): string {
  const text = new TextBuffer();
  writeRow(columns, row, text);
  return text.toString();
}

/** As {@linkcode formatRow}, appended to a text. */
export function writeRow<Row>(
  columns: readonly Column<Row>[],
  row: Row,
  text: TextBuffer,
): void {
  for (let at = 0; at < columns.length; at++) {
    if (at > 0) text.character(SPACE);
    const column = columns[at]!;
    writeCell(column, column.value(row), text);
  }
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
  const text = new TextBuffer();
  writeCsvRow(columns, row, text);
  return text.toString();
}

/** As {@linkcode formatCsvRow}, appended to a text. */
export function writeCsvRow<Row>(
  columns: readonly Column<Row>[],
  row: Row,
  text: TextBuffer,
): void {
  for (let at = 0; at < columns.length; at++) {
    if (at > 0) text.character(COMMA);
    const { value, digits } = columns[at]!;
    const field = value(row);
    if (typeof field === "number") text.number(field, digits);
    else text.text(csvField(field));
  }
}

/** Puts a field in quotes where it has to be (RFC 4180 section 2). */
export function csvField(text: string): string {
  return needsQuotes(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Faster than a regular expression, for the short texts that fields are. */
function needsQuotes(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case COMMA:
      case QUOTE:
      case LINE_FEED:
      case CARRIAGE_RETURN:
        return true;
    }
  }
  return false;
}

function writeCell(
  { cut, digits, right, width }: Column<never>,
  value: string | number,
  text: TextBuffer,
): void {
  const start = text.length;
  let length: number;
  if (typeof value === "number") {
    text.number(value, digits);
    length = text.length - start;
  } else {
    const whole = cut === undefined || value.length <= cut
      ? value
      : [...value].slice(0, cut).join("");
    text.text(whole);
    length = whole.length;
  }
  text.pad(right === true ? start : text.length, width - length);
}
