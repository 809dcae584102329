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
import { MixedLinkTypesError } from "../../pcap/convert.ts";
import { CaptureMerger } from "../../pcap/merge.ts";
import type { Context } from "../command.ts";
import { Console } from "../console.ts";
import { EXIT_CODE, exitWith, type Outcome } from "../exit_code.ts";
import { filterMistake, formatProgram } from "../filter_expression.ts";
import { formatHelp, formatUsage, PROGRAM } from "../help.ts";
import { FileError, type FileOutput, type Host } from "../host.ts";
import { parseArguments } from "../parse.ts";
import { portNames } from "../print_names.ts";
import { countOf } from "../text.ts";
import { READ_COMMAND } from "./read.ts";
import { ReadFilter } from "./read_filter.ts";
import { READ_OPTIONS } from "./read_options.ts";
import { planRead, type ReadPlan } from "./read_plan.ts";
import {
  CountingTaker,
  PrintingTaker,
  type Taker,
  WritingTaker,
} from "./read_takers.ts";

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
    const hint = error instanceof MixedLinkTypesError
      ? "Write pcapng: --format pcapng"
      : undefined;
    if (error instanceof FileError || hint !== undefined) {
      new Console(host.stderr).error((error as Error).message, hint);
      return exitWith(EXIT_CODE.FAILURE);
    }
    throw filterMistake(error) ?? error;
  }
}

async function read(plan: ReadPlan, host: Host): Promise<Outcome> {
  const { expression, dumpProgram } = plan;
  const isFiltered = expression !== undefined && expression.trim() !== "";
  const filter = isFiltered || dumpProgram > 0
    ? await ReadFilter.compile(expression ?? "")
    : undefined;
  const streams = await openAll(plan.files, host);
  if (streams === undefined) return exitWith(EXIT_CODE.FAILURE);
  if (filter !== undefined && dumpProgram > 0) {
    const linkType = await firstLinkType(streams[0]!);
    for (const stream of streams) await stream[Symbol.asyncDispose]();
    const program = filter.forLinkType(linkType);
    host.stdout.write(formatProgram(program, dumpProgram));
    return exitWith(EXIT_CODE.OK);
  }
  return await new Reading(plan, host, streams, filter).run();
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
  #left: number;

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
    this.#left = plan.limit;
  }

  async run(): Promise<Outcome> {
    const { action } = this.#plan;
    const output = this.#host.files.create(
      action.kind === "write" ? action.output : STANDARD_OUTPUT,
    );
    const taker = await this.#makeTaker(output);
    const merger = new CaptureMerger(this.#streams, {
      select: this.#filter?.usesProcess ? undefined : this.#select(taker),
    });
    for await (const runs of merger.runs()) {
      for (const { stream, items, start, end } of runs) {
        for (let at = start; at < end && this.#left > 0; at++) {
          const item = items[at]!;
          if (item instanceof CaptureRecord && !this.#isWanted(item)) continue;
          taker.take(stream, item);
        }
      }
      taker.flush();
      if (this.#left === 0 || output.isClosed) break;
    }
    taker.finish();
    for (const { stream, error } of merger.failures) {
      const mistake = filterMistake(error);
      if (mistake !== undefined) throw mistake;
      report(this.#plan.files[stream]!, error, this.#host);
    }
    if (action.kind === "write" && taker instanceof WritingTaker) {
      this.#tell(taker.count, action.output);
    }
    return exitWith(
      merger.failures.length === 0 ? EXIT_CODE.OK : EXIT_CODE.FAILURE,
    );
  }

  /** What is only counted need not be made. */
  #select(taker: Taker): PacketTest | undefined {
    const test = this.#filter?.test;
    if (!(taker instanceof CountingTaker) || this.#left !== Infinity) {
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
    this.#left--;
    return true;
  }

  async #makeTaker(output: FileOutput): Promise<Taker> {
    const { action, print, numeric } = this.#plan;
    if (action.kind === "count") return new CountingTaker(output);
    if (action.kind === "write") {
      const format = action.format ?? this.#streams[0]!.format;
      const { nanoseconds } = action;
      return new WritingTaker(output, this.#streams, format, nanoseconds);
    }
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

  #tell(count: number, output: string): void {
    const place = output === STANDARD_OUTPUT ? "standard output" : output;
    new Console(this.#host.stderr).notice({
      severity: "info",
      text: `${countOf(count, "packet")} written to ${place}`,
    });
  }
}
