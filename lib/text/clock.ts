/**
 * Times of packets as tcpdump prints them.
 *
 * @module
 */

import type { PrintStyle } from "./print_options.ts";

const NANOSECONDS_PER_SECOND = 1_000_000_000;
const MICROSECOND = 1_000;
const MILLISECONDS_PER_SECOND = 1_000;
const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;
/** Clocks are only changed at multiples of this many seconds. */
const OFFSET_UNIT = 900;
/** The last second of the year 9999; only damaged files have later ones. */
const LAST_SECOND = 253_402_300_799;
const UNPRINTABLE = "[Error converting time]";
/** `00` to `59`. */
const TWO_DIGITS: readonly string[] = Array.from(
  { length: MINUTE },
  (_, value) => String(value).padStart(2, "0"),
);

/** `000` to `999`. */
const THREE_DIGITS: readonly string[] = Array.from(
  { length: 1_000 },
  (_, value) => String(value).padStart(3, "0"),
);

/** Formats one time after the other. */
export class Clock {
  readonly #style: Pick<PrintStyle, "time" | "nanoseconds">;
  readonly #zone: Intl.DateTimeFormat | undefined;
  readonly #hasDate: boolean;
  #seconds = NaN;
  #secondText = "";
  #offsetSlot = NaN;
  #offset = 0;
  /** The time that relative ones count from. */
  #origin: { seconds: number; fraction: number } | undefined;

  /**
   * Begins before the first packet.
   *
   * @param style How to print times.
   * @throws {RangeError} When there is no such time zone.
   */
  constructor(style: Pick<PrintStyle, "time" | "nanoseconds" | "timeZone">) {
    this.#style = style;
    this.#hasDate = style.time === "date";
    const timeZone = style.timeZone;
    if (timeZone === undefined) return;
    try {
      this.#zone = new Intl.DateTimeFormat("en", {
        timeZone,
        timeZoneName: "longOffset",
      });
    } catch (cause) {
      throw new RangeError(`Cannot print times of ${timeZone}: no such zone`, {
        cause,
      });
    }
  }

  /**
   * The time of the next packet.
   *
   * @param seconds Since 1970.
   * @param nanoseconds After `seconds`.
   * @returns With the space that follows it; empty when no time is wanted.
   */
  format(seconds: number, nanoseconds: number): string {
    const { time } = this.#style;
    if (time === "none") return "";
    if (nanoseconds >= NANOSECONDS_PER_SECOND) {
      // Odd files have more than a second of nanoseconds.
      const more = Math.floor(nanoseconds / NANOSECONDS_PER_SECOND);
      return this.format(
        seconds + more,
        nanoseconds - more * NANOSECONDS_PER_SECOND,
      );
    }
    if (!(seconds >= 0 && seconds <= LAST_SECOND)) return `${UNPRINTABLE} `;
    switch (time) {
      case "epoch":
        return `${seconds}${this.#fraction(nanoseconds)} `;
      case "delta":
      case "elapsed":
        return this.#relative(seconds, nanoseconds);
      default:
        return `${this.#clock(seconds)}${this.#fraction(nanoseconds)} `;
    }
  }

  #relative(seconds: number, nanoseconds: number): string {
    const fraction = this.#style.nanoseconds
      ? nanoseconds
      : nanoseconds - nanoseconds % MICROSECOND;
    const origin = this.#origin ??= { seconds, fraction };
    let second = seconds - origin.seconds;
    let rest = fraction - origin.fraction;
    const isNegative = second < 0 || (second === 0 && rest < 0);
    if (isNegative) {
      second = -second;
      rest = -rest;
    }
    if (rest < 0) {
      second--;
      rest += NANOSECONDS_PER_SECOND;
    }
    if (this.#style.time === "delta") {
      origin.seconds = seconds;
      origin.fraction = fraction;
    }
    return `${isNegative ? "-" : " "}${timeOfDay(second)}${
      this.#fraction(rest)
    } `;
  }

  #fraction(nanoseconds: number): string {
    const micro = Math.floor(nanoseconds / MICROSECOND);
    const text = `.${THREE_DIGITS[Math.floor(micro / 1_000)]}${
      THREE_DIGITS[micro % 1_000]
    }`;
    return this.#style.nanoseconds
      ? text + THREE_DIGITS[nanoseconds % MICROSECOND]
      : text;
  }

  #clock(seconds: number): string {
    if (seconds === this.#seconds) return this.#secondText;
    const local = seconds + this.#zoneOffset(seconds);
    this.#seconds = seconds;
    this.#secondText = this.#hasDate
      ? `${dateOf(local)} ${timeOfDay(local)}`
      : timeOfDay(local);
    return this.#secondText;
  }

  #zoneOffset(seconds: number): number {
    const slot = Math.floor(seconds / OFFSET_UNIT);
    if (slot !== this.#offsetSlot) {
      this.#offsetSlot = slot;
      const date = new Date(slot * OFFSET_UNIT * MILLISECONDS_PER_SECOND);
      this.#offset = this.#zone === undefined
        ? -date.getTimezoneOffset() * MINUTE
        : offsetIn(this.#zone, date);
    }
    return this.#offset;
  }
}

function timeOfDay(seconds: number): string {
  const second = ((seconds % DAY) + DAY) % DAY;
  const hours = TWO_DIGITS[Math.floor(second / HOUR)]!;
  const minutes = TWO_DIGITS[Math.floor(second % HOUR / MINUTE)]!;
  return `${hours}:${minutes}:${TWO_DIGITS[second % MINUTE]!}`;
}

function dateOf(seconds: number): string {
  return new Date(seconds * MILLISECONDS_PER_SECOND).toISOString().slice(0, 10);
}

/** Seconds that a zone is ahead of UTC: its name ends in `GMT+05:30`. */
function offsetIn(zone: Intl.DateTimeFormat, date: Date): number {
  const name = zone.formatToParts(date)
    .find(({ type }) => type === "timeZoneName")?.value ?? "";
  const match = /([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(name);
  if (match === null) return 0;
  const [, sign, hours, minutes, seconds] = match;
  const offset = Number(hours) * HOUR + Number(minutes) * MINUTE +
    Number(seconds ?? 0);
  return sign === "-" ? -offset : offset;
}
