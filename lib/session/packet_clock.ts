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
/** Differences from one reading to the next are no steps up to here, ms. */
const STEP = 3;

/** CLOCK_REALTIME by CLOCK_MONOTONIC. */
export class PacketClock {
  readonly #measure: () => bigint;
  #offset: Moment;
  #readAt = performance.now() + INTERVAL;
  /** The difference in milliseconds, which costs less to find out. */
  #apart = Date.now() - performance.now();

  /** @param measure tells CLOCK_REALTIME minus CLOCK_MONOTONIC, ns */
  constructor(measure: () => bigint = realTimeOffset) {
    this.#measure = measure;
    this.#offset = splitTime(measure());
  }

  /**
   * Compares the clocks again, unless that was done a short time ago and none
   * was set since: by hand, by NTP, or because the machine was asleep.
   *
   * @param now performance.now()
   * @param wall Date.now()
   */
  read(now: number = performance.now(), wall: number = Date.now()): void {
    const apart = wall - now;
    const isStep = Math.abs(apart - this.#apart) > STEP;
    if (now < this.#readAt && !isStep) return;
    this.#offset = splitTime(this.#measure());
    this.#readAt = now + INTERVAL;
    this.#apart = apart;
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
