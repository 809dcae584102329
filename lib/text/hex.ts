/**
 * Numbers and bytes in hexadecimal.
 *
 * @module
 */

/** Two digits of each byte. */
export const HEX_PAIRS: readonly string[] = Array.from(
  { length: 256 },
  (_, value) => value.toString(16).padStart(2, "0"),
);

/**
 * A number as C writes it.
 *
 * @param value Not negative.
 * @param digits How many at least.
 * @returns For example `0x0800`.
 */
export function hex(value: number, digits = 1): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}

/**
 * Digits of bytes, without anything between them.
 *
 * @param bytes Bytes that hold the range.
 * @param start Offset of the first byte.
 * @param end Offset after the last byte.
 */
export function hexDigits(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): string {
  let text = "";
  for (let at = start; at < end; at++) text += HEX_PAIRS[bytes[at]!]!;
  return text;
}
