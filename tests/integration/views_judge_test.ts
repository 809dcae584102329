import { deepEqual, ok } from "node:assert/strict";
import { watchSessions } from "../../lib/views/sessions.ts";
import { Child } from "../support/processes.ts";
import { missing } from "../support/requires.ts";
import { ebpfTest } from "./ebpf_support.ts";
import { CHILDREN, sorted, takeRows, ViewWorkload } from "./views_support.ts";

/** Both ends and the time in microseconds of everything that is closed. */
const SCRIPT = `
BEGIN { printf("ready\\n"); }
tracepoint:sock:inet_sock_set_state
/args->protocol == 6 && (args->newstate == 1 || args->newstate == 2)/ {
  @birth[args->skaddr] = nsecs;
}
tracepoint:sock:inet_sock_set_state
/args->protocol == 6 && args->newstate == 7 && @birth[args->skaddr]/ {
  printf("%d %d %d\\n", args->sport, args->dport,
    (nsecs - @birth[args->skaddr]) / 1000);
  delete(@birth[args->skaddr]);
}
END { clear(@birth); }
`;

/** Arguments that run a script; tracefs may be mounted nowhere. */
function bpftrace(script: string): string[] {
  return [
    ...["unshare", "--mount", "sh", "-c"],
    "mount -t tracefs tracefs /sys/kernel/tracing; " +
    `ulimit -l unlimited; exec bpftrace -e '${script}'`,
  ];
}

/** How far two clocks that look one after the other may differ. */
const TOLERANCE = 1000;

const reason = missing(["root", "program bpftrace", "mount namespaces"]);

if (reason !== undefined) {
  Deno.test.ignore(`life agrees with bpftrace (skipped: ${reason})`, () => {});
} else {
  ebpfTest("life agrees with bpftrace on the same sessions", async () => {
    await using judge = new Child(bpftrace(SCRIPT));
    await judge.seen("stdout", /ready/);
    using watch = watchSessions({ scope: CHILDREN });
    await using workload = new ViewWorkload("sessions");
    await workload.done();
    const rows = await takeRows(watch, 29);
    const key = (local: number, remote: number): string => `${local} ${remote}`;
    const durations = new Map(
      rows.map((row) => [key(row.localPort, row.remotePort), row.duration]),
    );
    // It writes what it has in pieces; the last row tells that all is there.
    const last = rows.at(-1)!;
    await judge.seen(
      "stdout",
      new RegExp(`^${last.localPort} ${last.remotePort} `, "m"),
    );
    const judged = judge.stdout.split("\n")
      .map((line) => line.split(" ").map(Number))
      .filter(([local, remote]) => durations.has(key(local!, remote!)));
    deepEqual(
      sorted(judged.map(([local, remote]) => key(local!, remote!))),
      sorted(durations.keys()),
    );
    for (const [local, remote, microseconds] of judged) {
      const ours = durations.get(key(local!, remote!))! * 1000;
      ok(
        Math.abs(ours - microseconds!) < TOLERANCE,
        `${local} ${remote}: ${ours} and ${microseconds} µs`,
      );
    }
  });
}
