/**
 * Waiting for the events of traced threads.
 *
 * ```text
 *  run ─▶ turn: block in waitpid(2), handle, block … ─▶ timers, messages ─┐
 *   ▲          ends when it was quiet for a tick, or after a while        │
 *   └────────────── an event is there ◀── a pool thread waits ◀───────────┘
 * ```
 *
 * The thread blocks: asking again and again would take the processor from the
 * program that is waited for. It does so for a limited time, as its timers and
 * messages stand still meanwhile; the way through a pool thread takes several
 * times as long as an answer of a running program.
 *
 * @module
 */
import type { Ticks } from "../../ffi/ticks.ts";
import { waitAny, waitAnyNow } from "../../ffi/wait.ts";

/** How often waiting is interrupted, ms; one without an event ends the turn. */
const TICK = 0.5;
/** How long a turn lasts when events never cease, ms. */
const TURN = 5;

/** What is done in a turn. */
export interface TurnWork {
  /** Takes an event of a thread; see `lastStatus`. */
  handle(tid: number): void;
  /** Regular work. */
  tick(): void;
}

/**
 * Handles events until none comes for a tick, or until others have to have
 * their turn.
 *
 * @returns false when this thread has no children any more
 */
export function takeTurn(ticks: Ticks, work: TurnWork): boolean {
  const end = performance.now() + TURN;
  using _ticking = ticks.every(TICK);
  let quiet = false;
  do {
    const tid = waitAny();
    if (tid < 0) return false;
    if (tid > 0) {
      work.handle(tid);
      quiet = false;
    } else {
      work.tick();
      if (quiet) return true;
      quiet = true;
    }
  } while (performance.now() < end);
  return true;
}

/**
 * Handles events until there are none and `enough` says so.
 *
 * @param milliseconds the longest time to wait
 */
export function handleUntil(
  ticks: Ticks,
  enough: () => boolean,
  milliseconds: number,
  handle: (tid: number) => void,
): void {
  const deadline = performance.now() + milliseconds;
  using _ticking = ticks.every(TICK);
  while (performance.now() < deadline) {
    let tid = waitAnyNow();
    if (tid <= 0) {
      if (enough()) return;
      tid = waitAny();
    }
    if (tid > 0) handle(tid);
  }
}
