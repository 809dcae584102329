/**
 * clock_gettime(2) in the shape of packet time stamps.
 *
 * @module
 */
import { check } from "./errno.ts";
import { libc } from "./libc.ts";
import { cString } from "./memory.ts";

const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;

// struct timespec { time_t tv_sec; long tv_nsec; }, both 64 bits wide.
const timespec = new Int32Array(4);

/** A point in time: seconds since 1970 and nanoseconds. */
export interface Timestamp {
  seconds: number;
  nanoseconds: number;
}

/** Current time of the clock that stamps packets, written into `target`. */
export function realTime(target: Timestamp): Timestamp {
  check("clock_gettime", libc().clock_gettime(CLOCK_REALTIME, timespec));
  target.seconds = timespec[0]!;
  target.nanoseconds = timespec[2]!;
  return target;
}

/**
 * Nanoseconds of CLOCK_REALTIME minus CLOCK_MONOTONIC, at this moment. The
 * best of a few measurements: a thread may lose the processor in between.
 */
export function realTimeOffset(): bigint {
  let offset = 0n;
  let shortest: bigint | undefined;
  for (let i = 0; i < 5; i++) {
    const before = clock(CLOCK_MONOTONIC);
    const real = clock(CLOCK_REALTIME);
    const span = clock(CLOCK_MONOTONIC) - before;
    if (shortest !== undefined && span >= shortest) continue;
    shortest = span;
    offset = real - before - span / 2n;
  }
  return offset;
}

/** Nanoseconds of CLOCK_MONOTONIC; exact for the first 104 days. */
export function monotonicTime(): number {
  return Number(clock(CLOCK_MONOTONIC));
}

/** Bytes of `struct tm`: nine ints, padding, `long tm_gmtoff`, a pointer. */
const TM_LENGTH = 56;
/** Longest text that a format may make: PATH_MAX. */
const MAX_TEXT = 4096;

/**
 * Expands the conversions of strftime(3) with the local time.
 *
 * @param seconds since 1970
 * @throws {RangeError} when the text is longer than a path may be
 */
export function formatLocalTime(format: string, seconds: number): string {
  const { localtime_r, strftime, tzset } = libc();
  const tm = new Uint8Array(TM_LENGTH);
  const text = new Uint8Array(MAX_TEXT);
  tzset();
  localtime_r(BigInt64Array.of(BigInt(Math.floor(seconds))), tm);
  // strftime(3) cannot tell an empty text from one that is too long.
  const length = strftime(text, BigInt(MAX_TEXT), cString(`${format}.`), tm);
  if (length === 0) {
    throw new RangeError(`Cannot expand ${format}: the text is too long`);
  }
  return new TextDecoder().decode(text.subarray(0, length - 1));
}

function clock(id: number): bigint {
  check("clock_gettime", libc().clock_gettime(id, timespec));
  return BigInt(timespec[0]!) * 1_000_000_000n + BigInt(timespec[2]!);
}
