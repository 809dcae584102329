/**
 * Protocols whose messages are lines of text: `HTTP: GET / HTTP/1.1`; with
 * `-v` every line.
 *
 * @module
 */

import { Truncated } from "../../bytes/reader.ts";
import type { Line } from "../line.ts";

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const LAST_PRINTABLE = 0x7e;
/** Longer words are no commands. */
const MAX_WORD_LENGTH = 128;
const STATUS_REGEXP = /^\d{3}$/;

/** A protocol of text lines. */
export interface TextProtocol {
  /** In capitals, as it is printed. */
  readonly name: string;
  /**
   * Words that begin a request; a response has a status of three digits after
   * its first word. Without them, every line is printed.
   */
  readonly commands?: ReadonlySet<string>;
}

/**
 * Prints a message or, when it is the middle of one, just the protocol.
 *
 * @param line Before it.
 * @param at Where the message begins.
 * @param length Bytes of it.
 * @param protocol Whose message it is.
 */
export function printTextProtocol(
  line: Line,
  at: number,
  length: number,
  { name, commands }: TextProtocol,
): void {
  line.protocol = name.toLowerCase();
  const isMessage = commands === undefined ||
    beginsMessage(line, at, at + length, commands);
  line.text += name;
  if (!isMessage) return;
  const end = at + length;
  if (line.style.verbosity === 0) {
    printLine(line, ": ", at, end);
    return;
  }
  line.text += `, length: ${length}`;
  let next: number | undefined = at;
  while (next !== undefined && next < end) {
    next = printLine(line, "\n\t", next, end);
  }
}

function beginsMessage(
  line: Line,
  at: number,
  end: number,
  commands: ReadonlySet<string>,
): boolean {
  const first = readWord(line, at, end);
  if (first === undefined) return false;
  if (commands.has(first.word.toUpperCase())) return true;
  const second = readWord(line, first.next, end);
  return second !== undefined && STATUS_REGEXP.test(second.word);
}

/** A word and where the next one begins on the same line. */
function readWord(
  line: Line,
  start: number,
  end: number,
): { word: string; next: number } | undefined {
  const last = Math.min(end, line.end);
  let at = start;
  let word = "";
  for (; at < last; at++) {
    const byte = line.bytes[at]!;
    if (
      byte === SPACE || byte === TAB || byte === CARRIAGE_RETURN ||
      byte === LINE_FEED
    ) break;
    if (byte < SPACE || byte > LAST_PRINTABLE) return undefined;
    if (word.length === MAX_WORD_LENGTH - 1) return undefined;
    word += String.fromCharCode(byte);
  }
  if (word === "" || (at === last && last < end)) return undefined;
  while (at < last && line.bytes[at] === SPACE) at++;
  return { word, next: at };
}

/** Prints a line; returns where the next one begins, if there is one. */
function printLine(
  line: Line,
  prefix: string,
  start: number,
  end: number,
): number | undefined {
  let text = "";
  for (let at = start; at < end; at++) {
    if (at >= line.end) throw new Truncated(at, 1, 0);
    const byte = line.bytes[at]!;
    if (byte === LINE_FEED) {
      line.text += prefix + text;
      return at + 1;
    }
    if (byte === CARRIAGE_RETURN) {
      if (at + 1 >= end || line.u8(at + 1) !== LINE_FEED) return undefined;
      line.text += prefix + text;
      return at + 2;
    }
    if (byte !== TAB && (byte < SPACE || byte > LAST_PRINTABLE)) {
      return undefined;
    }
    text += String.fromCharCode(byte);
  }
  line.text += prefix + text;
  line.cut();
  return undefined;
}
