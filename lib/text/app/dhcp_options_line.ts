/**
 * DHCP options, one on each line, as `-v` prints them.
 *
 * Reference: RFC 2132, RFC 3442 (classless routes), RFC 4702 (FQDN), IANA
 * BOOTP Vendor Extensions and DHCP Options.
 *
 * @module
 */

import { HEX_PAIRS } from "../hex.ts";
import type { Line } from "../line.ts";
import { formatPrintable } from "../printable.ts";

const PAD = 0;
const OVERLOAD = 52;
const MESSAGE_TYPE = 53;
const PARAMETER_REQUEST = 55;
const CLIENT_ID = 61;
const FQDN = 81;
const CLASSLESS_ROUTE = 121;
const MICROSOFT_ROUTE = 249;
const END = 255;
const PARAMETERS_PER_ROW = 4;
const FQDN_FLAG_LETTERS = "SOEN";

/**
 * How the data are printed: addresses, pairs of addresses, numbers of 4, 2
 * and 1 bytes, yes and no, text, or in a way of their own.
 */
type Format =
  | "addresses"
  | "pairs"
  | "signed"
  | "words"
  | "shorts"
  | "bytes"
  | "switches"
  | "text"
  | "special";

const OPTIONS: ReadonlyMap<number, readonly [string, Format]> = new Map<
  number,
  readonly [string, Format]
>([
  [1, ["Subnet-Mask", "addresses"]],
  [2, ["Time-Zone", "signed"]],
  [3, ["Default-Gateway", "addresses"]],
  [4, ["Time-Server", "addresses"]],
  [5, ["IEN-Name-Server", "addresses"]],
  [6, ["Domain-Name-Server", "addresses"]],
  [7, ["LOG", "addresses"]],
  [8, ["CS", "addresses"]],
  [9, ["LPR-Server", "addresses"]],
  [10, ["IM", "addresses"]],
  [11, ["RL", "addresses"]],
  [12, ["Hostname", "text"]],
  [13, ["BS", "shorts"]],
  [14, ["DP", "text"]],
  [15, ["Domain-Name", "text"]],
  [16, ["SS", "addresses"]],
  [17, ["RP", "text"]],
  [18, ["EP", "text"]],
  [19, ["IPF", "switches"]],
  [20, ["SRT", "switches"]],
  [21, ["PF", "pairs"]],
  [22, ["RSZ", "shorts"]],
  [23, ["TTL", "bytes"]],
  [24, ["MTU-Timeout", "words"]],
  [25, ["MTU-Table", "shorts"]],
  [26, ["MTU", "shorts"]],
  [27, ["LSN", "switches"]],
  [28, ["BR", "addresses"]],
  [29, ["MD", "switches"]],
  [30, ["MS", "switches"]],
  [31, ["Router-Discovery", "switches"]],
  [32, ["RSA", "addresses"]],
  [33, ["Static-Route", "pairs"]],
  [34, ["UT", "switches"]],
  [35, ["AT", "words"]],
  [36, ["IE", "switches"]],
  [37, ["TT", "bytes"]],
  [38, ["KI", "words"]],
  [39, ["KG", "switches"]],
  [40, ["YD", "text"]],
  [41, ["YS", "addresses"]],
  [42, ["NTP", "addresses"]],
  [43, ["Vendor-Option", "bytes"]],
  [44, ["Netbios-Name-Server", "addresses"]],
  [45, ["WDD", "addresses"]],
  [47, ["Netbios-Scope", "text"]],
  [48, ["XFS", "addresses"]],
  [49, ["XDM", "addresses"]],
  [50, ["Requested-IP", "addresses"]],
  [51, ["Lease-Time", "words"]],
  [OVERLOAD, ["OO", "special"]],
  [MESSAGE_TYPE, ["DHCP-Message", "special"]],
  [54, ["Server-ID", "addresses"]],
  [PARAMETER_REQUEST, ["Parameter-Request", "special"]],
  [56, ["MSG", "text"]],
  [57, ["MSZ", "shorts"]],
  [58, ["RN", "words"]],
  [59, ["RB", "words"]],
  [60, ["Vendor-Class", "text"]],
  [CLIENT_ID, ["Client-ID", "special"]],
  [64, ["N+D", "shorts"]],
  [65, ["N+S", "addresses"]],
  [66, ["TFTP", "text"]],
  [67, ["BF", "text"]],
  [69, ["SMTP", "addresses"]],
  [70, ["POP3", "addresses"]],
  [FQDN, ["FQDN", "special"]],
  [93, ["ARCH", "shorts"]],
  [94, ["NDI", "bytes"]],
  [95, ["LDAP", "text"]],
  [97, ["GUID", "bytes"]],
  [100, ["POSIX-TZ", "text"]],
  [101, ["TZ-Name", "text"]],
  [114, ["URL", "text"]],
  [116, ["NOAUTO", "switches"]],
  [117, ["NSSEARCH", "shorts"]],
  [118, ["SUBNET", "addresses"]],
  [CLASSLESS_ROUTE, ["Classless-Static-Route", "special"]],
  [150, ["TFTP-Server-Address", "addresses"]],
  [161, ["MUD-URL", "text"]],
  [MICROSOFT_ROUTE, ["Classless-Static-Route-Microsoft", "special"]],
]);

const MESSAGE_TYPES = [
  "",
  "Discover",
  "Offer",
  "Request",
  "Decline",
  "ACK",
  "NACK",
  "Release",
  "Inform",
  "",
  "LeaseQuery",
  "LeaseUnassigned",
  "LeaseUnknown",
  "LeaseActive",
] as const;
const OVERLOADS = ["#00000000", "file", "sname", "file+sname"] as const;
const HARDWARE_NAMES: ReadonlyMap<number, string> = new Map([
  [1, "ether"],
  [6, "ieee802"],
  [7, "arcnet"],
  [15, "frelay"],
  [23, "strip"],
  [24, "ieee1394"],
]);

/**
 * Prints options up to the end mark.
 *
 * @param line Before them.
 * @param start Where they begin.
 */
export function printDhcpOptions(line: Line, start: number): void {
  let at = start;
  while (line.has(at, 1)) {
    const type = line.u8(at++);
    const isSingle = type === PAD || type === END;
    if (isSingle && line.style.verbosity < 3) {
      if (type === END) return;
      continue;
    }
    const length = isSingle ? 0 : line.u8(at++);
    const name = type === PAD
      ? "PAD"
      : type === END
      ? "END"
      : OPTIONS.get(type)?.[0] ?? "Unknown";
    line.text += `\n\t    ${name} (${type}), length ${length}${
      length > 0 ? ": " : ""
    }`;
    if (type === PAD) at = printPadding(line, at);
    if (!line.has(at, length)) return line.cut();
    if (length > 0) printData(line, type, at, at + length);
    at += length;
  }
}

/** Says how many padding bytes follow each other. */
function printPadding(line: Line, start: number): number {
  let at = start;
  while (line.has(at, 1) && line.u8(at) === PAD) at++;
  if (at > start) line.text += `, occurs ${at - start + 1}`;
  return at;
}

function printData(line: Line, type: number, at: number, end: number): void {
  const format = OPTIONS.get(type)?.[1] ?? formatByLength(end - at);
  let rest = at;
  switch (format) {
    case "special":
      return printSpecial(line, type, at, end);
    case "text":
      line.text += `"${formatPrintable(line.bytes, at, end)}"`;
      return;
    case "addresses":
      rest = printEach(line, at, end, 4, (from) => line.ipv4(from));
      break;
    case "pairs":
      rest = printEach(
        line,
        at,
        end,
        8,
        (from) => `(${line.ipv4(from)}:${line.ipv4(from + 4)})`,
      );
      break;
    case "signed":
      rest = printEach(line, at, end, 4, (from) => String(line.u32(from) | 0));
      break;
    case "words":
      rest = printEach(line, at, end, 4, (from) => String(line.u32(from)));
      break;
    case "shorts":
      rest = printEach(line, at, end, 2, (from) => String(line.u16(from)));
      break;
    case "switches":
      rest = printEach(line, at, end, 1, (from) => {
        const value = line.u8(from);
        return value === 0 ? "N" : value === 1 ? "Y" : `${value}?`;
      });
      break;
    case "bytes":
      line.text += line.bytes.subarray(at, end).join(".");
      return;
  }
  if (rest < end) line.text += `\n\t  trailing data length ${end - rest}`;
}

function formatByLength(length: number): Format {
  return length % 2 === 1 ? "bytes" : length % 4 === 2 ? "shorts" : "words";
}

/** Prints units with commas between them; returns where the last one ends. */
function printEach(
  line: Line,
  start: number,
  end: number,
  size: number,
  format: (at: number) => string,
): number {
  let at = start;
  for (; at + size <= end; at += size) {
    line.text += at === start ? format(at) : `,${format(at)}`;
  }
  return at;
}

function printSpecial(line: Line, type: number, at: number, end: number): void {
  switch (type) {
    case MESSAGE_TYPE: {
      if (end - at !== 1) {
        line.text += line.bytes.subarray(at, end).join(".");
        return;
      }
      const message = line.u8(at);
      line.text += MESSAGE_TYPES[message] || `Unknown (${message})`;
      return;
    }
    case PARAMETER_REQUEST:
      for (let i = 0; at + i < end; i++) {
        const parameter = line.u8(at + i);
        const name = OPTIONS.get(parameter)?.[0] ?? "Unknown";
        line.text += i % PARAMETERS_PER_ROW === 0 ? "\n\t      " : ", ";
        line.text += `${name} (${parameter})`;
      }
      return;
    case OVERLOAD:
      line.text += OVERLOADS[line.u8(at)] ??
        `#${line.u8(at).toString(16).padStart(8, "0")}`;
      if (at + 1 < end) {
        line.text += `\n\t  trailing data length ${end - at - 1}`;
      }
      return;
    case CLIENT_ID:
      return printClientId(line, at, end);
    case FQDN:
      return printFqdn(line, at, end);
    default:
      return printRoutes(line, at, end);
  }
}

function printClientId(line: Line, at: number, end: number): void {
  const type = line.u8(at);
  if (type === 0) {
    line.text += `"${formatPrintable(line.bytes, at + 1, end)}"`;
    return;
  }
  line.text += `${HARDWARE_NAMES.get(type) ?? `hardware-type ${type},`} `;
  for (let i = at + 1; i < end; i++) {
    line.text += `${i > at + 1 ? ":" : ""}${HEX_PAIRS[line.u8(i)]!}`;
  }
}

function printFqdn(line: Line, at: number, end: number): void {
  if (end - at < 3) {
    line.text += "[ERROR: length < 3 bytes]";
    return;
  }
  const flags = line.u8(at);
  if (flags >>> 4 !== 0) {
    line.text += `[ERROR: MBZ nibble 0x${(flags >>> 4).toString(16)} != 0] `;
  }
  if ((flags & 15) !== 0) {
    const letters = [...FQDN_FLAG_LETTERS]
      .filter((_, bit) => (flags >>> bit & 1) !== 0).join("");
    line.text += `[${letters}] `;
  }
  const codes = [line.u8(at + 1), line.u8(at + 2)];
  if (codes.some((code) => code !== 0)) line.text += `${codes.join("/")} `;
  line.text += `"${formatPrintable(line.bytes, at + 3, end)}"`;
}

function printRoutes(line: Line, start: number, end: number): void {
  if (end - start < 5) {
    line.text += "[ERROR: length < 5 bytes]";
    return;
  }
  let at = start;
  while (at < end) {
    if (at > start) line.text += ",";
    const width = line.u8(at++);
    if (width > 32) {
      line.text += `[ERROR: Mask width (${width}) > 32]`;
      return;
    }
    const size = Math.ceil(width / 8);
    if (end - at < size + 4) {
      line.text += `[ERROR: Remaining length (${end - at}) < ${
        size + 4
      } bytes]`;
      return;
    }
    const network = [0, 0, 0, 0].map((_, i) => i < size ? line.u8(at + i) : 0);
    const name = width === 0 ? "default" : `${network.join(".")}/${width}`;
    line.text += `(${name}:${line.ipv4(at + size)})`;
    at += size + 4;
  }
}
