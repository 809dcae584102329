/**
 * Kinds of IEEE 802.2 LLC frames that filters can name.
 *
 * Control field, first byte:
 *
 * ```text
 *   7   6   5   4   3   2   1   0
 * +---------------------------+---+
 * |  send sequence number     | 0 |   I: information
 * +---------------+-------+---+---+
 * |       0       |  type | 0   1 |   S: supervisory
 * +-----------+---+-------+-------+
 * |   type    |P/F|  type | 1   1 |   U: unnumbered
 * +-----------+---+-------+-------+
 * ```
 *
 * Source: IEEE 802.2-1998, section 5.4.
 *
 * @module
 */

/** A test of the control field. */
export interface LlcTest {
  /** Bits to look at. */
  readonly mask: number;
  /** Value that these bits must have. */
  readonly value: number;
}

/** Bits that tell supervisory frames from the others. */
const FORMAT_MASK = 0x03;
/** Bits of a supervisory frame without the reserved ones. */
const SUPERVISORY_MASK = 0x0f;
/** Bits of an unnumbered frame without the poll/final bit. */
const UNNUMBERED_MASK = 0xef;

/** Control field tests, by the word after `llc`. */
export const LLC_TYPES: ReadonlyMap<string, LlcTest> = new Map([
  ["i", { mask: 0x01, value: 0x00 }],
  ["s", { mask: FORMAT_MASK, value: 0x01 }],
  ["u", { mask: FORMAT_MASK, value: 0x03 }],
  ["rr", { mask: SUPERVISORY_MASK, value: 0x01 }],
  ["rnr", { mask: SUPERVISORY_MASK, value: 0x05 }],
  ["rej", { mask: SUPERVISORY_MASK, value: 0x09 }],
  ["ui", { mask: UNNUMBERED_MASK, value: 0x03 }],
  ["ua", { mask: UNNUMBERED_MASK, value: 0x63 }],
  ["disc", { mask: UNNUMBERED_MASK, value: 0x43 }],
  ["sabme", { mask: UNNUMBERED_MASK, value: 0x6f }],
  ["test", { mask: UNNUMBERED_MASK, value: 0xe3 }],
  ["xid", { mask: UNNUMBERED_MASK, value: 0xaf }],
  ["frmr", { mask: UNNUMBERED_MASK, value: 0x87 }],
]);
