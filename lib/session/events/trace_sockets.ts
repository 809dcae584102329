/**
 * Watching what a program does with its sockets.
 *
 * @module
 */
import { ProgramSource } from "../trace/program_source.ts";
import { TraceUriError } from "../trace/errors.ts";
import { DEFAULT_SETTINGS } from "../trace/settings.ts";
import { parseTraceUri } from "../trace/uri.ts";
import type { CaptureNotice } from "../types.ts";
import { type SocketEvent, SocketEvents } from "./socket_event.ts";

/** Settings of {@linkcode traceSockets}. */
export interface SocketTraceOptions {
  /** Ends the iteration when it is aborted; it fails with the reason. */
  readonly signal?: AbortSignal;
  /** Also watch child processes. Default true. */
  readonly follow?: boolean;
  /**
   * How to follow the program: `ebpf`, `ptrace`, or `auto` (the default), by
   * eBPF where the kernel and the rights permit it, else by ptrace.
   */
  readonly tracker?: "auto" | "ebpf" | "ptrace";
  /** Told what is worth telling a person. */
  readonly notice?: (notice: CaptureNotice) => void;
}

/** The packets that tell how a connection went: SYN and RST. */
const HANDSHAKES = "tcp[tcpflags] & (tcp-syn|tcp-rst) != 0 or " +
  "(ip6[6] = 6 and ip6[53] & 6 != 0)";
/** MiB. */
const BUFFER_SIZE = 16;
/** How long to wait for the last packets, milliseconds. */
const LINGER = 1000;
/** How often connections without an answer are looked at, milliseconds. */
const TICK = 100;

/**
 * Tells what a program does with TCP and UDP sockets, in the order in which it
 * becomes known: connections with their outcome, calls that fail at once with
 * their error. Leaving the loop lets go of the program: running processes go
 * on, a command that was started is told to end.
 *
 * Events wait in memory until they are read; the program is not slowed. Both
 * trackers tell the same, but for what the library's guide (docs/library.md)
 * lists.
 *
 * @param target `pid:PID[,PID...]`, `cmd:COMMAND` or an array, as for
 * `openTrace`.
 * @throws {TraceUriError} at once, when it is none of these
 * @throws {CaptureError} from the iteration, when it cannot begin
 *
 * @example Print the connections of a command
 * ```ts ignore
 * for await (const event of traceSockets("cmd:curl -s http://localhost/")) {
 *   if (event.kind !== "connect") continue;
 *   console.log(event.remoteAddress, event.result, event.latency);
 * }
 * ```
 */
export function traceSockets(
  target: string | readonly string[],
  options: SocketTraceOptions = {},
): AsyncGenerator<SocketEvent, void> {
  const address = parseTraceUri(target, {
    isFile: () => false,
    isInterface: () => false,
  });
  if (address.kind !== "processes" && address.kind !== "command") {
    throw new TraceUriError(
      typeof target === "string" ? target : target.join(" "),
      "sockets are those of pid:PID[,PID...] or cmd:COMMAND",
    );
  }
  return iterate(address, options);
}

async function* iterate(
  target: ConstructorParameters<typeof ProgramSource>[0],
  { signal, follow = true, tracker = "auto", notice }: SocketTraceOptions,
): AsyncGenerator<SocketEvent, void> {
  signal?.throwIfAborted();
  const queue: SocketEvent[] = [];
  let wake = Promise.withResolvers<void>();
  const events = new SocketEvents((event) => {
    queue.push(event);
    wake.resolve();
  });
  const source = new ProgramSource(target, {
    bufferSize: BUFFER_SIZE,
    follow,
    icmp: false,
    linger: LINGER,
    tracker,
    notice,
    filter: HANDSHAKES,
    onSocket: (event) => events.event(event, performance.now()),
  });
  const abort = (): void => wake.resolve();
  signal?.addEventListener("abort", abort, { once: true });
  let timer: ReturnType<typeof setInterval> | undefined;
  try {
    await source.start(DEFAULT_SETTINGS);
    timer = setInterval(() => events.tick(performance.now()), TICK);
    let end: { readonly error?: unknown } | undefined;
    readAll(source, events).then(
      () => end = {},
      (error) => end = { error },
    ).finally(() => {
      events.finish();
      wake.resolve();
    });
    for (;;) {
      yield* queue.splice(0);
      signal?.throwIfAborted();
      if (queue.length > 0) continue;
      if (end?.error !== undefined) throw end.error;
      if (end !== undefined) return;
      await wake.promise;
      wake = Promise.withResolvers();
    }
  } finally {
    clearInterval(timer);
    signal?.removeEventListener("abort", abort);
    await source.close();
  }
}

async function readAll(
  source: ProgramSource,
  events: SocketEvents,
): Promise<void> {
  for (let batch; (batch = await source.read()) !== undefined;) {
    for (const packet of batch) events.packet(packet);
  }
}
