/**
 * What a live capture is asked for.
 *
 * @module
 */
import type { RawSocketEvent } from "./events/raw_event.ts";
import type { PacketStream } from "./stream/packet_stream.ts";
import type { CaptureOptions } from "./types.ts";

/** The same as {@linkcode CaptureOptions}, and packets may go into a stream. */
export interface LiveOptions extends CaptureOptions {
  /** Takes the packets besides the output, or instead of it. */
  readonly stream?: PacketStream | undefined;
  /** Told of sockets. */
  readonly onSocket?: (event: RawSocketEvent) => void;
  /** Bytes of the ring of eBPF events: a power of two, and whole pages. */
  readonly eventRing?: number;
}
