/**
 * From what the user asked for to what each thread needs to know.
 *
 * @module
 */
import { NETLINK_ROUTE, openNetlink } from "../../ffi/netlink.ts";
import type { RingOptions } from "../../ffi/packet.ts";
import { ownNetnsCookie } from "../../ffi/socket.ts";
import { ringOptions } from "../capture/packet_ring.ts";
import { netnsNumber } from "../sockets/table.ts";
import type { EbpfSetup } from "./ebpf_setup.ts";
import type { FileSetup } from "./file_sink.ts";
import { keyLogEnvironment } from "./key_log.ts";
import type { LiveOptions } from "./live_options.ts";
import type { Resources } from "./resources.ts";
import type { SharedMemory, TrackerSetup } from "./messages.ts";
import { captureFormat } from "./capture_format.ts";
import { describeSection } from "./section.ts";
import { kernelSnaplen } from "./snaplen.ts";
import type { SnifferSetup } from "./sniffer.ts";

/** Most MiB of the packet ring of a further network namespace. */
const NAMESPACE_BUFFER = 16;

/** Bytes of the ring of eBPF events: a connection has about 500. */
const EVENT_RING = 4 << 20;

/** Whether the command has to leave standard output alone. */
export function isOutputTaken(options: LiveOptions): boolean {
  return options.output === "-" || options.outputToStderr === true;
}

/** How the sniffer's thread shall try eBPF; undefined for not at all. */
export function ebpfSetup(options: LiveOptions): EbpfSetup | undefined {
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
    words: target.kind === "command" ? [target.command, ...target.args] : [],
    ring: namespaceRing(options),
    interfaces: options.interfaces,
    sockets: options.onSocket !== undefined,
    eventRing: options.eventRing ?? EVENT_RING,
  };
}

/**
 * The ring of a further network namespace: smaller, because it takes time to
 * make, and packets may be on their way.
 */
function namespaceRing({ bufferSize }: LiveOptions): RingOptions {
  return ringOptions(Math.min(bufferSize, NAMESPACE_BUFFER));
}

/** What the sniffer's thread needs to know. */
export function snifferSetup(
  options: LiveOptions,
  resources: Resources,
  memory: SharedMemory,
): SnifferSetup {
  const { socket, wake, interfaces, filter } = resources;
  const { output } = options;
  return {
    ...memory,
    tap: {
      socket: socket.number,
      links: openNetlink(NETLINK_ROUTE).disown(),
      ring: ringOptions(options.bufferSize),
      netns: netnsNumber(ownNetnsCookie()),
      ...(interfaces.length === 0 ? {} : { interfaces }),
    },
    wake: wake.number,
    file: output === undefined
      ? undefined
      : fileSetup(options, output, resources),
    stream: options.stream?.setup,
    snaplen: options.snaplen,
    icmp: options.icmp ?? false,
    count: options.count ?? 0,
    filter,
  };
}

/** Which file packets go into. */
function fileSetup(
  options: LiveOptions,
  path: string,
  { output, began, keyLog }: Resources,
): FileSetup {
  const { snaplen, rotation = {} } = options;
  return {
    descriptor: output!.number,
    path,
    rotation,
    began,
    maxSize: options.maxSize ?? 0,
    minFree: options.minFree ?? 0,
    unbuffered: options.unbuffered ?? false,
    format: captureFormat(options.format, path) === "pcap"
      ? { kind: "pcap", snaplen, nanoseconds: options.nanoseconds }
      : {
        kind: "pcapng",
        snaplen,
        section: describeSection(options.target),
        filter: options.filter,
        comments: options.comments ?? "first",
        processBlocks: options.processBlocks ?? false,
        keyLog: keyLog === undefined
          ? undefined
          : { path: keyLog.path, start: keyLog.start },
      },
  };
}

/** What the tracer's thread needs to know. */
export function trackerSetup(
  options: LiveOptions,
  { socket, user, wake, keyLog }: Resources,
  memory: SharedMemory,
): TrackerSetup {
  const { target } = options;
  return {
    ...memory,
    socket: socket.number,
    wake: wake.number,
    ring: namespaceRing(options),
    interfaces: options.interfaces,
    snaplen: kernelSnaplen(options.snaplen),
    icmp: options.icmp ?? false,
    follow: options.follow,
    linger: options.linger,
    debug: options.debug ?? 0,
    kernelFilter: options.kernelFilter ?? "auto",
    sockets: options.onSocket !== undefined,
    target: target.kind === "processes" ? target : {
      ...target,
      user,
      outputToStderr: isOutputTaken(options),
      environment: keyLogEnvironment(keyLog),
    },
  };
}
