/**
 * IPv4 options.
 *
 * Reference: RFC 791 section 3.1, IANA Internet Protocol Version 4 (IPv4)
 * Parameters.
 *
 * ```
 *  0        1        2
 *  +--------+--------+-----------+
 *  | type   | length | data      |     length counts type and length
 *  +--------+--------+-----------+
 *  | 0 or 1 |  end of options, no operation: one byte
 *  +--------+
 * ```
 *
 * @module
 */

/** Option types with a name. */
export const Ipv4OptionType = {
  END: 0,
  NOP: 1,
  RECORD_ROUTE: 7,
  TIMESTAMP: 68,
  LOOSE_SOURCE_ROUTE: 131,
  STREAM_ID: 136,
  STRICT_SOURCE_ROUTE: 137,
  ROUTER_ALERT: 148,
} as const;

/** One of the values of {@linkcode Ipv4OptionType}. */
export type Ipv4OptionType = typeof Ipv4OptionType[keyof typeof Ipv4OptionType];

const HEADER_LENGTH = 2;

/** An IPv4 option. See {@linkcode decodePacket}. */
export interface Ipv4Option {
  /** See {@linkcode Ipv4OptionType}; unknown types occur too. */
  readonly type: number;
  /** What follows type and length; a view on the packet. */
  readonly data: Uint8Array;
}

/**
 * Decodes options up to the end-of-options mark, the end of the area or the
 * first option that does not fit.
 *
 * @param bytes The packet.
 * @param start Offset of the first option.
 * @param end Offset after the last captured byte of the option area.
 */
export function decodeIpv4Options(
  bytes: Uint8Array,
  start: number,
  end: number,
): Ipv4Option[] {
  const options: Ipv4Option[] = [];
  let at = start;
  while (at < end) {
    const type = bytes[at]!;
    if (type === Ipv4OptionType.END || type === Ipv4OptionType.NOP) {
      options.push({ type, data: bytes.subarray(at, at) });
      if (type === Ipv4OptionType.END) break;
      at++;
      continue;
    }
    const length = at + 1 < end ? bytes[at + 1]! : 0;
    if (length < HEADER_LENGTH || at + length > end) break;
    options.push({
      type,
      data: bytes.subarray(at + HEADER_LENGTH, at + length),
    });
    at += length;
  }
  return options;
}

/**
 * Name of an option type in lower case, or `option-N`.
 *
 * @param type Option type.
 */
export function formatIpv4OptionType(type: number): string {
  for (const [name, value] of Object.entries(Ipv4OptionType)) {
    if (value === type) return name.toLowerCase().replaceAll("_", "-");
  }
  return `option-${type}`;
}
