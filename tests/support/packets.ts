/**
 * Packets of a capture file in the form in which two captures are compared.
 *
 * @module
 */

import {
  decodePacket,
  findLayer,
  flowOf,
  type Layer,
} from "../../lib/packet/packet.ts";
import type { CaptureRecord } from "../../lib/pcap/capture_record.ts";
import type { PcapFileHeader } from "../../lib/pcap/header.ts";
import { PcapReader } from "./pcap_reader.ts";

/** One packet. */
export interface TestPacket {
  /** Bytes of the IP packet as far as captured, one character each. */
  readonly bytes: string;
  /** Length of the IP packet on the wire. */
  readonly length: number;
  /** `"other"` is not compared. */
  readonly protocol: "tcp" | "udp" | "udplite" | "other";
  /** `127.0.0.1:80` or `[::1]:80`; later fragments have port 0. */
  readonly source: string;
  readonly destination: string;
  /** Protocol and ends of the packet that an ICMP error is about. */
  readonly quoted?: Pick<TestPacket, "protocol" | "source" | "destination">;
  /** Fragments of one packet have this in common; `undefined` otherwise. */
  readonly fragmentOf: string | undefined;
  /** Whether this fragment has no ports of its own. */
  readonly isLaterFragment: boolean;
  /** One line for people. */
  readonly text: string;
  /** Nanoseconds since 1970. */
  readonly timestamp: bigint;
  /** `sll_pkttype` where the file has it. */
  readonly packetType: number | undefined;
}

/** Header and packets of a capture file. */
export interface TestCapture {
  readonly header: PcapFileHeader;
  readonly packets: readonly TestPacket[];
}

/** Reads a whole capture file; a damaged one is an error. */
export function parseCapture(bytes: Uint8Array): TestCapture {
  const reader = new PcapReader(bytes);
  const { linkType } = reader.header;
  const packets = [...reader].map((record) => packetOf(record, linkType));
  return { header: reader.header, packets };
}

function packetOf(record: CaptureRecord, linkType: number): TestPacket {
  const decoded = decodePacket(record.data, linkType, {
    originalLength: record.originalLength,
    depth: "transport",
  });
  const ip = findLayer(decoded, "ipv4") ?? findLayer(decoded, "ipv6");
  const flow = flowOf(decoded);
  const linkLength = ip?.offset ?? 0;
  const isFragment = ip !== undefined &&
    (ip.moreFragments || ip.fragmentOffset > 0);
  const protocol = flow?.protocol === "tcp" || flow?.protocol === "udp" ||
      flow?.protocol === "udplite"
    ? flow.protocol
    : "other";
  const source = endpoint(flow?.source, flow?.sourcePort);
  const destination = endpoint(flow?.destination, flow?.destinationPort);
  const flags = findLayer(decoded, "tcp")?.flags.toString(16);
  const length = record.originalLength - linkLength;
  return {
    bytes: latin1(record.data.subarray(linkLength)),
    length,
    protocol,
    source,
    destination,
    ...quotedOf(decoded.quoted),
    fragmentOf: isFragment
      ? `${ip.source} ${ip.destination} ${ip.protocol} ${ip.identification}`
      : undefined,
    isLaterFragment: ip !== undefined && ip.fragmentOffset > 0,
    text: `${flow?.protocol ?? "not IP"} ${source} > ${destination}` +
      `${flags === undefined ? "" : ` flags ${flags}`}, ${length} bytes`,
    timestamp: record.timestamp,
    packetType: findLayer(decoded, "sll")?.packetType,
  };
}

/** Ends of the packet that an ICMP error quotes. */
function quotedOf(layers: readonly Layer[]): Pick<TestPacket, "quoted"> {
  const ip = layers.find(({ kind }) => kind === "ipv4" || kind === "ipv6");
  const ports = layers.find(({ kind }) => kind === "tcp" || kind === "udp");
  if (ip?.kind !== "ipv4" && ip?.kind !== "ipv6") return {};
  if (ports?.kind !== "tcp" && ports?.kind !== "udp") return {};
  return {
    quoted: {
      protocol: ports.kind,
      source: endpoint(ip.source, ports.sourcePort),
      destination: endpoint(ip.destination, ports.destinationPort),
    },
  };
}

function endpoint(address = "?", port = 0): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) {
    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  }
  return text;
}
