import assert from "node:assert/strict";
import { readComm } from "../../../../lib/proc/comm.ts";
import { TrackingReporter } from "../../../../lib/session/tracking_reporter.ts";
import type { CaptureNotice } from "../../../../lib/session/types.ts";

function make(
  level: number,
): { readonly reporter: TrackingReporter; readonly told: CaptureNotice[] } {
  const told: CaptureNotice[] = [];
  const reporter = new TrackingReporter(level, (notice) => told.push(notice));
  return { reporter, told };
}

Deno.test("TrackingReporter tells debug notices up to its level", () => {
  for (
    const [level, expected] of [
      [0, []],
      [1, ["rules"]],
      [2, ["rules", "process 7 exited with status 3"]],
      [4, ["rules", "process 7 exited with status 3"]],
      [5, [
        "rules",
        "process 7 exited with status 3",
        "[7] bind(3) = 0",
        "[7/8] bind(3) = 0",
      ]],
    ] as const
  ) {
    const { reporter, told } = make(level);
    reporter.debug(1, "rules");
    reporter.processEnded(7, { kind: "exited", code: 3 });
    reporter.call(7, 7, "bind(3) = 0");
    reporter.call(7, 8, "bind(3) = 0");
    assert.deepEqual(told.map(({ text }) => text), expected);
    assert.equal(reporter.tellsCalls, level === 5);
  }
});

Deno.test("TrackingReporter warns once of the same thing", () => {
  const { reporter, told } = make(0);
  const comm = readComm(Deno.pid);
  for (let time = 0; time < 2; time++) {
    reporter.missed(Deno.pid, "SCTP");
    reporter.missed(Deno.pid, "DCCP");
    reporter.ioUring(Deno.pid);
  }
  assert.deepEqual(
    told,
    [
      `process ${Deno.pid} (${comm}) uses SCTP: its packets are missed`,
      `process ${Deno.pid} (${comm}) uses DCCP: its packets are missed`,
      `process ${Deno.pid} (${comm}) uses io_uring: first packets of what it ` +
      "opens that way are missed (--tracker ebpf misses none)",
    ].map((text) => ({ severity: "warning", text })),
  );
});
