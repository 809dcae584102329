/**
 * What the tracer's thread tells people: debug notices up to a level, and
 * warnings, each of them once.
 *
 * @module
 */
import type { WaitStatus } from "../../ffi/wait.ts";
import { readComm } from "../proc/comm.ts";
import type { CaptureNotice } from "./types.ts";

/** Levels of debug notices. */
const DEBUG_PROCESSES = 2;
const DEBUG_CALLS = 5;

/** See the module's text. */
export class TrackingReporter {
  readonly #level: number;
  readonly #send: (notice: CaptureNotice) => void;
  /** Keys of warnings. */
  readonly #told = new Set<string>();

  /** @param level the highest level of debug notices that is wanted */
  constructor(level: number, send: (notice: CaptureNotice) => void) {
    this.#level = level;
    this.#send = send;
  }

  /** Whether each call is told of. */
  get tellsCalls(): boolean {
    return this.#level >= DEBUG_CALLS;
  }

  /** A watched call ended. */
  call(pid: number, tid: number, text: string): void {
    this.debug(
      DEBUG_CALLS,
      `[${pid}${tid === pid ? "" : `/${tid}`}] ${text}`,
    );
  }

  /** A process ended. */
  processEnded(pid: number, status: WaitStatus): void {
    this.debug(
      DEBUG_PROCESSES,
      `process ${pid} ${
        status.kind === "exited"
          ? `exited with status ${status.code}`
          : `was ended by signal ${status.signal}`
      }`,
    );
  }

  /** A process uses io_uring, whose calls cannot be seen. */
  ioUring(pid: number): void {
    this.warnOnce(
      `io_uring ${pid}`,
      `process ${pid} (${
        readComm(pid)
      }) uses io_uring: first packets of what it opens that way are ` +
        "missed (--tracker ebpf misses none)",
    );
  }

  /** A process uses a protocol that is not followed. */
  missed(pid: number, protocol: string): void {
    this.warnOnce(
      `${protocol} ${pid}`,
      `process ${pid} (${
        readComm(pid)
      }) uses ${protocol}: its packets are missed`,
    );
  }

  /** A debug notice, where its level is wanted. */
  debug(level: number, text: string): void {
    if (level > this.#level) return;
    this.#send({ severity: "debug", level, text });
  }

  /** A warning, unless there was one of that key. */
  warnOnce(key: string, text: string): void {
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#send({ severity: "warning", text });
  }
}
