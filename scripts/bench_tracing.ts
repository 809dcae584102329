/**
 * The ways to trace a program that are compared: none, the tool with each
 * tracker, strace; launched and attached.
 *
 * @module
 */
import { CAPTURING_REGEXP } from "../tests/support/tool.ts";
import { type Child, until } from "../tests/support/processes.ts";
import { isTraced } from "./bench_procfs.ts";
import {
  parseTotals,
  requireProgram,
  type ToolTotals,
  type Workspace,
} from "./bench_workspace.ts";

/** A way to trace. */
export interface Tracing {
  readonly name: string;
  readonly by: "nobody" | "tool" | "strace";
  readonly how: "launched" | "attached";
  /** Options of the tracer. */
  readonly options: readonly string[];
}

/** No tracing: what the others are compared with. */
export const NATIVE: Tracing = {
  name: "native",
  by: "nobody",
  how: "launched",
  options: [],
};

/** All ways in the order of the tables. */
export const TRACINGS: readonly Tracing[] = [
  NATIVE,
  ...(["launched", "attached"] as const).flatMap((how) =>
    ["ptrace", "ebpf"].map((tracker): Tracing => ({
      name: `${how}, ${tracker}`,
      by: "tool",
      how,
      options: ["--tracker", tracker],
    }))
  ),
  {
    name: "launched, strace -f --seccomp-bpf -e trace=network",
    by: "strace",
    how: "launched",
    options: ["-f", "--seccomp-bpf", "-e", "trace=network"],
  },
  {
    name: "attached, strace -f -e trace=network",
    by: "strace",
    how: "attached",
    options: ["-f", "-e", "trace=network"],
  },
];

/** A program under a tracer. */
export interface Traced {
  /** Gives the program's output and takes its input. */
  readonly program: Child;
  /** What traces it; the same as the program where that is its child. */
  readonly tracer: Child | undefined;
}

/** How a program is started and recognized. */
export interface Subject {
  readonly argv: readonly string[];
  readonly stdin?: "piped";
  /** Waits until the program is ready to be measured. */
  readonly ready: (child: Child) => Promise<void>;
  /** Its processes; for attaching. */
  readonly pids: (child: Child) => readonly number[];
}

/** Starts a program in one of the ways; settles when all are ready. */
export async function startTraced(
  workspace: Workspace,
  subject: Subject,
  tracing: Tracing,
  output: string,
): Promise<Traced> {
  const { argv, stdin } = subject;
  const options = stdin === undefined ? {} : { stdin };
  const launcher = tracing.how === "launched"
    ? commandOf(workspace, tracing, output, [])
    : [];
  const program = workspace.start([...launcher, ...argv], options);
  await subject.ready(program);
  if (tracing.by === "nobody") return { program, tracer: undefined };
  if (tracing.how === "launched") return { program, tracer: program };
  const pids = subject.pids(program);
  const tracer = workspace.start(commandOf(workspace, tracing, output, pids));
  if (tracing.by === "tool") await tracer.seen("stderr", CAPTURING_REGEXP);
  else await strace(tracer, pids);
  return { program, tracer };
}

/** Arguments in front of a command, or the whole command line for pids. */
function commandOf(
  workspace: Workspace,
  { by, how, options }: Tracing,
  output: string,
  pids: readonly number[],
): string[] {
  if (by === "nobody") return [];
  if (by === "tool") {
    const base = [...workspace.tool, "-o", output, ...options];
    return how === "launched"
      ? [...base, "--"]
      : [...base, ...pids.map(String)];
  }
  const base = [requireProgram("strace"), ...options, "-o", "/dev/null"];
  return [...base, ...pids.flatMap((pid) => ["-p", String(pid)])];
}

async function strace(tracer: Child, pids: readonly number[]): Promise<void> {
  await until(
    () => {
      if (tracer.isOver) throw new Error(`strace ended: ${tracer.stderr}`);
      return pids.every(isTraced) ? true : undefined;
    },
    "strace to attach",
  );
}

/**
 * Ends a tracer that is attached, or waits for one that launched a program
 * which was told to end. Returns what the tool counted.
 */
export async function endTracer(
  workspace: Workspace,
  { tracer }: Traced,
  { by, how }: Tracing,
): Promise<ToolTotals | undefined> {
  if (tracer === undefined) return undefined;
  if (how === "attached") await workspace.end(tracer, "SIGINT");
  else await workspace.finish(tracer);
  return by === "tool" ? parseTotals(tracer.stderr) : undefined;
}
