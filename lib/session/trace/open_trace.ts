/**
 * Opening a trace by its name.
 *
 * @module
 */
import { FileSource } from "./file_source.ts";
import type { CaptureNotice, TrackerChoice } from "../types.ts";
import { InterfaceSource } from "./interface_source.ts";
import { ProgramSource } from "./program_source.ts";
import {
  changeSettings,
  DEFAULT_SETTINGS,
  type TraceConfiguration,
} from "./settings.ts";
import type { PacketSource } from "./source.ts";
import { Trace } from "./trace.ts";
import { type NameProbe, parseTraceUri, type TraceAddress } from "./uri.ts";

/** Settings of {@linkcode openTrace}. */
export interface TraceOptions extends TraceConfiguration {
  /**
   * Closes the trace when it is aborted; reads then fail with the signal's
   * reason.
   */
  readonly signal?: AbortSignal;
  /**
   * Live traces: MiB of packets that may wait to be read, in the kernel and in
   * this program each, 1 to 1024. What is too much is dropped and counted.
   * Default 16.
   */
  readonly bufferSize?: number;
  /** Programs: also take the packets of child processes. Default true. */
  readonly follow?: boolean;
  /**
   * Programs: also take ICMP errors about their packets; needs the eBPF packet
   * filter. Default false.
   */
  readonly icmp?: boolean;
  /**
   * Programs: milliseconds to wait for the last packets after the program
   * ended. Default 2000.
   */
  readonly linger?: number;
  /** Programs: how their sockets are followed. Default `auto`. */
  readonly tracker?: TrackerChoice;
  /** Programs: told what is worth telling a person. */
  readonly notice?: (notice: CaptureNotice) => void;
}

/** MiB. */
const DEFAULT_BUFFER_SIZE = 16;
const MOST_BUFFER_SIZE = 1024;
/** Milliseconds. */
const DEFAULT_LINGER = 2000;
/** Where the kernel lists network interfaces (sysfs). */
const INTERFACES = "/sys/class/net";

const MACHINE: NameProbe = {
  isFile: exists,
  isInterface: (name) => !name.includes("/") && exists(`${INTERFACES}/${name}`),
};

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    // What may not be looked at is there, or may be: opening it will tell.
    return error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.NotCapable;
  }
}

/**
 * Opens a trace: packets of a file, an interface or a program. Nothing is read
 * or captured before the trace is started, by {@linkcode Trace.start} or by
 * iterating.
 *
 * | URI                         | packets of                                |
 * | --------------------------- | ----------------------------------------- |
 * | `pcapfile:FILE`             | a pcap or pcapng file; `-` standard input |
 * | `pcapng:FILE`               | the same: the file tells what it is       |
 * | `int:INTERFACE`, `ring:INTERFACE` | an interface; `any` for all of them |
 * | `pid:PID[,PID...]`          | processes that run, exactly               |
 * | `cmd:COMMAND`               | a command that the trace starts, exactly  |
 * | `["cmd:PROGRAM", "ARGUMENT", ...]` | the same with arguments as they are |
 * | `FILE`, `INTERFACE`         | what there is of that name                |
 *
 * @param uri See the table.
 * @throws {TraceUriError} when the URI is wrong or not supported
 * @throws {FilterSyntaxError} when the filter has a mistake
 * @throws {RangeError} when a number is out of its range
 * @throws {TraceError} `setting` when this kind of trace has no such setting
 *
 * @example Count packets by protocol
 * ```ts
 * import { openTrace } from "./open_trace.ts";
 * import assert from "node:assert/strict";
 *
 * let segments = 0;
 * const file = "tests/golden/data/filter_linktype_1.pcap";
 * for await (const packet of openTrace(file, { filter: "tcp" })) {
 *   if (packet.tcp !== undefined) segments++;
 * }
 * assert.notEqual(segments, 0);
 * ```
 */
export function openTrace(
  uri: string | readonly string[],
  options: TraceOptions = {},
): Trace {
  const address = parseTraceUri(uri, MACHINE);
  const name = typeof uri === "string" ? uri : uri.join(" ");
  const { kind } = address;
  return new Trace({
    uri: name,
    kind,
    source: sourceOf(address, name, options),
    settings: changeSettings(DEFAULT_SETTINGS, options, name, kind),
    signal: options.signal,
  });
}

function sourceOf(
  address: TraceAddress,
  uri: string,
  options: TraceOptions,
): PacketSource {
  const { bufferSize = DEFAULT_BUFFER_SIZE } = options;
  if (!(bufferSize >= 1 && bufferSize <= MOST_BUFFER_SIZE)) {
    throw new RangeError(
      `Cannot open trace ${JSON.stringify(uri)}: buffer size ${bufferSize} ` +
        `is not in 1 to ${MOST_BUFFER_SIZE}`,
    );
  }
  switch (address.kind) {
    case "file":
      return new FileSource(address.path, uri);
    case "interface":
      return new InterfaceSource(address.name, uri, bufferSize);
    default:
      return new ProgramSource(address, {
        bufferSize,
        follow: options.follow ?? true,
        icmp: options.icmp ?? false,
        linger: options.linger ?? DEFAULT_LINGER,
        tracker: options.tracker ?? "auto",
        notice: options.notice,
      });
  }
}
