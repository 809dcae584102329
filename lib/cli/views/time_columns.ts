/**
 * Columns for the time of a row.
 *
 * @module
 */
import type { Column } from "../../text/table.ts";

/** A row that has a time: milliseconds since 1970. */
interface Timed {
  readonly time: number;
}

/** Time of day, in the time zone of this machine. */
export const TIME_COLUMN: Column<Timed> = {
  title: "TIME",
  width: 8,
  value: ({ time }) => timeOfDay(time),
};

/**
 * Seconds since the first row.
 *
 * @param decimals Digits behind the point.
 */
export function timestampColumn(decimals: number): Column<Timed> {
  let first: number | undefined;
  return {
    title: "TIME(s)",
    width: 9,
    digits: decimals,
    value: ({ time }) => {
      first ??= time;
      return (time - first) / 1000;
    },
  };
}

let second = NaN;
let text = "";

/** Formats HH:MM:SS; the last second's text is kept. */
export function timeOfDay(time: number): string {
  const now = Math.floor(time / 1000);
  if (now !== second) {
    second = now;
    const date = new Date(now * 1000);
    text = [date.getHours(), date.getMinutes(), date.getSeconds()]
      .map((part) => String(part).padStart(2, "0")).join(":");
  }
  return text;
}
