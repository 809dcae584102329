/**
 * Readers of option values.
 *
 * @module
 */

import { ValueError } from "./options.ts";

/** Longest time that a timer can take, in milliseconds (2^31 - 1). */
const MAX_TIME = 0x7fff_ffff;

const WHOLE_NUMBER_REGEXP = /^\d+$/;
const PLAIN_SECONDS_REGEXP = /^\d+(?:\.\d+)?$/;
const TIME_REGEXP = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const TIME_PART_REGEXP = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/** Milliseconds of each unit of time. */
const TIME_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Returns a reader of whole decimal numbers within limits.
 *
 * @param min Smallest number.
 * @param max Largest number; at most 2^53 - 1.
 */
export function wholeNumber(
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): (text: string) => number {
  const expected = max === Number.MAX_SAFE_INTEGER
    ? `a whole number, at least ${min}`
    : `a whole number from ${min} to ${max}`;
  return (text: string): number => {
    const value = WHOLE_NUMBER_REGEXP.test(text) ? Number(text) : NaN;
    if (!(value >= min && value <= max)) throw new ValueError(expected);
    return value;
  };
}

/**
 * Reads a time such as `500ms`, `10`, `2.5s`, `2m` or `1h30m` and returns
 * milliseconds, rounded. A plain number means seconds.
 *
 * @throws {ValueError} when it is no time or longer than 24 days.
 */
export function time(text: string): number {
  let total = NaN;
  if (PLAIN_SECONDS_REGEXP.test(text)) {
    total = Number(text) * 1000;
  } else if (TIME_REGEXP.test(text)) {
    total = 0;
    for (const [, amount, unit] of text.matchAll(TIME_PART_REGEXP)) {
      total += Number(amount) * TIME_UNITS[unit!]!;
    }
  }
  if (Number.isNaN(total)) {
    throw new ValueError("a time such as 500ms, 10s, 2m or 1h30m");
  }
  if (total > MAX_TIME) throw new ValueError("a time of at most 24 days");
  return Math.round(total);
}

/**
 * Reads a time like {@linkcode time} but refuses none at all.
 *
 * @throws {ValueError} when it is no time or too short or long.
 */
export function positiveTime(text: string): number {
  const value = time(text);
  if (value < 1) throw new ValueError("a time of at least 1ms");
  return value;
}

/**
 * Reads a time like {@linkcode time} and returns seconds.
 *
 * @throws {ValueError} when it is no time or less than a second.
 */
export function wholeSeconds(text: string): number {
  const value = time(text);
  if (value < 1000) throw new ValueError("a time of at least 1s");
  return Math.floor(value / 1000);
}

/** Bytes of each unit of size; a plain number means megabytes. */
const SIZE_UNITS: Readonly<Record<string, number>> = {
  "": 1e6,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};
const SIZE_REGEXP = /^(\d+(?:\.\d+)?)([a-z]*)$/;

/**
 * Reads a size such as `100`, `500k`, `1.5G` or `64MiB` and returns bytes. A
 * plain number means megabytes (1,000,000 bytes), as in tcpdump(8).
 *
 * @throws {ValueError} when it is no size or less than one byte.
 */
export function size(text: string): number {
  const [, amount, unit] = SIZE_REGEXP.exec(text.toLowerCase()) ?? [];
  const factor = unit === undefined ? undefined : SIZE_UNITS[unit];
  const value = factor === undefined
    ? NaN
    : Math.floor(Number(amount) * factor);
  if (!(value >= 1 && value <= Number.MAX_SAFE_INTEGER)) {
    throw new ValueError("a size such as 500k, 100M or 1.5G");
  }
  return value;
}

/**
 * Takes any text but an empty one, which is a shell variable gone missing.
 *
 * @throws {ValueError} when the text is empty or has a NUL character.
 */
export function nonEmpty(text: string): string {
  if (text === "" || text.includes("\0")) {
    throw new ValueError("text that is not empty");
  }
  return text;
}

/**
 * Returns a reader of one of several words.
 *
 * @param words What may stand there.
 */
export function oneOf<const Word extends string>(
  words: readonly Word[],
): (text: string) => Word {
  return (text: string): Word => {
    const word = words.find((known) => known === text);
    if (word === undefined) {
      throw new ValueError(
        `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`,
      );
    }
    return word;
  };
}
