import assert from "node:assert/strict";
import { monotonicTime, realTime } from "../../../../ffi/clock.ts";
import { PacketClock } from "../../../../lib/session/packet_clock.ts";

Deno.test("PacketClock tells the clock of packets from the beginning", () => {
  const clock = new PacketClock();
  const before = realTime({ seconds: 0, nanoseconds: 0 });
  const { seconds, nanoseconds } = clock.at(monotonicTime(), 0);
  const after = realTime({ seconds: 0, nanoseconds: 0 });
  const tolerance = 0.1;
  const at = seconds + nanoseconds / 1e9;
  assert.ok(at > before.seconds + before.nanoseconds / 1e9 - tolerance);
  assert.ok(at < after.seconds + after.nanoseconds / 1e9 + tolerance);
});

Deno.test("PacketClock.at() shifts across seconds", () => {
  const clock = new PacketClock();
  const time = 5_000_000_000;
  const there = clock.at(time, 0);
  const back = clock.at(time, -1_000_000_000);
  assert.equal(there.seconds - back.seconds, 1);
  assert.equal(there.nanoseconds, back.nanoseconds);
  for (const shift of [-999_999_999, -1, 1, 999_999_999]) {
    const { seconds, nanoseconds } = clock.at(time, shift);
    assert.ok(nanoseconds >= 0 && nanoseconds < 1e9);
    const moved = (seconds - there.seconds) * 1e9 + nanoseconds -
      there.nanoseconds;
    assert.equal(moved, shift);
  }
});
