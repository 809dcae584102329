import assert from "node:assert/strict";
import { PROGRAMS } from "../../scripts/tested_programs/programs.ts";
import { TRACKERS, tryProgram } from "../../scripts/tested_programs/trial.ts";
import type { Bench } from "../support/bench.ts";
import { workloadScript } from "../support/compile.ts";
import {
  nginxCommand,
  nginxReady,
  sshCommands,
  sshdReady,
  startHttpNeighbor,
  WEB_PORT,
} from "../support/daemons.ts";
import { captureTest, type CaseOptions } from "../support/harness.ts";
import type { Child } from "../support/processes.ts";
import type { EchoServer } from "../support/servers.ts";

const URL = `http://127.0.0.1:${WEB_PORT}/`;
const WRK = [
  ...["wrk", "-t2", "-c4", "-d1s", "-s", workloadScript("pause.lua"), URL],
];

/** A client of a web server. */
interface ClientProgram {
  readonly name: string;
  readonly command: (server: EchoServer) => readonly string[];
  /** Fewest packets that it must have. */
  readonly packets: number;
}

const CLIENTS: readonly ClientProgram[] = [
  {
    name: "curl",
    command: () => ["curl", "-sSf", "-o", "got", URL, "-o", "got", URL],
    packets: 9,
  },
  {
    name: "wget",
    command: () => ["wget", "-q", "-O", "got", URL, URL],
    packets: 9,
  },
  {
    name: "python3",
    command: (s) => ["python3", workloadScript("http_client.py"), URL, s.udp4],
    packets: 150,
  },
  {
    name: "node",
    command: (s) => ["node", workloadScript("http_client.mjs"), URL, s.udp4],
    packets: 50,
  },
  { name: "wrk", command: () => WRK, packets: 200 },
];

function options(...programs: string[]): CaseOptions {
  const names = ["nginx", "python3", ...programs];
  return {
    network: "private",
    needs: names.map((name) => `program ${name}` as const),
  };
}

/** A foreign web server with an unrelated client. */
async function startWeb(bench: Bench): Promise<void> {
  await nginxReady(bench.startForeign(nginxCommand(bench)));
  await startHttpNeighbor(bench);
}

for (const { name, command, packets } of CLIENTS) {
  captureTest(`program: ${name}, launched`, async (bench) => {
    const server = await bench.scene();
    await startWeb(bench);
    const tool = bench.launch(command(server));
    const { code, stderr } = await tool.ended();
    assert.equal(code, 0, stderr);
    const captured = await bench.verify({ owned: "rest" });
    assert.ok(captured.length >= packets, `${captured.length}`);
  }, options(name));

  captureTest(`program: ${name}, child of an attached shell`, async (bench) => {
    const server = await bench.scene();
    await startWeb(bench);
    const shell = startShell(bench, command(server));
    const tool = await bench.attach([shell.pid]);
    await runOnce(shell);
    const until = await bench.mark();
    tool.signal("SIGINT");
    assert.equal((await tool.ended()).code, 0);
    const captured = await bench.verify({ owned: "rest", until });
    assert.ok(captured.length >= packets, `${captured.length}`);
  }, options(name));
}

/** A shell that runs the command at each line that it reads. */
function startShell(bench: Bench, command: readonly string[]): Child {
  const script = 'while read line; do "$@"; echo "end=$?"; done';
  return bench.start(["sh", "-c", script, "sh", ...command], {
    stdin: "piped",
  });
}

async function runOnce(shell: Child): Promise<void> {
  await shell.writeLine();
  const [, status] = await shell.seen("stdout", /^end=(\d+)$/m);
  assert.equal(status, "0", shell.stderr);
}

/** Foreign load on a traced web server. */
async function load(bench: Bench): Promise<void> {
  const { code, stdout } = await bench.startForeign(WRK).ended();
  assert.equal(code, 0);
  assert.doesNotMatch(stdout, /Socket errors|Non-2xx/);
}

captureTest("program: nginx under load, launched", async (bench) => {
  await bench.scene();
  const tool = bench.launch(nginxCommand(bench));
  await nginxReady(tool);
  await load(bench);
  tool.signal("SIGTERM");
  const { code, stderr } = await tool.ended();
  assert.equal(code, 0, stderr);
  const captured = await bench.verify({ owned: "rest" });
  assert.ok(captured.length >= 200, `${captured.length}`);
}, options("wrk"));

captureTest("program: nginx under load, attached", async (bench) => {
  await bench.scene();
  const nginx = bench.start(nginxCommand(bench));
  await nginxReady(nginx);
  const tool = await bench.attach([nginx.pid]);
  await load(bench);
  const until = await bench.mark();
  tool.signal("SIGINT");
  assert.equal((await tool.ended()).code, 0);
  await load(bench);
  nginx.signal("SIGTERM");
  assert.equal((await nginx.ended()).code, 0);
  const captured = await bench.verify({ owned: "rest", until });
  assert.ok(captured.length >= 200, `${captured.length}`);
}, options("wrk"));

captureTest("program: ssh, launched", async (bench) => {
  await bench.scene();
  const { server, client } = await sshCommands(bench);
  await sshdReady(bench.startForeign(server));
  const tool = bench.launch([...client, "echo over ssh"]);
  const { code, stdout, stderr } = await tool.ended();
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "over ssh\n");
  await bench.verify({ owned: "rest" });
}, options("ssh", "sshd", "ssh-keygen"));

captureTest("program: sshd, launched, with its sessions", async (bench) => {
  const echo = await bench.scene();
  const { server, client } = await sshCommands(bench);
  const tool = bench.launch(server);
  await sshdReady(tool);
  // The session's own traffic is the daemon's too.
  const inside = `python3 -c 'import socket; s = socket.create_connection(` +
    `("127.0.0.1", ${echo.tcp4.split(":")[1]})); s.send(b"x"); s.recv(1)'`;
  const visitor = bench.startForeign([...client, inside]);
  assert.equal((await visitor.ended()).code, 0, visitor.stderr);
  tool.signal("SIGTERM");
  await tool.ended();
  await bench.verify({ owned: "rest" });
}, options("ssh", "sshd", "ssh-keygen"));

captureTest("program: sshd, attached", async (bench) => {
  await bench.scene();
  const { server, client } = await sshCommands(bench);
  const sshd = bench.start(server);
  await sshdReady(sshd);
  const tool = await bench.attach([sshd.pid]);
  const visitor = bench.startForeign([...client, "echo over ssh"]);
  const { code, stdout } = await visitor.ended();
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "over ssh\n" });
  const until = await bench.mark();
  tool.signal("SIGINT");
  assert.equal((await tool.ended()).code, 0);
  await bench.verify({ owned: "rest", until });
}, options("ssh", "sshd", "ssh-keygen"));

// scripts/tested-programs does so for more programs, and more often.
for (const name of ["Python with threads", "nginx with workers"]) {
  captureTest(`program: ${name}, attached to at random`, async (bench) => {
    const program = {
      ...PROGRAMS.find((each) => each.name === name)!,
      rounds: 10,
    };
    const ways = TRACKERS.filter((tracker) => bench.isTracker(tracker))
      .map((tracker) => ({ way: "attached", tracker } as const));
    const effort = { runs: 1, attachments: 3 };
    const results = await tryProgram(bench, program, ways, effort);
    assert.deepEqual(results, ways);
  }, options());
}
