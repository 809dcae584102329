/**
 * clock_gettime(2) in the shape of packet time stamps.
 *
 * @module
 */
import { check } from "./errno.ts";
import { libc } from "./libc.ts";

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

/** Nanoseconds of CLOCK_REALTIME minus CLOCK_MONOTONIC, at this moment. */
export function realTimeOffset(): bigint {
  check("clock_gettime", libc().clock_gettime(CLOCK_MONOTONIC, timespec));
  const monotonic = BigInt(timespec[0]!) * 1_000_000_000n +
    BigInt(timespec[2]!);
  check("clock_gettime", libc().clock_gettime(CLOCK_REALTIME, timespec));
  return BigInt(timespec[0]!) * 1_000_000_000n + BigInt(timespec[2]!) -
    monotonic;
}
