/**
 * Runs the benchmarks that the command line names and prints their tables.
 *
 * @module
 */
import { within } from "../tests/support/processes.ts";
import { benchLoop } from "./bench_loop.ts";
import { type Facts, machineFacts } from "./bench_machine.ts";
import { benchMemory } from "./bench_memory.ts";
import { benchNginx } from "./bench_nginx.ts";
import {
  type BenchOptions,
  type GroupName,
  HELP,
  parseOptions,
} from "./bench_options.ts";
import { benchReading } from "./bench_reading.ts";
import { benchRules } from "./bench_rules.ts";
import { benchSniffer } from "./bench_sniffer.ts";
import { benchStart } from "./bench_start.ts";
import { formatMarkdown, formatPlain, type Table } from "./bench_table.ts";
import { benchViews } from "./bench_views.ts";
import { Workspace } from "./bench_workspace.ts";
import { runScript, say } from "./script.ts";

type Benchmark = (workspace: Workspace) => Promise<Table | readonly Table[]>;

const BENCHMARKS: Readonly<Record<GroupName, Benchmark>> = {
  nginx: benchNginx,
  loop: benchLoop,
  sniffer: benchSniffer,
  rules: benchRules,
  views: benchViews,
  memory: benchMemory,
  start: benchStart,
  reading: benchReading,
};

if (import.meta.main) {
  Deno.exit(
    await runScript({
      name: "bench",
      help: HELP,
      parse: parseOptions,
      needsRoot: () => true,
      run: measure,
    }),
  );
}

async function measure(options: BenchOptions): Promise<number> {
  await using workspace = new Workspace(options);
  const running = run(workspace, options);
  const end = await Promise.race([running, untilSignal()]);
  // A signal ends what was started; what waits for it fails then, and must
  // not make files any more when they are removed.
  await workspace.stop();
  await within(running, "the end of the measurements");
  return end;
}

/** Settles with an exit status when somebody wants the run to end. */
function untilSignal(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  Deno.addSignalListener("SIGINT", () => resolve(130));
  Deno.addSignalListener("SIGTERM", () => resolve(143));
  Deno.addSignalListener("SIGHUP", () => resolve(129));
  return promise;
}

async function run(
  workspace: Workspace,
  options: BenchOptions,
): Promise<number> {
  const facts = await machineFacts(workspace);
  const { markdown, json } = options;
  say(Deno.stdout, formatFacts(facts, markdown));
  const tables: Table[] = [];
  let failed = false;
  for (const group of options.groups) {
    try {
      for (const table of [await BENCHMARKS[group](workspace)].flat()) {
        if (workspace.isOver) return 1;
        tables.push(table);
        const text = markdown ? formatMarkdown(table) : formatPlain(table);
        say(Deno.stdout, `\n${text}`);
      }
    } catch (error) {
      if (workspace.isOver) return 1;
      failed = true;
      const text = error instanceof Error ? error.stack : String(error);
      say(Deno.stderr, `bench: The group ${group} failed: ${text}\n`);
    }
    await workspace.clear();
  }
  if (json !== undefined) {
    const text = JSON.stringify({ facts, tables }, null, 2);
    await Deno.writeTextFile(json, `${text}\n`);
  }
  return failed ? 1 : 0;
}

function formatFacts(facts: Facts, markdown: boolean): string {
  return Object.entries(facts).map(([name, text]) =>
    markdown ? `- ${name}: ${text}\n` : `${name.padEnd(13)} ${text}\n`
  ).join("");
}
