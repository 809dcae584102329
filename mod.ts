/**
 * Captures exactly the TCP and UDP packets of single programs, and reads them
 * from there, from network interfaces and from capture files.
 *
 * - {@linkcode openTrace} gives packets one by one, wherever they come from.
 * - {@linkcode createTraceWriter} writes packets into files.
 * - {@linkcode traceSockets} tells what a program does with its sockets.
 * - {@linkcode watchConnections} and {@linkcode watchSessions} tell what all
 *   programs of the machine do.
 * - {@linkcode compileFilter} compiles filters of pcap-filter(7).
 * - {@linkcode startCapture} captures a program into a file.
 *
 * Importing it opens nothing and needs no permission. Files are read with
 * `--allow-read` alone; capturing needs `--allow-all` and root or the rights
 * that the README lists.
 *
 * @example Read a file
 * ```ts
 * import { openTrace } from "./mod.ts";
 * import assert from "node:assert/strict";
 *
 * const file = "tests/golden/data/filter_linktype_1.pcap";
 * const senders = new Set<string>();
 * for await (const { flow } of openTrace(file, { filter: "udp" })) {
 *   if (flow !== undefined) senders.add(flow.source);
 * }
 * assert(senders.size > 1);
 * ```
 *
 * @example Watch what a command says
 * ```ts ignore
 * import { openTrace } from "./mod.ts";
 *
 * for await (const packet of openTrace("cmd:curl -s http://localhost/")) {
 *   console.log(packet.process?.pid, packet.flow, packet.payload.length);
 * }
 * ```
 *
 * @module
 */

export { startCapture } from "./lib/session/capture.ts";
export { captureFormat } from "./lib/session/capture_format.ts";
export {
  type Capture,
  type CaptureEndReason,
  CaptureError,
  type CaptureErrorCode,
  type CaptureFormat,
  type CaptureNotice,
  type CaptureObserver,
  type CaptureOptions,
  type CaptureResult,
  type CaptureStatus,
  type CaptureTarget,
  type CommentChoice,
  type ExitStatus,
  type KernelFilterChoice,
  type PeerSummary,
  type ProcessSummary,
  type RotationOptions,
  type TrackerChoice,
} from "./lib/session/types.ts";

export {
  openTrace,
  type TraceOptions,
} from "./lib/session/trace/open_trace.ts";
export {
  Trace,
  type TraceParts,
  type TraceState,
  type TraceStats,
} from "./lib/session/trace/trace.ts";
export type {
  TraceConfiguration,
  TraceSettings,
} from "./lib/session/trace/settings.ts";
export type { TraceAddress } from "./lib/session/trace/uri.ts";
export type { PacketSource, SourceCounts } from "./lib/session/trace/source.ts";
export {
  TraceError,
  type TraceErrorCode,
  TraceStateError,
  TraceTimeoutError,
  TraceUriError,
} from "./lib/session/trace/errors.ts";
export {
  createTraceWriter,
  TraceWriter,
  type TraceWriterOptions,
} from "./lib/session/trace/trace_writer.ts";
export type { PacketEncoder } from "./lib/session/trace/packet_encoder.ts";
export { MixedLinkTypesError } from "./lib/pcap/convert.ts";
export {
  type SocketTraceOptions,
  traceSockets,
} from "./lib/session/events/trace_sockets.ts";
export type {
  SocketEvent,
  SocketResult,
} from "./lib/session/events/socket_event.ts";
export { CaptureFormatError } from "./lib/pcap/error.ts";

export {
  Packet,
  type PacketDirection,
  type PacketInit,
  type PacketOrigin,
  type PacketOwner,
} from "./lib/session/trace/packet.ts";
export {
  compileFilter,
  PacketFilter,
  type PacketFilterOptions,
} from "./lib/session/trace/filter.ts";
export {
  type DecodeOptions,
  decodePacket,
  flowOf,
} from "./lib/packet/packet.ts";
export { formatAddress } from "./lib/packet/address.ts";
export type {
  ArpLayer,
  DecodedPacket,
  Depth,
  DhcpLayer,
  DnsLayer,
  EthernetLayer,
  Fault,
  Flow,
  HttpLayer,
  IcmpLayer,
  Icmpv6Layer,
  Ipv4Layer,
  Ipv6Layer,
  Layer,
  LayerBase,
  LayerKind,
  LayerOf,
  LlcLayer,
  NtpLayer,
  NullLayer,
  PortsLayer,
  QuicLayer,
  Sll2Layer,
  SllLayer,
  TcpLayer,
  TlsLayer,
  UdpLayer,
  UdpLiteLayer,
  VlanLayer,
} from "./lib/packet/layer.ts";
export type { DhcpOption } from "./lib/packet/app/dhcp.ts";
export type { DnsMessage, DnsQuestion } from "./lib/packet/app/dns.ts";
export type {
  DnsData,
  DnsOption,
  DnsRecord,
  DnsServiceParameter,
} from "./lib/packet/app/dns_records.ts";
export type { HttpField, HttpHead } from "./lib/packet/app/http.ts";
export type { NtpTime } from "./lib/packet/app/ntp.ts";
export type { QuicHeader, QuicPacketType } from "./lib/packet/app/quic.ts";
export type { TlsAlert, TlsRecord } from "./lib/packet/app/tls.ts";
export type { TlsHello } from "./lib/packet/app/tls_hello.ts";
export type { NeighborOption } from "./lib/packet/net/icmpv6.ts";
export type { Ipv4Option } from "./lib/packet/net/ipv4_options.ts";
export type { ExtensionHeader } from "./lib/packet/net/ipv6_extensions.ts";
export type {
  SackBlock,
  TcpOption,
} from "./lib/packet/transport/tcp_options.ts";
export { formatTcpFlags, TcpFlag } from "./lib/packet/transport/tcp.ts";
export {
  type FilterSource,
  type LookUp,
  lookUpNames,
  type ReadFile,
  resolverOf,
} from "./lib/session/filter_names.ts";
export type {
  NameFiles,
  NameResolver,
  ServicePorts,
} from "./bpf/filter/names.ts";
export type { Instruction } from "./bpf/classic/instruction.ts";
export { FilterSyntaxError } from "./bpf/filter/errors.ts";
export { formatLinkType, LinkType } from "./lib/bytes/link_type.ts";

export * from "./lib/views/mod.ts";
