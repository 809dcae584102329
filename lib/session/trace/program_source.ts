/**
 * Packets of a program: of processes that run, or of a command to start.
 *
 * @module
 */
import { realTime } from "../../../ffi/clock.ts";
import { startLive } from "../capture.ts";
import type { RawSocketEvent } from "../events/raw_event.ts";
import { PacketStream } from "../stream/packet_stream.ts";
import type {
  Capture,
  CaptureNotice,
  CaptureTarget,
  ExitStatus,
  TrackerChoice,
} from "../types.ts";
import type { Packet } from "./packet.ts";
import type { TraceSettings } from "./settings.ts";
import type { PacketSource, SourceCounts } from "./source.ts";

const MEBIBYTE = 1 << 20;
const SIGKILL = 9;
const SIGTERM = 15;
/** How long a command may take to end when the trace is closed, ms. */
const END_PATIENCE = 1000;

/** How a program is followed; see `TraceOptions`. */
export interface ProgramOptions {
  readonly bufferSize: number;
  readonly follow: boolean;
  readonly icmp: boolean;
  readonly linger: number;
  readonly tracker: TrackerChoice;
  readonly notice: ((notice: CaptureNotice) => void) | undefined;
  /** Only packets that match it travel. */
  readonly filter?: string;
  /** Told of sockets. */
  readonly onSocket?: (event: RawSocketEvent) => void;
}

/** See the module's text. */
export class ProgramSource implements PacketSource {
  readonly selectsByItself = false;
  readonly #target: CaptureTarget;
  readonly #options: ProgramOptions;
  readonly #stream: PacketStream;
  #capture: Capture | undefined;
  #exit: ExitStatus | undefined;

  /** Opens and starts nothing yet. */
  constructor(target: CaptureTarget, options: ProgramOptions) {
    this.#target = target;
    this.#options = options;
    this.#stream = new PacketStream(options.bufferSize * MEBIBYTE);
  }

  async start({ snaplen }: TraceSettings): Promise<void> {
    this.#stream.resume(now(), snaplen);
    if (this.#capture !== undefined) return;
    const { bufferSize, follow, icmp, linger, tracker } = this.#options;
    const { notice, filter, onSocket } = this.#options;
    const capture = await startLive({
      target: this.#target,
      stream: this.#stream,
      // A pause may be followed by a larger one.
      snaplen: 0,
      nanoseconds: true,
      interfaces: [],
      bufferSize,
      follow,
      icmp,
      linger,
      tracker,
      ...filter === undefined ? {} : { filter },
      ...onSocket === undefined ? {} : { onSocket },
    }, notice === undefined ? {} : { notice });
    this.#capture = capture;
    capture.finished.then(({ exit, error }) => {
      this.#exit = exit;
      this.#stream.finish(error);
    });
  }

  async pause(): Promise<void> {
    this.#stream.pause(now());
  }

  read(): Promise<readonly Packet[] | undefined> {
    return this.#stream.read();
  }

  async close(): Promise<void> {
    this.#stream.discard();
    const capture = this.#capture;
    if (capture === undefined) return;
    if (this.#target.kind === "command") {
      for (const signal of [SIGTERM, SIGKILL]) {
        capture.forwardSignal(signal);
        if (await isSettled(capture.finished, END_PATIENCE)) return;
      }
    }
    capture.stop();
    await capture.finished;
  }

  counts(): SourceCounts {
    const { captured, dropped } = this.#stream.counts();
    const drops = this.#capture?.status().drops ?? 0;
    return { captured, dropped: dropped + drops };
  }

  get exit(): ExitStatus | undefined {
    return this.#exit;
  }
}

/** Time as packets have it: seconds since 1970. */
function now(): number {
  const { seconds, nanoseconds } = realTime({ seconds: 0, nanoseconds: 0 });
  return seconds + nanoseconds / 1e9;
}

/** Waits for a promise, but no longer than `patience` milliseconds. */
async function isSettled(
  promise: Promise<unknown>,
  patience: number,
): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), patience);
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
