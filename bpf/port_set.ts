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

/** How much there is to test in some sets. */
export interface SetSize {
  /** Intervals. */
  readonly intervals: number;
  /** Comparisons: one for a single value, two for a range. */
  readonly tests: number;
}

/** Counts what there is to test in sets. */
export function sizeOf(sets: readonly (readonly Interval[])[]): SetSize {
  let intervals = 0;
  let tests = 0;
  for (const set of sets) {
    intervals += set.length;
    for (const { low, high } of set) tests += low === high ? 1 : 2;
  }
  return { intervals, tests };
}

/**
 * Makes sets smaller by filling the smallest gaps between their intervals,
 * over all sets alike, no more of them than needed.
 *
 * @param sets Each sorted and disjoint.
 * @param fits Tells whether a size is small enough; must hold for less than
 * a size that it holds for.
 * @returns Supersets, in the order given; with every gap filled when nothing
 * else fits.
 */
export function fillGaps(
  sets: readonly (readonly Interval[])[],
  fits: (size: SetSize) => boolean,
): Interval[][] {
  const gaps = Uint32Array.from(sets.flatMap(gapsOf)).sort();
  let low = 0;
  let high = gaps.length;
  while (low < high) {
    const count = (low + high) >>> 1;
    if (fits(filledSize(sets, gapLimit(gaps, count)))) high = count;
    else low = count + 1;
  }
  const limit = gapLimit(gaps, low);
  return sets.map((intervals) => fill(intervals, limit));
}

function gapsOf(intervals: readonly Interval[]): number[] {
  const gaps: number[] = [];
  for (let index = 1; index < intervals.length; index++) {
    gaps.push(intervals[index]!.low - intervals[index - 1]!.high);
  }
  return gaps;
}

/** Which gaps to fill; `remaining` counts down. */
interface GapLimit {
  /** All gaps narrower than this. */
  readonly width: number;
  /** So many gaps of just this width. */
  remaining: number;
}

/** The limit that fills the `count` smallest gaps. */
function gapLimit(gaps: Uint32Array, count: number): GapLimit {
  if (count === 0) return { width: 0, remaining: 0 };
  const width = gaps[count - 1]!;
  let first = count - 1;
  while (first > 0 && gaps[first - 1] === width) first--;
  return { width, remaining: count - first };
}

function isFilled(gap: number, limit: GapLimit): boolean {
  if (gap !== limit.width) return gap < limit.width;
  return limit.remaining-- > 0;
}

/** The size after filling; nothing is made, as this is asked many times. */
function filledSize(
  sets: readonly (readonly Interval[])[],
  limit: GapLimit,
): SetSize {
  let intervals = 0;
  let tests = 0;
  for (const set of sets) {
    let previous = -Infinity;
    let isRange = false;
    for (const { low, high } of set) {
      if (isFilled(low - previous, limit)) {
        if (!isRange) tests++;
        isRange = true;
      } else {
        intervals++;
        isRange = low < high;
        tests += isRange ? 2 : 1;
      }
      previous = high;
    }
  }
  return { intervals, tests };
}

function fill(
  intervals: readonly Interval[],
  limit: GapLimit,
): Interval[] {
  const filled: Interval[] = [];
  for (const next of intervals) {
    const last = filled.at(-1);
    if (last !== undefined && isFilled(next.low - last.high, limit)) {
      filled[filled.length - 1] = { low: last.low, high: next.high };
    } else filled.push(next);
  }
  return filled;
}
