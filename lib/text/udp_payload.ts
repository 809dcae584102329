/**
 * What UDP datagrams carry, by port, or by content on other ports.
 *
 * @module
 */

import { printDhcp } from "./app/dhcp_line.ts";
import { printDns } from "./app/dns_line.ts";
import { printNtp } from "./app/ntp_line.ts";
import { printQuic } from "./app/quic_line.ts";
import {
  printTextProtocol,
  type TextProtocol,
} from "./app/text_protocol_line.ts";
import type { Line } from "./line.ts";
import { printGeneve, printVxlan } from "./tunnel_lines.ts";

const Port = {
  DNS: 53,
  DHCP_SERVER: 67,
  DHCP_CLIENT: 68,
  NTP: 123,
  VXLAN: 4789,
  SIP: 5060,
  MULTICAST_DNS: 5353,
  LLMNR: 5355,
  GENEVE: 6081,
} as const;

/** RFC 3261 and its extensions. */
const SIP: TextProtocol = {
  name: "SIP",
  commands: new Set([
    "ACK",
    "BYE",
    "CANCEL",
    "INFO",
    "INVITE",
    "MESSAGE",
    "NOTIFY",
    "OPTIONS",
    "PRACK",
    "PUBLISH",
    "REFER",
    "REGISTER",
    "SUBSCRIBE",
    "UPDATE",
  ]),
};

/**
 * Prints what a datagram carries.
 *
 * @param line Before it.
 * @param at Where the payload begins.
 * @param length Bytes of it.
 * @param sourcePort Port of the sender.
 * @param destinationPort Port of the receiver.
 * @returns false when it is not known.
 */
export function printDatagram(
  line: Line,
  at: number,
  length: number,
  sourcePort: number,
  destinationPort: number,
): boolean {
  return printByPort(line, at, length, destinationPort) ||
    printByPort(line, at, length, sourcePort) ||
    printQuic(line, at, length);
}

function printByPort(
  line: Line,
  at: number,
  length: number,
  port: number,
): boolean {
  switch (port) {
    case Port.DNS:
    case Port.LLMNR:
      printDns(line, at, length, false);
      return true;
    case Port.MULTICAST_DNS:
      printDns(line, at, length, true);
      return true;
    case Port.DHCP_SERVER:
    case Port.DHCP_CLIENT:
      printDhcp(line, at, length);
      return true;
    case Port.NTP:
      printNtp(line, at, length);
      return true;
    case Port.VXLAN:
      printVxlan(line, at, length);
      return true;
    case Port.GENEVE:
      printGeneve(line, at, length);
      return true;
    case Port.SIP:
      printTextProtocol(line, at, length, SIP);
      return true;
    default:
      return false;
  }
}
