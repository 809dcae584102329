import { equal } from "node:assert/strict";
import {
  formatCell,
  formatMarkdown,
  formatPlain,
  type Table,
} from "../../../scripts/bench_table.ts";

const TABLE: Table = {
  title: "Title",
  columns: [
    { heading: "" },
    { heading: "µs", digits: 1 },
    { heading: "share", unit: "%" },
  ],
  rows: [["a|b", 1234.56, 97.6], ["long name", 2, undefined]],
  notes: ["First.", "Second."],
};

Deno.test("formatPlain() aligns names left and numbers right", () => {
  equal(
    formatPlain(TABLE),
    `Title

                µs  share
---------  -------  -----
a|b        1,234.6   98 %
long name      2.0      –
* First.
* Second.
`,
  );
});

Deno.test("formatMarkdown() makes a table and a list", () => {
  equal(
    formatMarkdown(TABLE),
    `### Title

|  | µs | share |
| --- | ---: | ---: |
| a\\|b | 1,234.6 | 98 % |
| long name | 2.0 | – |

- First.
- Second.
`,
  );
});

Deno.test("formatMarkdown() ends with the table where there are no notes", () => {
  equal(
    formatMarkdown({ title: "T", columns: [], rows: [], notes: [] }),
    "### T\n\n|  |\n|  |\n",
  );
});

Deno.test("formatCell() shows what was not measured as a dash", () => {
  equal(formatCell(undefined, {}), "–");
  equal(formatCell(NaN, { unit: "s" }), "–");
  equal(formatCell(0, { unit: "s" }), "0 s");
});
