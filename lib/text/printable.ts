/**
 * Bytes as tcpdump shows strings: `^@` for control characters, `M-` before
 * those above 127.
 *
 * @module
 */

const TEXTS: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const ascii = byte & 0x7f;
  const text = ascii < 0x20 || ascii === 0x7f
    ? `^${String.fromCharCode(ascii ^ 0x40)}`
    : String.fromCharCode(ascii);
  return byte === ascii ? text : `M-${text}`;
});

/**
 * Text of a byte.
 *
 * @param byte 0 to 255.
 */
export function printable(byte: number): string {
  return TEXTS[byte] ?? "?";
}

/**
 * Text of bytes.
 *
 * @param bytes Bytes that hold the range.
 * @param start Offset of the first byte.
 * @param end Offset after the last byte.
 */
export function formatPrintable(
  bytes: Uint8Array,
  start: number,
  end: number,
): string {
  let text = "";
  for (let at = start; at < end; at++) text += printable(bytes[at]!);
  return text;
}
