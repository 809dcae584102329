/**
 * From the command line to what the capture engine is asked to do.
 *
 * @module
 */

import type { CaptureOptions, CaptureTarget } from "../../session/types.ts";
import type { Verbosity } from "../console.ts";
import { PROGRAM } from "../help.ts";
import type { Host } from "../host.ts";
import { SIGNAL_NUMBERS } from "../signals.ts";
import type { OptionValues } from "../options.ts";
import type { ParsedArguments } from "../parse.ts";
import { UsageError } from "../usage_error.ts";
import {
  type CAPTURE_OPTIONS,
  DEFAULT_BUFFER_SIZE,
  DEFAULT_LINGER,
  DEFAULT_OUTPUT,
  VERBOSE_LEVEL,
} from "./capture_options.ts";

/** PID_MAX_LIMIT of 64-bit kernels, linux/threads.h. */
const MAX_PID = 4_194_304;

/** What a capture command line asks for. */
export interface CapturePlan {
  readonly options: CaptureOptions;
  readonly verbosity: Verbosity;
}

type CaptureArguments = ParsedArguments<typeof CAPTURE_OPTIONS>;

/**
 * Checks what only makes sense together and fills in the defaults.
 *
 * @throws {UsageError} when the command line makes no sense.
 */
export function planCapture(
  { options: given, operands, rest }: CaptureArguments,
  host: Host,
  filter?: string,
): CapturePlan {
  const output = given.output ?? DEFAULT_OUTPUT;
  const target = captureTarget(given.user, operands, rest, host);
  if (output === "-" && host.stdout.isTerminal) {
    throw new UsageError(
      "Cannot write packets to a terminal",
      `Pipe them on: ${PROGRAM} -o - … | tcpdump -nr -`,
    );
  }
  return {
    options: {
      target,
      output,
      snaplen: given.snaplen ?? 0,
      nanoseconds: given.nano,
      ...given.count === undefined ? {} : { count: given.count },
      ...given.duration === undefined ? {} : { duration: given.duration },
      ...filter === undefined ? {} : { filter },
      interfaces: [...new Set(given.interfaces)],
      follow: !given.noFollow,
      bufferSize: given.bufferSize ?? DEFAULT_BUFFER_SIZE,
      linger: given.linger ?? DEFAULT_LINGER,
      tracker: given.tracker ?? "auto",
      icmp: given.icmp,
      kernelFilter: given.kernelFilter ?? "auto",
      debug: verbosity(given).debug,
    },
    verbosity: verbosity(given),
  };
}

function verbosity(given: OptionValues<typeof CAPTURE_OPTIONS>): Verbosity {
  return {
    quiet: given.quiet,
    debug: given.debug ?? (given.verbose ? VERBOSE_LEVEL : 0),
  };
}

function captureTarget(
  user: string | undefined,
  operands: readonly string[],
  rest: readonly string[] | undefined,
  host: Host,
): CaptureTarget {
  if (rest === undefined) {
    const pids = operands.map((operand) => processId(operand, host.pid));
    if (user !== undefined) {
      throw new UsageError(
        "Option --user needs a command",
        `Put the command after "--": ${PROGRAM} -u ${user} -- COMMAND`,
      );
    }
    return { kind: "processes", pids: [...new Set(pids)] };
  }
  const [command, ...args] = rest;
  if (command === undefined) {
    throw new UsageError('No command follows "--"');
  }
  if (operands.length > 0) {
    throw new UsageError(
      "Cannot capture both running processes and a command: " +
        `"${operands[0]}" stands before "--"`,
    );
  }
  return {
    kind: "command",
    command,
    args,
    ...user === undefined ? {} : { user },
    ignoredSignals: [...host.ignoredSignals].map((name) =>
      SIGNAL_NUMBERS[name]
    ),
  };
}

/**
 * Checks an operand: only process ids stand before `--`.
 *
 * @throws {UsageError} when it is something else, most likely a command.
 */
export function checkOperand(
  operand: string,
  following: readonly string[],
): void {
  if (/^\d+$/.test(operand)) return;
  const command = [operand, ...following].join(" ");
  throw new UsageError(
    `Cannot capture "${operand}": it is no process id`,
    `A command goes after "--": ${PROGRAM} -- ${command}`,
  );
}

function processId(operand: string, ownPid: number): number {
  const pid = Number(operand);
  if (pid < 1 || pid > MAX_PID) {
    throw new UsageError(
      `Cannot capture process ${operand}: process ids go from 1 to ${MAX_PID}`,
    );
  }
  if (pid === ownPid) {
    throw new UsageError(
      `Cannot capture process ${pid}: it is ${PROGRAM} itself`,
    );
  }
  return pid;
}
