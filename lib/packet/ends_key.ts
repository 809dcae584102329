/**
 * Ends of connections as keys of maps.
 *
 * @module
 */

/**
 * Two numbers of 16 bits, such as ports, and an address as a text to compare
 * and to look up, two bytes in each of its units. Joining numbers in decimal
 * takes twenty times as long, which counts: every connection has such keys.
 *
 * @param address 16 bytes
 */
export function endsKey(
  first: number,
  second: number,
  address: Uint8Array,
): string {
  return String.fromCharCode(
    first,
    second,
    address[0]! << 8 | address[1]!,
    address[2]! << 8 | address[3]!,
    address[4]! << 8 | address[5]!,
    address[6]! << 8 | address[7]!,
    address[8]! << 8 | address[9]!,
    address[10]! << 8 | address[11]!,
    address[12]! << 8 | address[13]!,
    address[14]! << 8 | address[15]!,
  );
}
