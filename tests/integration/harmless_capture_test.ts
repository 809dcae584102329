import assert from "node:assert/strict";
import type { Bench } from "../support/bench.ts";
import { compileWorkload, workloadScript } from "../support/compile.ts";
import { captureTest } from "../support/harness.ts";
import { endAll, type Leftover, leftovers } from "../support/leaks.ts";
import { assertFree, statusOf } from "../support/process_state.ts";
import { type Child, until } from "../support/processes.ts";
import { attachRepeatedly } from "../support/repeated_attach.ts";
import { TOOL } from "../support/tool.ts";

/** Starts an idle attach_target and waits for its event "ready". */
async function startTarget(bench: Bench, mode: string): Promise<Child> {
  const server = await bench.scene();
  const program = await compileWorkload("attach_target");
  const argv = [program, mode, server.tcp4, server.udp4, "4"];
  const target = bench.start(argv, { stdin: "piped" });
  await bench.log.event("ready");
  return target;
}

captureTest(
  "harmless: an attached program survives SIGKILL of the tool",
  async (bench) => {
    const target = await startTarget(bench, "threads");
    const tool = await bench.attach([target.pid]);
    await target.writeLine();
    await bench.log.event("done");
    tool.signal("SIGKILL");
    assert.equal((await tool.ended()).signal, "SIGKILL");
    assertFree(target.pid);
    await target.writeLine();
    await bench.log.event("done", 2);
    await target.closeInput();
    assert.equal((await target.ended()).code, 0);
  },
);

captureTest(
  "harmless: SIGKILL of the tool at any moment of its start",
  async (bench) => {
    const target = await startTarget(bench, "busy");
    for (let delay = 20; delay <= 220; delay += 25) {
      const tool = bench.tool(["-o", bench.output, `${target.pid}`]);
      await new Promise((resolve) => setTimeout(resolve, delay));
      tool.signal("SIGKILL");
      await tool.ended();
      assertFree(target.pid);
    }
    const seen = bench.log.sockets().length;
    await until(
      () => bench.log.sockets().length > seen + 10 || undefined,
      "more connections of the target",
    );
    await target.writeLine();
    assert.equal((await target.ended()).code, 0);
  },
);

captureTest("harmless: a launched tree whose tool is killed", async (bench) => {
  const server = await bench.scene();
  const client = await compileWorkload("process_tree");
  const script = 'setsid sleep 60 & echo up; read line; "$@"; echo "end=$?"';
  const command = [client, "leaf", server.tcp4, server.udp4];
  const tool = bench.launch(["sh", "-c", script, "sh", ...command], {
    stdin: "piped",
  });
  await tool.seen("stdout", /up/);
  const root = await rootOf(bench);
  const isHeld = statusOf(root).get("TracerPid") !== "0";
  tool.signal("SIGKILL");
  if (isHeld) {
    // Without their tracer the network calls of these would fail for ever.
    await until(
      () => partsOf(bench).length === 0 || undefined,
      "the end of the command's processes",
    );
    return;
  }
  await tool.writeLine();
  const [, status] = await tool.seen("stdout", /end=(\d+)/);
  assert.equal(status, "0");
  assert.equal(bench.log.sockets().length, 2);
  endAll(partsOf(bench).map(({ pid }) => pid));
});

/** Living processes of the command's own. */
function partsOf(bench: Bench): Leftover[] {
  return leftovers(bench.id).filter(({ command }) =>
    command.startsWith("sh ") || command.endsWith("sleep 60")
  );
}

/** Process id of the shell of the command. */
async function rootOf(bench: Bench): Promise<number> {
  const shell = await until(
    () => partsOf(bench).find(({ command }) => command.startsWith("sh ")),
    "the command's shell",
  );
  return shell.pid;
}

for (const is32Bit of [false, true]) {
  const kind = is32Bit ? " of a 32-bit program" : "";
  captureTest(
    `harmless: waiting calls${kind} are not interrupted`,
    async (bench) => {
      const program = await compileWorkload("waiting_calls", { is32Bit });
      const target = bench.start([program], { stdin: "piped" });
      await bench.log.event("ready");
      for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
        const tool = await bench.attach([target.pid]);
        tool.signal(signal);
        await tool.ended();
        assertFree(target.pid);
      }
      await attachRepeatedly(bench, target.pid, 3);
      await target.writeLine();
      await bench.log.event("alive");
      await target.closeInput();
      const { value } = await bench.log.event("interrupted");
      assert.equal(value, "");
      assert.equal((await target.ended()).code, 0);
    },
    { needs: is32Bit ? ["gcc -m32"] : [] },
  );
}

captureTest("harmless: a program in vfork(2) is not kept", async (bench) => {
  const program = await compileWorkload("vforker");
  const target = bench.start([program, "200"], { stdin: "piped" });
  await bench.log.event("ready");
  for (let time = 0; time < 3; time++) {
    const tool = await bench.attach([target.pid]);
    tool.signal("SIGINT");
    assert.equal((await tool.ended()).code, 0, tool.stderr);
  }
  await target.writeLine();
  const { value } = await bench.log.event("longest");
  assert.ok(Number(value) < 1500, `${value} ms`);
  assert.equal((await target.ended()).code, 0);
});

captureTest(
  "harmless: children that were left alone are not waited for",
  async (bench) => {
    const program = await compileWorkload("vforker");
    const target = bench.start([program, "10"], { stdin: "piped" });
    await bench.log.event("ready");
    const times: number[] = [];
    for (let time = 0; time < 3; time++) {
      const tool = await bench.attach([target.pid], {
        options: ["--no-follow"],
      });
      const children = bench.log.events("child").length;
      await bench.log.event("child", children + 20);
      const before = performance.now();
      tool.signal("SIGINT");
      assert.equal((await tool.ended()).code, 0, tool.stderr);
      times.push(performance.now() - before);
    }
    assert.ok(Math.min(...times) < 400, `${times} ms`);
    await target.writeLine();
    assert.equal((await target.ended()).code, 0);
  },
);

captureTest("harmless: a sandbox without restart_syscall", async (bench) => {
  const program = await compileWorkload("own_filter");
  const target = bench.start([program, "-"], { stdin: "piped" });
  await bench.log.event("waiting");
  for (let time = 0; time < 5; time++) {
    const tool = await bench.attach([target.pid]);
    tool.signal("SIGINT");
    assert.equal((await tool.ended()).code, 0, tool.stderr);
    assertFree(target.pid);
  }
  await target.closeInput();
  const { code, signal } = await target.ended();
  assert.deepEqual([code, signal], [0, null]);
});

captureTest(
  "harmless: no signal is lost while the tool comes and goes",
  async (bench) => {
    const count = 1000;
    const server = await bench.scene();
    const program = await compileWorkload("queued_signals");
    const target = bench.start([program, `${count}`, server.tcp4]);
    const { pid } = await bench.log.event("ready");
    const sender = await compileWorkload("queue_signals");
    // The program ends with the last signal, which waits.
    const most = bench.startForeign([sender, `${pid}`, `${count - 1}`]);
    await attachRepeatedly(bench, pid, 3);
    const { stdout: senderPid } = await most.ended();
    assert.equal(
      (await bench.startForeign([sender, `${pid}`, "1"]).ended()).code,
      0,
    );
    const { code, stdout } = await target.ended();
    assert.equal(code, 0);
    // SI_QUEUE is -1. Of several at once the last is handled first.
    const lines = new Set(stdout.trimEnd().split("\n"));
    for (let value = 0; value < count - 1; value++) {
      assert.ok(lines.delete(`-1 ${senderPid.trim()} ${value}`), `${value}`);
    }
    assert.equal(lines.size, 1);
  },
);

captureTest("harmless: a stopped program stays stopped", async (bench) => {
  const target = await startTarget(bench, "threads");
  target.signal("SIGSTOP");
  await untilState(target.pid, "T");
  const tool = await bench.attach([target.pid]);
  // Traced and stopped is shown as "t".
  assert.match(statusOf(target.pid).get("State")!, /^[tT]/);
  tool.signal("SIGINT");
  assert.equal((await tool.ended()).code, 0);
  await untilState(target.pid, "T");
  target.signal("SIGCONT");
  await target.writeLine();
  await bench.log.event("done");
  await target.closeInput();
  assert.equal((await target.ended()).code, 0);
});

captureTest(
  "harmless: an attached program stops and goes on",
  async (bench) => {
    const target = await startTarget(bench, "threads");
    const tool = await bench.attach([target.pid]);
    const from = await bench.mark();
    for (let round = 1; round <= 3; round++) {
      target.signal("SIGSTOP");
      await untilState(target.pid, "tT");
      await target.writeLine();
      await bench.mark();
      assert.equal(bench.log.events("done").length, round - 1);
      target.signal("SIGCONT");
      await bench.log.event("done", round);
    }
    const end = await bench.mark();
    tool.signal("SIGINT");
    assert.equal((await tool.ended()).code, 0);
    await target.closeInput();
    assert.equal((await target.ended()).code, 0);
    await bench.verify({
      from,
      until: end,
      idle: ({ proto, remote }) => proto === "tcp" && remote === "*",
    });
  },
);

async function untilState(pid: number, states: string): Promise<void> {
  await until(
    () => states.includes(statusOf(pid).get("State")![0]!) || undefined,
    `state ${states} of process ${pid}`,
  );
}

captureTest(
  "harmless: a child of a command stops and goes on",
  async (bench) => {
    // SIGCONT is sent until it comes after the stop.
    const script = "sh -c 'echo child; kill -STOP $$; : >on; exit 6' & " +
      "child=$!; while [ ! -e on ]; do kill -CONT $child; sleep 0.01; done; " +
      "wait $child; exit $?";
    const tool = bench.launch(["sh", "-c", script]);
    const { code, stdout } = await tool.ended();
    assert.deepEqual({ code, stdout }, { code: 6, stdout: "child\n" });
  },
);

captureTest("harmless: a command that blocks all signals", async (bench) => {
  const script = "import signal, time; " +
    "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32)); print('done')";
  const tool = bench.launch(["python3", "-c", script]);
  const { code, stdout } = await tool.ended();
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "done\n" });
}, { needs: ["program python3"] });

/** As many signals as the user may have queued are under way. */
captureTest("harmless: a command that queues many signals", async (bench) => {
  const limited = "import os, resource, sys; " +
    "resource.setrlimit(resource.RLIMIT_SIGPENDING, (2000, 2000)); " +
    "os.execvp(sys.argv[1], sys.argv[1:])";
  const script = "import os, signal, subprocess, sys; " +
    "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN]); " +
    "[os.kill(os.getpid(), signal.SIGRTMIN) for _ in range(3000)]; " +
    "[subprocess.run(['sleep', '0.01']) for _ in range(10)]; sys.exit(3)";
  const tool = bench.launch(["python3", "-c", script], {
    through: ["python3", "-c", limited],
  });
  const { code, stderr } = await tool.ended();
  assert.equal(code, 3, stderr);
}, { needs: ["program python3"] });

captureTest(
  "harmless: a command with a system call filter of its own",
  async (bench) => {
    const program = await compileWorkload("own_filter");
    const server = await bench.scene();
    const tool = bench.launch([program, server.tcp4]);
    const { code, stdout, stderr } = await tool.ended();
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "socket: EPERM\n");
    await bench.verify();
  },
);

captureTest(
  "harmless: no descriptor or memory of the tool is left in a target",
  async (bench) => {
    const target = await startTarget(bench, "threads");
    const fds = (): string[] =>
      [...Deno.readDirSync(`/proc/${target.pid}/fd`)].map(({ name }) => name);
    const maps = (): string =>
      Deno.readTextFileSync(`/proc/${target.pid}/maps`);
    const before = { fds: fds(), maps: maps() };
    const tool = await bench.attach([target.pid]);
    tool.signal("SIGINT");
    assert.equal((await tool.ended()).code, 0);
    assert.deepEqual({ fds: fds(), maps: maps() }, before);
  },
);

for (
  const scenario of [
    "interrupt",
    "quit",
    "own_handler",
    "suspend",
    "background",
    "pipe",
    "attached_interrupt",
  ]
) {
  captureTest(`terminal: ${scenario}`, async (bench) => {
    const driver = workloadScript("terminal.py");
    const run = bench.start([
      ...["python3", driver, scenario, bench.output],
      ...TOOL,
    ]);
    const { code, stdout, stderr } = await run.ended();
    assert.equal(code, 0, `${stdout}\n${stderr}`);
  }, { needs: ["program python3", "program bash"] });
}
