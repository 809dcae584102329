import assert from "node:assert/strict";
import { type Tap, Taps } from "../../../../lib/session/taps.ts";

/** What matters of a tap here. */
interface FakeTap {
  readonly ring: { ready: boolean; readonly socket: number };
  over: boolean;
  progress: number;
}

function tap(): FakeTap {
  return { ring: { ready: false, socket: -1 }, over: false, progress: 0 };
}

Deno.test("Taps.progress() waits for the tap that is behind", () => {
  const taps = new Taps(-1, -1);
  const busy = tap();
  const idle = tap();
  for (const each of [busy, idle]) taps.add(each as unknown as Tap);
  assert.equal(taps.progress(1000), 1000, "nothing waits");
  busy.ring.ready = true;
  assert.equal(taps.progress(1000), 0, "nothing of it was taken yet");
  busy.progress = 990;
  idle.progress = 1000;
  assert.equal(taps.progress(1000), 990);
  busy.over = true;
  assert.equal(taps.progress(1000), 1000, "what is left of it does not matter");
});
