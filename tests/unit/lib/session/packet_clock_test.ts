import "../../../support/open_libc.ts";
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

Deno.test("PacketClock notices at once that the clock was set", () => {
  let offset = 1_000_000_000n;
  let measured = 0;
  const clock = new PacketClock(() => {
    measured++;
    return offset;
  });
  // Due in any case: what follows does not depend on how fast the test runs.
  const now = performance.now() + 10_000;
  const wall = 2_000_000_000_000;
  clock.read(now, wall);
  measured = 0;
  clock.read(now + 10, wall + 11);
  assert.equal(measured, 0);
  // The machine was asleep for an hour; then NTP set it back.
  offset += 3_600_000_000_000n;
  clock.read(now + 20, wall + 3_600_020);
  assert.equal(clock.at(0, 0).seconds, 3601);
  offset -= 5_000_000_000n;
  clock.read(now + 30, wall + 3_595_030);
  assert.equal(clock.at(0, 0).seconds, 3596);
  clock.read(now + 40, wall + 3_595_040);
  assert.equal(measured, 2);
});
