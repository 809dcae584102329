import assert from "node:assert/strict";
import { compileWorkload } from "../support/compile.ts";
import { captureTest } from "../support/harness.ts";
import { assertNoCrash } from "../support/bench.ts";
import { TOOL } from "../support/tool.ts";

/** A command and the status that a shell sees of it. */
interface StatusCase {
  readonly name: string;
  readonly command: readonly string[];
  readonly status: number;
}

const CASES: readonly StatusCase[] = [
  { name: "0", command: ["true"], status: 0 },
  { name: "7", command: ["sh", "-c", "exit 7"], status: 7 },
  { name: "255", command: ["sh", "-c", "exit 255"], status: 255 },
  {
    name: "127 for an unknown command",
    command: ["no-such-command"],
    status: 127,
  },
  {
    name: "127 for a missing path",
    command: ["./no/such/command"],
    status: 127,
  },
  { name: "126 for a folder", command: ["/usr"], status: 126 },
  {
    name: "126 for a file without the right to run",
    command: ["/etc/passwd"],
    status: 126,
  },
  {
    name: "143 for SIGTERM",
    command: ["sh", "-c", "kill -TERM $$"],
    status: 143,
  },
  {
    name: "137 for SIGKILL",
    command: ["sh", "-c", "kill -KILL $$"],
    status: 137,
  },
  {
    name: "139 for SIGSEGV",
    command: ["sh", "-c", "kill -SEGV $$"],
    status: 139,
  },
  {
    name: "134 for SIGABRT",
    command: ["sh", "-c", "kill -ABRT $$"],
    status: 134,
  },
  {
    name: "141 for SIGPIPE",
    command: ["sh", "-c", "kill -PIPE $$"],
    status: 141,
  },
  {
    name: "130 for SIGINT",
    command: ["sh", "-c", "kill -INT $$"],
    status: 130,
  },
];

for (const { name, command, status } of CASES) {
  captureTest(`exit status: ${name}`, async (bench) => {
    const shell = ["sh", "-c", '"$@"; echo "status=$?"', "sh"];
    const tool = bench.launch(command, { through: shell });
    const { stdout, stderr } = await tool.ended();
    assert.match(stdout, new RegExp(`^status=${status}$`, "m"));
    assertNoCrash(stderr);
    if (status === 127 || status === 126) {
      assert.ok(stderr.includes(command[0]!), stderr);
    }
  });
}

captureTest(
  "exit status: the tool ends by the command's own signal",
  async (bench) => {
    const tool = bench.launch(["sh", "-c", "kill -TERM $$"]);
    assert.equal((await tool.ended()).signal, "SIGTERM");
  },
);

captureTest("exit status: no core file of the tool", async (bench) => {
  const script = `ulimit -c unlimited; cd ${bench.folder}; "$@"`;
  const tool = bench.launch(["sh", "-c", "ulimit -c 0; kill -SEGV $$"], {
    through: ["sh", "-c", script, "sh"],
  });
  assert.ok([139, 128 + 11].includes((await tool.ended()).code));
  const files = [...Deno.readDirSync(bench.folder)].map(({ name }) => name);
  assert.deepEqual(files.filter((name) => name.startsWith("core")), []);
});

captureTest(
  "exit status: exit in a thread that is not the leader",
  async (bench) => {
    const server = await bench.scene();
    const program = await compileWorkload("clone_files");
    const tool = bench.launch(
      [program, "leaderless", server.tcp4, server.otherTcp4],
    );
    assert.equal((await tool.ended()).code, 0);
  },
);

captureTest("exit status: of the command, not of its daemon", async (bench) => {
  const script = "(sleep 0.2; exit 9) & exit 4";
  assert.equal((await bench.launch(["sh", "-c", script]).ended()).code, 4);
});

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1"] as const) {
  captureTest(
    `signals: ${signal} to the tool reaches the command`,
    async (bench) => {
      const name = signal.slice(3);
      const script = `trap 'echo got; exit 5' ${name}; echo ready; ` +
        "while :; do sleep 0.01; done";
      const tool = bench.launch(["sh", "-c", script]);
      await tool.seen("stdout", /ready/);
      tool.signal(signal);
      const { code, stdout } = await tool.ended();
      assert.equal(stdout, "ready\ngot\n");
      assert.equal(code, 5);
    },
  );
}

captureTest(
  "signals: 50 queued ones arrive in order with their values",
  async (bench) => {
    const server = await bench.scene();
    const program = await compileWorkload("queued_signals");
    const tool = bench.launch([program, "50", server.tcp4]);
    const { pid } = await bench.log.event("ready");
    const sender = bench.startForeign(
      [await compileWorkload("queue_signals"), `${pid}`, "50"],
    );
    const { stdout: senderPid } = await sender.ended();
    const { code, stdout } = await tool.ended();
    assert.equal(code, 0);
    // SI_QUEUE is -1.
    const expected = Array.from(
      { length: 50 },
      (_, i) => `-1 ${senderPid.trim()} ${i}`,
    );
    assert.deepEqual(stdout.trimEnd().split("\n"), expected);
    await bench.verify();
  },
);

captureTest("signals: 50 queued ones at an attached program", async (bench) => {
  const server = await bench.scene();
  const program = await compileWorkload("queued_signals");
  const target = bench.start([program, "50", server.tcp4]);
  const { pid } = await bench.log.event("ready");
  const tool = await bench.attach([pid]);
  const from = await bench.mark();
  const sender = bench.startForeign(
    [await compileWorkload("queue_signals"), `${pid}`, "50"],
  );
  const { stdout: senderPid } = await sender.ended();
  const { code, stdout } = await target.ended();
  assert.equal(code, 0);
  const values = stdout.trimEnd().split("\n");
  assert.equal(values.length, 50);
  assert.equal(values.at(-1), `-1 ${senderPid.trim()} 49`);
  assert.equal((await tool.ended()).code, 0);
  await bench.verify({ from });
});

captureTest(
  "usage: --help and --version exit 0 without any rights",
  async (bench) => {
    for (const option of ["--help", "-h", "--version", "-v"]) {
      const { code, stdout, stderr } = await bench.tool([option]).ended();
      assert.equal(code, 0, `${TOOL.join(" ")} ${option}: ${stderr}`);
      assert.match(stdout, /tracedump/);
      assert.equal(stderr, "");
    }
  },
);
