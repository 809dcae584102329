/**
 * The command `tracedump PID...` and `tracedump -- COMMAND`: captures packets
 * into a file.
 *
 * @module
 */

import { LinkType } from "../../bytes/link_type.ts";
import {
  type Capture,
  CaptureError,
  type CaptureObserver,
  type CaptureOptions,
  type CaptureResult,
} from "../../session/types.ts";
import type { Command, Context } from "../command.ts";
import { Console } from "../console.ts";
import {
  EXIT_CODE,
  exitCodeOf,
  exitWith,
  type Outcome,
  outcomeOf,
} from "../exit_code.ts";
import { formatHelp, formatUsage, PROGRAM } from "../help.ts";
import type { Host } from "../host.ts";
import { parseArguments } from "../parse.ts";
import { printOptions } from "../print_options.ts";
import { formatPeers, formatTotals } from "../summary.ts";
import { countOf } from "../text.ts";
import { VERSION } from "../version.ts";
import { CAPTURE_MANUAL } from "./capture_manual.ts";
import { CAPTURE_OPTIONS, MAX_BUFFER_SIZE } from "./capture_options.ts";
import { type CapturePlan, checkOperand, planCapture } from "./capture_plan.ts";
import { CaptureSignals } from "./capture_signals.ts";

/** Time between two looks of the status line, in milliseconds. */
const STATUS_INTERVAL = 500;

/** The command. */
export const CAPTURE_COMMAND: Command = {
  name: "capture",
  isDefault: true,
  operand: "process",
  options: CAPTURE_OPTIONS,
  manual: CAPTURE_MANUAL,
  run: runCapture,
};

async function runCapture(
  args: readonly string[],
  context: Context,
): Promise<Outcome> {
  const { host } = context;
  const parsed = parseArguments(CAPTURE_OPTIONS, args, checkOperand);
  if (parsed.options.help) {
    const commands = await context.loadCommands();
    host.stdout.write(formatHelp(
      CAPTURE_COMMAND,
      commands.filter(({ isDefault }) => !isDefault),
    ));
    return exitWith(EXIT_CODE.OK);
  }
  if (parsed.options.version) {
    host.stdout.write(`${PROGRAM} ${VERSION} (${host.runtime})\n`);
    return exitWith(EXIT_CODE.OK);
  }
  const { dumpProgram, filterFile } = parsed.options;
  let { filter } = parsed.options;
  if (dumpProgram > 0 || filterFile !== undefined) {
    const { readExpression } = await import("../filter_expression.ts");
    filter = await readExpression(
      parsed.options,
      (path) => host.readTextFile(path),
    );
    if (dumpProgram > 0) {
      const { compileExpression, formatProgram } = await import(
        "../filter_program.ts"
      );
      const program = await compileExpression(filter ?? "", LinkType.LINUX_SLL);
      host.stdout.write(formatProgram(program, dumpProgram));
      return exitWith(EXIT_CODE.OK);
    }
  }
  if (parsed.operands.length === 0 && parsed.rest === undefined) {
    host.stderr.write(
      `${PROGRAM}: Nothing to capture: give process ids or a command\n` +
        `${formatUsage(CAPTURE_COMMAND)}` +
        `${PROGRAM}: hint: See all options with ${PROGRAM} --help\n`,
    );
    return exitWith(EXIT_CODE.USAGE);
  }
  const plan = planCapture(parsed, host, filter);
  const packets = parsed.options.print
    ? await livePrinter(parsed.options, host)
    : undefined;
  return await capture(plan, context, packets);
}

/** Prints packets as they come. */
async function livePrinter(
  options: Parameters<typeof printOptions>[0],
  host: Host,
): Promise<NonNullable<CaptureObserver["packets"]>> {
  // Loaded only where it is wanted: decoders are a large part of the program.
  const { LivePrinter } = await import("../live_printer.ts");
  const printer = new LivePrinter(printOptions(options, host), host.stdout);
  return (packets) => printer.print(packets);
}

async function capture(
  plan: CapturePlan,
  context: Context,
  packets: CaptureObserver["packets"],
): Promise<Outcome> {
  const { host, startCapture } = context;
  const console = new Console(host.stderr, plan.verbosity);
  using signals = new CaptureSignals(host, plan.options.target);
  const observer: CaptureObserver = {
    ...packets === undefined ? {} : { packets },
    notice: (notice) => console.notice(notice),
    suspended: () => {
      console.hideStatus();
      host.suspend();
    },
  };
  const finished = startCapture(plan.options, observer).then((running) => {
    signals.connect(running);
    return untilFinished(running, plan, console, host);
  });
  try {
    const end = await Promise.race([finished, signals.impatient]);
    if (typeof end === "number") return { kind: "signal", signal: end };
    if (!plan.verbosity.quiet) printSummary(end, plan.options, console);
    if (end.error !== undefined) {
      const { error } = end;
      const hint = error instanceof CaptureError ? error.hint : undefined;
      console.error(error.message, hint);
    }
    return outcomeOf(end.exit, end.reason === "failed");
  } catch (error) {
    if (!(error instanceof CaptureError)) {
      if (plan.options.filter === undefined) throw error;
      const { filterMistake } = await import("../filter_expression.ts");
      throw filterMistake(error) ?? error;
    }
    console.error(error.message, error.hint);
    return exitWith(exitCodeOf(error.code));
  } finally {
    console.hideStatus();
  }
}

/** Waits for the end and keeps the status line going meanwhile. */
async function untilFinished(
  running: Capture,
  plan: CapturePlan,
  console: Console,
  host: Host,
): Promise<CaptureResult> {
  if (!wantsStatus(plan, host)) return await running.finished;
  const stopStatus = host.every(
    STATUS_INTERVAL,
    () => console.showStatus(running.status(), host.columns()),
  );
  try {
    return await running.finished;
  } finally {
    stopStatus();
    console.hideStatus();
  }
}

/** A launched command that prints to the terminal has it to itself. */
function wantsStatus(plan: CapturePlan, host: Host): boolean {
  if (plan.verbosity.quiet || !host.stderr.isTerminal) return false;
  return plan.options.target.kind === "processes" || !host.stdout.isTerminal;
}

function printSummary(
  result: CaptureResult,
  options: CaptureOptions,
  console: Console,
): void {
  console.notice({
    severity: "info",
    text: formatTotals(result, options.output),
  });
  console.print(formatPeers(result.processes));
  if (result.reason === "size") {
    console.notice({
      severity: "info",
      text: "the capture ended because the files reached --max-size",
    });
  } else if (result.reason === "space") {
    console.notice({
      severity: "warning",
      text: "the capture ended because the disk has less than --min-free left",
    });
  }
  if (result.missed !== undefined && result.missed > 0) {
    console.notice({
      severity: "warning",
      text: `${countOf(result.missed, "packet")} could not be printed in time`,
    });
  }
  if (result.drops > 0) {
    const larger = Math.min(options.bufferSize * 4, MAX_BUFFER_SIZE);
    console.notice({
      severity: "warning",
      text: "The kernel dropped packets because its buffer was full; " +
        `give it more room with -B ${larger}`,
    });
  }
}
