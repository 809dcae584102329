/**
 * What came of trying programs, as a table.
 *
 * @module
 */
import type { Cell, Table } from "../bench_table.ts";
import type { TrialResult, Way } from "./trial.ts";

/** What is known of one program. */
export interface ProgramReport {
  readonly name: string;
  readonly version: string;
  readonly date: string;
  /** How often it was attached to. */
  readonly times: number;
  readonly results: readonly TrialResult[];
}

/** Every way in which programs are tried, in the order of the columns. */
export const WAYS: readonly Way[] = [
  { way: "launched", tracker: "ebpf" },
  { way: "launched", tracker: "ptrace" },
  { way: "attached", tracker: "ebpf" },
  { way: "attached", tracker: "ptrace" },
];

/** Whether all programs behaved as without the tool. */
export function isHarmless(reports: readonly ProgramReport[]): boolean {
  return reports.every(({ results }) =>
    results.every(({ failure }) => failure === undefined)
  );
}

/** Makes the table. */
export function programTable(reports: readonly ProgramReport[]): Table {
  return {
    title: "Programs",
    columns: [
      { heading: "program" },
      { heading: "version" },
      ...WAYS.map(({ way, tracker }) => ({ heading: `${way}, ${tracker}` })),
      { heading: "date" },
    ],
    rows: reports.map((report) => [
      report.name,
      report.version,
      ...WAYS.map((way) => cellOf(report, way)),
      report.date,
    ]),
    notes: reports.flatMap(({ name, results }) =>
      results.filter(({ failure }) => failure !== undefined)
        .map(({ way, tracker, failure }) =>
          `${name}, ${way}, ${tracker}: ${failure!.trim().split("\n", 1)[0]}`
        )
    ),
  };
}

function cellOf({ times, results }: ProgramReport, way: Way): Cell {
  const result = results.find((each) =>
    each.way === way.way && each.tracker === way.tracker
  );
  if (result === undefined) return undefined;
  if (result.failure !== undefined) return "differs";
  if (result.ratio === undefined) return `same, ${times} times`;
  return `same, time × ${result.ratio.toFixed(2)}`;
}

/** New reports take the place of old ones about the same programs. */
export function merge(
  old: readonly ProgramReport[],
  fresh: readonly ProgramReport[],
): ProgramReport[] {
  const names = new Set(fresh.map(({ name }) => name));
  return [...old.filter(({ name }) => !names.has(name)), ...fresh];
}
