/**
 * Several captures as one, in the order of time.
 *
 * @module
 */

import { CaptureRecord } from "./capture_record.ts";
import type { CaptureStream, SelectOptions } from "./capture_stream.ts";
import type { CaptureBlock } from "./pcapng/block.ts";

/** What a stream gives. See {@linkcode CaptureMerger}. */
export type CaptureItem = CaptureRecord | CaptureBlock;

/**
 * Items of one stream that follow each other.
 * See {@linkcode CaptureMerger}.
 */
export interface CaptureRun {
  /** Which of the streams. */
  readonly stream: number;
  /** Holds the items. */
  readonly items: readonly CaptureItem[];
  /** Index of the first. */
  readonly start: number;
  /** Index after the last. */
  readonly end: number;
}

/** Why a stream ended early. See {@linkcode CaptureMerger}. */
export interface CaptureFailure {
  /** Which of the streams. */
  readonly stream: number;
  /** What it threw. */
  readonly error: unknown;
}

/**
 * Merges streams by the time of their packets. Each stream keeps its order,
 * and of equal times the earlier stream comes first. One stream is passed on
 * as it is.
 *
 * @example Read two files by time
 * ```ts
 * import { CaptureStream } from "./capture_stream.ts";
 * import { CaptureMerger } from "./merge.ts";
 * import assert from "node:assert/strict";
 *
 * const streams = await Promise.all([1, 113].map((type) =>
 *   CaptureStream.open(async function* () {
 *     const path = `tests/golden/data/filter_linktype_${type}.pcap`;
 *     yield await Deno.readFile(path);
 *   }())
 * ));
 * const merger = new CaptureMerger(streams);
 * const counts = [0, 0];
 * for await (const runs of merger.runs()) {
 *   for (const { stream, start, end } of runs) counts[stream]! += end - start;
 * }
 * assert(counts.every((count) => count > 0));
 * assert.deepEqual(merger.failures, []);
 * ```
 */
export class CaptureMerger {
  /** Streams that ended with an error until now; the others go on. */
  readonly failures: CaptureFailure[] = [];
  readonly #streams: readonly CaptureStream[];
  readonly #options: SelectOptions;

  /**
   * Begins to read nothing yet.
   *
   * @param streams Streams that nobody iterates.
   * @param options Which packets are wanted; all by default.
   */
  constructor(
    streams: readonly CaptureStream[],
    options: SelectOptions = {},
  ) {
    this.#streams = streams;
    this.#options = options;
  }

  /** All items, as many at a time as can be told; can be iterated once. */
  async *runs(): AsyncGenerator<readonly CaptureRun[], void> {
    const feeds = this.#streams.map((stream, index) =>
      new Feed(index, stream.items(this.#options))
    );
    try {
      let live = feeds;
      while (live.length > 0) {
        for (const feed of live) {
          if (feed.isEmpty) await this.#refill(feed);
        }
        live = live.filter((feed) => !feed.isEmpty);
        const runs = live.length === 1 ? [live[0]!.takeAll()] : takeRuns(live);
        if (runs.length > 0) yield runs;
      }
    } finally {
      for (const feed of feeds) await feed.items.return();
    }
  }

  async #refill(feed: Feed): Promise<void> {
    try {
      await feed.refill();
    } catch (error) {
      this.failures.push({ stream: feed.stream, error });
    }
  }
}

/** A stream with the items that were read of it. */
class Feed {
  readonly stream: number;
  readonly items: AsyncGenerator<CaptureItem[], void>;
  #batch: readonly CaptureItem[] = [];
  #at = 0;
  /** Time of the first item that is left. */
  seconds = -Infinity;
  nanoseconds = 0;

  constructor(stream: number, items: AsyncGenerator<CaptureItem[], void>) {
    this.stream = stream;
    this.items = items;
  }

  get isEmpty(): boolean {
    return this.#at === this.#batch.length;
  }

  async refill(): Promise<void> {
    const { value } = await this.items.next();
    this.#batch = value ?? [];
    this.#at = 0;
    this.#note();
  }

  takeAll(): CaptureRun {
    const start = this.#at;
    this.#at = this.#batch.length;
    return this.#run(start);
  }

  /** Takes items as long as they are not later than the next of another. */
  takeUntil(other: Feed): CaptureRun {
    const start = this.#at;
    do {
      this.#at++;
      this.#note();
    } while (!this.isEmpty && !other.isBefore(this));
    return this.#run(start);
  }

  isBefore(other: Feed): boolean {
    return this.seconds < other.seconds ||
      (this.seconds === other.seconds &&
        (this.nanoseconds < other.nanoseconds ||
          (this.nanoseconds === other.nanoseconds &&
            this.stream < other.stream)));
  }

  #run(start: number): CaptureRun {
    const { stream } = this;
    return { stream, items: this.#batch, start, end: this.#at };
  }

  /** What has no time keeps its place behind what stands before it. */
  #note(): void {
    const item = this.#batch[this.#at];
    if (!(item instanceof CaptureRecord) || !item.isTimed) return;
    this.seconds = item.seconds;
    this.nanoseconds = item.nanoseconds;
  }
}

/** Takes runs until one of at least two feeds is empty. */
function takeRuns(feeds: readonly Feed[]): CaptureRun[] {
  const runs: CaptureRun[] = [];
  if (feeds.length === 0) return runs;
  const ordered = feeds.toSorted((one, two) => one.isBefore(two) ? -1 : 1);
  for (;;) {
    const first = ordered.shift()!;
    runs.push(first.takeUntil(ordered[0]!));
    if (first.isEmpty) return runs;
    const place = ordered.findIndex((other) => first.isBefore(other));
    ordered.splice(place < 0 ? ordered.length : place, 0, first);
  }
}
