/**
 * Entry point of the tracer's thread.
 *
 * @module
 */
import type { TrackerCommand, TrackerMessage } from "./messages.ts";
import { Tracking } from "./tracking.ts";
import { CaptureError } from "./types.ts";

declare const self: DedicatedWorkerGlobalScope;

let tracking: Tracking | undefined;

function post(message: TrackerMessage): void {
  self.postMessage(message);
}

function fail(error: unknown): void {
  const known = error instanceof CaptureError;
  post({
    type: "failed",
    code: known ? error.code : "unsupported",
    message: error instanceof Error ? error.message : String(error),
    ...(known && error.hint !== undefined ? { hint: error.hint } : {}),
  });
}

self.onmessage = ({ data }: MessageEvent<TrackerCommand>) => {
  switch (data.type) {
    case "start":
      try {
        tracking = new Tracking(data.setup, post);
        tracking.run().catch(fail);
      } catch (error) {
        fail(error);
      }
      return;
    case "signal":
      tracking?.forwardSignal(data.signal);
      return;
    case "detach":
      tracking?.detach();
      return;
    case "end":
      tracking?.end();
      return;
  }
};
