/**
 * What capturing itself costs: processor time per packet, drops, and memory,
 * beside tcpdump.
 *
 * @module
 */
import type { Child } from "../tests/support/processes.ts";
import {
  cpuSeconds,
  type Memory,
  memoryOf,
  untilIdle,
} from "./bench_procfs.ts";
import { percentOf, typical } from "./bench_statistics.ts";
import type { Cell, Table } from "./bench_table.ts";
import { BUFFER, parseTcpdump, startTcpdump } from "./bench_tcpdump.ts";
import { startTraced, type Subject, type Tracing } from "./bench_tracing.ts";
import { removeIfThere } from "./bench_nginx.ts";
import { parseTotals, reasonOf, type Workspace } from "./bench_workspace.ts";

/** Bytes of a datagram: small, a full Ethernet frame, the largest. */
const SIZES = [64, 1_400, 65_507] as const;

/** Largest capture of a measurement: it is kept in memory. */
const MAX_BYTES = 4 * 2 ** 30;
/** Share of the free memory that it may take. */
const MEMORY_SHARE = 1 / 4;
/** Bytes of a record beside the datagram, at most. */
const RECORD_OVERHEAD = 64;

/** Packets after which memory is looked at. */
const MEMORY_PACKETS = 10_000_000;
/** Time for these, as a multiple of a measurement's. */
const MEMORY_TIME = 12;

/**
 * Datagrams before each measurement, for the just-in-time compiler. They are
 * small: the kernel buffer holds them all, none is dropped.
 */
const WARM_UP = { size: 64, packets: 50_000 } as const;

/** Milliseconds after which tcpdump gets the last packets (its timeout). */
const TCPDUMP_TIMEOUT = 1_000;

/** A way to capture the sender's packets. */
interface Sniffer extends Tracing {
  readonly tcpdump?: true;
}

const TCPDUMP: Sniffer = {
  name: "tcpdump",
  by: "nobody",
  how: "launched",
  options: [],
  tcpdump: true,
};

const EBPF: Sniffer = {
  name: "attached, ebpf, map filter",
  by: "tool",
  how: "attached",
  options: ["--tracker", "ebpf", "--kernel-filter", "map", "-B", `${BUFFER}`],
};

const SNIFFERS: readonly Sniffer[] = [TCPDUMP, EBPF, {
  name: "launched, ptrace, classic filter",
  by: "tool",
  how: "launched",
  options: [
    ...["--tracker", "ptrace", "--kernel-filter", "classic"],
    ...["-B", `${BUFFER}`],
  ],
}];

/** Result of one measurement; all without the warm-up. */
interface Result {
  readonly sent: number;
  /** Of the sending alone. */
  readonly seconds: number;
  readonly packets: number;
  readonly drops: number;
  readonly bytes: number;
  readonly cpu: number;
  readonly memory: {
    readonly start: Memory;
    readonly warm: Memory;
    readonly end: Memory;
  };
}

interface Load {
  readonly size: number;
  readonly milliseconds: number;
  readonly most: number;
  readonly output: string;
}

/** Measures sniffers at the highest rate of a sender. */
export async function benchSniffer(workspace: Workspace): Promise<Table[]> {
  const tables = [];
  for (const size of SIZES) tables.push(await benchSize(workspace, size));
  return [...tables, await benchMemory(workspace)];
}

async function benchSize(workspace: Workspace, size: number): Promise<Table> {
  const { available } = Deno.systemMemoryInfo();
  const room = Math.min(MAX_BYTES, available * MEMORY_SHARE);
  const load: Load = {
    size,
    milliseconds: workspace.milliseconds,
    most: Math.floor(room / (size + RECORD_OVERHEAD)),
    output: `${workspace.memory}/sniffer.pcap`,
  };
  const results = new Map<Sniffer, Map<number, Result>>();
  const notes = new Set<string>();
  for (const sniffer of SNIFFERS) results.set(sniffer, new Map());
  for (let round = 1; round <= workspace.options.rounds; round++) {
    for (const [sniffer, ofRound] of results) {
      workspace.progress(
        `sniffer, ${size} bytes, round ${round}: ${sniffer.name}`,
      );
      try {
        ofRound.set(round, await measure(workspace, sniffer, load));
      } catch (error) {
        notes.add(`${sniffer.name}: ${reasonOf(error)}`);
        await workspace.clear();
      }
    }
  }
  const base = cpuPerPacket(results.get(TCPDUMP)!);
  return {
    title: `Sniffer: UDP datagrams of ${formatNumber(size)} bytes ` +
      "as fast as they go",
    columns: [
      { heading: "" },
      { heading: "sent" },
      { heading: "sent /s" },
      { heading: "captured" },
      { heading: "missed" },
      { heading: "dropped" },
      { heading: "file", digits: 1, unit: "MB" },
      { heading: "CPU per million", digits: 2, unit: "s" },
      { heading: "of tcpdump", unit: "%" },
    ],
    rows: [...results].map(([{ name }, ofRound]): Cell[] => {
      const all = [...ofRound.values()];
      const cpu = cpuPerPacket(ofRound);
      return [
        name,
        typical(all.map(({ sent }) => sent)),
        typical(all.map(({ sent, seconds }) => sent / seconds)),
        typical(all.map(({ packets }) => packets)),
        typical(all.map(({ sent, packets }) => sent - packets)),
        typical(all.map(({ drops }) => drops)),
        typical(all.map(({ bytes }) => bytes / 1e6)),
        typical([...cpu.values()]),
        percentOf(cpu, base),
      ];
    }),
    notes: [
      "CPU: user and system time of the sniffer for a million captured " +
      `packets, written to memory, after ${formatNumber(WARM_UP.packets)} ` +
      `small packets of warm-up. Kernel buffers of ${BUFFER} MiB.`,
      "dropped is what the kernel says: tcpdump's number has each packet of " +
      "loopback twice.",
      ...notes,
    ],
  };
}

async function benchMemory(workspace: Workspace): Promise<Table> {
  const title = "Sniffer: memory over a long run, datagrams of 64 bytes";
  workspace.progress("sniffer, memory");
  const notes: string[] = [];
  const rows: Cell[][] = [];
  try {
    const result = await measure(workspace, EBPF, {
      size: 64,
      milliseconds: workspace.milliseconds * MEMORY_TIME,
      most: MEMORY_PACKETS,
      output: "/dev/null",
    });
    const { start, warm, end } = result.memory;
    const states: [string, Memory][] = [
      ["at the start", start],
      [`after ${formatNumber(WARM_UP.packets)} packets`, warm],
      [`after ${formatNumber(result.packets)} more`, end],
    ];
    for (const [name, memory] of states) {
      rows.push([name, memory.anonymous / 2 ** 20, memory.resident / 2 ** 20]);
    }
    notes.push(`${formatNumber(result.drops)} packets were dropped.`);
  } catch (error) {
    notes.push(reasonOf(error));
    await workspace.clear();
  }
  return {
    title,
    columns: [
      { heading: "" },
      { heading: "heaps and stacks", digits: 1, unit: "MiB" },
      { heading: "resident", digits: 1, unit: "MiB" },
    ],
    rows,
    notes: ["resident includes the packet ring and mapped files.", ...notes],
  };
}

function formatNumber(value: number): string {
  return value.toLocaleString("en-US");
}

/** CPU seconds for a million packets, by round. */
function cpuPerPacket(
  results: ReadonlyMap<number, Result>,
): Map<number, number> {
  return new Map(
    [...results].map(([round, { cpu, packets }]) => [
      round,
      1e6 * cpu / packets,
    ]),
  );
}

async function measure(
  workspace: Workspace,
  sniffer: Sniffer,
  { size, milliseconds, most, output }: Load,
): Promise<Result> {
  const udp = await workspace.compile("bench_udp");
  const sink = workspace.start([udp, "sink"], { stdin: "piped" });
  const port = (await sink.seen("stdout", /ready (\d+)/))[1]!;
  const traced = await startTraced(
    workspace,
    senderSubject(udp, port),
    sniffer,
    output,
  );
  const { program } = traced;
  const tracer = sniffer.tcpdump
    ? await startTcpdump(workspace, ["udp", "and", "port", port], output)
    : traced.tracer!;
  const settle = async (): Promise<void> => {
    if (sniffer.tcpdump) await pause(TCPDUMP_TIMEOUT + 200);
    await untilIdle(tracer.pid);
  };
  await settle();
  const start = memoryOf(tracer.pid);
  const warmUp = await send(program, 1, WARM_UP.size, 10_000, WARM_UP.packets);
  await settle();
  const warm = memoryOf(tracer.pid);
  const cpuBefore = cpuSeconds(tracer.pid);
  const { sent, seconds } = await send(program, 2, size, milliseconds, most);
  await settle();
  const cpu = cpuSeconds(tracer.pid) - cpuBefore;
  const end = memoryOf(tracer.pid);
  await program.closeInput();
  if (tracer !== program) await workspace.finish(program);
  if (sniffer.tcpdump) await workspace.end(tracer, "SIGINT");
  else await workspace.finish(tracer);
  await workspace.kill(sink);
  const { packets, drops } = sniffer.tcpdump
    ? parseTcpdump(tracer.stderr)
    : parseTotals(tracer.stderr);
  const bytes = output === "/dev/null" ? 0 : Deno.statSync(output).size;
  if (output !== "/dev/null") await removeIfThere(output);
  const memory = { start, warm, end };
  const measured = packets - warmUp.sent;
  return { sent, seconds, packets: measured, drops, bytes, cpu, memory };
}

function senderSubject(udp: string, port: string): Subject {
  return {
    argv: [udp, port],
    stdin: "piped",
    ready: async (child: Child): Promise<void> => {
      await child.seen("stdout", /ready/);
    },
    pids: ({ pid }: Child): number[] => [pid],
  };
}

/** Has the sender send for the `turn`th time. */
async function send(
  sender: Child,
  turn: number,
  size: number,
  milliseconds: number,
  most: number,
): Promise<{ sent: number; seconds: number }> {
  await sender.writeLine(`${size} ${milliseconds} ${most}`);
  const answers = `(?:sent (\\d+) (\\d+)\\s+){${turn}}`;
  const deadline = performance.now() + milliseconds + 20_000;
  // Looking for it all the time would take the sender's processor.
  for (;;) {
    const match = sender.stdout.match(new RegExp(answers));
    if (match !== null) {
      return { sent: Number(match[1]), seconds: Number(match[2]) / 1e9 };
    }
    if (sender.isOver || performance.now() > deadline) {
      throw new Error(`The sender did not tell: ${sender.stderr}`);
    }
    await pause(50);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
