import assert from "node:assert/strict";
import { Clock } from "../../../../lib/text/clock.ts";
import type { TimeFormat } from "../../../../lib/text/print_options.ts";

function clock(
  time: TimeFormat,
  timeZone: string | undefined = "UTC",
  nanoseconds = false,
): Clock {
  return new Clock({ time, timeZone, nanoseconds });
}

Deno.test("times of day follow the clocks of a zone", () => {
  // On 2026-03-29 at 01:00 UTC clocks in Berlin go from 02:00 to 03:00.
  const berlin = clock("date", "Europe/Berlin");
  assert.equal(berlin.format(1774745999, 0), "2026-03-29 01:59:59.000000 ");
  assert.equal(berlin.format(1774746000, 0), "2026-03-29 03:00:00.000000 ");
  assert.equal(
    clock("clock", "Asia/Kathmandu").format(0, 0),
    "05:30:00.000000 ",
  );
  assert.equal(
    clock("clock", "America/New_York").format(0, 0),
    "19:00:00.000000 ",
  );
});

Deno.test("without a zone, it is the system's", () => {
  const date = new Date(1774745999_000);
  const [hours, minutes] = [date.getHours(), date.getMinutes()].map((part) =>
    String(part).padStart(2, "0")
  );
  const text = new Clock({
    time: "clock",
    nanoseconds: false,
    timeZone: undefined,
  }).format(1774745999, 5_000);
  assert.equal(text, `${hours}:${minutes}:59.000005 `);
});

Deno.test("relative times count from the packet before or the first", () => {
  const delta = clock("delta");
  const elapsed = clock("elapsed", "UTC", true);
  const rows = [
    [100, 999_999_999, " 00:00:00.000000 ", " 00:00:00.000000000 "],
    [101, 0, " 00:00:00.000001 ", " 00:00:00.000000001 "],
    [3761, 5, " 01:01:00.000000 ", " 01:01:00.000000006 "],
    [3760, 0, "-00:00:01.000000 ", " 01:00:59.000000001 "],
    [99, 0, "-01:01:01.000000 ", "-00:00:01.999999999 "],
  ] as const;
  for (const [seconds, nanoseconds, between, since] of rows) {
    assert.equal(delta.format(seconds, nanoseconds), between);
    assert.equal(elapsed.format(seconds, nanoseconds), since);
  }
});

Deno.test("times since 1970 have as many digits as are wanted", () => {
  assert.equal(clock("epoch").format(7, 1_999), "7.000001 ");
  assert.equal(clock("epoch", "UTC", true).format(7, 1_999), "7.000001999 ");
  assert.equal(clock("none").format(7, 1_999), "");
});

Deno.test("odd times do not stop the printing", () => {
  assert.equal(clock("epoch").format(7, 2_500_000_000), "9.500000 ");
  for (const seconds of [-1, 2 ** 53, NaN]) {
    for (const time of ["clock", "date", "epoch", "delta"] as const) {
      const text = clock(time).format(seconds, 0);
      assert.equal(text, "[Error converting time] ");
    }
  }
  assert.equal(
    clock("date").format(253_402_300_799, 0),
    "9999-12-31 23:59:59.000000 ",
  );
});
