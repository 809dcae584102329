import { deepEqual, equal, ok } from "node:assert/strict";
import { watchAccepts } from "../../lib/views/accepts.ts";
import { watchConnections } from "../../lib/views/connections.ts";
import { watchRetransmits } from "../../lib/views/retransmits.ts";
import type { SessionRow } from "../../lib/views/rows.ts";
import { watchSessions } from "../../lib/views/sessions.ts";
import { watchStates } from "../../lib/views/states.ts";
import { watchTraffic } from "../../lib/views/traffic.ts";
import type { WatchFeature } from "../../lib/views/watch.ts";
import { PrivateNetwork } from "../support/network.ts";
import { Child, until } from "../support/processes.ts";
import { TOOL } from "../support/tool.ts";
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
  WORKLOAD,
} from "./views_support.ts";

ebpfTest("watchConnections() tells every attempt with its result", async () => {
  using watch = watchConnections({ scope: CHILDREN });
  await using workload = new ViewWorkload("attempts");
  await workload.done();
  equal(workload.facts().length, 23);
  const attempts = toldAttempts(workload.facts<Attempt>());
  const rows = await takeRows(watch, attempts.length - 1);
  rows.push(...watch.finish());
  deepEqual(attemptsOf(rows), sorted(attempts.map(attemptText)));
  for (const row of rows) {
    equal(row.pid, workload.child.pid);
    equal(row.comm, "python3");
    equal(row.latency === undefined, row.result === "pending");
    ok(row.latency === undefined || row.latency > 0);
    ok(Math.abs(row.time - Date.now()) < 60_000);
  }
  const families = (family: number): number =>
    rows.filter((row) => row.family === family).length;
  deepEqual([families(4), families(6)], [attempts.length - 2, 2]);
  ok(rows.some((row) => row.localAddress === "::ffff:127.0.0.1"));
  deepEqual(watch.losses, { records: 0, sockets: 0, runs: 0 });
});

ebpfTest("watchSessions() tells both ends with exact bytes", async () => {
  using watch = watchSessions({ scope: CHILDREN });
  await using workload = new ViewWorkload("sessions");
  await workload.done();
  const rows = await takeRows(watch, 29);
  const sessions = workload.facts<Session>();
  equal(sessions.length, 29);
  deepEqual(
    sorted(rows.map((row) => sessionText(sessionOf(row)))),
    sorted(sessions.map(sessionText)),
  );
  for (const row of rows) {
    equal(row.pid, workload.child.pid);
    equal(row.ownerFrom, "call");
    ok(row.duration > 0);
    equal(row.error === undefined, !row.closedBy.startsWith("remote-reset"));
  }
  deepEqual(watch.losses, { records: 0, sockets: 0, runs: 0 });
});

ebpfTest("watchSessions() knows who accepted, also after fork", async () => {
  using watch = watchSessions({ scope: CHILDREN });
  await using workload = new ViewWorkload("forked");
  await workload.done();
  const rows = await takeRows(watch, 6);
  const owned = workload.facts<Owned>();
  deepEqual(
    ownersOf(rows, owned[0]!.local),
    sorted(owned.map(ownedText)),
  );
});

ebpfTest(
  "watchSessions() tells what was open before and still is",
  async () => {
    await using workload = new ViewWorkload("held");
    await workload.child.seen("stdout", /\n.*\n/);
    const scope = {
      kind: "processes",
      pids: [workload.child.pid],
      tree: false,
    } as const;
    using early = watchSessions({ scope, openBefore: true, stillOpen: true });
    using late = watchSessions({ scope });
    await workload.child.writeLine();
    await workload.done();
    const [client, server] = workload.facts<Session>();
    const text = (row: SessionRow): string =>
      `${row.localPort} ${row.bytesSent} ${row.bytesReceived} ` +
      `${row.openBefore} ${row.stillOpen} ${row.ownerFrom} ${row.pid}`;
    const { pid } = workload.child;
    deepEqual(
      sorted(early.finish().map(text)),
      sorted([
        `${client!.local} 7 3 true true descriptor ${pid}`,
        `${server!.local} 3 7 true true descriptor ${pid}`,
      ]),
    );
    await workload.child.writeLine();
    deepEqual(
      sorted((await takeRows(early, 2)).map(text)),
      sorted([
        `${client!.local} 7 3 true false descriptor ${pid}`,
        `${server!.local} 3 7 true false descriptor ${pid}`,
      ]),
    );
    deepEqual(late.take(), []);
  },
);

ebpfTest("watchConnections() tells first datagrams if asked", async () => {
  using watch = watchConnections({ scope: CHILDREN, udp: true });
  await using workload = new ViewWorkload("datagrams");
  await workload.done();
  const rows = await takeRows(watch, 3);
  deepEqual(
    sorted(
      rows.map((row) =>
        `${row.protocol} ${row.localPort} ${row.remotePort} ${row.result}`
      ),
    ),
    sorted(
      workload.facts<Session>().map(({ local, remote }) =>
        `udp ${local} ${remote} ok`
      ),
    ),
  );
});

ebpfTest("watchConnections() names what DNS was asked for", async () => {
  // Port 53 of this machine may be taken.
  await using network = await PrivateNetwork.create();
  const [prefix, netns] = network.prefix;
  const watch = new Child([
    ...[prefix!, netns!, ...TOOL, "connect", "--json", "-d"],
    ...["--", "python3", WORKLOAD, "named"],
  ], { stdin: "null" });
  const { code, stdout } = await watch.ended();
  equal(code, 0);
  const rows = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  deepEqual(
    rows.map(({ remoteAddress, name }) => [remoteAddress, name]),
    [["127.0.0.53", "www.example.org"], ["127.0.0.54", undefined]],
  );
});

ebpfTest("a tree of processes includes those that come later", async () => {
  await using shell = new Child(
    ["sh", "-c", `read go; python3 ${WORKLOAD} sessions </dev/null; read end`],
    { stdin: "piped" },
  );
  const only = { kind: "processes", pids: [shell.pid] } as const;
  using tree = watchSessions({ scope: { ...only, tree: true } });
  using alone = watchSessions({ scope: { ...only, tree: false } });
  await shell.writeLine();
  const rows = await takeRows(tree, 29);
  equal(rows.length, 29);
  ok(rows.every(({ pid }) => pid !== shell.pid));
  deepEqual(alone.take(), []);
});

ebpfTest("a watch is over when everything it watched has ended", async () => {
  using watch = watchSessions({ scope: CHILDREN });
  await using workload = new ViewWorkload("sessions");
  watch.launched();
  await workload.done();
  equal(watch.over, false);
  await workload.finish();
  let count = 0;
  for await (const row of watch) {
    equal(row.pid, workload.child.pid);
    count++;
  }
  equal(count, 29);
});

ebpfTest("watchAccepts() tells who accepts, when it does", async () => {
  using watch = watchAccepts({ scope: CHILDREN });
  await using workload = new ViewWorkload("forked");
  await workload.done();
  const owned = workload.facts<Owned>().filter(({ kind }) => kind === "call");
  equal(owned.length, 2);
  deepEqual(
    (await takeRows(watch, 2)).map((row) =>
      `${row.localPort} ${row.remotePort} ${row.pid}`
    ),
    owned.map(({ local, remote, owner }) => `${local} ${remote} ${owner}`),
  );
});

ebpfTest("watchStates() tells every change of both ends", async () => {
  using watch = watchStates({ scope: CHILDREN });
  await using workload = new ViewWorkload("held");
  await workload.child.seen("stdout", /\n.*\n/);
  await workload.child.writeLine();
  await workload.done();
  await workload.child.writeLine();
  await workload.child.seen("stdout", /"done"[^]*"done"/);
  const [client, server] = workload.facts<Session>();
  const rows = await takeRows(watch, 11);
  const changes = (local: number, remote: number): string[] =>
    rows.filter((row) => row.localPort === local && row.remotePort === remote)
      .map(({ oldState, newState }) => `${oldState} ${newState}`);
  // The client has no port yet; the other end of a new one may not be known.
  deepEqual(changes(0, client!.remote), ["CLOSE SYN_SENT"]);
  deepEqual(changes(client!.local, client!.remote), [
    "SYN_SENT ESTABLISHED",
    "ESTABLISHED FIN_WAIT1",
    "FIN_WAIT1 FIN_WAIT2",
    "FIN_WAIT2 CLOSE",
  ]);
  deepEqual(
    [
      ...changes(server!.local, 0),
      ...changes(server!.local, server!.remote),
    ],
    [
      "CLOSE LISTEN",
      "LISTEN SYN_RECV",
      "SYN_RECV ESTABLISHED",
      "ESTABLISHED CLOSE_WAIT",
      "CLOSE_WAIT LAST_ACK",
      "LAST_ACK CLOSE",
    ],
  );
  ok(rows.every((row) => row.pid === workload.child.pid));
  ok(rows.every((row) => row.duration >= 0));
});

ebpfTest("watchRetransmits() names the owner of the connection", async () => {
  using watch = watchRetransmits({ scope: CHILDREN });
  await using workload = new ViewWorkload("retransmitted");
  await workload.done();
  const { port, result } = workload.facts<Attempt>()[1]!;
  equal(result, "ETIMEDOUT");
  const [row] = await takeRows(watch, 1);
  deepEqual(
    [row!.pid, row!.comm, row!.remotePort, row!.state, row!.reason],
    [workload.child.pid, "python3", port, "SYN_SENT", "loss"],
  );
  ok(row!.localPort > 0);
});

ebpfTest("watchTraffic() counts each byte once", async () => {
  using watch = watchTraffic({ scope: CHILDREN, period: 1 });
  await using workload = new ViewWorkload("held");
  await workload.child.seen("stdout", /\n.*\n/);
  const [client, server] = workload.facts<Session>();
  const sums = new Map<number, number[]>();
  const sum = async (wanted: string): Promise<void> => {
    await until(() => {
      for (const { rows } of watch.take()) {
        for (const { localPort, bytesSent, bytesReceived } of rows) {
          const [sent, received] = sums.get(localPort) ?? [0, 0];
          sums.set(localPort, [sent! + bytesSent, received! + bytesReceived]);
        }
      }
      return JSON.stringify([...sums].sort()) === wanted ? true : undefined;
    }, wanted);
  };
  const wanted = (ours: number[], theirs: number[]): string =>
    JSON.stringify(
      [[client!.local, ours] as const, [server!.local, theirs] as const].sort(),
    );
  await sum(wanted([7, 0], [0, 7]));
  await workload.child.writeLine();
  await workload.done();
  await sum(wanted([7, 3], [3, 7]));
  await workload.child.writeLine();
  await workload.child.seen("stdout", /"done"[^]*"done"/);
  await sum(wanted([7, 3], [3, 7]));
});

/** What is left when the kernel refuses something. */
const FALLBACKS: readonly (readonly [WatchFeature, string])[] = [
  ["cgroup", "cgroup hooks cannot be used"],
  ["probe", "kernel memory cannot be read"],
];

for (const [feature, notice] of FALLBACKS) {
  ebpfTest(`watchConnections() without ${feature}`, async () => {
    using watch = watchConnections({ scope: CHILDREN, without: [feature] });
    ok(watch.notices[0]?.startsWith(notice), watch.notices[0]);
    await using workload = new ViewWorkload("attempts");
    await workload.done();
    const hooked = HAS_HOOKS && feature !== "cgroup";
    const expected = toldAttempts(workload.facts<Attempt>(), hooked);
    const rows = await takeRows(watch, expected.length - 1);
    rows.push(...watch.finish());
    deepEqual(attemptsOf(rows), sorted(expected.map(attemptText)));
  });
}

ebpfTest("watchSessions() without probe names who closed", async () => {
  using watch = watchSessions({ scope: CHILDREN, without: ["probe"] });
  await using workload = new ViewWorkload("sessions");
  await workload.done();
  const rows = await takeRows(watch, 28);
  // Ends that accepted and did not close are their listener's.
  for (const row of rows) {
    equal(row.pid, workload.child.pid);
    ok(["call", "closer", "listener"].includes(row.ownerFrom));
  }
  equal(rows.length, 29);
});
