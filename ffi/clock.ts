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

function clock(id: number): bigint {
  check("clock_gettime", libc().clock_gettime(id, timespec));
  return BigInt(timespec[0]!) * 1_000_000_000n + BigInt(timespec[2]!);
}
