/**
 * What following with eBPF needs to know, and whom it tells.
 *
 * @module
 */
import type { RingOptions } from "../../ffi/packet.ts";
import type { TrackerEvent } from "../trace/ebpf_events.ts";
import type { Variant } from "../trace/ebpf_loader.ts";
import type { TapSource } from "./taps.ts";
import type { CaptureNotice } from "./types.ts";

/** What following with eBPF needs to know; plain data. */
export interface EbpfSetup {
  readonly variants: readonly Variant[];
  readonly filter: "map" | "classic";
  /** Bytes of each packet that the kernel shall hand over, 0 for all. */
  readonly snaplen: number;
  readonly icmp: boolean;
  readonly follow: boolean;
  readonly linger: number;
  readonly debug: number;
  /** Processes to attach to; empty when the main thread launches a command. */
  readonly pids: readonly number[];
  /** The command with its arguments, which may name network namespaces. */
  readonly words: readonly string[];
  /** Ring of packet sockets in other network namespaces. */
  readonly ring: RingOptions;
  /** Names of interfaces to take packets from; empty for all. */
  readonly interfaces: readonly string[];
  /** Tell the listener of sockets. */
  readonly sockets: boolean;
  /** Bytes of the event ring: a power of two, and whole pages. */
  readonly eventRing: number;
}

/** Whom the tracking tells. */
export interface EbpfListener {
  /** Something for the user. */
  notice(notice: CaptureNotice): void;
  /** Packets of one more network namespace shall be taken. */
  tap(source: TapSource): void;
  /** Something happened to a socket; nanoseconds since 1970. */
  socket(event: TrackerEvent, timestamp: bigint): void;
}
