import { deepEqual, equal, match, ok } from "node:assert/strict";
import { watchSessions } from "../../lib/views/sessions.ts";
import { Child } from "../support/processes.ts";
import { missing, NOBODY } from "../support/requires.ts";
import { TOOL } from "../support/tool.ts";
import { ebpfTest } from "./ebpf_support.ts";
import { takeRows, ViewWorkload, WORKLOAD } from "./views_support.ts";

/** Runs the tool to its end. */
async function tool(
  args: readonly string[],
  prefix: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  await using child = new Child([...prefix, ...TOOL, ...args], { env });
  return await child.ended();
}

ebpfTest(
  "life shows a command's sessions and passes its status on",
  async () => {
    const { code, stdout, stderr } = await tool([
      ...["life", "-s", "--bytes", "--columns", "closed"],
      ...["--", "sh", "-c", `python3 ${WORKLOAD} sessions; exit 7`],
    ]);
    equal(code, 7);
    const [header, ...lines] = stdout.trimEnd().split("\n");
    equal(header, "PID,COMM,IP,LADDR,LPORT,RADDR,RPORT,TX_B,RX_B,MS,CLOSED");
    equal(lines.length, 29);
    const told = stderr.split("\n").filter((line) => line.includes('"sent"'));
    equal(told.length, 29);
    for (const fact of told.map((line) => JSON.parse(line))) {
      const tail = `,${fact.remote},${fact.sent},${fact.received},`;
      ok(
        lines.some((line) =>
          line.includes(tail) && line.endsWith(`,${fact.closed}`)
        ),
      );
    }
  },
);

ebpfTest("connect ends after the rows that were asked for", async () => {
  const { code, stdout } = await tool([
    ...["connect", "--json", "-n", "3"],
    ...["--", "python3", WORKLOAD, "sessions"],
  ]);
  equal(code, 0);
  equal(stdout.trimEnd().split("\n").length, 3);
});

ebpfTest("a view ends by Ctrl-C, and in a pipe that is closed", async () => {
  await using view = new Child([...TOOL, "states"]);
  await view.seen("stdout", /NEWSTATE/);
  view.signal("SIGINT");
  equal((await view.ended()).code, 0);
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", '"$@" | head -n 1', "sh", ...TOOL, "top", "1ms"],
  }).output();
  match(new TextDecoder().decode(stdout), /loadavg/);
});

ebpfTest("life without eBPF finds sessions by polling", async () => {
  await using workload = new ViewWorkload("held");
  await workload.child.seen("stdout", /\n.*\n/);
  const { pid } = workload.child;
  using watch = watchSessions({
    scope: { kind: "processes", pids: [pid], tree: false },
    openBefore: true,
    stillOpen: true,
    without: ["ebpf"],
  });
  match(watch.notices[0]!, /^sessions are found by polling: .* switched off;/);
  equal(watch.finish().length, 2);
  await workload.child.writeLine();
  await workload.done();
  await workload.child.writeLine();
  await workload.child.seen("stdout", /"done"[^]*"done"/);
  const rows = await takeRows(watch, 2);
  const sent = rows.map((row) => row.bytesSent).sort((a, b) => a - b);
  deepEqual(sent, [3, 7]);
  for (const row of rows) {
    const data = row.bytesSent === 3 ? 7 : 3;
    ok(row.bytesReceived === data || row.bytesReceived === data + 1);
    deepEqual(
      [row.pid, row.comm, row.openBefore, row.stillOpen, row.ownerFrom],
      [pid, "python3", true, false, "descriptor"],
    );
  }
});

ebpfTest(
  "connect shows one cgroup, also what is put into it later",
  async () => {
    const connect = (port: number): string =>
      `python3 -c "import socket; ` +
      `socket.socket().connect_ex((\\"127.0.0.1\\", ${port}))"`;
    const script = `
    mount -t cgroup2 none /mnt || exit 1
    folder=/mnt/tracedump-test-$$
    mkdir "$folder"
    "$@" connect --json --cgroup "$folder" -- sh -c '
      ${connect(1)}
      mkdir '"$folder"'/inner
      echo $$ >'"$folder"'/inner/cgroup.procs
      ${connect(2)}'
    rmdir "$folder/inner" "$folder"`;
    await using shell = new Child([
      ...["unshare", "--mount", "sh", "-c", script, "sh", ...TOOL],
    ]);
    const { code, stdout, stderr } = await shell.ended();
    equal(code, 0, stderr);
    const rows = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    deepEqual(rows.map(({ remotePort }) => remotePort), [2]);
  },
);

const reason = missing(["root", "unprivileged tool"]);
const PRIVATE = { DENO_DIR: "/nonexistent" };

Deno.test({
  name: "views name the rights that are missing" +
    (reason === undefined ? "" : ` (skipped: ${reason})`),
  ignore: reason !== undefined,
  fn: async () => {
    const connect = await tool(["connect"], NOBODY, PRIVATE);
    equal(connect.code, 1);
    match(
      connect.stderr,
      /: the rights CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN are missing\n/,
    );
    const states = await tool(["states"], NOBODY, PRIVATE);
    match(states.stderr, /: the rights CAP_BPF and CAP_PERFMON are missing\n/);
    const life = await tool(["life", "--duration", "1ms"], NOBODY, PRIVATE);
    equal(life.code, 0);
    match(
      life.stderr,
      /by polling: the rights CAP_BPF and CAP_PERFMON are missing;/,
    );
    const caps = "+bpf,+perfmon";
    const some = await tool(
      ["connect", "--duration", "1ms"],
      [...NOBODY, `--inh-caps=${caps}`, `--ambient-caps=${caps}`],
      PRIVATE,
    );
    equal(some.code, 0);
    match(some.stderr, /the right CAP_NET_ADMIN is missing: attempts that/);
  },
});
