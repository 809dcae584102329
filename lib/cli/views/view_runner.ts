/**
 * Runs a view: opens it, prints its rows as they come, and ends.
 *
 * @module
 */
import { TextBuffer } from "../../bytes/text_buffer.ts";
import { CaptureError, type CaptureTarget } from "../../session/types.ts";
import type { ExitStatus } from "../../session/types.ts";
import { ViewError } from "../../views/errors.ts";
import type { Watch } from "../../views/watch.ts";
import type { Context } from "../command.ts";
import { CaptureSignals } from "../commands/capture_signals.ts";
import { Console } from "../console.ts";
import type { RunningCommand, ViewEngine } from "../engine.ts";
import {
  EXIT_CODE,
  exitCodeOf,
  exitWith,
  type Outcome,
  outcomeOf,
} from "../exit_code.ts";
import { countOf } from "../text.ts";
import type { ViewPrinter } from "./printer.ts";

/** Milliseconds between two looks. */
const INTERVAL = 50;

/** Milliseconds between two reports of losses. */
const LOSSES_INTERVAL = 250;

/** A command to start. */
export type CommandTarget = Extract<CaptureTarget, { kind: "command" }>;

/** What a view is asked for. */
export interface ViewPlan<Row> {
  /** Begins to watch. */
  readonly open: (engine: ViewEngine) => Watch<Row>;
  readonly printer: ViewPrinter<Row>;
  /** A command to start, if only its connections are wanted. */
  readonly command?: CommandTarget;
  /** Milliseconds until the end. */
  readonly duration?: number;
  /** Rows until the end. */
  readonly rows?: number;
  readonly quiet: boolean;
  readonly debug: boolean;
}

/** Runs a view to its end. */
export async function runView<Row>(
  plan: ViewPlan<Row>,
  context: Context,
): Promise<Outcome> {
  const { host } = context;
  const console = new Console(host.stderr, {
    quiet: plan.quiet,
    debug: plan.debug ? 1 : 0,
  });
  using signals = new CaptureSignals(
    host,
    plan.command ?? { kind: "processes", pids: [] },
  );
  try {
    const engine = await context.loadViews();
    using running = new RunningView(plan, engine, context, console);
    signals.connect(running);
    const end = await Promise.race([running.finished, signals.impatient]);
    return typeof end === "number"
      ? { kind: "signal", signal: end }
      : outcomeOf(end.exit, false);
  } catch (error) {
    if (error instanceof ViewError) {
      console.error(error.message, error.hint);
      for (const text of error.detail) {
        console.notice({ severity: "debug", text });
      }
      return exitWith(EXIT_CODE.FAILURE);
    }
    if (!(error instanceof CaptureError)) throw error;
    console.error(error.message, error.hint);
    return exitWith(exitCodeOf(error.code));
  }
}

/** A view at work. */
class RunningView<Row> implements Disposable {
  /** Settles when everything is printed. */
  readonly finished: Promise<{ readonly exit: ExitStatus | undefined }>;
  readonly #plan: ViewPlan<Row>;
  readonly #watch: Watch<Row>;
  readonly #context: Context;
  readonly #console: Console;
  readonly #command: RunningCommand | undefined;
  readonly #stopTimer: () => void;
  readonly #finish = Promise.withResolvers<
    { readonly exit: ExitStatus | undefined }
  >();
  readonly #deadline: number;
  readonly #text = new TextBuffer();
  #exit: ExitStatus | undefined;
  #printed = 0;
  #lost = 0;
  #lossesAt = 0;
  #stopping = false;
  #ended = false;

  constructor(
    plan: ViewPlan<Row>,
    engine: ViewEngine,
    context: Context,
    console: Console,
  ) {
    this.#plan = plan;
    this.#context = context;
    this.#console = console;
    this.#watch = plan.open(engine);
    this.finished = this.#finish.promise;
    try {
      for (const text of this.#watch.notices) {
        console.notice({ severity: "warning", text });
      }
      for (const text of this.#watch.details) {
        console.notice({ severity: "debug", text });
      }
      this.#command = this.#launch(engine);
    } catch (error) {
      this.#watch[Symbol.dispose]();
      throw error;
    }
    context.host.stdout.write(plan.printer.begin());
    this.#deadline = performance.now() + (plan.duration ?? Infinity);
    this.#stopTimer = context.host.every(INTERVAL, () => this.#tick());
  }

  /** Ends the view; rows that are there are still printed. */
  stop(): void {
    this.#stopping = true;
  }

  forwardSignal(signal: number): void {
    if (this.#command?.forwardSignal(signal) !== true) this.stop();
  }

  [Symbol.dispose](): void {
    this.#stopTimer();
    this.#watch[Symbol.dispose]();
  }

  #launch(engine: ViewEngine): RunningCommand | undefined {
    const { command } = this.#plan;
    if (command === undefined) return undefined;
    const running = engine.launch(command, {
      suspended: () => this.#context.host.suspend(),
      ended: (status) => {
        this.#exit = status;
      },
    });
    this.#watch.launched();
    return running;
  }

  #tick(): void {
    if (this.#ended) return;
    const { over } = this.#watch;
    this.#watch.visit(this.#add);
    this.#write();
    const now = performance.now();
    const isDone = this.#isDone(over);
    if (isDone || now >= this.#lossesAt) {
      this.#lossesAt = now + LOSSES_INTERVAL;
      this.#reportLosses();
    }
    if (!isDone) return;
    this.#ended = true;
    this.#stopTimer();
    for (const row of this.#watch.finish()) this.#add(row);
    this.#write();
    this.#context.host.stdout.write(this.#plan.printer.end());
    this.#finish.resolve({ exit: this.#exit });
  }

  /** The command is waited for, so that its exit status can be passed on. */
  #isDone(over: boolean): boolean {
    if (this.#isFull || performance.now() >= this.#deadline) {
      this.#stopping = true;
    }
    const { stdout } = this.#context.host;
    if (stdout.isClosed) this.#stopping = true;
    if (this.#command !== undefined && this.#exit === undefined) return false;
    return this.#stopping || over;
  }

  get #isFull(): boolean {
    return this.#printed >= (this.#plan.rows ?? Infinity);
  }

  readonly #add = (row: Row): void => {
    if (this.#isFull) return;
    this.#plan.printer.row(row, this.#text);
    this.#printed++;
  };

  /** What a batch of rows printed is one piece. */
  #write(): void {
    if (this.#text.length === 0) return;
    this.#context.host.stdout.write(this.#text.bytes);
    this.#text.clear();
  }

  #reportLosses(): void {
    const { records, sockets, runs } = this.#watch.losses;
    const lost = records + sockets + runs;
    if (lost === this.#lost) return;
    this.#lost = lost;
    const parts = [
      ...records > 0 ? [`${countOf(records, "row")} lost`] : [],
      ...sockets > 0
        ? [`the owners of ${countOf(sockets, "socket")} not kept`]
        : [],
      ...runs > 0 ? [`${countOf(runs, "change")} not seen`] : [],
    ];
    this.#console.notice({
      severity: "warning",
      text: `the kernel could not tell everything: ${parts.join(", ")}`,
    });
  }
}
