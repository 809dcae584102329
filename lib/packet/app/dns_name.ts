/**
 * Domain names as they stand in DNS messages.
 *
 * Reference: RFC 1035 sections 3.1 and 4.1.4 (compression), 5.1 (escapes in
 * text).
 *
 * ```
 *  label    |0 0| length (6) | length bytes |
 *  pointer  |1 1| offset in the message (14) |     ends the name
 *  root     |0 0 0 0 0 0 0 0|                      ends the name
 * ```
 *
 * @module
 */

import type { ByteReader } from "../../bytes/reader.ts";

const LABEL_TYPE_MASK = 0xc0;
const LABEL_TYPE_POINTER = 0xc0;
const LABEL_TYPE_NORMAL = 0x00;
const POINTER_HIGH_MASK = 0x3f;
/** RFC 1035 section 2.3.4: length bytes and labels together. */
const MAX_NAME_LENGTH = 255;
const FIRST_PRINTABLE = 0x21;
const LAST_PRINTABLE = 0x7e;
const DOT = 0x2e;
const BACKSLASH = 0x5c;

/**
 * Thrown when a message contradicts its format. The decoder of the message
 * catches it; it never reaches a user.
 */
export class MalformedDns extends SyntaxError {
  /** Tells it from other errors. */
  override readonly name = "MalformedDns";
  /** Offset in the bytes that the reader reads. */
  readonly offset: number;

  /** Makes the error; `message` is a phrase that begins in lower case. */
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/**
 * Reads a name and moves the reader after it.
 *
 * A pointer must point before the part of the name that it continues, so a
 * name cannot loop.
 *
 * @param reader At the first label.
 * @param messageStart Offset that pointers count from.
 * @returns Labels joined by dots without a final one; `.` for the root.
 *   Unprintable bytes, dots and backslashes are escaped (RFC 1035 section 5.1).
 * @throws {Truncated} When the data end within the name.
 * @throws {MalformedDns} When the name cannot be valid.
 */
export function readName(reader: ByteReader, messageStart: number): string {
  let text = "";
  let length = 1;
  let partStart = reader.offset;
  let after: number | undefined;
  for (;;) {
    const at = reader.offset;
    const first = reader.u8();
    const labelType = first & LABEL_TYPE_MASK;
    if (labelType === LABEL_TYPE_POINTER) {
      const target = messageStart +
        (((first & POINTER_HIGH_MASK) << 8) | reader.u8());
      if (target >= partStart) {
        throw new MalformedDns("name pointer does not point back", at);
      }
      after ??= reader.offset;
      partStart = target;
      reader.seek(target);
      continue;
    }
    if (labelType !== LABEL_TYPE_NORMAL) {
      throw new MalformedDns(`label type ${first >>> 6} is unknown`, at);
    }
    if (first === 0) break;
    length += 1 + first;
    if (length > MAX_NAME_LENGTH) {
      throw new MalformedDns(`name is longer than ${MAX_NAME_LENGTH}`, at);
    }
    if (text !== "") text += ".";
    text += escapeLabel(reader.take(first));
  }
  if (after !== undefined) reader.seek(after);
  return text === "" ? "." : text;
}

/**
 * Text of a run of bytes in which only printable ASCII stays as it is.
 *
 * @param bytes A label or a character string.
 * @returns For example `www`, `a\.b`, `caf\195\169`.
 */
export function escapeLabel(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    if (byte < FIRST_PRINTABLE || byte > LAST_PRINTABLE) {
      text += `\\${String(byte).padStart(3, "0")}`;
    } else if (byte === DOT || byte === BACKSLASH) {
      text += `\\${String.fromCharCode(byte)}`;
    } else {
      text += String.fromCharCode(byte);
    }
  }
  return text;
}
