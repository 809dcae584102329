import { deepEqual } from "node:assert/strict";
import { watchSessions } from "../../lib/views/sessions.ts";
import { Child, until } from "../support/processes.ts";
import { missing } from "../support/requires.ts";
import { ebpfTest } from "./ebpf_support.ts";
import { CHILDREN, sorted, takeRows, ViewWorkload } from "./views_support.ts";

/** Both ends of everything that is closed. */
const SCRIPT = `
tracepoint:sock:inet_sock_set_state
/args->protocol == 6 && (args->newstate == 1 || args->newstate == 2)/ {
  @birth[args->skaddr] = 1;
}
tracepoint:sock:inet_sock_set_state
/args->protocol == 6 && args->newstate == 7 && @birth[args->skaddr]/ {
  printf("%d %d\\n", args->sport, args->dport);
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

const reason = missing(["root", "program bpftrace", "mount namespaces"]);

if (reason !== undefined) {
  Deno.test.ignore(`life agrees with bpftrace (skipped: ${reason})`, () => {});
} else {
  ebpfTest("life agrees with bpftrace on the same sessions", async () => {
    await using judge = new Child(bpftrace(SCRIPT));
    // It says nothing when it is attached: the first line that comes tells.
    await until(async () => {
      await Deno.connect({ hostname: "127.0.0.1", port: 1 }).catch(() => {});
      return /^\d+ 1$/m.test(judge.stdout) ? true : undefined;
    }, "bpftrace");
    using watch = watchSessions({ scope: CHILDREN });
    await using workload = new ViewWorkload("sessions");
    await workload.done();
    const rows = await takeRows(watch, 29);
    const key = (local: number, remote: number): string => `${local} ${remote}`;
    const ours = new Set(
      rows.map((row) => key(row.localPort, row.remotePort)),
    );
    // It writes what it has in pieces; the last row tells that all is there.
    const last = rows.at(-1)!;
    await judge.seen(
      "stdout",
      new RegExp(`^${last.localPort} ${last.remotePort}$`, "m"),
    );
    const judged = judge.stdout.split("\n")
      .map((line) => line.split(" ").map(Number))
      .filter(([local, remote]) => ours.has(key(local!, remote!)));
    deepEqual(
      // Others of the machine may use the same ports later.
      sorted(new Set(judged.map(([local, remote]) => key(local!, remote!)))),
      sorted(ours),
    );
  });
}
