/**
 * Bytes of a packet below its line, in hexadecimal and as text.
 *
 * ```
 * \t0x0000:  4500 003c 7844 4000 4006 c475 7f00 0001  E..<xD@.@..u....
 * ```
 *
 * @module
 */

import { HEX_PAIRS } from "./hex.ts";

const BYTES_PER_ROW = 16;
const FIRST_GRAPHIC = 0x21;
const LAST_GRAPHIC = 0x7e;
const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
/** The first byte that can begin a sequence of UTF-8 (RFC 3629). */
const FIRST_LEADING = 0xc2;
/** Smallest code points of sequences by their length. */
const SMALLEST: readonly number[] = [0, 0, 0x80, 0x800, 0x1_0000];
const LAST_CODE_POINT = 0x10_ffff;
/** Control, format, surrogate, private and unassigned characters. */
const INVISIBLE_REGEXP = /\p{C}/u;
/** Width of the hexadecimal part of a row, with the space before it. */
const HEX_WIDTH = BYTES_PER_ROW / 2 * 5;

/** Text of each byte where only graphic characters stand for themselves. */
const GRAPHIC: readonly string[] = Array.from(
  { length: 256 },
  (_, value) =>
    value >= FIRST_GRAPHIC && value <= LAST_GRAPHIC
      ? String.fromCharCode(value)
      : ".",
);

/**
 * Rows of sixteen bytes, each beginning on a line of its own.
 *
 * @param bytes The packet.
 * @param start Offset of the first byte.
 * @param end Offset after the last byte.
 * @param hasText Whether the bytes stand as text beside the digits.
 * @param indent What begins a row.
 * @returns For example `\n\t0x0000:  4500 003c`; empty without bytes.
 */
export function formatHex(
  bytes: Uint8Array,
  start: number,
  end: number,
  hasText: boolean,
  indent = "\n\t",
): string {
  let text = "";
  for (let row = start; row < end; row += BYTES_PER_ROW) {
    const rowEnd = Math.min(row + BYTES_PER_ROW, end);
    let digits = "";
    let characters = "";
    for (let at = row; at < rowEnd; at++) {
      const byte = bytes[at]!;
      digits += (at - row) % 2 === 0
        ? ` ${HEX_PAIRS[byte]!}`
        : HEX_PAIRS[byte]!;
      characters += GRAPHIC[byte]!;
    }
    const offset = (row - start).toString(16).padStart(4, "0");
    text += hasText
      ? `${indent}0x${offset}: ${digits.padEnd(HEX_WIDTH)}  ${characters}`
      : `${indent}0x${offset}: ${digits}`;
  }
  return text;
}

/**
 * Bytes as text: printable characters in UTF-8, spaces, tabs and line feeds as
 * they are, a carriage return before a line feed is left out, everything else
 * is a dot for each byte.
 *
 * @param bytes The packet.
 * @param start Offset of the first byte.
 * @param end Offset after the last byte.
 */
export function formatText(
  bytes: Uint8Array,
  start: number,
  end: number,
): string {
  let text = "";
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === CARRIAGE_RETURN) {
      if (at + 1 < end && bytes[at + 1] !== LINE_FEED) text += ".";
    } else if (byte === LINE_FEED || byte === SPACE || byte === TAB) {
      text += String.fromCharCode(byte);
    } else if (byte < FIRST_LEADING) text += GRAPHIC[byte]!;
    else {
      const character = readCharacter(bytes, at, end);
      text += character ?? ".";
      if (character !== undefined) at += sequenceLength(byte) - 1;
    }
  }
  return text;
}

/** The character of a sequence of UTF-8, if it is whole and can be printed. */
function readCharacter(
  bytes: Uint8Array,
  at: number,
  end: number,
): string | undefined {
  const length = sequenceLength(bytes[at]!);
  if (at + length > end) return undefined;
  let code = bytes[at]! & 0xff >>> length + 1;
  for (let i = 1; i < length; i++) {
    const next = bytes[at + i]!;
    if ((next & 0xc0) !== 0x80) return undefined;
    code = code << 6 | next & 0x3f;
  }
  if (code < SMALLEST[length]! || code > LAST_CODE_POINT) return undefined;
  const character = String.fromCodePoint(code);
  return INVISIBLE_REGEXP.test(character) ? undefined : character;
}

/** Bytes of the sequence that a leading byte begins. */
function sequenceLength(byte: number): number {
  return byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}
