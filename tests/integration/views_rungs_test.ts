import { deepEqual, equal, ok } from "node:assert/strict";
import { disassemble } from "../../bpf/extended/disassemble.ts";
import { acceptProgram } from "../../bpf/programs/views/calls.ts";
import { VIEW_ABILITIES } from "../../bpf/programs/views/features.ts";
import { SLOTS } from "../../bpf/programs/views/layout.ts";
import { readKernelTypes } from "../../lib/trace/ebpf_attach.ts";
import { watchAccepts } from "../../lib/views/accepts.ts";
import { watchConnections } from "../../lib/views/connections.ts";
import { watchRetransmits } from "../../lib/views/retransmits.ts";
import { watchSessions } from "../../lib/views/sessions.ts";
import { watchStates } from "../../lib/views/states.ts";
import type { WatchFeature } from "../../lib/views/watch.ts";
import { ebpfTest } from "./ebpf_support.ts";
import {
  type Attempt,
  attemptsOf,
  attemptText,
  CHILDREN,
  HAS_HOOKS,
  type Owned,
  ownedText,
  ownersOf,
  type Session,
  sessionOf,
  sessionText,
  sorted,
  takeRows,
  toldAttempts,
  ViewWorkload,
} from "./views_support.ts";

/** Ways to get at sockets that take the place of better ones. */
const RUNGS: readonly (readonly WatchFeature[])[] = [
  ["slots"],
  ["tp_btf"],
];

for (const without of RUNGS) {
  const watched = { scope: CHILDREN, without };
  const name = without.join();

  ebpfTest(`without ${name}, attempts are told the same`, async () => {
    using watch = watchConnections(watched);
    equal(watch.notices.length, HAS_HOOKS ? 0 : 1);
    equal(watch.details[0], `Cannot use ${name}: it is switched off`);
    await using workload = new ViewWorkload("attempts");
    await workload.done();
    const attempts = toldAttempts(workload.facts<Attempt>());
    const rows = await takeRows(watch, attempts.length - 1);
    rows.push(...watch.finish());
    deepEqual(attemptsOf(rows), sorted(attempts.map(attemptText)));
    ok(rows.every(({ pid }) => pid === workload.child.pid));
    ok(rows.some((row) => row.localAddress === "::ffff:127.0.0.1"));
    deepEqual(watch.losses, { records: 0, sockets: 0, runs: 0 });
  });

  ebpfTest(`without ${name}, sessions are told the same`, async () => {
    using watch = watchSessions(watched);
    deepEqual(watch.notices, []);
    await using workload = new ViewWorkload("sessions");
    await workload.done();
    const rows = await takeRows(watch, 29);
    deepEqual(
      sorted(rows.map((row) => sessionText(sessionOf(row)))),
      sorted(workload.facts<Session>().map(sessionText)),
    );
    for (const row of rows) {
      deepEqual([row.pid, row.ownerFrom], [workload.child.pid, "call"]);
    }
    watch.launched();
    equal(watch.over, false);
    await workload.finish();
    for await (const row of watch) ok(row === undefined, "one more row");
  });

  ebpfTest(`without ${name}, owners are known after fork`, async () => {
    using watch = watchSessions(watched);
    using accepts = watchAccepts(watched);
    await using workload = new ViewWorkload("forked");
    await workload.done();
    const rows = await takeRows(watch, 6);
    const owned = workload.facts<Owned>();
    deepEqual(
      ownersOf(rows, owned[0]!.local),
      sorted(owned.map(ownedText)),
    );
    deepEqual(
      (await takeRows(accepts, 2)).map(({ pid }) => pid),
      owned.filter(({ kind }) => kind === "call").map(({ owner }) => owner),
    );
  });

  ebpfTest(`without ${name}, retransmits and states are told`, async () => {
    using watch = watchRetransmits(watched);
    using states = watchStates(watched);
    await using workload = new ViewWorkload("retransmitted");
    await workload.done();
    const { port } = workload.facts<Attempt>()[1]!;
    const [row] = await takeRows(watch, 1);
    deepEqual(
      [row!.pid, row!.comm, row!.remotePort, row!.state, row!.reason],
      [workload.child.pid, "python3", port, "SYN_SENT", "loss"],
    );
    const changes = (await takeRows(states, 1)).filter(({ remotePort }) =>
      remotePort === port
    );
    const { pid } = workload.child;
    deepEqual(
      changes.filter((change) => change.oldState === "CLOSE")
        .map((change) => [change.pid, change.newState]),
      [[pid, "SYN_SENT"], [pid, "SYN_SENT"]],
    );
  });

  ebpfTest(`without ${name}, open sessions are found`, async () => {
    using watch = watchSessions({ ...watched, stillOpen: true });
    await using workload = new ViewWorkload("held");
    await workload.child.seen("stdout", /\n.*\n/);
    const [client, server] = workload.facts<Session>();
    const rows = watch.finish();
    deepEqual(
      sorted(rows.map((row) => `${row.localPort} ${row.bytesSent}`)),
      sorted([`${client!.local} 7`, `${server!.local} 0`]),
    );
    ok(rows.every((row) => !row.openBefore && row.ownerFrom === "call"));
  });
}

ebpfTest("what is refused is told in the order of the trials", () => {
  const without = ["slots", "fentry", "probe"] as const;
  using watch = watchSessions({ scope: CHILDREN, without });
  deepEqual(
    watch.details,
    without.map((name) => `Cannot use ${name}: it is switched off`),
  );
  equal(watch.notices.length, 1);
  ok(watch.notices[0]!.startsWith("kernel memory cannot be read"));
});

ebpfTest("acceptProgram() takes the result of inet_csk_accept()", () => {
  const types = readKernelTypes();
  const { attachment, code } = acceptProgram(
    { types, abilities: VIEW_ABILITIES[0]! },
    { accepts: true, filtered: false },
  );
  deepEqual(attachment, {
    kind: "tracing",
    type: "TRACE_FEXIT",
    btfId: types.function("inet_csk_accept"),
  });
  const { instructions } = disassemble(code.bytes);
  // r7 = *(u64 *)(r1 + behind the arguments)
  const [first] = instructions;
  deepEqual(
    [first!.opcode, first!.dst, first!.src, first!.off],
    [0x79, 7, 1, 8 * types.argumentCount("inet_csk_accept")],
  );
  const calls = instructions.filter(({ opcode, src }) =>
    opcode === 0x85 && src === 0
  ).map(({ imm }) => imm);
  // get_current_comm; no probe_read_kernel.
  deepEqual([calls.includes(16), calls.includes(113)], [true, false]);
});

/** Sockets that are open at a time, some of them without a slot. */
const MANY = 2 * SLOTS;

ebpfTest("sessions that find no slot are kept as well", async () => {
  using watch = watchSessions({ scope: CHILDREN, stillOpen: true });
  await using workload = new ViewWorkload("many", String(MANY / 2));
  await workload.done();
  const open = watch.finish();
  deepEqual([open.length, watch.take().length], [MANY, 0]);
  await workload.finish();
  for (const rows of [open, await takeRows(watch, MANY)]) {
    equal(new Set(rows.map((row) => row.localPort)).size, MANY / 2 + 1);
    equal(rows.length, MANY);
    for (const row of rows) {
      deepEqual([row.pid, row.ownerFrom], [workload.child.pid, "call"]);
      equal(row.openBefore, false);
    }
  }
  deepEqual(watch.losses, { records: 0, sockets: 0, runs: 0 });
});

ebpfTest("threads that find no slot are kept as well", async () => {
  using watch = watchConnections({ scope: CHILDREN });
  await using workload = new ViewWorkload("colliding", String(SLOTS));
  await workload.done();
  await workload.finish();
  const rows = await takeRows(watch, 3);
  // The one that waited, and the one that gave up meanwhile.
  deepEqual(
    rows.map(({ result }) => result),
    workload.facts<Attempt>().map(({ result }) => result),
  );
  const [first, second] = rows.slice(-2);
  equal((first!.tid - second!.tid) % SLOTS, 0);
  ok(first!.tid !== second!.tid);
});
