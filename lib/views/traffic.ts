/**
 * What connections carry, time after time: tcptop.
 *
 * @module
 */
import { endsOf } from "./record_rows.ts";
import type { SessionRow, TrafficRow, TrafficSample } from "./rows.ts";
import { watchSessions } from "./sessions.ts";
import {
  rowsOf,
  type ViewLosses,
  type Watch,
  WATCH_INTERVAL,
  type WatchOptions,
} from "./watch.ts";

/** How traffic is watched. See {@linkcode watchTraffic}. */
export interface TrafficWatchOptions extends WatchOptions {
  /** Milliseconds between samples; 1000 unless told. */
  readonly period?: number;
}

/** Samples for which bytes of a connection without an end are remembered. */
const FORGOTTEN_AFTER = 5;

/**
 * Watches what TCP connections carry: a sample for each period.
 *
 * @throws {ViewError} when that is not permitted or not possible here
 *
 * @example Print the busiest connection of each second
 * ```ts ignore
 * import { watchTraffic } from "./mod.ts";
 *
 * using watch = watchTraffic({ period: 1000 });
 * for await (const { rows: [busiest] } of watch) console.log(busiest);
 * ```
 */
export function watchTraffic(
  options: TrafficWatchOptions = {},
): Watch<TrafficSample> {
  const sessions = watchSessions({
    ...options,
    openBefore: true,
    stillOpen: true,
  });
  return new TrafficWatch(sessions, options);
}

/** Bytes of a connection at the last look. */
interface Counts {
  sent: number;
  received: number;
  /** Number of the sample that saw it. */
  seen: number;
}

/** Makes samples of sessions that are open or have ended. */
export class TrafficWatch implements Watch<TrafficSample> {
  readonly notices: readonly string[];
  readonly details: readonly string[];
  readonly #sessions: Watch<SessionRow>;
  readonly #options: TrafficWatchOptions;
  readonly #counts = new Map<string, Counts>();
  readonly #clock: () => number;
  #due: number;
  #samples = 0;
  #stopped = false;

  /**
   * Begins to count.
   *
   * @param sessions Everything that is open or ends; it becomes this watch's.
   * @param clock Milliseconds.
   */
  constructor(
    sessions: Watch<SessionRow>,
    options: TrafficWatchOptions = {},
    clock: () => number = () => performance.now(),
  ) {
    this.#sessions = sessions;
    this.#options = options;
    this.#clock = clock;
    this.notices = sessions.notices;
    this.details = sessions.details;
    this.#due = clock() + this.#period;
    this.#sample();
  }

  take(): TrafficSample[] {
    const now = this.#clock();
    if (now < this.#due) return [];
    this.#due += this.#period;
    // What was missed is not made up for.
    if (this.#due <= now) this.#due = now + this.#period;
    return [this.#sample()];
  }

  visit(callback: (row: TrafficSample) => void): void {
    for (const row of this.take()) callback(row);
  }

  finish(): TrafficSample[] {
    return [];
  }

  get losses(): ViewLosses {
    return this.#sessions.losses;
  }

  get over(): boolean {
    return this.#sessions.over;
  }

  launched(): void {
    this.#sessions.launched();
  }

  stop(): void {
    this.#stopped = true;
    this.#sessions.stop();
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
    this.#sessions[Symbol.dispose]();
  }

  [Symbol.asyncIterator](): AsyncGenerator<TrafficSample, void, void> {
    return rowsOf(
      this,
      () => this.#stopped,
      this.#options.interval ?? WATCH_INTERVAL,
    );
  }

  get #period(): number {
    return this.#options.period ?? 1000;
  }

  #sample(): TrafficSample {
    this.#samples++;
    const rows: TrafficRow[] = [];
    // What has ended comes first: its ends may be in use again.
    this.#sessions.visit((row) => this.#count(row, rows));
    for (const row of this.#sessions.finish()) this.#count(row, rows);
    for (const [key, { seen }] of this.#counts) {
      if (seen + FORGOTTEN_AFTER < this.#samples) this.#counts.delete(key);
    }
    rows.sort((a, b) =>
      b.bytesSent + b.bytesReceived - a.bytesSent - a.bytesReceived
    );
    return { time: Date.now(), rows };
  }

  #count(row: SessionRow, rows: TrafficRow[]): void {
    const key = `${row.netns} ${row.localAddress} ${row.localPort} ` +
      `${row.remoteAddress} ${row.remotePort}`;
    const before = this.#counts.get(key);
    const bytesSent = row.bytesSent - (before?.sent ?? 0);
    const bytesReceived = row.bytesReceived - (before?.received ?? 0);
    if (row.stillOpen) {
      this.#counts.set(key, {
        sent: row.bytesSent,
        received: row.bytesReceived,
        seen: this.#samples,
      });
    } else this.#counts.delete(key);
    if (bytesSent <= 0 && bytesReceived <= 0) return;
    rows.push({ ...endsOf(row), bytesSent, bytesReceived });
  }
}
