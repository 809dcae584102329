/**
 * Entry point of the sniffer's thread. It reads the ring in one go from start
 * to end; commands reach it through shared memory.
 *
 * @module
 */
import type { SnifferCommandMessage, SnifferMessage } from "./messages.ts";
import { Sniffer } from "./sniffer.ts";

declare const self: DedicatedWorkerGlobalScope;

function post(message: SnifferMessage): void {
  self.postMessage(message);
}

self.onmessage = ({ data }: MessageEvent<SnifferCommandMessage>) => {
  try {
    using sniffer = new Sniffer(data.setup);
    post({ type: "ready" });
    post({ type: "done", result: sniffer.run() });
  } catch (error) {
    post({
      type: "failed",
      message: error instanceof Error ? error.message : String(error),
    });
  }
};
