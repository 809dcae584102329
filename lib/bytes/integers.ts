/**
 * Big-endian numbers in byte arrays, for code that has checked the bounds and
 * must not allocate. Bytes beyond the end of the array count as 0.
 *
 * @module
 */

/**
 * Reads an unsigned 16-bit number in network order.
 *
 * @param bytes Data.
 * @param offset Offset of its first byte.
 */
export function readUint16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!;
}

/**
 * Reads an unsigned 32-bit number in network order.
 *
 * @param bytes Data.
 * @param offset Offset of its first byte.
 */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) |
    (bytes[offset + 2]! << 8) | bytes[offset + 3]!) >>> 0;
}
