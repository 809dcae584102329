/**
 * Requests per second of a traced nginx.
 *
 * @module
 */
import { type Child, until } from "../tests/support/processes.ts";
import { childrenOf, cpuSeconds } from "./bench_procfs.ts";
import { percentOf, typical } from "./bench_statistics.ts";
import type { Cell, Table } from "./bench_table.ts";
import { parseTcpdump, startTcpdump } from "./bench_tcpdump.ts";
import {
  endTracer,
  NATIVE,
  startTraced,
  type Subject,
  type Tracing,
  TRACINGS,
} from "./bench_tracing.ts";
import {
  reasonOf,
  requireProgram,
  type ToolTotals,
  type Workspace,
} from "./bench_workspace.ts";

const CONNECTIONS = 32;

/** Seconds of load before each measurement, for the just-in-time compiler. */
const WARM_UP = 1;

/** A capture of the same packets by a program that follows nobody. */
const BESIDE: Tracing = {
  name: "not traced, tcpdump -w beside",
  by: "nobody",
  how: "launched",
  options: [],
};

/** Measurements of one kind of load by round. */
class LoadSeries {
  /** Requests per second. */
  readonly requests = new Map<number, number>();
  /** Processor time of nginx for a request, in microseconds. */
  readonly server = new Map<number, number>();
  /** The same of what traces or captures. */
  readonly tracer = new Map<number, number>();
}

/** Measurements of one way. */
interface Series {
  readonly keepAlive: LoadSeries;
  readonly close: LoadSeries;
  readonly totals: Pick<ToolTotals, "packets" | "drops">[];
}

/** Measures nginx with every way of tracing, in interleaved rounds. */
export async function benchNginx(workspace: Workspace): Promise<Table> {
  const series = new Map<Tracing, Series>();
  const notes = new Set<string>();
  for (const tracing of [NATIVE, BESIDE, ...TRACINGS.slice(1)]) {
    const [keepAlive, close] = [new LoadSeries(), new LoadSeries()];
    series.set(tracing, { keepAlive, close, totals: [] });
  }
  for (let round = 1; round <= workspace.options.rounds; round++) {
    for (const [tracing, results] of series) {
      workspace.progress(`nginx, round ${round}: ${tracing.name}`);
      try {
        await measure(workspace, tracing, round, results, notes);
      } catch (error) {
        notes.add(`${tracing.name}: ${reasonOf(error)}`);
        await workspace.clear();
      }
    }
  }
  const native = series.get(NATIVE)!;
  const rows = [...series].map(([tracing, results]): Cell[] => [
    tracing.name,
    ...cellsOf(results.keepAlive, native.keepAlive),
    ...cellsOf(results.close, native.close),
    typical(results.totals.map(({ packets }) => packets)),
    typical(results.totals.map(({ drops }) => drops)),
  ]);
  return {
    title: `nginx: requests per second, one worker, wrk with ${CONNECTIONS} ` +
      "connections",
    columns: [
      { heading: "" },
      { heading: "keep-alive /s" },
      { heading: "of native", unit: "%" },
      { heading: "nginx", digits: 1, unit: "µs" },
      { heading: "tracer", digits: 1, unit: "µs" },
      { heading: "close /s" },
      { heading: "of native", unit: "%" },
      { heading: "nginx", digits: 1, unit: "µs" },
      { heading: "tracer", digits: 1, unit: "µs" },
      { heading: "packets" },
      { heading: "dropped" },
    ],
    rows,
    notes: [
      "close: a new connection for each request (`Connection: close`). " +
      `Each measurement comes after ${WARM_UP} s of the same load.`,
      "Shares are medians of the rounds' ratios. wrk, nginx and the tracer " +
      "share the processors; µs are their processor time for a request.",
      ...notes,
    ],
  };
}

function cellsOf(load: LoadSeries, native: LoadSeries): Cell[] {
  return [
    typical([...load.requests.values()]),
    percentOf(load.requests, native.requests),
    typical([...load.server.values()]),
    typical([...load.tracer.values()]),
  ];
}

async function measure(
  workspace: Workspace,
  tracing: Tracing,
  round: number,
  results: Series,
  notes: Set<string>,
): Promise<void> {
  const port = freePort();
  const pidFile = `${workspace.folder}/nginx-${port}.pid`;
  const output = `${workspace.memory}/nginx.pcap`;
  const subject = nginx(workspace, port, pidFile);
  // Where its launcher dies, nginx goes on.
  const master = (): number | undefined => readPid(pidFile);
  workspace.adopt(master);
  const traced = await startTraced(workspace, subject, tracing, output);
  const { program } = traced;
  const isBeside = tracing === BESIDE;
  const tracer = isBeside
    ? await startTcpdump(workspace, ["tcp", "and", "port", `${port}`], output)
    : traced.tracer;
  const server = [master()!, ...childrenOf(master()!)];
  const load = async (
    { requests, server: serverTime, tracer: tracerTime }: LoadSeries,
    header: readonly string[],
  ): Promise<void> => {
    await wrk(workspace, port, header, WARM_UP);
    const before = server.map(cpuSeconds);
    const tracerBefore = tracer === undefined ? 0 : cpuSeconds(tracer.pid);
    const { seconds } = workspace.options;
    const done = await wrk(workspace, port, header, seconds);
    if (done.errors !== undefined) notes.add(`${tracing.name}: ${done.errors}`);
    requests.set(round, done.perSecond);
    const taken = server.reduce(
      (sum, pid, i) => sum + cpuSeconds(pid) - before[i]!,
      0,
    );
    serverTime.set(round, 1e6 * taken / done.requests);
    if (tracer === undefined) return;
    const own = cpuSeconds(tracer.pid) - tracerBefore;
    tracerTime.set(round, 1e6 * own / done.requests);
  };
  await load(results.keepAlive, []);
  await load(results.close, ["-H", "Connection: close"]);
  const isLauncher = tracer === program;
  let totals: Series["totals"][number] | undefined;
  if (isBeside) {
    await workspace.end(tracer!, "SIGINT");
    totals = parseTcpdump(tracer!.stderr);
  } else if (!isLauncher) {
    totals = await endTracer(workspace, traced, tracing);
  }
  Deno.kill(master()!, "SIGQUIT");
  if (isLauncher) totals = await endTracer(workspace, traced, tracing);
  else await workspace.finish(program);
  if (totals !== undefined) results.totals.push(totals);
  await removeIfThere(output);
}

function nginx(workspace: Workspace, port: number, pidFile: string): Subject {
  const { folder } = workspace;
  const config = `${folder}/nginx-${port}.conf`;
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/nginx-${name};`).join("\n  ");
  Deno.writeTextFileSync(
    config,
    `daemon off;
worker_processes 1;
pid ${pidFile};
error_log /dev/null;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 100000000;
  ${paths}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { return 200 "hello\\n"; }
  }
}
`,
  );
  return {
    argv: [
      ...[requireProgram("nginx"), "-p", folder, "-c", config],
      ...["-e", "/dev/null"],
    ],
    ready: async (child: Child): Promise<void> => {
      await until(() => serves(child, port), "nginx");
    },
    pids: ({ pid }): number[] => [pid, ...childrenOf(pid)],
  };
}

async function serves(
  child: Child,
  port: number,
): Promise<true | undefined> {
  if (child.isOver) throw new Error(child.stderr);
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      headers: { connection: "close" },
    });
    await response.body?.cancel();
    return true;
  } catch {
    return undefined;
  }
}

async function wrk(
  workspace: Workspace,
  port: number,
  header: readonly string[],
  seconds: number,
): Promise<WrkResult> {
  const child = workspace.start([
    ...[requireProgram("wrk"), "-t1", `-c${CONNECTIONS}`],
    ...[`-d${seconds}s`, ...header],
    `http://127.0.0.1:${port}/`,
  ]);
  await workspace.finish(child);
  return parseWrk(child.stdout);
}

/** What wrk measured. */
interface WrkResult {
  readonly requests: number;
  readonly perSecond: number;
  /** What went wrong, if anything. */
  readonly errors: string | undefined;
}

/** Reads what wrk prints. */
export function parseWrk(text: string): WrkResult {
  const requests = text.match(/^\s*(\d+) requests in /m);
  const perSecond = text.match(/^Requests\/sec:\s+([\d.]+)$/m);
  if (requests === null || perSecond === null) {
    throw new Error(`wrk did not tell: ${text}`);
  }
  const errors = text.match(/^\s*(Socket errors:.*|Non-2xx.*)$/m);
  return {
    requests: Number(requests[1]),
    perSecond: Number(perSecond[1]),
    errors: errors?.[1],
  };
}

/** The process that a pid file names, if it is nginx. */
function readPid(file: string): number | undefined {
  try {
    const pid = Number(Deno.readTextFileSync(file));
    const name = Deno.readTextFileSync(`/proc/${pid}/comm`);
    return name === "nginx\n" ? pid : undefined;
  } catch {
    return undefined;
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Removes a file that a failed run may not have made. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
