/**
 * Beginning a live capture: opens everything in the right order.
 *
 * @module
 */
import { interfaceIndex } from "../../ffi/packet.ts";
import type { User } from "../../ffi/process.ts";
import {
  interfaceProblem,
  processProblem,
  procfsProblem,
  tracerProblem,
} from "./failures.ts";
import { checkCommand } from "./launched_command.ts";
import {
  type CaptureThreads,
  startSniffer,
  startTracer,
} from "./capture_threads.ts";
import { LiveCapture } from "./live_capture.ts";
import type { LiveOptions } from "./live_options.ts";
import type { FilterSource } from "./filter_names.ts";
import { Resources } from "./resources.ts";
import type { PacketStream } from "./stream/packet_stream.ts";
import {
  type Capture,
  CaptureError,
  type CaptureObserver,
  type CaptureOptions,
} from "./types.ts";

/** Bytes of packets that may wait for the observer. */
const STREAM_ROOM = 64 << 20;

/**
 * Starts a capture. When the promise settles, nothing of the program's
 * traffic is missed from then on; a launched command is running.
 *
 * @throws {CaptureError} when it cannot begin; nothing is left behind
 * @throws {FilterSyntaxError} when the filter has a mistake
 *
 * @example Capture what a command says into a file
 * ```ts ignore
 * import { startCapture } from "./mod.ts";
 *
 * const capture = await startCapture({
 *   target: { kind: "command", command: "curl", args: ["http://localhost/"] },
 *   output: "dump.pcapng",
 *   snaplen: 0,
 *   nanoseconds: true,
 *   interfaces: [],
 *   follow: true,
 *   bufferSize: 16,
 *   linger: 2000,
 * });
 * const { packets, processes, exit } = await capture.finished;
 * ```
 */
export async function startCapture(
  options: CaptureOptions,
  observer: CaptureObserver = {},
): Promise<Capture> {
  if (observer.packets === undefined) {
    if (options.output !== undefined) return await startLive(options, observer);
    throw new CaptureError("output", "Cannot capture without an output");
  }
  const { PacketStream } = await import("./stream/packet_stream.ts");
  const stream = new PacketStream(STREAM_ROOM);
  stream.resume(0, 0);
  const capture = await startLive({ ...options, stream }, observer);
  capture.finished.then(() => stream.finish());
  const delivered = deliver(stream, observer);
  return {
    status: () => capture.status(),
    stop: () => capture.stop(),
    forwardSignal: (signal) => capture.forwardSignal(signal),
    finished: capture.finished.then(async (result) => {
      await delivered;
      return { ...result, missed: stream.counts().dropped };
    }),
  };
}

/** Hands packets over until no more come. */
async function deliver(
  stream: PacketStream,
  observer: CaptureObserver,
): Promise<void> {
  for (let batch; (batch = await stream.read()) !== undefined;) {
    observer.packets?.(batch);
  }
}

/**
 * The same, into a file, a stream, or both.
 *
 * @throws {CaptureError} when it cannot begin; nothing is left behind
 */
export async function startLive(
  options: LiveOptions,
  observer: CaptureObserver = {},
): Promise<Capture> {
  const user = checkTarget(options);
  const filter = await checkFilter(options.filter);
  const interfaces = options.interfaces.map(indexOfInterface);
  // Loading the threads takes longest: it goes on beside the rest.
  const threads: CaptureThreads = {
    sniffer: startSniffer(options.tracker !== "ptrace"),
    tracer: options.tracker === "ptrace" ? startTracer() : undefined,
  };
  let capture: LiveCapture;
  try {
    const resources = new Resources(options, { user, interfaces, filter });
    capture = new LiveCapture(options, observer, threads, resources);
  } catch (error) {
    threads.sniffer.terminate();
    threads.tracer?.terminate();
    throw error;
  }
  try {
    await capture.begin();
  } catch (error) {
    await capture.abort();
    throw error;
  }
  return capture;
}

/** Finds out what can be known before anything is opened or emptied. */
function checkTarget(
  { target, tracker }: LiveOptions,
): User | undefined {
  const procProblem = procfsProblem();
  if (procProblem !== undefined) throw procProblem;
  if (target.kind === "processes") {
    for (const pid of target.pids) {
      const problem = processProblem(pid) ??
        (tracker === "ptrace" ? tracerProblem(pid) : undefined);
      if (problem !== undefined) throw problem;
    }
    return undefined;
  }
  return checkCommand(target);
}

/** Looks the names in the filter up and compiles it, to find mistakes early. */
async function checkFilter(
  text: string | undefined,
): Promise<FilterSource | undefined> {
  if (text === undefined) return undefined;
  // Loaded only where it is wanted: the compiler is large.
  const { compileSource } = await import("./live_filter.ts");
  const { lookUpNames } = await import("./filter_names.ts");
  const source = await lookUpNames(text);
  compileSource(source);
  return source;
}

function indexOfInterface(name: string): number {
  const index = interfaceIndex(name);
  if (index === 0) throw interfaceProblem(name);
  return index;
}
