/**
 * Ethernet frames with their tags, and what follows by EtherType: directly, in
 * cooked captures, and in tunnels.
 *
 * Layouts are drawn in `lib/packet/link/`.
 *
 * @module
 */

import { EtherType, FIRST_ETHER_TYPE } from "../packet/ether_type.ts";
import { printArp } from "./arp_line.ts";
import { formatEtherType } from "./ether_type_names.ts";
import { printIpv4 } from "./ipv4_line.ts";
import { printIpv6 } from "./ipv6_line.ts";
import type { Line } from "./line.ts";
import { printMpls } from "./mpls_line.ts";
import { printPppoe } from "./pppoe_line.ts";

const HEADER_LENGTH = 14;
const SOURCE = 6;
const TYPE = 12;
const TAG_LENGTH = 4;
const REVERSE_ARP = 0x8035;
const OTHER_QINQ = 0x9200;
const MPLS = 0x8847;
const MPLS_MULTICAST = 0x8848;
const PPPOE_DISCOVERY = 0x8863;
const PPPOE_SESSION = 0x8864;

const LLC_LENGTH = 3;
const SNAP_LENGTH = 8;
const SNAP = 0xaaaa03;

/**
 * Prints a frame.
 *
 * @param line Before it.
 * @param start Where it begins.
 * @param length Bytes of it.
 * @returns Bytes of its headers.
 */
export function printFrame(line: Line, start: number, length: number): number {
  const { style } = line;
  line.protocol = "ether";
  if (!line.has(start, HEADER_LENGTH)) {
    line.cut();
    return line.end - start;
  }
  if (style.linkHeader) line.text += formatAddresses(line, start);
  const stop = start + length;
  let at = start + HEADER_LENGTH;
  let type = line.u16(start + TYPE);
  let separator = `, length ${length}: `;
  while (isTag(type)) {
    if (!line.has(at, TAG_LENGTH) || stop - at < TAG_LENGTH) {
      line.protocol = "vlan";
      line.cut();
      return Math.min(line.end, stop) - start;
    }
    if (style.linkHeader) {
      line.text += `${formatEtherType(type, style.quiet)}${separator}${
        formatTag(line.u16(at))
      }, `;
      separator = ", ";
    }
    type = line.u16(at + 2);
    at += TAG_LENGTH;
  }
  const headerLength = at - start;
  if (type < FIRST_ETHER_TYPE) {
    const rest = Math.min(type, stop - at);
    const end = line.narrow(at + rest);
    if (style.linkHeader) {
      line.text += separator === ", " ? "802.3" : `802.3, length ${rest}: `;
    }
    const llcLength = printLlc(line, at, rest);
    line.end = end;
    return headerLength + llcLength;
  }
  if (style.linkHeader) {
    line.text += `${formatEtherType(type, style.quiet)}${separator}`;
  }
  if (!printEtherType(line, type, at, stop - at)) {
    if (!style.linkHeader) {
      line.text += `${formatAddresses(line, start)}${
        formatEtherType(type, style.quiet)
      }, length ${length}: `;
    }
    line.dump(at);
  }
  return headerLength;
}

/**
 * Prints what an EtherType names.
 *
 * @param line Before it.
 * @param type The EtherType.
 * @param at Where it begins.
 * @param length Bytes of it.
 * @returns false when it is not known.
 */
export function printEtherType(
  line: Line,
  type: number,
  at: number,
  length: number,
): boolean {
  switch (type) {
    case EtherType.IPV4:
      printIpv4(line, at, length);
      return true;
    case EtherType.IPV6:
      printIpv6(line, at, length);
      return true;
    case EtherType.ARP:
    case REVERSE_ARP:
      printArp(line, at, length);
      return true;
    case MPLS:
    case MPLS_MULTICAST:
      printMpls(line, at, length);
      return true;
    case PPPOE_DISCOVERY:
    case PPPOE_SESSION:
      printPppoe(line, at, length);
      return true;
    default:
      return false;
  }
}

/**
 * Prints an LLC header with what follows.
 *
 * @param line Before it.
 * @param at Where it begins.
 * @param length Bytes of it.
 * @returns Bytes of the header.
 */
export function printLlc(line: Line, at: number, length: number): number {
  line.protocol = "llc";
  if (!line.has(at, LLC_LENGTH) || length < LLC_LENGTH) {
    line.cut();
    return Math.max(0, Math.min(line.end - at, length));
  }
  const start = line.u16(at) << 8 | line.u8(at + 2);
  if (start === SNAP && line.has(at, SNAP_LENGTH) && length >= SNAP_LENGTH) {
    const organization = line.u16(at + LLC_LENGTH) << 8 | line.u8(at + 5);
    const type = line.u16(at + 6);
    const inner = at + SNAP_LENGTH;
    if (
      organization === 0 &&
      printEtherType(line, type, inner, length - SNAP_LENGTH)
    ) return SNAP_LENGTH;
  }
  const dsap = line.u8(at).toString(16).padStart(2, "0");
  const ssap = line.u8(at + 1).toString(16).padStart(2, "0");
  line.text += `LLC, dsap 0x${dsap}, ssap 0x${ssap}, length ${length}`;
  line.dump(at);
  return 0;
}

/**
 * Formats a VLAN tag.
 *
 * @param control Tag control information.
 * @returns For example `vlan 5, p 3, DEI`.
 */
export function formatTag(control: number): string {
  const eligible = (control & 0x1000) === 0 ? "" : ", DEI";
  return `vlan ${control & 0xfff}, p ${control >>> 13}${eligible}`;
}

function formatAddresses(line: Line, at: number): string {
  return `${line.hardware(at + SOURCE)} > ${line.hardware(at)}, `;
}

function isTag(type: number): boolean {
  return type === EtherType.VLAN || type === EtherType.QINQ ||
    type === EtherType.OLD_QINQ || type === OTHER_QINQ;
}
