import assert from "node:assert/strict";
import type { Bench } from "../support/bench.ts";
import { compileWorkload } from "../support/compile.ts";
import { captureTest } from "../support/harness.ts";
import { assertFree, statusOf } from "../support/process_state.ts";
import { type Child, until } from "../support/processes.ts";
import type { EchoServer } from "../support/servers.ts";

/** Starts a program that is to be attached to, and waits until it is idle. */
async function startTarget(
  bench: Bench,
  server: EchoServer,
  mode: string,
  ...more: string[]
): Promise<Child> {
  const program = await compileWorkload("attach_target");
  const argv = [program, mode, server.tcp4, server.udp4, ...more];
  const ready = bench.log.events("ready").length + 1;
  const target = bench.start(argv, { stdin: "piped" });
  await bench.log.event("ready", ready);
  return target;
}

/** Makes the target do its round, with a foreign client at its listener. */
async function playRound(
  bench: Bench,
  target: Child,
  round: number,
  isServing = false,
): Promise<void> {
  await target.writeLine();
  if (isServing) {
    const { value } = await bench.log.event("accepting", round);
    const client = await compileWorkload("tcp_client");
    const visitor = bench.startForeign([client, "blocking", value]);
    assert.equal((await visitor.ended()).code, 0);
  }
  await bench.log.event("done", round);
}

/** Ends the tool as Ctrl-C does. */
async function detach(tool: Child): Promise<void> {
  tool.signal("SIGINT");
  assert.equal((await tool.ended()).code, 0);
}

/** A listener without visitors has no packets. */
function isListener({ proto, remote }: {
  readonly proto: string;
  readonly remote: string;
}): boolean {
  return proto === "tcp" && remote === "*";
}

captureTest(
  "attach: sockets open before, new ones, a listener",
  async (bench) => {
    const server = await bench.scene();
    const target = await startTarget(bench, server, "plain");
    const tool = await bench.attach([target.pid]);
    const from = await bench.mark();
    await playRound(bench, target, 1, true);
    await playRound(bench, target, 2, true);
    const until = await bench.mark();
    await detach(tool);
    assertFree(target.pid);
    await playRound(bench, target, 3, true);
    await target.closeInput();
    assert.equal((await target.ended()).code, 0);
    await bench.verify({ from, until, sockets: 11 });
  },
);

captureTest("attach: program with 8 threads", async (bench) => {
  const server = await bench.scene();
  const target = await startTarget(bench, server, "threads", "8");
  const tool = await bench.attach([target.pid]);
  const from = await bench.mark();
  await playRound(bench, target, 1);
  await playRound(bench, target, 2);
  const until = await bench.mark();
  await detach(tool);
  assertFree(target.pid);
  await playRound(bench, target, 3);
  await target.closeInput();
  assert.equal((await target.ended()).code, 0);
  await bench.verify({ from, until, sockets: 88, idle: isListener });
});

captureTest("attach: children of the process come along", async (bench) => {
  const server = await bench.scene();
  const target = await startTarget(bench, server, "children");
  const tool = await bench.attach([target.pid]);
  const from = await bench.mark();
  await playRound(bench, target, 1);
  await playRound(bench, target, 2);
  const until = await bench.mark();
  await detach(tool);
  await playRound(bench, target, 3);
  await target.closeInput();
  assert.equal((await target.ended()).code, 0);
  await bench.verify({ from, until, sockets: 24, idle: isListener });
});

captureTest(
  "attach: children are left alone with --no-follow",
  async (bench) => {
    const server = await bench.scene();
    const target = await startTarget(bench, server, "children");
    const tool = await bench.attach([target.pid], { options: ["--no-follow"] });
    const from = await bench.mark();
    await playRound(bench, target, 1);
    const until = await bench.mark();
    await detach(tool);
    await target.closeInput();
    assert.equal((await target.ended()).code, 0);
    await bench.verify({
      from,
      until,
      sockets: 7,
      idle: isListener,
      only: ({ pid }) => pid === target.pid,
    });
  },
);

captureTest("attach: a child whose first thread has ended", async (bench) => {
  if (!bench.isTracker("ptrace")) return;
  const server = await bench.scene();
  const program = await compileWorkload("leaderless");
  const target = bench.start(
    ["sh", "-c", '"$@"; exit $?', "sh", program, server.udp4],
    { stdin: "piped" },
  );
  const { pid } = await bench.log.event("ready");
  await untilZombie(pid);
  const tool = await bench.attach([target.pid], {
    options: bench.trackerOptions("ptrace"),
  });
  const from = await bench.mark();
  for (let round = 1; round <= 3; round++) {
    await target.writeLine();
    await bench.log.event("done", round);
  }
  const end = await bench.mark();
  await detach(tool);
  await target.closeInput();
  assert.equal((await target.ended()).code, 0);
  await bench.verify({ from, until: end, sockets: 1 });
});

/** Waits until the first thread of a process has ended. */
async function untilZombie(pid: number): Promise<void> {
  await until(
    () => statusOf(pid).get("State")!.startsWith("Z") || undefined,
    `the end of the first thread of ${pid}`,
  );
}

captureTest("attach: two processes at once", async (bench) => {
  const server = await bench.scene();
  const first = await startTarget(bench, server, "plain");
  const second = await startTarget(bench, server, "threads", "2");
  const tool = await bench.attach([first.pid, second.pid]);
  const from = await bench.mark();
  await playRound(bench, first, 1, true);
  await playRound(bench, second, 2);
  const until = await bench.mark();
  await detach(tool);
  for (const target of [first, second]) {
    assertFree(target.pid);
    await target.closeInput();
    assert.equal((await target.ended()).code, 0);
  }
  await bench.verify({ from, until, idle: isListener });
});

captureTest("attach: a program in full action", async (bench) => {
  const server = await bench.scene();
  const target = await startTarget(bench, server, "busy");
  const tool = await bench.attach([target.pid]);
  const from = await bench.mark();
  const seen = bench.log.sockets().length;
  while (bench.log.sockets().length < seen + 50) await bench.mark();
  const until = await bench.mark();
  await detach(tool);
  assertFree(target.pid);
  await target.writeLine();
  assert.equal((await target.ended()).code, 0);
  await bench.verify({ from, until, sockets: 50 });
});

captureTest("attach: the tool ends with its target", async (bench) => {
  const server = await bench.scene();
  const target = await startTarget(bench, server, "plain");
  const tool = await bench.attach([target.pid]);
  const from = await bench.mark();
  await playRound(bench, target, 1, true);
  await target.closeInput();
  assert.equal((await target.ended()).code, 0);
  assert.equal((await tool.ended()).code, 0);
  await bench.verify({ from, sockets: 5 });
});

captureTest("attach: again after a detach", async (bench) => {
  const server = await bench.scene();
  const target = await startTarget(bench, server, "threads", "3");
  const first = await bench.attach([target.pid]);
  await playRound(bench, target, 1);
  await detach(first);
  await playRound(bench, target, 2);
  const second = await bench.attach([target.pid]);
  const from = await bench.mark();
  await playRound(bench, target, 3);
  const until = await bench.mark();
  await detach(second);
  await target.closeInput();
  assert.equal((await target.ended()).code, 0);
  await bench.verify({ from, until, idle: isListener });
});

captureTest("attach: in the host's network", async (bench) => {
  const server = await bench.scene();
  const target = await startTarget(bench, server, "threads", "2");
  const tool = await bench.attach([target.pid]);
  const from = await bench.mark();
  await playRound(bench, target, 1);
  const until = await bench.mark();
  await detach(tool);
  await target.closeInput();
  assert.equal((await target.ended()).code, 0);
  await bench.verify({ from, until, idle: isListener });
}, { network: "host" });

for (const signal of ["SIGTERM", "SIGHUP"] as const) {
  captureTest(`attach: ${signal} detaches`, async (bench) => {
    const server = await bench.scene();
    const target = await startTarget(bench, server, "threads", "2");
    const tool = await bench.attach([target.pid]);
    const from = await bench.mark();
    await playRound(bench, target, 1);
    const until = await bench.mark();
    tool.signal(signal);
    assert.equal((await tool.ended()).code, 0);
    assertFree(target.pid);
    await playRound(bench, target, 2);
    await target.closeInput();
    assert.equal((await target.ended()).code, 0);
    await bench.verify({ from, until, idle: isListener });
  });
}
