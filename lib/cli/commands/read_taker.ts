/**
 * What can become of packets that are read.
 *
 * @module
 */

import { CaptureRecord } from "../../pcap/capture_stream.ts";
import type { CaptureItem } from "../../pcap/merge.ts";
import type { FileOutput } from "../host.ts";

/** Takes the items of files, in their order. */
export interface Taker {
  /** Whether nobody wants more. */
  readonly isClosed: boolean;
  /** Takes an item; packets that are not wanted are not given. */
  take(stream: number, item: CaptureItem): void;
  /** Hands on what was taken: more may be long in coming. */
  flush(): void;
  /** The last call. */
  finish(): void;
}

/** Counts packets. */
export class CountingTaker implements Taker {
  readonly #output: FileOutput;
  /** Packets until now. */
  count = 0;

  constructor(output: FileOutput) {
    this.#output = output;
  }

  get isClosed(): boolean {
    return this.#output.isClosed;
  }

  take(_stream: number, item: CaptureItem): void {
    if (item instanceof CaptureRecord) this.count++;
  }

  flush(): void {}

  finish(): void {
    const { count } = this;
    const text = `${count} packet${count === 1 ? "" : "s"}\n`;
    this.#output.write(new TextEncoder().encode(text));
  }
}
