import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import {
  type Column,
  csvField,
  formatCsvHeader,
  formatCsvRow,
  formatHeader,
  formatRow,
  uniformColumns,
} from "../../../../lib/text/table.ts";

type Row = readonly [string, string, string];

const COLUMNS: readonly Column<Row>[] = [
  { title: "NAME", width: 6, cut: 6, value: ([name]) => name },
  { title: "N", csvTitle: "COUNT", width: 4, right: true, value: (r) => r[1] },
  { title: "LAST", width: 0, value: (row) => row[2] },
];

Deno.test("formatHeader() and formatRow() align columns", () => {
  equal(formatHeader(COLUMNS), "NAME      N LAST");
  equal(formatRow(COLUMNS, ["ab", "7", "x"]), "ab        7 x");
});

Deno.test("formatRow() cuts what may be cut and pushes what may not", () => {
  equal(formatRow(COLUMNS, ["abcdefgh", "12345", "x"]), "abcdef 12345 x");
});

Deno.test("uniformColumns() changes nothing but the shape", () => {
  const columns = uniformColumns(COLUMNS);
  const row = ["abcdefgh", "7", "x"] as const;
  equal(formatHeader(columns), formatHeader(COLUMNS));
  equal(formatCsvHeader(columns), formatCsvHeader(COLUMNS));
  equal(formatRow(columns, row), formatRow(COLUMNS, row));
  equal(formatCsvRow(columns, row), formatCsvRow(COLUMNS, row));
});

Deno.test("numbers stand where texts would", () => {
  const columns: readonly Column<number>[] = [
    { title: "A", width: 6, right: true, digits: 2, value: (n) => n },
    { title: "B", width: 3, value: (n) => n },
    { title: "C", width: 0, digits: 1, value: (n) => n },
  ];
  equal(formatRow(columns, 5), "  5.00 5   5.0");
  equal(formatCsvRow(columns, 12345), "12345.00,12345,12345.0");
});

Deno.test("formatCsvRow() quotes only what needs it", () => {
  equal(formatCsvHeader(COLUMNS), "NAME,COUNT,LAST");
  equal(
    formatCsvRow(COLUMNS, ['a "b", c', "7", "two\nlines"]),
    '"a ""b"", c",7,"two\nlines"',
  );
  equal(csvField("plain text"), "plain text");
});

/** Reads one record of RFC 4180. */
function readCsv(line: string): string[] {
  const fields: string[] = [];
  for (
    const [, quoted, bare] of line.matchAll(
      /(?:"((?:[^"]|"")*)"|([^,"]*))(?:,|$)/gy,
    )
  ) {
    fields.push(quoted?.replaceAll('""', '"') ?? bare ?? "");
  }
  return fields;
}

Deno.test("formatCsvRow() can be read back, whatever the fields", () => {
  const text = fc.string({
    unit: fc.constantFrom("a", ",", '"', "\n", "\r", " ", "é"),
  });
  fc.assert(
    fc.property(fc.tuple(text, text, text), (row) => {
      const fields = readCsv(formatCsvRow(COLUMNS, row));
      deepEqual(fields.slice(0, 3), row);
    }),
  );
});
