/**
 * Reading a capture file: printing every packet, and counting those that match
 * an expression. tcpdump does the same with the same file.
 *
 * @module
 */
import { writeCaptureFile } from "./bench_capture_file.ts";
import { cpuSeconds, memoryOf } from "./bench_procfs.ts";
import { typical } from "./bench_statistics.ts";
import type { Cell, Table } from "./bench_table.ts";
import { reasonOf, type Workspace } from "./bench_workspace.ts";

const PACKETS = 1_000_000;
/** Milliseconds between looks at a process. */
const LOOK = 20;
const EXPRESSION = ["tcp", "port", "80", "and", "greater", "100"];
/** A shell that becomes the program, without its standard output. */
const SILENT = ["sh", "-c", 'exec "$@" > /dev/null', "sh"];

/** What a run took. */
interface Run {
  readonly seconds: number;
  /** Seconds of processor time. */
  readonly processor: number;
  /** Most memory, in MB. */
  readonly memory: number;
}

/** Measures tcpdump and the tool with both jobs. */
export async function benchReading(workspace: Workspace): Promise<Table> {
  const path = `${workspace.memory}/reading.pcap`;
  workspace.progress(`reading, a file of ${PACKETS} packets`);
  await writeCaptureFile(path, PACKETS);
  const tracedump = [...workspace.tool, "read", "-n"];
  const tcpdump = ["tcpdump", "-n", "-r", path];
  const commands = new Map<string, readonly string[]>([
    ["print, tcpdump", tcpdump],
    ["print, tracedump", [...tracedump, path]],
    ["count, tcpdump", [...tcpdump, "--count", ...EXPRESSION]],
    ["count, tracedump", [...tracedump, "--count", path, ...EXPRESSION]],
  ]);
  const runs = new Map<string, Run[]>();
  const notes = [`counted is what matches \`${EXPRESSION.join(" ")}\``];
  for (let round = 1; round <= workspace.options.rounds; round++) {
    workspace.progress(`reading, round ${round}`);
    for (const [name, argv] of commands) {
      if (round > 1 && !runs.has(name)) continue;
      try {
        const run = await measure(workspace, argv);
        runs.set(name, [...runs.get(name) ?? [], run]);
      } catch (error) {
        notes.push(`${name}: ${reasonOf(error)}`);
        await workspace.clear();
      }
    }
  }
  await Deno.remove(path);
  const rows = [...runs].map(([name, all]): Cell[] => [
    name,
    typical(all.map(({ seconds }) => PACKETS / seconds / 1_000)),
    typical(all.map(({ processor }) => processor)),
    typical(all.map(({ memory }) => memory)),
  ]);
  return {
    title: `Reading a file of ${PACKETS} packets`,
    columns: [
      { heading: "" },
      { heading: "packets", unit: "k/s" },
      { heading: "processor", digits: 2, unit: "s" },
      { heading: "memory", unit: "MB" },
    ],
    rows,
    notes,
  };
}

async function measure(
  workspace: Workspace,
  argv: readonly string[],
): Promise<Run> {
  const start = performance.now();
  const child = workspace.start([...SILENT, ...argv]);
  let end: number | undefined;
  const ended = child.status.then(() => end = performance.now());
  let processor = 0;
  let memory = 0;
  while (end === undefined) {
    try {
      processor = Math.max(processor, cpuSeconds(child.pid));
      memory = Math.max(memory, memoryOf(child.pid).resident || 0);
    } catch {
      // It has just ended.
    }
    const pause = new Promise((resolve) => setTimeout(resolve, LOOK));
    await Promise.race([ended, pause]);
  }
  await workspace.finish(child);
  return { seconds: (end - start) / 1_000, processor, memory: memory / 1e6 };
}
