/**
 * How long a whole run takes when the command does nothing.
 *
 * @module
 */
import { typical } from "./bench_statistics.ts";
import type { Cell, Table } from "./bench_table.ts";
import { reasonOf, requireProgram, type Workspace } from "./bench_workspace.ts";

/** Runs of each kind in a round. */
const RUNS = 5;

const TRACKERS = ["ptrace", "cg", "tp", "fe"] as const;

/** Measures `tracedump -- true` with every tracker; strace beside it. */
export async function benchStart(workspace: Workspace): Promise<Table> {
  const program = requireProgram("true");
  const commands = new Map<string, readonly string[]>([["native", []]]);
  commands.set("strace -f --seccomp-bpf -e trace=network", [
    ...["strace", "-f", "--seccomp-bpf", "-e", "trace=network"],
    ...["-o", "/dev/null"],
  ]);
  const tools = new Map([["sources", workspace.sources]]);
  if (workspace.executable !== undefined) {
    tools.set("executable", [workspace.executable]);
  }
  for (const [kind, tool] of tools) {
    for (const tracker of TRACKERS) {
      commands.set(`${kind}, --tracker ${tracker}`, [
        ...[...tool, "-o", "/dev/null", "--tracker", tracker, "--"],
      ]);
    }
  }
  const times = new Map<string, number[]>();
  const notes: string[] = [];
  for (let round = 1; round <= workspace.options.rounds; round++) {
    workspace.progress(`start, round ${round}`);
    for (const [name, prefix] of commands) {
      if (round > 1 && !times.has(name)) continue;
      try {
        const taken = await time(workspace, [...prefix, program]);
        times.set(name, [...times.get(name) ?? [], ...taken]);
      } catch (error) {
        notes.push(`${name}: ${reasonOf(error)}`);
        await workspace.clear();
      }
    }
  }
  const rows = [...times].map(([name, taken]): Cell[] => [
    name,
    typical(taken),
    Math.min(...taken),
  ]);
  return {
    title: "Start and end: a run of `true`",
    columns: [
      { heading: "" },
      { heading: "median", digits: 1, unit: "ms" },
      { heading: "shortest", digits: 1, unit: "ms" },
    ],
    rows,
    notes,
  };
}

async function time(
  workspace: Workspace,
  argv: readonly string[],
): Promise<number[]> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now();
    const child = workspace.start(argv);
    await child.status;
    times.push(performance.now() - start);
    await workspace.finish(child);
  }
  return times;
}
