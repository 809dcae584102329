/**
 * The memory of the system-wide views over a long run: it must not grow with
 * what they have seen, and every row must be there.
 *
 * @module
 */
import { until } from "../tests/support/processes.ts";
import type { Cell, Table } from "./bench_table.ts";
import {
  beginWatcher,
  countRows,
  memoryOf,
  viewWatchers,
  type Watcher,
} from "./bench_views.ts";
import type { Workspace } from "./bench_workspace.ts";

/** Rows between two looks at the memory. */
const ROWS = 100_000;
/** Looks. */
const LOOKS = 10;

/** Measures memory while a million rows are printed, for each view. */
export async function benchMemory(workspace: Workspace): Promise<Table> {
  const workload = await workspace.compile("bench_connections");
  const rows: Cell[][] = [];
  for (const view of viewWatchers(workspace)) {
    workspace.progress(`memory of ${view.name}`);
    rows.push([view.name, ...await measure(workspace, workload, view)]);
  }
  return {
    title: "Memory of the system-wide views, MiB, after so many thousand rows",
    columns: [
      { heading: "" },
      { heading: "0", digits: 1 },
      ...Array.from({ length: LOOKS }, (_, look) => ({
        heading: String((look + 1) * ROWS / 1000),
        digits: 1,
      })),
      { heading: "rows missing" },
    ],
    rows,
    notes: [],
  };
}

async function measure(
  workspace: Workspace,
  workload: string,
  view: Watcher,
): Promise<Cell[]> {
  const output = `${workspace.memory}/rows`;
  const child = await beginWatcher(workspace, view, output);
  const cells: Cell[] = [memoryOf(child)];
  const pids = new Set<string>();
  const connections = String(ROWS / view.rows);
  for (let look = 0; look < LOOKS; look++) {
    const argv = [workload, connections, "100"];
    const running = await workspace.finish(workspace.start(argv));
    pids.add(String(running.pid));
    cells.push(memoryOf(child));
  }
  const missing = (): number => LOOKS * ROWS - countRows(output, pids);
  await until(() => missing() === 0 ? true : undefined, "rows", 3000)
    .catch(() => {});
  await workspace.end(child, "SIGINT");
  cells.push(missing());
  return cells;
}
