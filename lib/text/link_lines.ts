/**
 * Headers of link types.
 *
 * Layouts are drawn in `lib/packet/link/`.
 *
 * @module
 */

import { EtherType, FIRST_ETHER_TYPE } from "../packet/ether_type.ts";
import { formatPacketType } from "../packet/link/sll.ts";
import { etherTypeName, formatEtherType } from "./ether_type_names.ts";
import { printIpv4 } from "./ipv4_line.ts";
import { printIpv6 } from "./ipv6_line.ts";
import {
  formatTag,
  printEtherType,
  printFrame,
  printLlc,
} from "./ethernet_line.ts";
import type { Line } from "./line.ts";

const MAC_LENGTH = 6;
const TAG_LENGTH = 4;

const SLL_LENGTH = 16;
const SLL2_LENGTH = 20;
/** Protocols of cooked captures that are no EtherTypes. */
const COOKED_IPX = 0x0001;
const COOKED_LLC = 0x0004;

const NULL_LENGTH = 4;
const MAX_FAMILY = 0xffff;
const FAMILY_NAMES: ReadonlyMap<number, string> = new Map([
  [2, "IPv4"],
  [6, "NS"],
  [7, "ISO"],
  [16, "Appletalk"],
  [23, "IPX"],
  [24, "IPv6"],
  [28, "IPv6"],
  [30, "IPv6"],
]);

/**
 * Prints an Ethernet frame.
 *
 * @param line At the beginning of the packet.
 * @param length Bytes that the packet had.
 */
export function printEthernet(line: Line, length: number): void {
  line.linkLength = printFrame(line, 0, length);
}

/**
 * Prints a packet of a Linux cooked capture.
 *
 * @param line At the beginning of the packet.
 * @param length Bytes that the packet had.
 */
export function printSll(line: Line, length: number): void {
  line.protocol = "sll";
  line.need(0, SLL_LENGTH);
  const packetType = formatPacketType(line.u16(0)).padStart(3);
  const header = cookedHeader(line, `${packetType} `, line.u16(4), 6);
  printCooked(line, SLL_LENGTH, line.u16(14), length, header);
}

/**
 * Prints a packet of a Linux cooked capture, version 2. Interface and
 * direction are printed before.
 *
 * @param line At the beginning of the packet.
 * @param length Bytes that the packet had.
 */
export function printSll2(line: Line, length: number): void {
  line.protocol = "sll2";
  line.need(0, SLL2_LENGTH);
  const start = `ifindex ${line.u32(4)} `;
  const header = cookedHeader(line, start, line.u8(11), 12);
  printCooked(line, SLL2_LENGTH, line.u16(0), length, header);
}

/** Everything before the protocol of a cooked header. */
function cookedHeader(
  line: Line,
  start: string,
  addressLength: number,
  address: number,
): () => string {
  return () =>
    addressLength === MAC_LENGTH ? `${start}${line.hardware(address)} ` : start;
}

function printCooked(
  line: Line,
  headerLength: number,
  protocol: number,
  length: number,
  header: () => string,
): void {
  const { style } = line;
  const whole = (): string =>
    style.quiet
      ? header()
      : `${header()}${cookedProtocol(protocol)}, length ${length}: `;
  if (style.linkHeader) line.text += whole();
  let type = protocol;
  let at = headerLength;
  while (type === EtherType.VLAN) {
    if (!line.has(at, TAG_LENGTH)) {
      line.protocol = "vlan";
      line.cut();
      line.linkLength = line.end;
      return;
    }
    if (style.linkHeader) line.text += `${formatTag(line.u16(at))}, `;
    type = line.u16(at + 2);
    if (type < FIRST_ETHER_TYPE) type = COOKED_LLC;
    if (!style.quiet) line.text += `ethertype ${etherTypeName(type)}, `;
    at += TAG_LENGTH;
  }
  line.linkLength = at;
  if (type === COOKED_LLC) {
    line.linkLength += printLlc(line, at, length - at);
  } else if (type < FIRST_ETHER_TYPE) {
    line.dump(at);
  } else if (!printEtherType(line, type, at, length - at)) {
    if (!style.linkHeader) line.text += whole();
    line.dump(at);
  }
}

function cookedProtocol(protocol: number): string {
  if (protocol >= FIRST_ETHER_TYPE) return formatEtherType(protocol, false);
  if (protocol === COOKED_IPX) return "802.3";
  if (protocol === COOKED_LLC) return "802.2";
  return `ethertype Unknown (0x${protocol.toString(16).padStart(4, "0")})`;
}

/**
 * Prints a packet of a BSD loopback capture.
 *
 * @param line At the beginning of the packet.
 * @param length Bytes that the packet had.
 */
export function printNull(line: Line, length: number): void {
  line.protocol = "null";
  line.need(0, NULL_LENGTH);
  line.linkLength = NULL_LENGTH;
  const { style } = line;
  const value = line.u32(0);
  const family = value > MAX_FAMILY
    ? value >>> 24 | value >>> 8 & 0xff00 | value << 8 & 0xff_0000 |
      value << 24
    : value;
  const name = FAMILY_NAMES.get(family);
  const header = style.quiet
    ? `${name ?? `Unknown AF ${family >>> 0}`}, length ${length}: `
    : `AF ${name ?? "Unknown"} (${family >>> 0}), length ${length}: `;
  if (style.linkHeader) line.text += header;
  if (name === "IPv4") {
    printIpv4(line, NULL_LENGTH, length - NULL_LENGTH);
  } else if (name === "IPv6") {
    printIpv6(line, NULL_LENGTH, length - NULL_LENGTH);
  } else {
    if (!style.linkHeader) line.text += header;
    line.dump(NULL_LENGTH);
  }
}

/**
 * Prints an IP packet without a link header.
 *
 * @param line At the beginning of the packet.
 * @param length Bytes that the packet had.
 */
export function printRaw(line: Line, length: number): void {
  line.protocol = "raw";
  if (line.style.linkHeader) line.text += "ip: ";
  const version = line.u8(0) >>> 4;
  if (version === 4) printIpv4(line, 0, length);
  else if (version === 6) printIpv6(line, 0, length);
  else line.text += `unknown ip ${version}`;
}
