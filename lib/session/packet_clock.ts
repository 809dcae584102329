/**
 * Times of the kernel's events on the clock of packets.
 *
 * @module
 */
import { realTimeOffset } from "../../ffi/clock.ts";
import type { Moment } from "../sockets/table_writer.ts";

/** Nanoseconds of a second. */
const SECOND = 1_000_000_000;
/** How often the difference of the clocks is measured, ms. */
const INTERVAL = 1000;

/** CLOCK_REALTIME by CLOCK_MONOTONIC. */
export class PacketClock {
  #offset = splitTime(realTimeOffset());
  #readAt = performance.now() + INTERVAL;

  /**
   * Compares the clocks again, unless that was done a short time ago.
   *
   * @param now performance.now()
   */
  read(now: number): void {
    if (now < this.#readAt) return;
    this.#offset = splitTime(realTimeOffset());
    this.#readAt = now + INTERVAL;
  }

  /**
   * The clock of packets at a time.
   *
   * @param time nanoseconds of CLOCK_MONOTONIC
   * @param shift nanoseconds to add
   */
  at(time: number, shift: number): Moment {
    const whole = Math.floor(time / SECOND);
    const { seconds, nanoseconds } = this.#offset;
    const fraction = time - whole * SECOND + nanoseconds + shift;
    const carry = Math.floor(fraction / SECOND);
    return {
      seconds: whole + seconds + carry,
      nanoseconds: fraction - carry * SECOND,
    };
  }
}

function splitTime(nanoseconds: bigint): Moment {
  return {
    seconds: Number(nanoseconds / BigInt(SECOND)),
    nanoseconds: Number(nanoseconds % BigInt(SECOND)),
  };
}
