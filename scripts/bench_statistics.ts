/**
 * Middle values and shares of measurements.
 *
 * @module
 */

/** Returns the middle value, or the mean of both; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return Number.isInteger(middle)
    ? (sorted[middle - 1]! + sorted[middle]!) / 2
    : sorted[Math.floor(middle)]!;
}

/**
 * Returns the middle value, or `undefined` where nothing was measured: an
 * empty cell.
 */
export function typical(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : median(values);
}

/**
 * Returns the middle ratio, in percent, of measurements to those of the same
 * round that they are compared with. Rounds that lack one of both are left
 * out.
 */
export function percentOf(
  values: ReadonlyMap<number, number>,
  base: ReadonlyMap<number, number>,
): number | undefined {
  const ratios: number[] = [];
  for (const [round, value] of values) {
    const native = base.get(round);
    if (native !== undefined && native > 0) ratios.push(100 * value / native);
  }
  return typical(ratios);
}
