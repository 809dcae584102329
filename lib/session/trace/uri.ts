/**
 * The names of traces: `format:name`, as in libtrace, with two formats more.
 *
 * @module
 */
import type { CaptureTarget } from "../types.ts";
import { TraceUriError } from "./errors.ts";
import { splitWords } from "./words.ts";

/** What a URI names. See {@linkcode openTrace}. */
export type TraceAddress =
  | {
    readonly kind: "file";
    /** Path, or `-` for standard input. */
    readonly path: string;
  }
  | {
    readonly kind: "interface";
    /** Interface name, or `any`. */
    readonly name: string;
  }
  | CaptureTarget;

/** What there is on this machine, for names without a format. */
export interface NameProbe {
  /** Whether there is a file, or something else that can be read. */
  isFile(path: string): boolean;
  /** Whether there is a network interface. */
  isInterface(name: string): boolean;
}

/** Largest process id: PID_MAX_LIMIT, linux/threads.h. */
const MAX_PID = 1 << 22;
/** IFNAMSIZ of linux/if.h, without the final NUL. */
const MAX_INTERFACE_NAME = 15;

const SUPPORTED = "supported are pcapfile:FILE, pcapng:FILE, int:INTERFACE, " +
  "ring:INTERFACE, pid:PID[,PID...] and cmd:COMMAND";

type Parser = (uri: string, name: string) => TraceAddress;

const PARSERS: Readonly<Record<string, Parser>> = {
  pcapfile: parseFile,
  pcap: parseFile,
  pcapng: parseFile,
  int: parseInterface,
  ring: parseInterface,
  pcapint: parseInterface,
  pid: parseProcesses,
  cmd: parseCommand,
};

/**
 * Understands the name of a trace.
 *
 * @param uri `format:name`, or a file or interface name; an array begins with
 *   `cmd:PROGRAM`, and the program's arguments follow as they are.
 * @param probe Asked about names without a format.
 * @throws {TraceUriError} With what is supported.
 */
export function parseTraceUri(
  uri: string | readonly string[],
  probe: NameProbe,
): TraceAddress {
  if (typeof uri !== "string") return parseWords(uri);
  if (uri === "") throw new TraceUriError(uri, `it is empty; ${SUPPORTED}`);
  const colon = uri.indexOf(":");
  const format = colon < 0 ? "" : uri.slice(0, colon);
  if (Object.hasOwn(PARSERS, format)) {
    const name = uri.slice(colon + 1);
    if (name === "") {
      throw new TraceUriError(uri, `nothing follows "${format}:"`);
    }
    return PARSERS[format]!(uri, name);
  }
  if (uri.includes("/") && !/^[a-z]+:\/\//.test(uri)) {
    return { kind: "file", path: uri };
  }
  if (uri === "-" || probe.isFile(uri)) return { kind: "file", path: uri };
  if (probe.isInterface(uri)) return { kind: "interface", name: uri };
  throw new TraceUriError(
    uri,
    colon < 0
      ? `there is no such file or interface; ${SUPPORTED}`
      : `format ${JSON.stringify(format)} is not supported; ${SUPPORTED}`,
  );
}

function parseFile(_uri: string, path: string): TraceAddress {
  return { kind: "file", path };
}

function parseInterface(uri: string, name: string): TraceAddress {
  // dev_valid_name of net/core/dev.c
  if (name.length > MAX_INTERFACE_NAME || /[/\s]/.test(name)) {
    throw new TraceUriError(uri, "this cannot be the name of an interface");
  }
  return { kind: "interface", name };
}

function parseProcesses(uri: string, name: string): TraceAddress {
  const pids = name.split(",").map((text) => {
    const pid = /^\d{1,7}$/.test(text) ? Number(text) : 0;
    if (pid < 1 || pid > MAX_PID) {
      throw new TraceUriError(uri, `${JSON.stringify(text)} is no process id`);
    }
    return pid;
  });
  return { kind: "processes", pids: [...new Set(pids)] };
}

function parseCommand(uri: string, name: string): TraceAddress {
  const words = splitWords(name);
  if (words === undefined) {
    throw new TraceUriError(uri, "a quote is not closed");
  }
  return commandOf(uri, words);
}

function parseWords(words: readonly string[]): TraceAddress {
  const [first = "", ...args] = words;
  if (!first.startsWith("cmd:")) {
    throw new TraceUriError(
      words.join(" "),
      'an array begins with "cmd:" and the program, its arguments follow',
    );
  }
  return commandOf(words.join(" "), [first.slice("cmd:".length), ...args]);
}

function commandOf(uri: string, words: readonly string[]): TraceAddress {
  const [command = "", ...args] = words;
  if (command === "") throw new TraceUriError(uri, "the command is missing");
  if (words.some((word) => word.includes("\0"))) {
    throw new TraceUriError(uri, "a word holds a NUL character");
  }
  return { kind: "command", command, args };
}
