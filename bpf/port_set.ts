/**
 * Sets of ports as sorted intervals, and how to make them smaller.
 *
 * @module
 */
import type { Interval } from "./decision_tree.ts";

/** Highest port number. */
export const MAX_PORT = 0xffff;

/**
 * Joins ports into intervals without changing the set.
 *
 * @param ports In any order; best sorted ascending and unique.
 * @throws {RangeError} when a number is not a port.
 */
export function toIntervals(ports: readonly number[]): Interval[] {
  const intervals: Interval[] = [];
  let low = -1;
  let high = -1;
  for (const port of sorted(ports)) {
    if (low >= 0 && port <= high + 1) {
      high = port;
      continue;
    }
    if (low >= 0) intervals.push({ low, high });
    low = port;
    high = port;
  }
  if (low >= 0) intervals.push({ low, high });
  return intervals;
}

/** Checks the ports and, if they are not, sorts them. */
function sorted(ports: readonly number[]): readonly number[] {
  let previous = -1;
  let ascending = true;
  for (const port of ports) {
    if (!Number.isInteger(port) || port < 0 || port > MAX_PORT) {
      throw new RangeError(
        `Cannot compile filter: ${port} is not a port (0 to ${MAX_PORT})`,
      );
    }
    ascending &&= port >= previous;
    previous = port;
  }
  return ascending ? ports : ports.toSorted((a, b) => a - b);
}

/**
 * Instructions that testing the intervals one by one takes: one for a single
 * value, two for a range.
 */
export function testsOf(intervals: readonly Interval[]): number {
  let tests = 0;
  for (const { low, high } of intervals) tests += low === high ? 1 : 2;
  return tests;
}

/**
 * Makes sets smaller in instructions by filling the smallest gaps between
 * their intervals, over all sets alike, no more of them than needed.
 *
 * @param sets Each sorted and disjoint.
 * @param fits Tells whether a choice is small enough; true for single
 * intervals.
 * @returns Supersets, in the order given.
 */
export function fillGaps(
  sets: readonly (readonly Interval[])[],
  fits: (sets: readonly (readonly Interval[])[]) => boolean,
): Interval[][] {
  const gaps = Uint32Array.from(sets.flatMap(gapsOf)).sort();
  let best: Interval[][] | undefined;
  let low = 0;
  let high = gaps.length;
  while (low < high || best === undefined) {
    const count = (low + high) >>> 1;
    const filled = fill(sets, gaps, count);
    if (count === gaps.length || fits(filled)) {
      best = filled;
      high = count;
    } else low = count + 1;
  }
  return best;
}

function gapsOf(intervals: readonly Interval[]): number[] {
  const gaps: number[] = [];
  for (let index = 1; index < intervals.length; index++) {
    gaps.push(intervals[index]!.low - intervals[index - 1]!.high);
  }
  return gaps;
}

/** Fills the `count` smallest gaps. */
function fill(
  sets: readonly (readonly Interval[])[],
  gaps: Uint32Array,
  count: number,
): Interval[][] {
  const limit = count === 0 ? 0 : gaps[count - 1]!;
  // Of the gaps that are as wide as the last one filled, only some may go.
  let atLimit = count;
  for (let index = 0; index < count && gaps[index]! < limit; index++) atLimit--;
  return sets.map((intervals) => {
    const filled: Interval[] = [];
    let current: Interval | undefined;
    for (const next of intervals) {
      const gap = current === undefined ? Infinity : next.low - current.high;
      if (gap < limit || gap === limit && atLimit > 0) {
        if (gap === limit) atLimit--;
        current = { low: current!.low, high: next.high };
        continue;
      }
      if (current !== undefined) filled.push(current);
      current = next;
    }
    if (current !== undefined) filled.push(current);
    return filled;
  });
}
