/**
 * Stand-ins for the operating system and the capture engine.
 *
 * @module
 */

import type { StartCapture } from "../../../../lib/cli/engine.ts";
import type { Outcome } from "../../../../lib/cli/exit_code.ts";
import type { Host } from "../../../../lib/cli/host.ts";
import type { SignalName } from "../../../../lib/cli/signals.ts";
import type {
  Capture,
  CaptureError,
  CaptureObserver,
  CaptureOptions,
  CaptureResult,
  CaptureStatus,
} from "../../../../lib/session/types.ts";

import { FakeFiles } from "./fake_files.ts";

/** What a fake host can be told. */
export interface FakeHostOptions {
  readonly stdoutTerminal?: boolean;
  readonly stderrTerminal?: boolean;
  readonly columns?: number;
  readonly ignored?: readonly SignalName[];
  /** Texts of files, by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Capture files, by path; `-` is standard input. */
  readonly captures?: Readonly<Record<string, Uint8Array>>;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A host that records what is done to it. */
export class FakeHost implements Host {
  readonly args: readonly string[];
  readonly pid = 777;
  readonly runtime = "Deno 0.0.0, test";
  readonly ignoredSignals: ReadonlySet<SignalName>;
  readonly stdout: Host["stdout"];
  readonly stderr: Host["stderr"];
  /** Everything written so far. */
  readonly written = { stdout: "", stderr: "" };
  /** How often the process stopped itself. */
  suspensions = 0;
  readonly #columns: number;
  readonly timeZone = "UTC";
  readonly files: FakeFiles;
  readonly #texts: Readonly<Record<string, string>>;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #listeners = new Map<SignalName, Set<() => void>>();
  readonly #timers = new Set<() => void>();

  constructor(args: readonly string[], options: FakeHostOptions = {}) {
    this.args = args;
    this.#columns = options.columns ?? 80;
    this.#texts = options.files ?? {};
    this.#environment = options.environment ?? {};
    this.files = new FakeFiles(options.captures ?? {}, (text) => {
      this.written.stdout += text;
    });
    this.ignoredSignals = new Set(options.ignored);
    this.stdout = {
      isTerminal: options.stdoutTerminal ?? false,
      isClosed: false,
      write: (text) => {
        this.written.stdout += textOf(text);
      },
    };
    this.stderr = {
      isTerminal: options.stderrTerminal ?? false,
      isClosed: false,
      write: (text) => {
        this.written.stderr += textOf(text);
      },
    };
  }

  environment(name: string): string | undefined {
    return this.#environment[name];
  }

  readTextFile(path: string): Promise<string> {
    const text = this.#texts[path];
    return text === undefined
      ? Promise.reject(new Deno.errors.NotFound(path))
      : Promise.resolve(text);
  }

  lines(): number {
    return 7;
  }

  loadAverage(): string {
    return "0.10 0.20 0.30 1/100 4242";
  }

  columns(): number {
    return this.#columns;
  }

  every(_milliseconds: number, callback: () => void): () => void {
    this.#timers.add(callback);
    return () => void this.#timers.delete(callback);
  }

  onSignal(signal: SignalName, callback: () => void): () => void {
    const listeners = this.#listeners.get(signal) ?? new Set();
    this.#listeners.set(signal, listeners.add(callback));
    return () => {
      listeners.delete(callback);
      if (listeners.size === 0) this.#listeners.delete(signal);
    };
  }

  suspend(): void {
    this.suspensions++;
  }

  end(outcome: Outcome): Promise<never> {
    throw new Error(`Unexpected end: ${JSON.stringify(outcome)}`);
  }

  /** Signals that have a listener, sorted. */
  get listening(): readonly SignalName[] {
    return [...this.#listeners.keys()].sort();
  }

  /** Number of running timers. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets one interval pass. */
  tick(): void {
    for (const callback of this.#timers) callback();
  }

  /** Delivers a signal; throws where the default action would be taken. */
  raise(signal: SignalName): void {
    const listeners = this.#listeners.get(signal);
    if (listeners === undefined) throw new Error(`Killed by ${signal}`);
    for (const callback of listeners) callback();
  }
}

/** Figures of a fake capture. */
export const STATUS: CaptureStatus = {
  elapsed: 61_000,
  packets: 1234,
  bytes: 1_234_567,
  sockets: 5,
  drops: 0,
};

/** A result of a fake capture. */
export function resultOf(part: Partial<CaptureResult> = {}): CaptureResult {
  return { ...STATUS, reason: "exited", processes: [], ...part };
}

/** An engine whose capture ends when the test says so. */
export class FakeEngine {
  /** What the engine was asked to do. */
  options: CaptureOptions | undefined;
  observer: CaptureObserver = {};
  stops = 0;
  readonly forwarded: number[] = [];
  readonly #started = Promise.withResolvers<void>();
  readonly #begin = Promise.withResolvers<void>();
  readonly #end = Promise.withResolvers<CaptureResult>();

  /** Makes an engine that begins at once unless it is held. */
  constructor({ held = false }: { readonly held?: boolean } = {}) {
    if (!held) this.#begin.resolve();
  }

  /** The engine's entry point. */
  readonly startCapture: StartCapture = async (options, observer) => {
    this.options = options;
    this.observer = observer;
    this.#started.resolve();
    await this.#begin.promise;
    const capture: Capture = {
      status: () => STATUS,
      stop: () => {
        this.stops++;
      },
      forwardSignal: (signal) => {
        this.forwarded.push(signal);
      },
      finished: this.#end.promise,
    };
    return capture;
  };

  /** Settles when the engine was called. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  /** Lets a held capture begin. */
  begin(): void {
    this.#begin.resolve();
  }

  /** Makes a held capture fail to begin. */
  refuse(error: CaptureError): void {
    this.#begin.reject(error);
  }

  /** Ends the capture. */
  end(part: Partial<CaptureResult> = {}): void {
    this.#end.resolve(resultOf(part));
  }
}

/** Lets everything run that needs no further event. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}

function textOf(text: string | Uint8Array): string {
  return typeof text === "string" ? text : new TextDecoder().decode(text);
}
