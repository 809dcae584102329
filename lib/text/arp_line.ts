/**
 * Address resolution: `ARP, Request who-has 192.0.2.2 tell 192.0.2.1`.
 *
 * The layout is drawn in `lib/packet/net/arp.ts`.
 *
 * @module
 */

import { EtherType } from "../packet/ether_type.ts";
import { ArpOperation } from "../packet/net/arp.ts";
import { etherTypeName } from "./ether_type_names.ts";
import type { Line } from "./line.ts";

const FIXED_LENGTH = 8;
const TRAILERS = 0x1000;

const HARDWARE_NAMES: ReadonlyMap<number, string> = new Map([
  [1, "Ethernet"],
  [6, "TokenRing"],
  [7, "ArcNet"],
  [15, "FrameRelay"],
  [23, "Strip"],
  [24, "IEEE 1394"],
  [32, "InfiniBand"],
]);

const OPERATION_NAMES: ReadonlyMap<number, string> = new Map<number, string>([
  [ArpOperation.REQUEST, "Request"],
  [ArpOperation.REPLY, "Reply"],
  [ArpOperation.REVERSE_REQUEST, "Reverse Request"],
  [ArpOperation.REVERSE_REPLY, "Reverse Reply"],
  [ArpOperation.INVERSE_REQUEST, "Inverse Request"],
  [ArpOperation.INVERSE_REPLY, "Inverse Reply"],
  [ArpOperation.NAK, "NACK Reply"],
]);

/**
 * Prints an ARP packet.
 *
 * @param line Before it.
 * @param at Where it begins.
 * @param length Bytes of it with its padding.
 */
export function printArp(line: Line, at: number, length: number): void {
  const { style } = line;
  line.protocol = "arp";
  line.subject = "arp";
  if (!line.has(at, FIXED_LENGTH)) return line.cut();
  const hardwareType = line.u16(at);
  const protocolType = line.u16(at + 2);
  const hardwareLength = line.u8(at + 4);
  const protocolLength = line.u8(at + 5);
  const operation = line.u16(at + 6);
  const sender = at + FIXED_LENGTH;
  const target = sender + hardwareLength + protocolLength;
  if (!line.has(target + hardwareLength, protocolLength)) return line.cut();
  if (!style.linkHeader) line.text += "ARP, ";
  const isIp = protocolType === EtherType.IPV4 || protocolType === TRAILERS;
  const isForeign = !isIp || protocolLength !== 4 || hardwareLength === 0;
  if (isForeign || style.verbosity > 0) {
    const hardware = HARDWARE_NAMES.get(hardwareType) ??
      `Unknown Hardware (${hardwareType})`;
    const protocol = etherTypeName(
      protocolType,
      `Unknown Protocol (0x${protocolType.toString(16).padStart(4, "0")})`,
    );
    line.text +=
      `${hardware} (len ${hardwareLength}), ${protocol} (len ${protocolLength})`;
  }
  if (!isForeign || style.verbosity > 0) {
    if (style.verbosity > 0) line.text += ", ";
    const name = OPERATION_NAMES.get(operation);
    if (name === undefined) {
      line.text += `Unknown (${operation}) `;
      return line.dump(at);
    }
    const address = (from: number): string =>
      !isIp
        ? "<wrong proto type>"
        : protocolLength !== 4
        ? "<wrong len>"
        : line.ipv4(from + hardwareLength);
    const what = describe(
      operation,
      address(sender),
      address(target),
      line.hardware(sender, hardwareLength),
      line.hardware(target, hardwareLength),
    );
    line.text += `${name} ${what}`;
  }
  line.text += `, length ${length}`;
}

function describe(
  operation: number,
  sender: string,
  target: string,
  senderHardware: string,
  targetHardware: string,
): string {
  switch (operation) {
    case ArpOperation.REQUEST:
      return /[^0:]/.test(targetHardware)
        ? `who-has ${target} (${targetHardware}) tell ${sender}`
        : `who-has ${target} tell ${sender}`;
    case ArpOperation.REPLY:
      return `${sender} is-at ${senderHardware}`;
    case ArpOperation.REVERSE_REQUEST:
    case ArpOperation.INVERSE_REQUEST:
      return `who-is ${targetHardware} tell ${senderHardware}`;
    case ArpOperation.REVERSE_REPLY:
      return `${targetHardware} at ${target}`;
    case ArpOperation.INVERSE_REPLY:
      return `${senderHardware} at ${sender}`;
    default:
      return `for ${sender}`;
  }
}
