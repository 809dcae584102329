/**
 * Tunnels over IP and UDP: GRE, VXLAN and Geneve, and the packets in them.
 *
 * Reference: RFC 2784 and RFC 2890 (GRE), RFC 7348 (VXLAN), RFC 8926 (Geneve).
 *
 * ```
 * GRE
 *  +------------+----------+-------------+-----+----------+
 *  | flags, ver.| protocol | checksum, 0 | key | sequence |   each by its flag
 *  +------------+----------+-------------+-----+----------+
 * VXLAN
 *  +-------+--------------+----------------+----------+
 *  | flags | reserved (3) | identifier (3) | reserved |      then Ethernet
 *  +-------+--------------+----------------+----------+
 * Geneve
 *  +------+---------+-------+----------+----------------+----------+---------+
 *  | ver. | options | flags | protocol | identifier (3) | reserved | options |
 *  +------+---------+-------+----------+----------------+----------+---------+
 * ```
 *
 * @module
 */

import { etherTypeName } from "./ether_type_names.ts";
import { printEtherType, printFrame } from "./ethernet_line.ts";
import { type FlagTable, formatFlags } from "./flag_names.ts";
import { hex } from "./hex.ts";
import type { Line } from "./line.ts";

const TRANSPARENT_ETHERNET = 0x6558;

const GreFlag = {
  CHECKSUM: 0x8000,
  ROUTING: 0x4000,
  KEY: 0x2000,
  SEQUENCE: 0x1000,
} as const;
const GRE_FLAGS: FlagTable = [
  [GreFlag.CHECKSUM, "checksum present"],
  [GreFlag.ROUTING, "routing present"],
  [GreFlag.KEY, "key present"],
  [GreFlag.SEQUENCE, "sequence# present"],
  [0x0800, "source routing present"],
  [0x0080, "ack present"],
];
const GRE_VERSION_MASK = 7;

const VXLAN_LENGTH = 8;
const VXLAN_VALID = 0x08;

const GENEVE_LENGTH = 8;
const GENEVE_FLAGS: readonly (readonly [number, string])[] = [
  [0x80, "O"],
  [0x40, "C"],
];
const GENEVE_CLASSES: ReadonlyMap<number, string> = new Map([
  [0x0100, "Linux"],
  [0x0101, "Open vSwitch"],
  [0x0102, "Open Virtual Networking (OVN)"],
  [0x0103, "In-band Network Telemetry (INT)"],
  [0x0104, "VMware"],
]);
const LAST_STANDARD_CLASS = 0x00ff;
const FIRST_EXPERIMENTAL_CLASS = 0xfff0;

/**
 * Prints a GRE header and what follows it. Only version 0 without routing is
 * looked into.
 *
 * @param line Before it.
 * @param start Where it begins.
 * @param total Bytes of it.
 */
export function printGre(line: Line, start: number, total: number): void {
  line.protocol = "gre";
  if (!line.has(start, 2) || total < 2) return line.cut();
  const flags = line.u16(start);
  const version = flags & GRE_VERSION_MASK;
  line.text += `GREv${version}`;
  if (version > 1) line.text += " ERROR: unknown-version";
  if (version !== 0) return;
  const { verbosity, linkHeader } = line.style;
  if (verbosity > 0) line.text += `, Flags [${formatFlags(GRE_FLAGS, flags)}]`;
  let at = start + 2;
  const end = start + total;
  /** Whether the next field is there, which `at` then stands behind. */
  const take = (size: number): boolean => {
    if (!line.has(at, size) || end - at < size) return false;
    at += size;
    return true;
  };
  if (!take(2)) return line.cut();
  const protocol = line.u16(at - 2);
  if ((flags & (GreFlag.CHECKSUM | GreFlag.ROUTING)) !== 0) {
    if (!take(2)) return line.cut();
    if (verbosity > 0) line.text += `, sum ${hex(line.u16(at - 2))}`;
    if (!take(2)) return line.cut();
    line.text += `, off ${hex(line.u16(at - 2))}`;
  }
  if ((flags & GreFlag.KEY) !== 0) {
    if (!take(4)) return line.cut();
    line.text += `, key=${hex(line.u32(at - 4))}`;
  }
  if ((flags & GreFlag.SEQUENCE) !== 0) {
    if (!take(4)) return line.cut();
    line.text += `, seq ${line.u32(at - 4)}`;
  }
  if (linkHeader) line.text += formatProtocol(protocol);
  line.text += `, length ${total}`;
  if ((flags & GreFlag.ROUTING) !== 0) return;
  printInner(line, protocol, at, end - at, "gre");
}

/**
 * Prints a VXLAN header and the frame that follows it.
 *
 * @param line Before it.
 * @param at Where it begins.
 * @param length Bytes of it.
 */
export function printVxlan(line: Line, at: number, length: number): void {
  line.protocol = "vxlan";
  line.text += "VXLAN";
  if (length < VXLAN_LENGTH) {
    line.text += " (invalid)";
    return;
  }
  const flags = line.u8(at);
  const name = (flags & VXLAN_VALID) === 0 ? "invalid" : "I";
  line.text += `, flags [${name}] (${hex(flags, 2)}), `;
  line.need(at + 4, 3);
  line.text += `vni ${line.u16(at + 4) << 8 | line.u8(at + 6)}\n`;
  if (!line.has(at + 7, 1)) return line.cut();
  printFrame(line, at + VXLAN_LENGTH, length - VXLAN_LENGTH);
}

/**
 * Prints a Geneve header and what follows it.
 *
 * @param line Before it.
 * @param at Where it begins.
 * @param length Bytes of it.
 */
export function printGeneve(line: Line, at: number, length: number): void {
  const { verbosity, linkHeader } = line.style;
  line.protocol = "geneve";
  line.text += "Geneve";
  if (length < GENEVE_LENGTH) {
    line.text += ` [length ${length} < ${GENEVE_LENGTH}] (invalid)`;
    return;
  }
  if (!line.has(at, GENEVE_LENGTH)) return line.cut();
  const first = line.u8(at);
  if (first >>> 6 !== 0) {
    line.text += ` ERROR: unknown-version ${first >>> 6}`;
    return;
  }
  const flags = line.u8(at + 1);
  const protocol = line.u16(at + 2);
  const identifier = line.u32(at + 4);
  const names = GENEVE_FLAGS.filter(([bit]) => (flags & bit) !== 0)
    .map(([, name]) => name).join("");
  line.text += `, Flags [${names || "none"}], vni ${hex(identifier >>> 8)}`;
  if ((identifier & 0xff) !== 0) {
    line.text += `, rsvd ${hex(identifier & 0xff)}`;
  }
  if (linkHeader) line.text += formatProtocol(protocol);
  const optionsLength = (first & 0x3f) * 4;
  const missing = optionsLength - (length - GENEVE_LENGTH);
  if (missing > 0) {
    line.text += ` truncated-geneve - ${missing} bytes missing`;
    return;
  }
  const options = at + GENEVE_LENGTH;
  if (!line.has(options, optionsLength)) return line.cut();
  if (optionsLength > 0) {
    line.text += ", options [";
    if (verbosity > 0) printGeneveOptions(line, options, optionsLength);
    else line.text += `${optionsLength} bytes`;
    line.text += "]";
  }
  const inner = options + optionsLength;
  printInner(line, protocol, inner, at + length - inner, "geneve");
}

function printGeneveOptions(line: Line, start: number, length: number): void {
  const end = start + length;
  for (let at = start; at < end;) {
    if (at > start) line.text += ", ";
    const optionClass = line.u16(at);
    const type = line.u8(at + 2);
    const size = 4 + (line.u8(at + 3) & 0x1f) * 4;
    const name = GENEVE_CLASSES.get(optionClass) ??
      (optionClass <= LAST_STANDARD_CLASS
        ? "Standard"
        : optionClass >= FIRST_EXPERIMENTAL_CLASS
        ? "Experimental"
        : "Unknown");
    line.text += `class ${name} (${hex(optionClass)}) type ${hex(type)}${
      (type & 0x80) === 0 ? "" : "(C)"
    } len ${size}`;
    if (at + size > end) {
      line.text += " [bad length]";
      return;
    }
    if (line.style.verbosity > 1 && size > 4) {
      line.text += " data";
      for (let word = at + 4; word < at + size; word += 4) {
        line.text += ` ${line.u32(word).toString(16).padStart(8, "0")}`;
      }
    }
    at += size;
  }
}

function printInner(
  line: Line,
  protocol: number,
  at: number,
  length: number,
  tunnel: "gre" | "geneve",
): void {
  line.text += line.style.verbosity > 0 ? "\n\t" : ": ";
  if (protocol === TRANSPARENT_ETHERNET) printFrame(line, at, length);
  else if (!printEtherType(line, protocol, at, length)) {
    line.text += `${tunnel}-proto-${hex(protocol)}`;
  }
}

function formatProtocol(protocol: number): string {
  return `, proto ${etherTypeName(protocol, "unknown")} (${hex(protocol, 4)})`;
}
