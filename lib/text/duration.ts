/**
 * Durations as tcpdump prints them.
 *
 * @module
 */

const UNITS: readonly (readonly [string, number])[] = [
  ["y", 31_536_000],
  ["w", 604_800],
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
  ["s", 1],
];

/**
 * Formats a number of seconds.
 *
 * @param seconds Not negative.
 * @returns For example `1w2d`, or `0s`.
 */
export function formatDuration(seconds: number): string {
  let text = "";
  let rest = seconds;
  for (const [name, length] of UNITS) {
    if (rest < length) continue;
    text += `${Math.floor(rest / length)}${name}`;
    rest %= length;
  }
  return text === "" ? "0s" : text;
}
