/**
 * What the system-wide views cost a program that does nothing but open and
 * close connections, and whether they miss any; bpftrace beside them.
 *
 * @module
 */
import { findProgram } from "../tests/support/requires.ts";
import { type Child, until } from "../tests/support/processes.ts";
import { median, percentOf, typical } from "./bench_statistics.ts";
import type { Cell, Table } from "./bench_table.ts";
import { reasonOf, type Workspace } from "./bench_workspace.ts";

/** Connections of one run of the workload. */
const CONNECTIONS = 2000;
/** Runs of the workload in a measurement, for each second asked for. */
const RUNS_PER_SECOND = 8;
/** Bytes that each end sends. */
const BYTES = "100";
/** Clock ticks of /proc/PID/stat in a second. */
const TICKS = 100;

/** Prints a line for each TCP socket that ends, as tcplife does. */
const BPFTRACE = `
tracepoint:sock:inet_sock_set_state
/args->protocol == 6 && args->newstate == 2/ {
  @birth[args->skaddr] = nsecs; @pid[args->skaddr] = pid;
  @comm[args->skaddr] = comm;
}
tracepoint:sock:inet_sock_set_state
/args->protocol == 6 && args->newstate == 1/ { @birth[args->skaddr] = nsecs; }
tracepoint:sock:inet_sock_set_state
/args->protocol == 6 && args->newstate == 7 && @birth[args->skaddr]/ {
  printf("%d,%s,%s,%d,%s,%d,%d\\n", @pid[args->skaddr], @comm[args->skaddr],
    ntop(args->family, args->saddr), args->sport,
    ntop(args->family, args->daddr), args->dport,
    (nsecs - @birth[args->skaddr]) / 1000);
  delete(@birth[args->skaddr]); delete(@pid[args->skaddr]);
  delete(@comm[args->skaddr]);
}
END { clear(@birth); clear(@pid); clear(@comm); }
`;

/** Something that watches while the workload runs. */
export interface Watcher {
  readonly name: string;
  readonly argv: readonly string[];
  /** What it prints when it is ready. */
  readonly ready: RegExp;
  /** Rows that each connection makes. */
  readonly rows: number;
}

/** What was measured with one watcher. */
class Measured {
  /** Round → microseconds of a connection, the middle of all runs. */
  readonly times = new Map<number, number>();
  shortest = Infinity;
  connections = 0;
  rows = 0;
  readonly processor: number[] = [];
  readonly memory: number[] = [];
}

/** The views that are measured. */
export function viewWatchers(workspace: Workspace): readonly Watcher[] {
  return [
    {
      name: "tracedump life --csv",
      argv: [...workspace.tool, "life", "--csv"],
      ready: /RPORT/,
      rows: 2,
    },
    {
      name: "tracedump connect --csv",
      argv: [...workspace.tool, "connect", "--csv"],
      ready: /DPORT/,
      rows: 1,
    },
  ];
}

/** Measures the views beside nothing and bpftrace. */
export async function benchViews(workspace: Workspace): Promise<Table> {
  const workload = await workspace.compile("bench_connections");
  const script = `${workspace.folder}/views.bt`;
  Deno.writeTextFileSync(script, BPFTRACE);
  const watchers: (Watcher | undefined)[] = [
    undefined,
    ...viewWatchers(workspace),
  ];
  const notes: string[] = [];
  if (findProgram("bpftrace") === undefined) {
    notes.push("bpftrace is not installed");
  } else {
    watchers.push({
      name: "bpftrace, a tcplife",
      // It wants tracefs, which may be mounted nowhere.
      argv: [
        ...["unshare", "--mount", "sh", "-c"],
        "mount -t tracefs tracefs /sys/kernel/tracing; " +
        `ulimit -l unlimited 2>/dev/null; exec bpftrace ${script}`,
      ],
      ready: /Attaching/,
      rows: 2,
    });
  }
  const results = new Map<string, Measured>();
  for (let round = 1; round <= workspace.options.rounds; round++) {
    workspace.progress(`views, round ${round}`);
    for (const watcher of watchers) {
      const name = watcher?.name ?? "nobody watches";
      if (round > 1 && !results.has(name)) continue;
      const measured = results.get(name) ?? new Measured();
      try {
        await measure(workspace, workload, watcher, round, measured);
        results.set(name, measured);
      } catch (error) {
        notes.push(`${name}: ${reasonOf(error)}`);
        await workspace.clear();
      }
    }
  }
  return tableOf(results, notes);
}

async function measure(
  workspace: Workspace,
  workload: string,
  watcher: Watcher | undefined,
  round: number,
  measured: Measured,
): Promise<void> {
  const output = `${workspace.memory}/rows`;
  const child = watcher === undefined
    ? undefined
    : await beginWatcher(workspace, watcher, output);
  const pids = new Set<string>();
  const times: number[] = [];
  const runs = workspace.options.seconds * RUNS_PER_SECOND;
  const before = processorTime(child);
  for (let run = 0; run < runs; run++) {
    const argv = [workload, String(CONNECTIONS), BYTES];
    const running = await workspace.finish(workspace.start(argv));
    pids.add(String(running.pid));
    const [count, seconds] = running.stdout.split(" ").map(Number);
    times.push(1e6 * seconds! / count!);
  }
  measured.times.set(round, median(times));
  measured.shortest = Math.min(measured.shortest, ...times);
  measured.connections += runs * CONNECTIONS;
  if (child === undefined || watcher === undefined) return;
  const expected = runs * CONNECTIONS * watcher.rows;
  const rows = (): number => countRows(output, pids);
  // What is missing after a while does not come any more.
  await until(() => rows() >= expected ? true : undefined, "rows", 3000)
    .catch(() => {});
  measured.memory.push(memoryOf(child));
  measured.processor.push(
    1e6 * (processorTime(child) - before) / (runs * CONNECTIONS),
  );
  await workspace.end(child, "SIGINT");
  measured.rows += rows() / watcher.rows;
}

/** Starts a watcher; its rows go to a file. */
export async function beginWatcher(
  workspace: Workspace,
  { argv, ready }: Watcher,
  output: string,
): Promise<Child> {
  Deno.writeTextFileSync(output, "");
  const child = workspace.start(
    ["sh", "-c", `exec "$@" >${output}`, "sh", ...argv],
  );
  await until(
    () => ready.test(Deno.readTextFileSync(output)) ? true : undefined,
    `the beginning of ${argv[0]}`,
  );
  return child;
}

/** Rows of the workload's processes. */
export function countRows(output: string, pids: ReadonlySet<string>): number {
  let rows = 0;
  for (const line of Deno.readTextFileSync(output).split("\n")) {
    // The time stands before, in some.
    if (line.split(",", 2).some((field) => pids.has(field))) rows++;
  }
  return rows;
}

/** Seconds of processor time so far. */
function processorTime(child: Child | undefined): number {
  if (child === undefined) return 0;
  const stat = Deno.readTextFileSync(`/proc/${child.pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Resident memory in MiB. */
export function memoryOf(child: Child): number {
  const status = Deno.readTextFileSync(`/proc/${child.pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? NaN) / 1024;
}

function tableOf(
  results: ReadonlyMap<string, Measured>,
  notes: readonly string[],
): Table {
  const [native] = results.values();
  const rows = [...results].map(([name, measured]): Cell[] => {
    const watches = measured !== native;
    return [
      name,
      typical([...measured.times.values()]),
      measured.shortest,
      native === undefined
        ? undefined
        : percentOf(measured.times, native.times),
      measured.connections,
      watches ? measured.rows : undefined,
      typical(measured.processor),
      typical(measured.memory),
    ];
  });
  return {
    title: "System-wide views: connections on the loopback interface, " +
      "each opened, used and closed",
    columns: [
      { heading: "" },
      { heading: "median", digits: 1, unit: "µs" },
      { heading: "shortest", digits: 1, unit: "µs" },
      { heading: "of native", digits: 0, unit: "%" },
      { heading: "connections" },
      { heading: "seen" },
      { heading: "its processor time", digits: 1, unit: "µs" },
      { heading: "memory", digits: 0, unit: "MiB" },
    ],
    rows,
    notes: [
      "Times are for one connection; the watcher's own processor time is " +
      "that of its process, not of its programs in the kernel.",
      ...notes,
    ],
  };
}
