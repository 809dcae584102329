/**
 * Names of the bits that are set in a number.
 *
 * @module
 */

/** Names of bits, in the order in which they are printed. */
export type FlagTable = readonly (readonly [bit: number, name: string])[];

/**
 * Names of the set bits.
 *
 * @param table The bits that have a name.
 * @param flags The number.
 * @returns For example `router, override`, or `none`.
 */
export function formatFlags(table: FlagTable, flags: number): string {
  let text = "";
  for (const [bit, name] of table) {
    if ((flags & bit) !== 0) text += text === "" ? name : `, ${name}`;
  }
  return text === "" ? "none" : text;
}
