/**
 * The Internet checksum: the one's complement of the one's complement sum of
 * 16-bit words (RFC 1071), with the pseudo headers of TCP and UDP.
 *
 * ```
 * Pseudo header, IPv4 (RFC 9293 section 3.1, RFC 768)
 *  0          4               8      9          10        12
 *  +----------+---------------+------+----------+---------+
 *  | source   | destination   | zero | protocol | length  |
 *  +----------+---------------+------+----------+---------+
 *
 * Pseudo header, IPv6 (RFC 8200 section 8.1)
 *  0          16              32        36     39             40
 *  +----------+---------------+---------+------+-------------+
 *  | source   | destination   | length  | zero | next header |
 *  +----------+---------------+---------+------+-------------+
 * ```
 *
 * Both add up to the same: addresses, protocol and length as plain numbers.
 *
 * @module
 */

const WORD_MASK = 0xffff;

/**
 * Adds up bytes as big-endian 16-bit words; a last odd byte is the high half
 * of a word.
 *
 * @param bytes Data.
 * @param start Offset of the first byte.
 * @param end Offset after the last byte.
 * @param initial Sum to go on from; `start` must then be at an even position
 *   of the summed data.
 * @returns A sum that {@linkcode finishChecksum} folds. Exact up to 64 GiB of
 *   data.
 */
export function sumWords(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
  initial = 0,
): number {
  let sum = initial;
  let i = start;
  for (; i + 1 < end; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
  if (i < end) sum += bytes[i]! << 8;
  return sum;
}

/**
 * Folds a sum into 16 bits and complements it.
 *
 * @param sum Result of {@linkcode sumWords} or {@linkcode sumPseudoHeader}.
 * @returns The checksum as it stands in a header.
 */
export function finishChecksum(sum: number): number {
  let folded = sum;
  while (folded > WORD_MASK) {
    folded = (folded % 0x1_0000) + Math.floor(folded / 0x1_0000);
  }
  return ~folded & WORD_MASK;
}

/**
 * Internet checksum of a byte range. Over data that already holds its correct
 * checksum the result is 0.
 *
 * @param bytes Data.
 * @param start Offset of the first byte.
 * @param end Offset after the last byte.
 * @param initial Sum to go on from, for example of a pseudo header.
 * @returns The checksum, 0 to 0xffff.
 */
export function internetChecksum(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
  initial = 0,
): number {
  return finishChecksum(sumWords(bytes, start, end, initial));
}

/**
 * Sum of the pseudo header that TCP, UDP and ICMPv6 checksums begin with.
 *
 * @param source 4 or 16 bytes.
 * @param destination As many bytes.
 * @param protocol IP protocol number.
 * @param length Bytes of the transport header and its payload.
 * @returns The `initial` for {@linkcode internetChecksum}.
 */
export function sumPseudoHeader(
  source: Uint8Array,
  destination: Uint8Array,
  protocol: number,
  length: number,
): number {
  const addresses = sumWords(
    destination,
    0,
    destination.length,
    sumWords(source),
  );
  return addresses + protocol + (length & WORD_MASK) + (length >>> 16);
}
