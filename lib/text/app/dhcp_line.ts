/**
 * DHCP: `BOOTP/DHCP, Request from 02:00:00:00:00:0a, length 300`; with `-v`
 * every field and option.
 *
 * The layout is drawn in `lib/packet/app/dhcp.ts`.
 *
 * @module
 */

import { hex } from "../hex.ts";
import type { Line } from "../line.ts";
import { printable } from "../printable.ts";
import { printDhcpOptions } from "./dhcp_options_line.ts";

const HOPS = 3;
const TRANSACTION = 4;
const SECONDS = 8;
const FLAGS = 10;
const ADDRESSES = 12;
const HARDWARE = 28;
const SERVER_NAME = 44;
const SERVER_NAME_LENGTH = 64;
const BOOT_FILE = 108;
const BOOT_FILE_LENGTH = 128;
const VENDOR = 236;
const MAGIC_COOKIE = 0x6382_5363;
const MAC_LENGTH = 6;
const ETHERNET = 1;
const REQUEST = 1;
const REPLY = 2;
const BROADCAST_BIT = 0x8000;
const ADDRESS_NAMES = ["Client", "Your", "Server", "Gateway"] as const;

/**
 * Prints a message.
 *
 * @param line Before it.
 * @param at Where it begins.
 * @param length Bytes of it.
 */
export function printDhcp(line: Line, at: number, length: number): void {
  const { verbosity } = line.style;
  line.protocol = "bootp";
  const operation = line.u8(at);
  line.text += `BOOTP/DHCP, ${
    operation === REQUEST
      ? "Request"
      : operation === REPLY
      ? "Reply"
      : `unknown (${hex(operation, 2)})`
  }`;
  const hardwareType = line.u8(at + 1);
  const hardwareLength = line.u8(at + 2);
  const isEthernet = hardwareType === ETHERNET && hardwareLength === MAC_LENGTH;
  if (isEthernet && operation === REQUEST) {
    line.text += ` from ${line.hardware(at + HARDWARE)}`;
  }
  line.text += `, length ${length}`;
  if (verbosity === 0) return;
  if (!line.has(at + SECONDS, 2)) return line.cut();
  if (hardwareType !== ETHERNET) line.text += `, htype ${hardwareType}`;
  if (!isEthernet) line.text += `, hlen ${hardwareLength}`;
  const hops = line.u8(at + HOPS);
  if (hops !== 0) line.text += `, hops ${hops}`;
  const transaction = line.u32(at + TRANSACTION);
  if (transaction !== 0) line.text += `, xid ${hex(transaction)}`;
  const seconds = line.u16(at + SECONDS);
  if (seconds !== 0) line.text += `, secs ${seconds}`;
  const flags = line.u16(at + FLAGS);
  line.text += (flags & BROADCAST_BIT) === 0
    ? ", Flags [none]"
    : ", Flags [Broadcast]";
  if (verbosity > 1) line.text += ` (${hex(flags, 4)})`;
  for (const [index, name] of ADDRESS_NAMES.entries()) {
    const address = at + ADDRESSES + 4 * index;
    if (line.u32(address) !== 0) {
      line.text += `\n\t  ${name}-IP ${line.ipv4(address)}`;
    }
  }
  if (isEthernet) {
    line.text += `\n\t  Client-Ethernet-Address ${
      line.hardware(at + HARDWARE)
    }`;
  }
  if (
    printString(line, "sname", at + SERVER_NAME, SERVER_NAME_LENGTH) &&
    printString(line, "file", at + BOOT_FILE, BOOT_FILE_LENGTH)
  ) printVendor(line, at + VENDOR);
}

/** Prints a text up to its zero byte; false when there is none. */
function printString(
  line: Line,
  name: string,
  at: number,
  size: number,
): boolean {
  if (line.u8(at) === 0) return true;
  line.text += `\n\t  ${name} "`;
  let i = 0;
  for (; i < size && line.u8(at + i) !== 0; i++) {
    line.text += printable(line.u8(at + i));
  }
  line.text += '"';
  if (i < size) return true;
  line.cut();
  return false;
}

function printVendor(line: Line, at: number): void {
  if (!line.has(at, 4)) return line.cut();
  const cookie = line.u32(at);
  if (cookie === MAGIC_COOKIE) {
    line.text += "\n\t  Vendor-rfc1048 Extensions";
    line.text += `\n\t    Magic Cookie ${hex(cookie, 8)}`;
    printDhcpOptions(line, at + 4);
  } else if (cookie !== 0) line.text += `\n\t  Vendor-#${hex(cookie)}`;
}
