/**
 * The threads of a live capture beside the main one. Loading them takes longer
 * than all else at the beginning: they are started first.
 *
 * @module
 */

/** The threads of a capture; see the design's table of threads. */
export interface CaptureThreads {
  readonly sniffer: Worker;
  /** Started when it is needed. */
  readonly tracer: Worker | undefined;
}

/** Starts the tracer's thread; it waits for its setup. */
export function startTracer(): Worker {
  const url = new URL("./tracer_worker.ts", import.meta.url);
  return new Worker(url, { type: "module" });
}

/** Name of a sniffer's thread that is going to follow the program by eBPF. */
export const FOLLOWER = "follower";

/**
 * Starts the sniffer's thread; it waits for its setup.
 *
 * @param follows whether it is likely to follow the program by eBPF
 */
export function startSniffer(follows: boolean): Worker {
  const url = new URL("./sniffer_worker.ts", import.meta.url);
  const name = follows ? FOLLOWER : "sniffer";
  return new Worker(url, { type: "module", name });
}
