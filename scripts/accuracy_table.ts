/**
 * Precision and recall from comparisons with the independent capture.
 *
 * @module
 */
import type { AccuracyRecord } from "../tests/support/accuracy.ts";
import { optionOf } from "../tests/support/tool.ts";
import type { Way } from "./accuracy_options.ts";
import type { Cell, Column, Table } from "./bench_table.ts";

/** Everything that one run found. */
export interface AccuracyRun {
  /** When and with what, as pairs of a name and a text. */
  readonly facts: Readonly<Record<string, string>>;
  readonly ways: readonly Way[];
  readonly records: readonly AccuracyRecord[];
  /** Names of cases that came to no comparison. */
  readonly failed: readonly string[];
  /** Number of cases that this machine cannot run. */
  readonly skipped: number;
}

/** Sums over comparisons. */
type Sums = Pick<AccuracyRecord, "wanted" | "right" | "missing" | "wrong">;

const NOTHING: Sums = { wanted: 0, right: 0, missing: 0, wrong: 0 };

/** Whether nothing is wrong, and nothing missing without a word about it. */
export function isHonest({ records, failed }: AccuracyRun): boolean {
  return failed.length === 0 && records.length > 0 &&
    records.every(({ missing, wrong, told }) =>
      wrong === 0 && (missing === 0 || told.length > 0)
    );
}

/**
 * Makes the table.
 *
 * @param groups One row per group instead of one per case.
 */
export function accuracyTable(run: AccuracyRun, groups: boolean): Table {
  const { ways, records } = run;
  const rows = new Map<string, AccuracyRecord[]>();
  for (const record of records) {
    const name = groups ? groupOf(record.name) : record.name;
    rows.set(name, [...rows.get(name) ?? [], record]);
  }
  const words = [...new Set(records.flatMap(({ told }) => told))];
  const all = [...rows].map(([name, own]) => rowOf(name, own, ways, words));
  return {
    title: "Accuracy",
    columns: columnsOf(ways),
    rows: [...all, rowOf("all", records, ways, [])],
    notes: [
      ...words.map((text, index) => `told ${index + 1}: ${text}`),
      ...notesOf(run),
    ],
  };
}

/** `TCP client: refused connection` belongs to `TCP client`. */
export function groupOf(name: string): string {
  return /^([^:]+): /.exec(name)?.[1] ?? name;
}

function columnsOf(ways: readonly Way[]): readonly Column[] {
  return [
    { heading: "case" },
    ...ways.flatMap(({ tracker, filter }) => [
      { heading: `${tracker}, ${filter}: packets` },
      { heading: "precision / recall" },
    ]),
    { heading: "told" },
  ];
}

function rowOf(
  name: string,
  records: readonly AccuracyRecord[],
  ways: readonly Way[],
  words: readonly string[],
): readonly Cell[] {
  const told = words.flatMap((text, index) =>
    records.some((record) => record.told.includes(text)) ? [index + 1] : []
  );
  return [
    name,
    ...ways.flatMap((way) => {
      const own = records.filter((record) => isOf(record, way));
      if (own.length === 0) return [undefined, undefined];
      const { wanted, right, missing, wrong } = own.reduce(add, NOTHING);
      const precision = ratio(right, right + wrong);
      const recall = ratio(wanted - missing, wanted);
      return [wanted, `${precision ?? "–"} / ${recall ?? "–"}`];
    }),
    told.length === 0 ? undefined : told.join(", "),
  ];
}

function add(a: Sums, b: Sums): Sums {
  return {
    wanted: a.wanted + b.wanted,
    right: a.right + b.right,
    missing: a.missing + b.missing,
    wrong: a.wrong + b.wrong,
  };
}

/** Three digits, rounded down: only what is exact is shown as 1.000. */
export function ratio(part: number, whole: number): string | undefined {
  if (whole === 0) return undefined;
  const thousandths = Math.floor(part * 1000 / whole);
  return (thousandths / 1000).toFixed(3);
}

function notesOf({ records, failed, skipped }: AccuracyRun): string[] {
  const notes = records.filter(({ missing, wrong }) => missing + wrong > 0)
    .map(({ name, variant, missing, wrong, told }) =>
      `${[name, ...variant].join(" ")}: ${missing} missing ` +
      `(${told.length > 0 ? "told" : "not told"}), ${wrong} foreign or doubled`
    );
  for (const name of failed) notes.push(`${name}: ended without comparison`);
  if (skipped > 0) notes.push(`${skipped} cases cannot run on this machine`);
  return notes;
}

function isOf({ variant }: AccuracyRecord, { tracker, filter }: Way): boolean {
  // Tests of rights leave the choice to the tool, whatever the way.
  const named = variant.filter((word, at) =>
    word !== "auto" && variant[at + 1] !== "auto"
  );
  return optionOf(named, "--tracker") === tracker &&
    optionOf(named, "--kernel-filter") === filter;
}
