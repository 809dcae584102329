/**
 * Surroundings of the benchmarks: folders, programs, and the processes that
 * were started, all of which end with it.
 *
 * @module
 */
import { Child, type StartOptions, until } from "../tests/support/processes.ts";
import { findProgram } from "../tests/support/requires.ts";
import type { BenchOptions } from "./bench_options.ts";
import { childrenOf, isAlive } from "./bench_procfs.ts";

const ROOT = new URL("../", import.meta.url).pathname;

/** Milliseconds that a program may take to end by itself. */
const FAREWELL = 20_000;

/** Milliseconds until a program is ended by force. */
const MERCY = 3_000;

/** What the tool said at its end. */
export interface ToolTotals {
  readonly packets: number;
  readonly sockets: number;
  readonly drops: number;
}

/** Folders and processes of one run. */
export class Workspace implements AsyncDisposable {
  /** A folder for files that are executed. */
  readonly folder: string;
  /** A folder in memory, where there is one, for captures. */
  readonly memory: string;
  /** The executable, if there is one. */
  readonly executable: string | undefined;
  /** Starts the tool from source. */
  readonly sources: readonly string[] = [`${ROOT}scripts/tracedump`];
  readonly options: BenchOptions;
  readonly #children = new Set<Child>();
  /** Processes that a child started and that may outlive it. */
  readonly #adopted = new Set<() => number | undefined>();
  readonly #compiled = new Map<string, Promise<string>>();
  #isOver = false;

  /** Makes the folders. */
  constructor(options: BenchOptions) {
    this.options = options;
    this.executable = findExecutable(options.tool);
    this.folder = Deno.makeTempDirSync({ prefix: "tracedump-bench-" });
    // A server started by root may read as another user.
    Deno.chmodSync(this.folder, 0o755);
    this.memory = memoryFolder() ?? this.folder;
  }

  /** Length of a measurement in milliseconds. */
  get milliseconds(): number {
    return this.options.seconds * 1000;
  }

  /** Arguments that start the tool. */
  get tool(): readonly string[] {
    return this.executable === undefined ? this.sources : [this.executable];
  }

  /** Whether everything has been ended, perhaps before its time. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Tells what is going on. */
  progress(text: string): void {
    if (this.#isOver) return;
    Deno.stderr.writeSync(new TextEncoder().encode(`bench: ${text}\n`));
  }

  /** Starts a program. */
  start(argv: readonly string[], options: StartOptions = {}): Child {
    if (this.#isOver) throw new Error("The run is over");
    const child = new Child(argv, {
      ...options,
      // The sources run with the Deno that runs this.
      env: { DENO: Deno.execPath(), ...options.env },
    });
    this.#children.add(child);
    return child;
  }

  /** Ends a process that a child starts, when the run ends. */
  adopt(find: () => number | undefined): void {
    this.#adopted.add(find);
  }

  /** Waits for a program that is about to end, and forgets it. */
  async finish(child: Child): Promise<Child> {
    const { code, signal, stderr } = await child.ended(
      this.milliseconds * 10 + FAREWELL,
    );
    this.#children.delete(child);
    if (code !== 0 && signal === null) {
      throw new Error(
        `${child.argv[0]} ended with status ${code}: ${firstLine(stderr)}`,
      );
    }
    return child;
  }

  /** Ends a program by a signal that it knows. */
  async end(child: Child, signal: Deno.Signal): Promise<Child> {
    child.signal(signal);
    await child.ended(FAREWELL);
    this.#children.delete(child);
    return child;
  }

  /** Ends a program in whatever state it is. */
  async kill(child: Child): Promise<void> {
    await child[Symbol.asyncDispose]();
    this.#children.delete(child);
  }

  /** Ends everything that was started since; for failed measurements. */
  async clear(): Promise<void> {
    // Before their parents, without which some would go on for ever.
    for (const find of this.#adopted) await endProcess(find());
    this.#adopted.clear();
    for (const child of [...this.#children].toReversed()) {
      await this.kill(child);
    }
  }

  /** Compiles a program of this folder. */
  compile(name: string): Promise<string> {
    let compiled = this.#compiled.get(name);
    if (compiled === undefined) {
      compiled = this.#compile(name);
      this.#compiled.set(name, compiled);
    }
    return compiled;
  }

  async #compile(name: string): Promise<string> {
    const target = `${this.folder}/${name}`;
    const source = `${ROOT}scripts/${name}.c`;
    await this.finish(this.start(["gcc", "-O2", "-o", target, source]));
    return target;
  }

  /** Ends every process; from now on none can be started. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.clear();
  }

  /** Ends every process and removes every file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.folder, { recursive: true });
    if (this.memory !== this.folder) {
      await Deno.remove(this.memory, { recursive: true });
    }
  }
}

/** Reads the numbers of the tool's last message. */
export function parseTotals(stderr: string): ToolTotals {
  const match = stderr.match(
    /([\d,]+) packets? .*?of ([\d,]+) sockets? .*?([\d,]+) dropped by kernel/,
  );
  if (match === null) throw new Error(`No totals: ${firstLine(stderr)}`);
  const [packets, sockets, drops] = match.slice(1).map((digits) =>
    Number(digits.replaceAll(",", ""))
  );
  return { packets: packets!, sockets: sockets!, drops: drops! };
}

/** Returns where a program is. */
export function requireProgram(name: string): string {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`${name} is not installed`);
  return path;
}

/** Returns the text of an error, for a note below a table. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().split("\n", 1)[0]!;
}

function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0]!;
}

function findExecutable(given: string | undefined): string | undefined {
  if (given !== undefined) return Deno.realPathSync(given);
  try {
    return Deno.realPathSync(`${ROOT}tracedump`);
  } catch {
    return undefined;
  }
}

function memoryFolder(): string | undefined {
  try {
    return Deno.makeTempDirSync({
      dir: "/dev/shm",
      prefix: "tracedump-bench-",
    });
  } catch {
    return undefined;
  }
}

/** Ends a process with its children. */
async function endProcess(pid: number | undefined): Promise<void> {
  if (pid === undefined || !isAlive(pid)) return;
  const all = [...childrenOf(pid), pid];
  signal(pid, "SIGTERM");
  try {
    await until(
      () => all.some(isAlive) ? undefined : true,
      `the end of process ${pid}`,
      MERCY,
    );
  } catch {
    for (const each of all) signal(each, "SIGKILL");
  }
}

function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
