/**
 * TCP options: `options [mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 10]`.
 *
 * The layout is drawn in `lib/packet/transport/tcp_options.ts`.
 *
 * @module
 */

import { TcpOptionKind } from "../packet/transport/tcp_options.ts";
import { hexDigits } from "./hex.ts";
import type { Line } from "./line.ts";

/** Kinds that are only named, or printed by a common rule. */
const OtherKind = {
  ECHO: 6,
  ECHO_REPLY: 7,
  CC: 11,
  CC_NEW: 12,
  CC_ECHO: 13,
  SIGNATURE: 19,
  SCPS: 20,
  USER_TIMEOUT: 28,
  AUTHENTICATION: 29,
} as const;

const NAMES: ReadonlyMap<number, string> = new Map<number, string>([
  [TcpOptionKind.END, "eol"],
  [TcpOptionKind.NOP, "nop"],
  [TcpOptionKind.MSS, "mss"],
  [TcpOptionKind.WINDOW_SCALE, "wscale"],
  [TcpOptionKind.SACK_PERMITTED, "sackOK"],
  [TcpOptionKind.SACK, "sack"],
  [TcpOptionKind.TIMESTAMPS, "TS"],
  [TcpOptionKind.FAST_OPEN, "tfo"],
  [TcpOptionKind.EXPERIMENT, "exp"],
  [OtherKind.ECHO, "echo"],
  [OtherKind.ECHO_REPLY, "echoreply"],
  [OtherKind.CC, "cc"],
  [OtherKind.CC_NEW, "ccnew"],
  [OtherKind.CC_ECHO, ""],
  [OtherKind.SIGNATURE, "md5"],
  [OtherKind.SCPS, "scps"],
  [OtherKind.USER_TIMEOUT, "uto"],
  [OtherKind.AUTHENTICATION, "tcp-ao"],
]);

const FAST_OPEN_EXPERIMENT = 0xf989;
const SIGNATURE_LENGTH = 16;

/** How printing the options ended. */
export type OptionsEnd = "whole" | "bad" | "cut";

/**
 * Prints the options between brackets. When they are bad or cut, the line ends
 * with them.
 *
 * @param line Before them.
 * @param start Where they begin.
 * @param end Where they end.
 * @param origin What the edges of SACK blocks count from.
 */
export function printTcpOptions(
  line: Line,
  start: number,
  end: number,
  origin: number,
): OptionsEnd {
  line.text += ", options [";
  let at = start;
  while (at < end) {
    if (at > start) line.text += ",";
    const kind = line.u8(at);
    const isSingle = kind === TcpOptionKind.END || kind === TcpOptionKind.NOP;
    const length = isSingle ? 1 : line.u8(at + 1);
    if (!isSingle && (length < 2 || at + length > end)) {
      return bad(line, at > start);
    }
    line.text += NAMES.get(kind) ?? `unknown-${kind}`;
    if (isSingle) {
      at++;
      if (kind === TcpOptionKind.END) break;
      continue;
    }
    const size = printOption(line, kind, at + 2, length - 2, end, origin);
    if (size === "bad") return bad(line, at > start);
    if (size === "cut") {
      line.cut();
      if (at > start) line.text += ">";
      return "cut";
    }
    if (size !== length - 2) line.text += `[len ${length}]`;
    at += 2 + size;
  }
  line.text += "]";
  return "whole";
}

function bad(line: Line, isOpen: boolean): "bad" {
  line.text += isOpen ? "[bad opt]]" : "[bad opt]";
  return "bad";
}

/** Prints the data of an option; returns how many bytes it took. */
function printOption(
  line: Line,
  kind: number,
  at: number,
  length: number,
  end: number,
  origin: number,
): number | "bad" | "cut" {
  const size = fixedSize(kind) ?? length;
  if (at + size > end) return "bad";
  if (!line.has(at, size)) {
    if (kind === TcpOptionKind.SACK) printSack(line, at, size, origin);
    return "cut";
  }
  switch (kind) {
    case TcpOptionKind.TIMESTAMPS:
      line.text += ` val ${line.u32(at)} ecr ${line.u32(at + 4)}`;
      break;
    case TcpOptionKind.MSS:
      line.text += ` ${line.u16(at)}`;
      break;
    case TcpOptionKind.WINDOW_SCALE:
      line.text += ` ${line.u8(at)}`;
      break;
    case TcpOptionKind.SACK_PERMITTED:
      break;
    case TcpOptionKind.SACK:
      printSack(line, at, size, origin);
      break;
    case TcpOptionKind.FAST_OPEN:
      line.text += " ";
      printFastOpen(line, at, size);
      break;
    case TcpOptionKind.EXPERIMENT: {
      if (size < 2) return "bad";
      const experiment = line.u16(at);
      line.text += "-";
      if (experiment === FAST_OPEN_EXPERIMENT) {
        line.text += "tfo";
        printFastOpen(line, at + 2, size - 2);
      } else line.text += experiment.toString(16).padStart(4, "0");
      break;
    }
    case OtherKind.ECHO:
    case OtherKind.ECHO_REPLY:
    case OtherKind.CC:
    case OtherKind.CC_NEW:
    case OtherKind.CC_ECHO:
      line.text += ` ${line.u32(at)}`;
      break;
    case OtherKind.SIGNATURE:
      line.text += ` ${hexDigits(line.bytes, at, at + size)}`;
      break;
    case OtherKind.SCPS:
      line.text += ` cap ${hexDigits(line.bytes, at, at + 1)} id ${
        line.u8(at + 1)
      }`;
      break;
    case OtherKind.USER_TIMEOUT: {
      const value = line.u16(at);
      const seconds = (value & 1) === 0 ? value >>> 1 : (value >>> 1) * 60;
      line.text += ` 0x${value.toString(16)} ${seconds}`;
      break;
    }
    case OtherKind.AUTHENTICATION:
      if (size < 2) line.text += " (invalid)";
      else {
        line.text += ` keyid ${line.u8(at)} rnextkeyid ${line.u8(at + 1)}`;
        if (size > 2) {
          line.text += ` mac 0x${
            hexDigits(line.bytes, at + 2, at + 2 + size - 2)
          }`;
        }
      }
      break;
    default:
      if (size > 0) line.text += ` 0x${hexDigits(line.bytes, at, at + size)}`;
  }
  return size;
}

/** Data bytes of the kinds that always have the same number of them. */
function fixedSize(kind: number): number | undefined {
  switch (kind) {
    case TcpOptionKind.TIMESTAMPS:
      return 8;
    case TcpOptionKind.MSS:
    case OtherKind.SCPS:
    case OtherKind.USER_TIMEOUT:
      return 2;
    case TcpOptionKind.WINDOW_SCALE:
      return 1;
    case TcpOptionKind.SACK_PERMITTED:
      return 0;
    case OtherKind.ECHO:
    case OtherKind.ECHO_REPLY:
    case OtherKind.CC:
    case OtherKind.CC_NEW:
    case OtherKind.CC_ECHO:
      return 4;
    case OtherKind.SIGNATURE:
      return SIGNATURE_LENGTH;
    default:
      return undefined;
  }
}

/** Prints the blocks that were captured. */
function printSack(
  line: Line,
  at: number,
  size: number,
  origin: number,
): void {
  if (size % 8 !== 0) {
    line.text += " invalid sack";
    return;
  }
  line.text += ` ${size / 8} `;
  const end = Math.min(at + size, line.end - 7);
  for (let block = at; block < end; block += 8) {
    const left = line.u32(block) - origin >>> 0;
    const right = line.u32(block + 4) - origin >>> 0;
    line.text += `{${left}:${right}}`;
  }
}

function printFastOpen(line: Line, at: number, size: number): void {
  if (size === 0) line.text += " cookiereq";
  else if (size % 2 !== 0 || size < 4 || size > 16) line.text += " (invalid)";
  else line.text += ` cookie ${hexDigits(line.bytes, at, at + size)}`;
}
