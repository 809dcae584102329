/**
 * The real operating system behind {@linkcode Host}.
 *
 * @module
 */

import { denoFiles, type Writable, writeAll } from "./deno_files.ts";
import type { Outcome } from "./exit_code.ts";
import type { Host, TextOutput } from "./host.ts";
import { parseIgnoredSignals, type SignalName, signalName } from "./signals.ts";

/** Time for a signal to end the process, in milliseconds. */
const SIGNAL_WAIT = 50;
const DEFAULT_COLUMNS = 80;
const DEFAULT_LINES = 24;

/** Variables that the source launcher set for the runtime, not for programs. */
const LAUNCHER_VARIABLES = "TRACEDUMP_LAUNCHER_VARIABLES";

/** Makes the host of this process. */
export function denoHost(): Host {
  forgetLauncherVariables();
  return {
    args: Deno.args,
    pid: Deno.pid,
    runtime: `Deno ${Deno.version.deno}, ${Deno.build.target}`,
    ignoredSignals: readIgnoredSignals(),
    stdout: textOutput(Deno.stdout),
    stderr: textOutput(Deno.stderr),
    files: denoFiles(),
    environment: (name) => Deno.env.get(name),
    readTextFile: (path) => Deno.readTextFile(path),
    columns: () => terminalSize().columns || DEFAULT_COLUMNS,
    lines: () => terminalSize().rows || DEFAULT_LINES,
    loadAverage,
    every(milliseconds: number, callback: () => void): () => void {
      const timer = setInterval(callback, milliseconds);
      return (): void => clearInterval(timer);
    },
    onSignal(signal: SignalName, callback: () => void): () => void {
      Deno.addSignalListener(signal as Deno.Signal, callback);
      return (): void =>
        Deno.removeSignalListener(signal as Deno.Signal, callback);
    },
    suspend(): void {
      Deno.kill(Deno.pid, "SIGSTOP");
    },
    end,
  };
}

/** A standard stream of the runtime. */
interface SyncStream extends Writable {
  isTerminal(): boolean;
}

/** Makes a text output of a stream that writes synchronously. */
export function textOutput(stream: SyncStream): TextOutput {
  const encoder = new TextEncoder();
  let closed = false;
  return {
    isTerminal: stream.isTerminal(),
    get isClosed(): boolean {
      return closed;
    },
    write(text: string | Uint8Array): void {
      if (closed) return;
      try {
        writeAll(
          stream,
          typeof text === "string" ? encoder.encode(text) : text,
        );
      } catch {
        closed = true; // EPIPE, EIO after a hang-up, EBADF
      }
    },
  };
}

function terminalSize(): { readonly columns: number; readonly rows: number } {
  try {
    return Deno.consoleSize();
  } catch {
    return { columns: DEFAULT_COLUMNS, rows: DEFAULT_LINES };
  }
}

function loadAverage(): string {
  try {
    return Deno.readTextFileSync("/proc/loadavg").trim();
  } catch {
    return "";
  }
}

function readIgnoredSignals(): ReadonlySet<SignalName> {
  let status = "";
  try {
    status = Deno.readTextFileSync("/proc/self/status");
  } catch {
    // Without procfs no signal counts as ignored.
  }
  const ignored = new Set(parseIgnoredSignals(status));
  // The runtime itself ignores SIGPIPE; what the parent chose is lost.
  ignored.delete("SIGPIPE");
  return ignored;
}

/**
 * Takes the variables that only steer the runtime out of the environment, so
 * that a launched command does not see them.
 */
function forgetLauncherVariables(): void {
  const names = Deno.env.get(LAUNCHER_VARIABLES);
  if (names === undefined) return;
  for (const name of names.split(" ")) {
    if (name !== "") Deno.env.delete(name);
  }
  Deno.env.delete(LAUNCHER_VARIABLES);
}

async function end(outcome: Outcome): Promise<never> {
  if (outcome.kind === "code") Deno.exit(outcome.code);
  await endBySignal(outcome.signal);
  // A signal without effect, such as SIGCHLD: the status a shell would show.
  Deno.exit(128 + outcome.signal);
}

async function endBySignal(signal: number): Promise<void> {
  const { kill, setCoreLimitZero } = await import("../../ffi/process.ts");
  setCoreLimitZero();
  restoreDefault(signalName(signal));
  // The runtime's handler of SIGSEGV and SIGBUS lets the second one through.
  for (let attempt = 0; attempt < 2; attempt++) {
    kill(Deno.pid, signal);
    await new Promise((resolve) => setTimeout(resolve, SIGNAL_WAIT));
  }
}

/** Gives a signal that is ignored (SIGPIPE always is) its effect back. */
function restoreDefault(name: SignalName | undefined): void {
  if (name === undefined) return;
  const listener = (): void => {};
  try {
    Deno.addSignalListener(name as Deno.Signal, listener);
    Deno.removeSignalListener(name as Deno.Signal, listener);
  } catch {
    // Not every signal takes a listener; those that do not are never ignored.
  }
}
