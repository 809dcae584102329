/**
 * Runs `tracedump read`. Loaded when it is called.
 *
 * @module
 */

import { LinkType } from "../../bytes/link_type.ts";
import {
  CaptureFormatError,
  CaptureRecord,
  CaptureStream,
  type PacketTest,
} from "../../pcap/capture_stream.ts";
import { CaptureMerger } from "../../pcap/merge.ts";
import type { Context } from "../command.ts";
import { Console } from "../console.ts";
import { EXIT_CODE, exitWith, type Outcome } from "../exit_code.ts";
import { filterMistake } from "../filter_expression.ts";
import { formatHelp, formatUsage, PROGRAM } from "../help.ts";
import { FileError, type Host } from "../host.ts";
import { parseArguments } from "../parse.ts";
import { portNames } from "../print_names.ts";
import { countOf } from "../text.ts";
import { READ_COMMAND } from "./read.ts";
import type { ReadFilter } from "./read_filter.ts";
import { READ_OPTIONS } from "./read_options.ts";
import { planRead, type ReadPlan } from "./read_plan.ts";
import { CountingTaker, type Taker } from "./read_taker.ts";

const STANDARD_OUTPUT = "-";
const SERVICES = "/etc/services";

/**
 * Reads files.
 *
 * @throws {UsageError} when the arguments make no sense
 */
export async function runRead(
  args: readonly string[],
  { host }: Context,
): Promise<Outcome> {
  const parsed = parseArguments(READ_OPTIONS, args);
  if (parsed.options.help) {
    host.stdout.write(formatHelp(READ_COMMAND));
    return exitWith(EXIT_CODE.OK);
  }
  if (parsed.operands.length === 0) {
    host.stderr.write(
      `${PROGRAM}: Nothing to read: give a capture file\n` +
        `${formatUsage(READ_COMMAND)}` +
        `${PROGRAM}: hint: See all options with ${PROGRAM} read --help\n`,
    );
    return exitWith(EXIT_CODE.USAGE);
  }
  try {
    return await read(await planRead(parsed, host), host);
  } catch (error) {
    if (error instanceof FileError) {
      new Console(host.stderr).error(error.message, error.hint);
      return exitWith(EXIT_CODE.FAILURE);
    }
    throw filterMistake(error) ?? error;
  }
}

async function read(plan: ReadPlan, host: Host): Promise<Outcome> {
  const { expression, dumpProgram } = plan;
  const isFiltered = expression !== undefined && expression.trim() !== "";
  const streams = await openAll(plan.files, host);
  if (streams === undefined) return exitWith(EXIT_CODE.FAILURE);
  try {
    const filter = isFiltered || dumpProgram > 0
      ? await compile(expression ?? "", streams[0]!)
      : undefined;
    if (filter === undefined || dumpProgram === 0) {
      return await new Reading(plan, host, streams, filter).run();
    }
    const program = filter.forLinkType(await firstLinkType(streams[0]!));
    const { formatProgram } = await import("../filter_program.ts");
    host.stdout.write(formatProgram(program, dumpProgram));
    return exitWith(EXIT_CODE.OK);
  } finally {
    for (const stream of streams) await stream[Symbol.asyncDispose]();
  }
}

/** The compiler is large: it is loaded only where there is a filter. */
async function compile(
  text: string,
  stream: CaptureStream,
): Promise<ReadFilter> {
  const { ReadFilter } = await import("./read_filter.ts");
  return await ReadFilter.compile(text, stream.interfaces[0]?.linkType);
}

/** Opens every file before anything is done with the first. */
async function openAll(
  files: readonly string[],
  host: Host,
): Promise<CaptureStream[] | undefined> {
  const streams: CaptureStream[] = [];
  for (const file of files) {
    try {
      const chunks = host.files.open(file);
      streams.push(await CaptureStream.open(chunks, { reused: true }));
    } catch (error) {
      for (const stream of streams) await stream[Symbol.asyncDispose]();
      report(file, error, host);
      return undefined;
    }
  }
  return streams;
}

/** Says what is wrong with a file; throws what is not about it. */
function report(file: string, error: unknown, host: Host): void {
  const console = new Console(host.stderr);
  if (error instanceof FileError) console.error(error.message);
  else if (error instanceof CaptureFormatError) {
    console.error(`${file}: ${error.message}`);
  } else throw error;
}

async function firstLinkType(stream: CaptureStream): Promise<number> {
  if (stream.interfaces.length === 0) {
    for await (const _ of stream.items()) {
      if (stream.interfaces.length > 0) break;
    }
  }
  return stream.interfaces[0]?.linkType ?? LinkType.ETHERNET;
}

/** One run through the files. */
class Reading {
  readonly #plan: ReadPlan;
  readonly #host: Host;
  readonly #streams: readonly CaptureStream[];
  readonly #filter: ReadFilter | undefined;
  #taken = 0;

  constructor(
    plan: ReadPlan,
    host: Host,
    streams: readonly CaptureStream[],
    filter: ReadFilter | undefined,
  ) {
    this.#plan = plan;
    this.#host = host;
    this.#streams = streams;
    this.#filter = filter;
  }

  async run(): Promise<Outcome> {
    const { action, limit } = this.#plan;
    const taker = await this.#makeTaker();
    const merger = new CaptureMerger(this.#streams, {
      select: this.#filter?.usesProcess ? undefined : this.#select(taker),
    });
    for await (const runs of merger.runs()) {
      for (const { stream, items, start, end } of runs) {
        for (let at = start; at < end && this.#taken < limit; at++) {
          const item = items[at]!;
          if (item instanceof CaptureRecord && !this.#isWanted(item)) continue;
          taker.take(stream, item);
        }
      }
      taker.flush();
      if (this.#taken === limit || taker.isClosed) break;
    }
    taker.finish();
    for (const { stream, error } of merger.failures) {
      const mistake = filterMistake(error);
      if (mistake !== undefined) throw mistake;
      report(this.#plan.files[stream]!, error, this.#host);
    }
    if (action.kind === "write") this.#tell(action.output);
    return exitWith(
      merger.failures.length === 0 ? EXIT_CODE.OK : EXIT_CODE.FAILURE,
    );
  }

  /** What is only counted need not be made. */
  #select(taker: Taker): PacketTest | undefined {
    const test = this.#filter?.test;
    if (!(taker instanceof CountingTaker) || this.#plan.limit !== Infinity) {
      return test;
    }
    return (chunk, start, end, originalLength, from) => {
      if (test?.(chunk, start, end, originalLength, from) ?? true) {
        taker.count++;
      }
      return false;
    };
  }

  #isWanted(record: CaptureRecord): boolean {
    const filter = this.#filter;
    if (filter?.usesProcess && !filter.matches(record)) return false;
    this.#taken++;
    return true;
  }

  async #makeTaker(): Promise<Taker> {
    const { action, print, numeric } = this.#plan;
    const { files } = this.#host;
    if (action.kind === "write") {
      const { output, nanoseconds } = action;
      const format = action.format ?? this.#streams[0]!.format;
      const { writingTaker } = await import("./read_writing.ts");
      return writingTaker(
        this.#streams,
        { format, nanoseconds },
        () => files.create(output),
      );
    }
    const output = files.create(STANDARD_OUTPUT);
    if (action.kind === "count") return new CountingTaker(output);
    const { PrintingTaker } = await import("./read_printing.ts");
    const ports = numeric ? undefined : portNames(await this.#services());
    return new PrintingTaker(output, action.kind, print, ports);
  }

  async #services(): Promise<string> {
    try {
      return await this.#host.readTextFile(SERVICES);
    } catch {
      return "";
    }
  }

  #tell(output: string): void {
    const place = output === STANDARD_OUTPUT ? "standard output" : output;
    new Console(this.#host.stderr).notice({
      severity: "info",
      text: `${countOf(this.#taken, "packet")} written to ${place}`,
    });
  }
}
