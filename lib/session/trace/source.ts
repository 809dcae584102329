/**
 * Where the packets of a trace come from, as the trace sees it.
 *
 * A source may deliver more than was asked for: the trace applies filter and
 * snapshot length to what comes. What a source selects by itself, for example
 * in the kernel, only has to be a superset.
 *
 * @module
 */
import type { ExitStatus } from "../types.ts";
import type { Packet } from "./packet.ts";
import type { TraceSettings } from "./settings.ts";

/**
 * Figures of a source since it was first started.
 * See {@linkcode openTrace}.
 */
export interface SourceCounts {
  /** Packets that were captured, or stood in the file, until now. */
  readonly captured: number;
  /** Packets that were lost for want of room; undefined where unknown. */
  readonly dropped: number | undefined;
}

/** Delivers packets in arrival order. See {@linkcode openTrace}. */
export interface PacketSource {
  /**
   * Begins, or goes on after a pause, with these settings.
   *
   * @throws when it cannot; then it is as before
   */
  start(settings: TraceSettings): Promise<void>;
  /** Captures nothing until it is started again. */
  pause(): Promise<void>;
  /**
   * The next packets; undefined at the end. Not called again before it has
   * settled, or after the end. Settles when the source is closed.
   */
  read(): Promise<readonly Packet[] | undefined>;
  /** Lets go of everything; called once. */
  close(): Promise<void>;
  /** Current figures, also after the end. */
  counts(): SourceCounts;
  /**
   * Whether packets that the filter rejects are left out before they are
   * counted, so that nobody knows how many there were.
   */
  readonly selectsByItself: boolean;
  /** How the command ended that the source started; undefined until then. */
  readonly exit?: ExitStatus | undefined;
}
