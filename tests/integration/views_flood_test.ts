import { equal, ok } from "node:assert/strict";
import { watchConnections } from "../../lib/views/connections.ts";
import { watchSessions } from "../../lib/views/sessions.ts";
import type { Watch } from "../../lib/views/watch.ts";
import { compileProgram } from "../support/compile.ts";
import { Child, until } from "../support/processes.ts";
import { missing } from "../support/requires.ts";
import { ebpfTest } from "./ebpf_support.ts";
import { CHILDREN } from "./views_support.ts";

const SOURCE = new URL("../../scripts/bench_connections.c", import.meta.url);

/** More than fit into the ring when nobody reads it. */
const MANY = 30_000;
const SOME = 10_000;

/** Opens and closes connections; returns how many it says that were. */
async function flood(connections: number): Promise<number> {
  const program = await compileProgram(SOURCE);
  await using child = new Child([program, String(connections), "100"]);
  const { stdout } = await child.ended();
  return Number(stdout.split(" ")[0]);
}

/** Counts rows while something runs, and afterwards until all have come. */
async function countRows<Row>(
  watch: Watch<Row>,
  running: Promise<number>,
  rowsEach: number,
): Promise<number> {
  let rows = 0;
  let connections = Infinity;
  void running.then((count) => connections = count);
  await until(() => {
    rows += watch.take().length;
    const { runs } = watch.losses;
    return rows + runs >= connections * rowsEach ? true : undefined;
  }, "all rows");
  rows += watch.take().length;
  // What the kernel itself left out is told; else nothing may be missing.
  ok(rows <= connections * rowsEach);
  equal(watch.losses.records + watch.losses.sockets, 0);
  return rows;
}

const reason = missing(["gcc"]);

if (reason !== undefined) {
  Deno.test.ignore(`a flood of connections (skipped: ${reason})`, () => {});
} else {
  ebpfTest("watchSessions() counts as many as the program", async () => {
    using watch = watchSessions({ scope: CHILDREN });
    const running = flood(SOME);
    const rows = await countRows(watch, running, 2);
    ok(rows + watch.losses.runs >= 2 * SOME);
    equal(await running, SOME);
  });

  ebpfTest("watchConnections() counts as many as the program", async () => {
    using watch = watchConnections({ scope: CHILDREN });
    const running = flood(SOME);
    const rows = await countRows(watch, running, 1);
    ok(rows + watch.losses.runs >= SOME);
    equal(await running, SOME);
  });

  ebpfTest("rows that nobody reads in time are counted as lost", async () => {
    using watch = watchSessions({ scope: CHILDREN });
    const connections = await flood(MANY);
    let rows = 0;
    // The last sockets may close a moment after the program.
    await until(() => {
      rows += watch.take().length;
      const { records, runs } = watch.losses;
      return rows + records + runs >= 2 * connections ? true : undefined;
    }, "all rows");
    ok(watch.losses.records > 0);
    ok(rows + watch.losses.records <= 2 * connections);
    equal(watch.losses.sockets, 0);
  });
}
