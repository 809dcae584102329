/**
 * Child processes of tests: their output as it comes, bounded waits, and an
 * end that reaches only processes that the test itself started.
 *
 * @module
 */

import assert from "node:assert/strict";

/**
 * Milliseconds that any single wait may take before it counts as a hang.
 * `TRACEDUMP_TEST_PATIENCE` is a factor on it, for slow machines.
 */
export const PATIENCE: number = 20_000 *
  Number(Deno.env.get("TRACEDUMP_TEST_PATIENCE") ?? 1);

/** Which way a child is started. */
export interface StartOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** `"piped"` lets the test write lines; the default is no input. */
  readonly stdin?: "piped" | "null";
}

/** How a child ended. */
export interface Ended {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Waits for a promise, but not for ever.
 *
 * @param what Named in the error, as in "Timed out while waiting for WHAT".
 * @throws {Error} When the time is over first.
 */
export async function within<T>(
  promise: Promise<T>,
  what: string,
  milliseconds: number = PATIENCE,
): Promise<T> {
  const { promise: alarm, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`Timed out while waiting for ${what}`)),
    milliseconds,
  );
  try {
    return await Promise.race([promise, alarm]);
  } finally {
    clearTimeout(timer);
  }
}

/** Tries a condition again and again until it gives a value. */
export async function until<T>(
  attempt: () => T | undefined | Promise<T | undefined>,
  what: string,
  milliseconds: number = PATIENCE,
): Promise<T> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    const value = await attempt();
    if (value !== undefined) return value;
    if (performance.now() > deadline) {
      throw new Error(`Timed out while waiting for ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}

/** Everything that one output stream has given so far. */
class Output {
  #chunks: Uint8Array[] = [];
  #wakeUps: (() => void)[] = [];
  #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly ended: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
    this.ended = this.#pump();
  }

  get bytes(): Uint8Array {
    const all = new Uint8Array(this.#chunks.reduce((n, c) => n + c.length, 0));
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  get text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  /** Settles at the next change. */
  change(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wakeUps.push(resolve);
    return promise;
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel();
    await this.ended;
  }

  async #pump(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (!done) this.#chunks.push(value);
      const wakeUps = this.#wakeUps;
      this.#wakeUps = [];
      for (const wakeUp of wakeUps) wakeUp();
      if (done) return;
    }
  }
}

/** One running child with its output. */
export class Child implements AsyncDisposable {
  readonly argv: readonly string[];
  readonly pid: number;
  readonly status: Promise<Deno.CommandStatus>;
  readonly #process: Deno.ChildProcess;
  readonly #stdout: Output;
  readonly #stderr: Output;
  readonly #input: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #isOver = false;

  /** Starts the program `argv[0]`. */
  constructor(argv: readonly string[], options: StartOptions = {}) {
    this.argv = argv;
    this.#process = new Deno.Command(argv[0]!, {
      args: argv.slice(1),
      stdin: options.stdin ?? "null",
      stdout: "piped",
      stderr: "piped",
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: { ...options.env } }),
    }).spawn();
    this.pid = this.#process.pid;
    this.#stdout = new Output(this.#process.stdout);
    this.#stderr = new Output(this.#process.stderr);
    this.#input = options.stdin === "piped"
      ? this.#process.stdin.getWriter()
      : undefined;
    this.status = this.#process.status.then((status) => {
      this.#isOver = true;
      return status;
    });
  }

  /** Whether the process itself has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Standard output until now. */
  get stdout(): string {
    return this.#stdout.text;
  }

  /** Standard output until now, as bytes. */
  get stdoutBytes(): Uint8Array {
    return this.#stdout.bytes;
  }

  /** Standard error until now. */
  get stderr(): string {
    return this.#stderr.text;
  }

  /** Waits until standard output or error matches. */
  async seen(
    stream: "stdout" | "stderr",
    pattern: RegExp,
    milliseconds: number = PATIENCE,
  ): Promise<RegExpMatchArray> {
    const output = stream === "stdout" ? this.#stdout : this.#stderr;
    const search = async (): Promise<RegExpMatchArray> => {
      for (;;) {
        const change = output.change();
        const match = output.text.match(pattern);
        if (match !== null) return match;
        const isEnded = await Promise.race([
          change.then(() => false),
          output.ended.then(() => true),
        ]);
        if (isEnded && !pattern.test(output.text)) {
          throw new Error(
            `${this.#name} ended without ${pattern} on ${stream}:\n` +
              this.stderr.slice(-2000),
          );
        }
      }
    };
    const what = `${pattern} on ${stream} of ${this.#name}`;
    return await within(search(), what, milliseconds);
  }

  /** Writes one line to standard input. */
  async writeLine(text = ""): Promise<void> {
    assert.ok(this.#input !== undefined, "the child has no input");
    await this.#input.write(new TextEncoder().encode(`${text}\n`));
  }

  /** Ends standard input. */
  async closeInput(): Promise<void> {
    try {
      await this.#input?.close();
    } catch {
      // The reader went away before.
    }
  }

  /** Sends a signal; a process that has ended is no error. */
  signal(signal: Deno.Signal): void {
    if (this.#isOver) return;
    try {
      this.#process.kill(signal);
    } catch (error) {
      if (
        !(error instanceof TypeError || error instanceof Deno.errors.NotFound)
      ) {
        throw error;
      }
    }
  }

  /** Waits for the end of the process and of its output. */
  async ended(milliseconds: number = PATIENCE): Promise<Ended> {
    const { code, signal } = await within(
      this.status,
      `the end of ${this.#name}\n${this.stderr.slice(-2000)}`,
      milliseconds,
    );
    // A daemon that outlives the child may hold these open.
    const outputs = Promise.all([this.#stdout.ended, this.#stderr.ended]);
    await within(outputs, `the output of ${this.#name}`);
    return { code, signal, stdout: this.stdout, stderr: this.stderr };
  }

  /** Ends the process if it still runs, and lets go of its pipes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeInput();
    this.signal("SIGKILL");
    await this.status;
    await Promise.all([this.#stdout.cancel(), this.#stderr.cancel()]);
  }

  get #name(): string {
    return this.argv.join(" ");
  }
}
