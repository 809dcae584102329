/**
 * From what the user asked for to what each thread needs to know.
 *
 * @module
 */
import { ringOptions } from "../capture/packet_ring.ts";
import type { EbpfSetup } from "./ebpf_tracking.ts";
import type { Resources } from "./live_capture.ts";
import type { SharedMemory, TrackerSetup } from "./messages.ts";
import { kernelSnaplen } from "./snaplen.ts";
import type { SnifferSetup } from "./sniffer.ts";
import type { CaptureOptions } from "./types.ts";

/** How the sniffer's thread shall try eBPF; undefined for not at all. */
export function ebpfSetup(options: CaptureOptions): EbpfSetup | undefined {
  const { tracker = "auto", kernelFilter = "auto", target } = options;
  if (tracker === "ptrace") return undefined;
  return {
    variants: tracker === "auto" || tracker === "ebpf" ? [] : [tracker],
    filter: kernelFilter === "classic" ? "classic" : "map",
    snaplen: kernelSnaplen(options.snaplen),
    icmp: options.icmp ?? false,
    follow: options.follow,
    linger: options.linger,
    debug: options.debug ?? 0,
    pids: target.kind === "processes" ? target.pids : [],
  };
}

/** What the sniffer's thread needs to know. */
export function snifferSetup(
  options: CaptureOptions,
  { socket, wake, output, interfaces, filter }: Resources,
  memory: SharedMemory,
): SnifferSetup {
  return {
    ...memory,
    socket: socket.number,
    ring: ringOptions(options.bufferSize),
    wake: wake.number,
    output: output.number,
    snaplen: options.snaplen,
    nanoseconds: options.nanoseconds,
    icmp: options.icmp ?? false,
    count: options.count ?? 0,
    interfaces,
    filter,
  };
}

/** What the tracer's thread needs to know. */
export function trackerSetup(
  options: CaptureOptions,
  { socket, user }: Resources,
  memory: SharedMemory,
): TrackerSetup {
  const { target } = options;
  return {
    ...memory,
    socket: socket.number,
    snaplen: kernelSnaplen(options.snaplen),
    icmp: options.icmp ?? false,
    follow: options.follow,
    linger: options.linger,
    debug: options.debug ?? 0,
    kernelFilter: options.kernelFilter ?? "auto",
    target: target.kind === "processes"
      ? target
      : { ...target, user, outputToStderr: options.output === "-" },
  };
}
