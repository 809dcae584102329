/**
 * Numbers, times and foreign names as people read them.
 *
 * @module
 */

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** Nearly every name; cheaper to recognize. */
const PLAIN_REGEXP = /^[ -~]*$/;
const UNSAFE_REGEXP = /[\p{Cc}\p{Bidi_Control}]/gu;

/** Formats a whole number with thousands separators: `12,345`. */
export function formatCount(value: number): string {
  return String(Math.trunc(value)).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** Formats a count with its noun: `1 packet`, `12 packets`. */
export function countOf(value: number, noun: string): string {
  return `${formatCount(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** Formats bytes in decimal units: `999 B`, `1.2 kB`, `34.5 MB`. */
export function formatBytes(value: number): string {
  let amount = value;
  let unit = 0;
  // 999,950 would round to "1000.0 kB".
  while (amount >= (unit === 0 ? 1000 : 999.95)) {
    if (unit === BYTE_UNITS.length - 1) break;
    amount /= 1000;
    unit++;
  }
  return `${unit === 0 ? amount : amount.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** Formats a running time: `0:07`, `12:34`, `1:02:03`. */
export function formatClock(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60];
  const hours = Math.floor(seconds / 3600);
  if (hours > 0) parts.unshift(hours);
  return parts.map((part, at) =>
    at === 0 ? String(part) : String(part).padStart(2, "0")
  ).join(":");
}

/** Formats how long something took: `7 ms`, `1.25 s`, `12.3 s`, `2:05`. */
export function formatSpan(milliseconds: number): string {
  if (milliseconds < 0.5) return milliseconds === 0 ? "0 ms" : "<1 ms";
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 9_995) return `${(milliseconds / 1000).toFixed(2)} s`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return formatClock(milliseconds);
}

/**
 * Makes a name from outside (a process or host name) safe for a terminal:
 * control and direction characters become `?`.
 */
export function printable(text: string): string {
  return PLAIN_REGEXP.test(text) ? text : text.replace(UNSAFE_REGEXP, "?");
}

/** Cuts a text to a width, with an ellipsis in place of what is lost. */
export function cut(text: string, width: number): string {
  const letters = [...text];
  if (letters.length <= width) return text;
  if (width < 1) return "";
  return `${letters.slice(0, width - 1).join("")}…`;
}

/** Cuts the middle out of a text: both ends of a host name tell something. */
export function cutMiddle(text: string, width: number): string {
  const letters = [...text];
  if (letters.length <= width) return text;
  if (width < 1) return "";
  const head = Math.floor((width - 1) / 2);
  const tail = width - 1 - head;
  const end = tail === 0 ? "" : letters.slice(-tail).join("");
  return `${letters.slice(0, head).join("")}…${end}`;
}

/** Breaks a text at spaces into lines of at most `width` characters. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line === "") line = word;
    else if ([...line].length + 1 + [...word].length <= width) {
      line += ` ${word}`;
    } else {
      lines.push(line);
      line = word;
    }
  }
  lines.push(line);
  return lines;
}
