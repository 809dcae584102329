/**
 * Beginning a live capture: opens everything in the right order.
 *
 * @module
 */
import { DROP_ALL } from "../../bpf/capture_filter.ts";
import { assembleClassic } from "../../bpf/classic/instruction.ts";
import { SyscallError } from "../../ffi/errno.ts";
import type { Fd } from "../../ffi/fd.ts";
import { openEventFd } from "../../ffi/file.ts";
import { interfaceIndex } from "../../ffi/packet.ts";
import type { User } from "../../ffi/process.ts";
import { attachFilter } from "../../ffi/socket.ts";
import { openCaptureSocket, ringOptions } from "../capture/packet_ring.ts";
import {
  interfaceProblem,
  packetSocketFailure,
  processProblem,
  procfsProblem,
  tracerProblem,
} from "./failures.ts";
import { checkCommand } from "./launched_command.ts";
import {
  type CaptureThreads,
  LiveCapture,
  type LiveOptions,
  type Resources,
  startSniffer,
  startTracer,
} from "./live_capture.ts";
import { KeyLogFile } from "./key_log.ts";
import { isRotated, OutputFiles } from "./output_files.ts";
import type { FilterSource } from "./filter_names.ts";
import { openOutput } from "./output.ts";
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
    sniffer: startSniffer(),
    tracer: options.tracker === "ptrace" ? startTracer() : undefined,
  };
  let capture: LiveCapture;
  try {
    capture = new LiveCapture(options, observer, threads, {
      ...openDescriptors(options, user),
      user,
      interfaces,
      filter,
    });
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

/** Opens the packet socket, which passes nothing yet, and the output. */
function openDescriptors(
  options: LiveOptions,
  user: User | undefined,
): Pick<Resources, "socket" | "output" | "began" | "keyLog" | "wake"> {
  let socket: Fd;
  try {
    socket = openCaptureSocket(ringOptions(options.bufferSize), (fd) => {
      const errno = attachFilter(fd.number, assembleClassic(DROP_ALL));
      if (errno !== 0) throw new SyscallError("SO_ATTACH_FILTER", errno);
    });
  } catch (error) {
    throw packetSocketFailure(error);
  }
  try {
    const { output, rotation = {}, tlsKeys = false } = options;
    const began = Date.now() / 1000;
    if (output === undefined) {
      const wake = openEventFd();
      return { socket, output: undefined, began, keyLog: undefined, wake };
    }
    const path = isRotated(rotation)
      ? new OutputFiles(output, rotation).next(began).path
      : output;
    return {
      socket,
      output: openOutput(path),
      began,
      keyLog: tlsKeys ? new KeyLogFile(user) : undefined,
      wake: openEventFd(),
    };
  } catch (error) {
    socket.close();
    throw error;
  }
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
