/**
 * Where and with what the measurements were made.
 *
 * @module
 */
import { findProgram } from "../tests/support/requires.ts";
import type { Workspace } from "./bench_workspace.ts";
import { firstLine } from "./versions.ts";

/** Facts about the machine, as pairs of a name and a text. */
export type Facts = Readonly<Record<string, string>>;

/** Programs that are measured, and how each tells its version. */
const PROGRAMS = {
  strace: "-V",
  tcpdump: "--version",
  nginx: "-v",
  wrk: "-v",
} as const;

/** Collects date, kernel, processors, and versions. */
export async function machineFacts(workspace: Workspace): Promise<Facts> {
  const facts: Record<string, string> = {
    date: new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC",
    kernel: `Linux ${Deno.osRelease()} ${Deno.build.arch}`,
    processors: `${navigator.hardwareConcurrency} × ${processorName()}`,
    memory: `${Math.round(Deno.systemMemoryInfo().total / 2 ** 30)} GiB`,
    load: `${Deno.loadavg()[0]!.toFixed(2)} before the first measurement`,
    tool: `${await firstLine([...workspace.tool, "--version"])}, ${
      workspace.executable === undefined ? "from source" : "executable"
    }`,
  };
  for (const [name, option] of Object.entries(PROGRAMS)) {
    const path = findProgram(name);
    facts[name] = path === undefined
      ? "not installed"
      : shortVersion(await firstLine([path, option]));
  }
  const { seconds, rounds } = workspace.options;
  facts.measurements = `${seconds} s each, medians of ${rounds} rounds`;
  return facts;
}

function processorName(): string {
  const text = Deno.readTextFileSync("/proc/cpuinfo");
  return text.match(/^model name\s*:\s*(.+)$/m)?.[1] ?? "unknown";
}

/** Returns the version in the first line that a program prints about it. */
export function shortVersion(line: string): string {
  return line.match(/\d+\.\d[\w.+-]*/)?.[0] ?? line;
}
