/**
 * From the command line to what the capture engine is asked to do.
 *
 * @module
 */

import { captureFormat } from "../../session/capture_format.ts";
import type {
  CaptureFormat,
  CaptureOptions,
  CaptureTarget,
} from "../../session/types.ts";
import type { Verbosity } from "../console.ts";
import { PROGRAM } from "../help.ts";
import type { Host } from "../host.ts";
import { SIGNAL_NUMBERS } from "../signals.ts";
import type { OptionValues } from "../options.ts";
import type { ParsedArguments } from "../parse.ts";
import { PRINT_OPTIONS } from "../print_options.ts";
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
  checkPrinting(given);
  const output = given.output ?? (given.print ? undefined : DEFAULT_OUTPUT);
  const target = captureTarget(given.user, operands, rest, host);
  const format = captureFormat(given.format, output);
  checkOutput(given, output, format, target);
  if (output === "-" && host.stdout.isTerminal) {
    throw new UsageError(
      "Cannot write packets to a terminal",
      `Pipe them on: ${PROGRAM} -o - … | tcpdump -nr -`,
    );
  }
  return {
    options: {
      target,
      ...output === undefined ? {} : { output },
      ...given.print ? { outputToStderr: true } : {},
      snaplen: given.snaplen ?? 0,
      nanoseconds: given.nano,
      format,
      ...fileOptions(given),
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

/** Refuses options about printing where nothing is printed. */
function checkPrinting(given: OptionValues<typeof CAPTURE_OPTIONS>): void {
  if (given.print) {
    if (given.output !== "-") return;
    throw new UsageError(
      "Cannot both print packets and write them to standard output",
      "Name a file with --output",
    );
  }
  for (const [key, option] of Object.entries(PRINT_OPTIONS)) {
    const value = given[key as keyof typeof PRINT_OPTIONS];
    if (value === undefined || value === false || value === 0) continue;
    throw new UsageError(
      `Option --${option.long} needs --print`,
      `After a capture, ${PROGRAM} read prints it`,
    );
  }
}

/** Refuses what does not go together. */
function checkOutput(
  given: OptionValues<typeof CAPTURE_OPTIONS>,
  output: string | undefined,
  format: CaptureFormat,
  target: CaptureTarget,
): void {
  const { rotateSize, rotateSeconds, files, comments } = given;
  const rotated = rotateSize !== undefined || rotateSeconds !== undefined;
  if (rotated && output === "-") {
    throw new UsageError(
      "Cannot go on in a new file: the output is standard output",
      "Name a file with --output",
    );
  }
  if (output === undefined && (rotated || given.maxSize !== undefined)) {
    throw new UsageError(
      "Cannot limit files: packets are only printed",
      "Name a file with --output",
    );
  }
  if (files !== undefined && !rotated) {
    throw new UsageError(
      "Option --files needs --rotate-size or --rotate-seconds",
    );
  }
  if (given.minFree !== undefined && (output ?? "-") === "-") {
    throw new UsageError("Option --min-free needs a file");
  }
  const pcapngOnly = given.tlsKeys
    ? "--tls-keys"
    : given.processBlocks
    ? "--process-blocks"
    : comments === undefined
    ? undefined
    : "--comments";
  if (pcapngOnly !== undefined && format !== "pcapng") {
    throw new UsageError(
      `Option ${pcapngOnly} needs the format pcapng`,
      "Add --format pcapng, or let the name of the file end in .pcapng",
    );
  }
  if (given.tlsKeys && target.kind !== "command") {
    throw new UsageError("Option --tls-keys needs a command");
  }
}

/** What the options say about files, where they say something. */
function fileOptions(
  given: OptionValues<typeof CAPTURE_OPTIONS>,
): Partial<CaptureOptions> {
  const { rotateSize, rotateSeconds, files, maxSize, minFree } = given;
  const rotation = {
    ...rotateSize === undefined ? {} : { size: rotateSize },
    ...rotateSeconds === undefined ? {} : { seconds: rotateSeconds },
    ...files === undefined ? {} : { files },
  };
  return {
    ...given.comments === undefined ? {} : { comments: given.comments },
    ...given.processBlocks ? { processBlocks: true } : {},
    ...given.tlsKeys ? { tlsKeys: true } : {},
    ...Object.keys(rotation).length === 0 ? {} : { rotation },
    ...maxSize === undefined ? {} : { maxSize },
    ...minFree === undefined ? {} : { minFree },
    ...given.unbuffered ? { unbuffered: true } : {},
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
