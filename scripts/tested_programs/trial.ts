/**
 * One program, tried in one way.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Bench } from "../../tests/support/bench.ts";
import type { Child } from "../../tests/support/processes.ts";
import { attachRepeatedly } from "../../tests/support/repeated_attach.ts";
import { type Program, type Scenario, setGo, startWeb } from "./programs.ts";

/** Ways to follow a program. */
export const TRACKERS = ["ebpf", "ptrace"] as const;

/** How a program is traced. */
export interface Way {
  readonly tracker: typeof TRACKERS[number];
  readonly way: "launched" | "attached";
}

/** What came of it. */
export interface TrialResult extends Way {
  /** Why it is not as without the tool; unset when it is. */
  readonly failure?: string;
  /** Time that the launched program took, of that without the tool. */
  readonly ratio?: number;
}

/** What a program shows of itself. */
interface Behavior {
  readonly output: string;
  readonly code: number;
  readonly signal: string | null;
  readonly milliseconds: number;
}

/** How thoroughly a program is tried. */
export interface Effort {
  /** How often it runs from beginning to end; the shortest time counts. */
  readonly runs: number;
  /** How often it is attached to while it runs. */
  readonly attachments: number;
}

/** Visits of a server in one run. */
const VISITS = 5;
/** Longest time for anything, ms. */
const PATIENCE = 150_000;

/** Notes when the command began and ended: the tool takes time, too. */
const TIMED = 'date +%s%N >"$0"; "$@"; status=$?; date +%s%N >>"$0"; ' +
  "exit $status";

/**
 * Tries a program in some ways, beside runs without the tool.
 *
 * @param bench A private network without anything.
 */
export async function tryProgram(
  bench: Bench,
  program: Program,
  ways: readonly Way[],
  { runs, attachments }: Effort,
): Promise<TrialResult[]> {
  await startWeb(bench);
  const scenario = await program.prepare(bench);
  const rounds = program.rounds ?? 0;
  const launched = ways.filter(({ way }) => way === "launched");
  const native: Behavior[] = [];
  const results = new Map(
    ways.map((way): [Way, TrialResult] => [way, { ...way }]),
  );
  const fastest = new Map<Way, number>();
  // In turns: other programs of the machine disturb all of them alike.
  for (let run = 0; run < runs; run++) {
    native.push(await runOnce(scenario, rounds, bench));
    assertSame(native.at(-1)!, native[0]!);
    for (const way of launched) {
      await attempt(results, way, async () => {
        const behavior = await runOnce(scenario, rounds, bench, way);
        assertSame(behavior, native[0]!);
        const { milliseconds } = behavior;
        fastest.set(way, Math.min(fastest.get(way) ?? Infinity, milliseconds));
      });
    }
  }
  const best = Math.min(...native.map(({ milliseconds }) => milliseconds));
  for (const [way, milliseconds] of fastest) {
    results.set(way, { ...results.get(way)!, ratio: milliseconds / best });
  }
  for (const way of ways.filter(({ way }) => way === "attached")) {
    await attempt(results, way, async () => {
      assertSame(
        await runAttached(scenario, bench, attachments, way),
        native[0]!,
      );
    });
    setGo(bench, true);
  }
  return [...results.values()];
}

/** Notes why something failed, and goes on. */
async function attempt(
  results: Map<Way, TrialResult>,
  way: Way,
  run: () => Promise<void>,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    const failure = error instanceof Error ? error.message : `${error}`;
    results.set(way, { ...way, failure });
  }
}

/** A client's whole life, or some visits of a server. */
async function runOnce(
  { command, server }: Scenario,
  rounds: number,
  bench: Bench,
  way?: Way,
): Promise<Behavior> {
  const start = (argv: readonly string[]): Child =>
    way === undefined
      ? bench.start(argv)
      : bench.launch(argv, { options: bench.trackerOptions(way.tracker) });
  if (server === undefined) {
    const times = `${bench.folder}/times`;
    const child = start([...["sh", "-c", TIMED, times], ...command(rounds)]);
    const { stdout, code, signal } = await child.ended(PATIENCE);
    const [from, to] = Deno.readTextFileSync(times).trim().split("\n");
    const milliseconds = (Number(to) - Number(from)) / 1e6;
    return { output: distinct(stdout), code, signal, milliseconds };
  }
  const child = start(command(rounds));
  await server.ready(child);
  const serving = performance.now();
  const outputs = [];
  for (let i = 0; i < VISITS; i++) outputs.push(await visit(bench, server));
  const milliseconds = performance.now() - serving;
  child.signal("SIGTERM");
  const { code, signal } = await child.ended(PATIENCE);
  return { output: distinct(outputs.join("")), code, signal, milliseconds };
}

/** Attaches to the program while it works without end. */
async function runAttached(
  { command, server }: Scenario,
  bench: Bench,
  times: number,
  way: Way,
): Promise<Omit<Behavior, "milliseconds">> {
  const options = bench.trackerOptions(way.tracker);
  const child = bench.start(command(0));
  if (server === undefined) {
    await attachRepeatedly(bench, child.pid, times, options);
    setGo(bench, false);
    const { stdout, code, signal } = await child.ended(PATIENCE);
    return { output: distinct(stdout), code, signal };
  }
  await server.ready(child);
  let isOver = false;
  const visits = async (): Promise<string> => {
    const outputs = [];
    do outputs.push(await visit(bench, server)); while (!isOver);
    return distinct(outputs.join(""));
  };
  const attaching = attachRepeatedly(bench, child.pid, times, options)
    .finally(() => isOver = true);
  const [output] = await Promise.all([visits(), attaching]);
  child.signal("SIGTERM");
  const { code, signal } = await child.ended(PATIENCE);
  return { output, code, signal };
}

async function visit(
  bench: Bench,
  server: NonNullable<Scenario["server"]>,
): Promise<string> {
  const { code, stdout, stderr } = await bench.start(server.visit)
    .ended(PATIENCE);
  return `${stdout}${code === 0 ? "" : `status ${code}: ${stderr}`}`;
}

/** How often a line comes depends on how long the program goes on. */
function distinct(text: string): string {
  return [...new Set(text.split("\n"))].join("\n");
}

function assertSame(
  a: Omit<Behavior, "milliseconds">,
  b: Omit<Behavior, "milliseconds">,
): void {
  assert.equal(a.output, b.output);
  assert.deepEqual([a.code, a.signal], [b.code, b.signal]);
}
