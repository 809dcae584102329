import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import {
  type Column,
  csvField,
  formatCsvHeader,
  formatCsvRow,
  formatHeader,
  formatRow,
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
