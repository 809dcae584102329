/**
 * NTP: `NTPv4, Client, length 48`; with `-v` every field.
 *
 * The layout is drawn in `lib/packet/app/ntp.ts`.
 *
 * @module
 */

import { hex, hexDigits } from "../hex.ts";
import type { Line } from "../line.ts";
import { formatPrintable } from "../printable.ts";

const HEADER_LENGTH = 48;
const CONTROL_LENGTH = 12;
const REFERENCE_ID = 12;
const REFERENCE = 16;
const ORIGIN = 24;
const RECEIVE = 32;
const TRANSMIT = 40;
const KEY_LENGTH = 4;
const DIGEST_LENGTHS: readonly number[] = [16, 20];
const CONTROL_MODE = 6;
const INFO_QUERY = 62;
const INFO_REPLY = 63;

const MODES = [
  "unspecified",
  "symmetric active",
  "symmetric passive",
  "Client",
  "Server",
  "Broadcast",
  "Control Message",
  "Reserved",
] as const;
const LEAPS: ReadonlyMap<number, string> = new Map([
  [0x00, ""],
  [0x40, "+1s"],
  [0x80, "-1s"],
  [0xc0, "clock unsynchronized"],
]);

/** Seconds from 1900 to 1970. */
const UNIX_EPOCH = 2_208_988_800;
const FRACTION = 0x1_0000_0000;

/**
 * Prints a message.
 *
 * @param line Before it.
 * @param at Where it begins.
 * @param length Bytes of it.
 */
export function printNtp(line: Line, at: number, length: number): void {
  line.protocol = "ntp";
  const first = line.u8(at);
  const mode = first & 7;
  line.text += `NTPv${first >>> 3 & 7}, ${MODES[mode]!}, length ${length}`;
  if (line.style.verbosity === 0) return;
  const leap = first & 0xc0;
  line.text += `\n\tLeap indicator: ${LEAPS.get(leap)!} (${leap})`;
  if (mode < CONTROL_MODE) printTimes(line, at, length);
  else if (mode === CONTROL_MODE) printControl(line, at, length);
}

function printTimes(line: Line, at: number, length: number): void {
  if (length < HEADER_LENGTH) return printInvalid(line, at, length);
  const stratum = line.u8(at + 1);
  const poll = signed(line.u8(at + 2));
  const kind = stratum === 0
    ? "unspecified"
    : stratum === 1
    ? "primary reference"
    : stratum < 16
    ? "secondary reference"
    : "reserved";
  line.text += `, Stratum ${stratum} (${kind}), poll ${poll}${
    formatPoll(poll)
  }, precision ${signed(line.u8(at + 3))}`;
  line.text += `\n\tRoot Delay: ${formatShort(line.u32(at + 4))}`;
  line.text += `, Root dispersion: ${formatShort(line.u32(at + 8))}`;
  const id = at + REFERENCE_ID;
  line.need(id, 4);
  line.text += ", Reference-ID: ";
  if (stratum === INFO_QUERY || stratum === INFO_REPLY) {
    line.text += `${line.ipv4(id)} INFO_${
      stratum === INFO_QUERY ? "QUERY" : "REPLY"
    }`;
    return;
  }
  line.text += stratum === 0
    ? "(unspec)"
    : stratum === 1
    ? formatPrintable(line.bytes, id, id + 4)
    : hex(line.u32(id), 8);
  line.text += `\n\t  Reference Timestamp:  ${
    formatTime(line, at + REFERENCE)
  }`;
  line.text += `\n\t  Originator Timestamp: ${formatTime(line, at + ORIGIN)}`;
  line.text += `\n\t  Receive Timestamp:    ${formatTime(line, at + RECEIVE)}`;
  line.text += `\n\t  Transmit Timestamp:   ${formatTime(line, at + TRANSMIT)}`;
  line.text += `\n\t    Originator - Receive Timestamp:  ${
    formatDifference(line, at + ORIGIN, at + RECEIVE)
  }`;
  line.text += `\n\t    Originator - Transmit Timestamp: ${
    formatDifference(line, at + ORIGIN, at + TRANSMIT)
  }`;
  printKey(line, at + HEADER_LENGTH, length - HEADER_LENGTH);
}

function printKey(line: Line, at: number, length: number): void {
  const digest = length - KEY_LENGTH;
  if (digest === 0 || DIGEST_LENGTHS.includes(digest)) {
    line.text += `\n\tKey id: ${line.u32(at)}`;
    if (digest === 0) return;
    line.need(at + KEY_LENGTH, digest);
    const start = at + KEY_LENGTH;
    line.text += `\n\tAuthentication: ${
      hexDigits(line.bytes, start, start + digest)
    }`;
  } else if (length > 0) {
    line.text += `\n\t(${length} more bytes after the header)`;
  }
}

function printControl(line: Line, at: number, length: number): void {
  if (length < CONTROL_LENGTH) return printInvalid(line, at, length);
  const control = line.u8(at + 1);
  line.text += `, ${(control & 0x80) === 0 ? "Request" : "Response"}, ${
    (control & 0x40) === 0 ? "OK" : "Error"
  }, ${(control & 0x20) === 0 ? "Last" : "More"}, OpCode=${control & 31}`;
  line.text += `\n\tSequence=${line.u16(at + 2)}`;
  const status = line.u16(at + 4);
  line.text += `, Status=${status === 0 ? "0" : hex(status)}`;
  line.text += `, Assoc.=${line.u16(at + 6)}`;
  line.text += `, Offset=${line.u16(at + 8)}`;
  const count = line.u16(at + 10);
  line.text += `, Count=${count}`;
  if (CONTROL_LENGTH + count > length) return printInvalid(line, at, length);
  if (count > 0) {
    line.need(at + CONTROL_LENGTH, count);
    line.text += "\n\tTO-BE-DONE: data not interpreted";
  }
}

/** Says that the message contradicts its length. */
function printInvalid(line: Line, at: number, length: number): void {
  line.text += " (invalid)";
  line.need(at, length);
}

function signed(byte: number): number {
  return byte << 24 >> 24;
}

function formatPoll(exponent: number): string {
  if (exponent <= -32 || exponent >= 32) return "";
  return exponent >= 0 ? ` (${2 ** exponent}s)` : ` (1/${2 ** -exponent}s)`;
}

/** Fixed point with 16 bits after the point. */
function formatShort(value: number): string {
  const micro = Math.floor((value & 0xffff) / 0x1_0000 * 1e6);
  return `${value >>> 16}.${String(micro).padStart(6, "0")}`;
}

/** Nine digits of a fraction of 32 bits. */
function formatFraction(fraction: number): string {
  return String(Math.floor(fraction / FRACTION * 1e9)).padStart(9, "0");
}

/** Seconds since 1900, and the same as a date. */
function formatTime(line: Line, at: number): string {
  const seconds = line.u32(at);
  const fraction = line.u32(at + 4);
  const text = `${seconds}.${formatFraction(fraction)}`;
  if (seconds === 0) return text;
  const date = new Date((seconds - UNIX_EPOCH) * 1_000).toISOString();
  return `${text} (${date.slice(0, 19)}Z)`;
}

function formatDifference(line: Line, from: number, to: number): string {
  const seconds = line.u32(from);
  const fraction = line.u32(from + 4);
  if (seconds === 0 && fraction === 0) return formatTime(line, to);
  let whole = line.u32(to) - seconds;
  let rest = line.u32(to + 4) - fraction;
  const isNegative = whole < 0 || whole === 0 && rest <= 0;
  if (isNegative) {
    whole = -whole;
    rest = -rest;
  }
  if (rest < 0) {
    whole--;
    rest += FRACTION;
  }
  return `${isNegative ? "-" : "+"}${whole}.${formatFraction(rest)}`;
}
