/**
 * Time of single system calls and connections of a traced program, and of a
 * program beside one that is traced.
 *
 * @module
 */
import type { Child } from "../tests/support/processes.ts";
import { CAPTURING_REGEXP } from "../tests/support/tool.ts";
import { percentOf, typical } from "./bench_statistics.ts";
import type { Cell, Table } from "./bench_table.ts";
import {
  NATIVE,
  startTraced,
  type Subject,
  TRACINGS,
} from "./bench_tracing.ts";
import { reasonOf, type Workspace } from "./bench_workspace.ts";

const BESIDE = "not traced, beside a process under ebpf";

/** Nanoseconds of one way by round. */
interface Series {
  readonly call: Map<number, number>;
  readonly connection: Map<number, number>;
}

/** Measures the loops with every way of tracing, in interleaved rounds. */
export async function benchLoop(workspace: Workspace): Promise<Table> {
  const loop = await workspace.compile("bench_loop");
  const series = new Map<string, Series>();
  const notes = new Set<string>();
  const attempt = async (
    name: string,
    round: number,
    measure: (subject: Subject) => Promise<Child>,
  ): Promise<void> => {
    workspace.progress(`loop, round ${round}: ${name}`);
    const results = series.get(name) ??
      { call: new Map(), connection: new Map() };
    series.set(name, results);
    try {
      const listener = workspace.start([loop, "listen"], { stdin: "piped" });
      const port = (await listener.seen("stdout", /ready (\d+)/))[1]!;
      const program = await measure(loopSubject(workspace, loop, port));
      await workspace.kill(listener);
      const [call, connection] = parseTimes(program.stdout);
      results.call.set(round, call);
      results.connection.set(round, connection);
    } catch (error) {
      notes.add(`${name}: ${reasonOf(error)}`);
      await workspace.clear();
    }
  };
  for (let round = 1; round <= workspace.options.rounds; round++) {
    for (const tracing of TRACINGS) {
      await attempt(tracing.name, round, async (subject) => {
        const traced = await startTraced(
          workspace,
          subject,
          tracing,
          "/dev/null",
        );
        const { program, tracer } = traced;
        await program.writeLine("go");
        await program.closeInput();
        if (tracer !== program) await workspace.finish(program);
        // An attached tracer ends with what it traces.
        if (tracer !== undefined) await workspace.finish(tracer);
        return program;
      });
    }
    await attempt(BESIDE, round, (subject) => beside(workspace, subject));
  }
  return table(series, [...notes]);
}

function loopSubject(
  workspace: Workspace,
  loop: string,
  port: string,
): Subject {
  return {
    // Two measurements share the time.
    argv: [loop, port, String(workspace.milliseconds / 2)],
    stdin: "piped",
    ready: async (child: Child): Promise<void> => {
      await child.seen("stdout", /ready/);
    },
    pids: ({ pid }: Child): number[] => [pid],
  };
}

/** Measures the loop while the eBPF tracker is busy with somebody else. */
async function beside(
  workspace: Workspace,
  subject: Subject,
): Promise<Child> {
  const other = workspace.start(["sleep", "600"]);
  const tracer = workspace.start([
    ...[...workspace.tool, "-o", "/dev/null", "--tracker", "ebpf"],
    String(other.pid),
  ]);
  await tracer.seen("stderr", CAPTURING_REGEXP);
  const { program } = await startTraced(
    workspace,
    subject,
    NATIVE,
    "/dev/null",
  );
  await program.writeLine("go");
  await workspace.finish(program);
  await workspace.end(tracer, "SIGINT");
  await workspace.kill(other);
  return program;
}

/** Reads what the loop prints: nanoseconds of a call and of a connection. */
export function parseTimes(text: string): [call: number, connection: number] {
  const match = text.match(/getppid ([\d.]+) connect ([\d.]+)/);
  if (match === null) throw new Error(`The loop did not tell: ${text}`);
  return [Number(match[1]), Number(match[2])];
}

function table(series: Map<string, Series>, notes: string[]): Table {
  const native = series.get(NATIVE.name)!;
  const microseconds = (values: Map<number, number>): number | undefined =>
    typical([...values.values()].map((nanoseconds) => nanoseconds / 1000));
  return {
    title: "Loops: microseconds of a call",
    columns: [
      { heading: "" },
      { heading: "getppid", digits: 3, unit: "µs" },
      { heading: "of native", unit: "%" },
      { heading: "connection", digits: 1, unit: "µs" },
      { heading: "of native", unit: "%" },
    ],
    rows: [...series].map(([name, results]): Cell[] => [
      name,
      microseconds(results.call),
      percentOf(results.call, native.call),
      microseconds(results.connection),
      percentOf(results.connection, native.connection),
    ]),
    notes: [
      "connection: socket, setsockopt, connect and a close that resets, to " +
      "a listener on loopback.",
      ...notes,
    ],
  };
}
