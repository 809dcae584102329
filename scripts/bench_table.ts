/**
 * Tables of results, as aligned text and as Markdown.
 *
 * @module
 */

/** A column and how its numbers are shown. */
export interface Column {
  readonly heading: string;
  /** Digits after the point, 0 unless told. */
  readonly digits?: number;
  /** Stands behind each number, such as `%`. */
  readonly unit?: string;
}

/** A cell; `undefined` where nothing could be measured. */
export type Cell = string | number | undefined;

/** Results of one kind. */
export interface Table {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
  /** Sentences below the table. */
  readonly notes: readonly string[];
}

const NOTHING = "–";
const GAP = "  ";

/** Returns a table with aligned columns. */
export function formatPlain(table: Table): string {
  const { headings, rows } = texts(table);
  const widths = headings.map((heading, column) =>
    Math.max(...[heading, ...rows.map((row) => row[column]!)].map(widthOf))
  );
  const line = (cells: readonly string[]): string =>
    cells.map((cell, column) => aligned(cell, widths[column]!, column === 0))
      .join(GAP).trimEnd() + "\n";
  const rule = widths.map((width) => "-".repeat(width));
  return `${table.title}\n\n${line(headings)}${line(rule)}` +
    rows.map(line).join("") +
    table.notes.map((note) => `* ${note}\n`).join("");
}

/** Returns a table for a Markdown document. */
export function formatMarkdown(table: Table): string {
  const { headings, rows } = texts(table);
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  const rule = headings.map((_, column) => column === 0 ? "---" : "---:");
  const notes = table.notes.map((note) => `- ${note}\n`).join("");
  return `### ${table.title}\n\n${line(headings)}${line(rule)}` +
    rows.map(line).join("") + (notes === "" ? "" : `\n${notes}`);
}

function texts(
  { columns, rows }: Table,
): { headings: string[]; rows: string[][] } {
  return {
    headings: columns.map(({ heading }) => heading),
    rows: rows.map((row) =>
      columns.map((column, at) => formatCell(row[at], column))
    ),
  };
}

/** Returns the text of a cell. */
export function formatCell(
  cell: Cell,
  { digits = 0, unit }: Pick<Column, "digits" | "unit">,
): string {
  if (cell === undefined || Number.isNaN(cell)) return NOTHING;
  if (typeof cell === "string") return cell;
  const number = cell.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return unit === undefined ? number : `${number} ${unit}`;
}

function widthOf(text: string): number {
  return [...text].length;
}

function aligned(text: string, width: number, left: boolean): string {
  const space = " ".repeat(width - widthOf(text));
  return left ? text + space : space + text;
}
