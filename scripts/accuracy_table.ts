/**
 * Precision and recall from comparisons with the independent capture.
 *
 * @module
 */
import type { AccuracyRecord } from "../tests/support/accuracy.ts";
import { trackerOf } from "../tests/support/tool.ts";
import type { TrackerName } from "./accuracy_options.ts";
import type { Cell, Column, Table } from "./bench_table.ts";

/** Everything that one run found. */
export interface AccuracyRun {
  /** When and with what, as pairs of a name and a text. */
  readonly facts: Readonly<Record<string, string>>;
  readonly trackers: readonly TrackerName[];
  readonly records: readonly AccuracyRecord[];
  /** Names of cases that came to no comparison. */
  readonly failed: readonly string[];
  /** Number of cases that this machine cannot run. */
  readonly skipped: number;
}

/** Sums over comparisons. */
type Sums = Pick<
  AccuracyRecord,
  "wanted" | "right" | "missing" | "wrong" | "told"
>;

const NOTHING: Sums = { wanted: 0, right: 0, missing: 0, wrong: 0, told: 0 };

/** Whether every packet was right in every case. */
export function isExact({ records, failed }: AccuracyRun): boolean {
  return failed.length === 0 && records.length > 0 &&
    records.every(({ missing, wrong }) => missing + wrong === 0);
}

/**
 * Makes the table.
 *
 * @param groups One row per group instead of one per case.
 */
export function accuracyTable(run: AccuracyRun, groups: boolean): Table {
  const { trackers, records } = run;
  const rows = new Map<string, AccuracyRecord[]>();
  for (const record of records) {
    const name = groups ? groupOf(record.name) : record.name;
    rows.set(name, [...rows.get(name) ?? [], record]);
  }
  const all = [...rows].map(([name, own]) => rowOf(name, own, trackers));
  return {
    title: "Accuracy",
    columns: columnsOf(trackers),
    rows: [...all, rowOf("all", records, trackers)],
    notes: notesOf(run),
  };
}

/** `TCP client: refused connection` belongs to `TCP client`. */
export function groupOf(name: string): string {
  return /^([^:]+): /.exec(name)?.[1] ?? name;
}

function columnsOf(trackers: readonly TrackerName[]): readonly Column[] {
  return [
    { heading: "case" },
    ...trackers.flatMap((tracker) => [
      { heading: `packets, ${tracker}` },
      { heading: "precision" },
      { heading: "recall" },
    ]),
  ];
}

function rowOf(
  name: string,
  records: readonly AccuracyRecord[],
  trackers: readonly TrackerName[],
): readonly Cell[] {
  return [
    name,
    ...trackers.flatMap((tracker) => {
      const own = records.filter((record) => isOf(record, tracker));
      if (own.length === 0) return [undefined, undefined, undefined];
      const { wanted, right, missing, wrong } = own.reduce(add, NOTHING);
      return [
        wanted,
        ratio(right, right + wrong),
        ratio(wanted - missing, wanted),
      ];
    }),
  ];
}

function add(a: Sums, b: Sums): Sums {
  return {
    wanted: a.wanted + b.wanted,
    right: a.right + b.right,
    missing: a.missing + b.missing,
    wrong: a.wrong + b.wrong,
    told: a.told + b.told,
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
      `(${told} of them told), ${wrong} foreign or doubled`
    );
  for (const name of failed) notes.push(`${name}: ended without comparison`);
  if (skipped > 0) notes.push(`${skipped} cases cannot run on this machine`);
  return notes;
}

function isOf({ variant }: AccuracyRecord, tracker: TrackerName): boolean {
  return trackerOf(variant) === tracker;
}
