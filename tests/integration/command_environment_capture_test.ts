import assert from "node:assert/strict";
import type { Bench } from "../support/bench.ts";
import { compileWorkload } from "../support/compile.ts";
import { captureTest } from "../support/harness.ts";

/** Puts something in front of a program: arguments to start it with. */
type Surroundings = (argv: readonly string[]) => readonly string[];

function shell(script: string): Surroundings {
  return (argv) => ["sh", "-c", script, "sh", ...argv];
}

/** Ways in which a caller prepares the state that a command inherits. */
const CASES: readonly {
  readonly name: string;
  readonly surroundings: Surroundings;
  /** Arguments of the command. */
  readonly args?: readonly string[];
  readonly isUnprivileged?: boolean;
}[] = [
  { name: "fresh state", surroundings: (argv) => argv },
  {
    name: "odd arguments",
    surroundings: (argv) => argv,
    args: ["", " a  b ", "-o", "--", "--help", "*", "a\nb", "ä€😀", "'\"\\$x"],
  },
  {
    name: "ignored signals",
    surroundings: (argv) => ["env", "IGNORE=1,2,3,15,20", ...argv],
  },
  {
    name: "blocked signals",
    surroundings: (argv) => ["env", "--block-signal=USR1", ...argv],
  },
  {
    name: "limits",
    surroundings: shell(
      'ulimit -S -n 123; ulimit -n 456; ulimit -c 0; ulimit -s 4096; exec "$@"',
    ),
  },
  {
    name: "descriptors, some of them closed",
    surroundings: (argv) => [
      ...["bash", "-c"],
      'exec 3</dev/null 4>>log 9<>/dev/zero 300</dev/null; exec "$@"',
      ...["bash", ...argv],
    ],
  },
  {
    name: "variables that are not names or text",
    surroundings: (argv) => [
      "env",
      "-i",
      "PATH=/usr/bin:/bin",
      "a.b=1",
      "BASH_FUNC_f%%=() { :; }",
      "EMPTY=",
      "SPACE= x ",
      "LINES=1\n2",
      "ZZZ=1",
      "AAA=2",
      ...argv,
    ],
  },
  {
    name: "variables that are not UTF-8",
    surroundings: shell(
      'export LATIN1=$(printf "\\344\\377"); exec "$@"',
    ),
  },
  {
    name: "umask, folder and niceness",
    surroundings: shell('umask 027; cd /usr; exec nice -n 5 "$@"'),
  },
  {
    name: "one CPU, batch scheduling",
    surroundings: (argv) => ["taskset", "1", "chrt", "-b", "0", ...argv],
  },
  {
    // A user without CAP_SYS_ADMIN cannot have a filter without this bit.
    name: "another user, no new privileges",
    isUnprivileged: true,
    surroundings: (argv) => [
      ...[
        "setpriv",
        "--no-new-privs",
        "--reuid=65534",
        "--regid=65534",
        "--groups=100,200",
      ],
      ...["--inh-caps=+net_raw,+sys_ptrace"],
      ...["--ambient-caps=+net_raw,+sys_ptrace"],
      ...argv,
    ],
  },
  {
    name: "no new privileges",
    surroundings: (argv) => ["setpriv", "--no-new-privs", ...argv],
  },
  {
    name: "a session that its parent leads",
    surroundings: (argv) => [
      ...["setsid", "-w", "sh", "-c", '"$@"; exit $?', "sh"],
      ...argv,
    ],
  },
];

for (const { name, surroundings, args = [], ...options } of CASES) {
  captureTest(`command environment: ${name}`, async (bench) => {
    await compareStates(bench, surroundings, args);
  }, options);
}

async function compareStates(
  bench: Bench,
  surroundings: Surroundings,
  args: readonly string[],
): Promise<void> {
  const probe = await compileWorkload("state_probe");
  const clean = await compileWorkload("clean_exec");
  // Deno.Command leaves traces of its own, which clean_exec removes.
  Deno.chmodSync(bench.folder, 0o777);
  const env = { DENO_DIR: `${bench.folder}/deno` };
  const before = surroundings([clean]);
  const native = bench.start([...before, probe, ...args], { env });
  const tool = bench.launch([probe, ...args], { env, through: before });
  const wanted = await native.ended();
  const got = await tool.ended();
  assert.equal(wanted.code, 0, wanted.stderr);
  assert.equal(got.code, 0, got.stderr);
  assert.deepEqual(lines(tool.stdoutBytes), lines(native.stdoutBytes));
}

function lines(bytes: Uint8Array): string[] {
  return new TextDecoder("latin1").decode(bytes).split("\n");
}

captureTest(
  "command environment: found in PATH, argv[0] as typed",
  async (bench) => {
    const probe = await compileWorkload("state_probe");
    Deno.mkdirSync(`${bench.folder}/bin`);
    Deno.symlinkSync(probe, `${bench.folder}/bin/my-probe`);
    const env = {
      PATH: `/nonexistent:${bench.folder}/bin:${Deno.env.get("PATH")}`,
    };
    const { code, stdout } = await bench.launch(["my-probe"], { env }).ended();
    assert.equal(code, 0);
    assert.match(stdout, /^argument 0: my-probe$/m);
    assert.match(stdout, /^Name:\tmy-probe$/m);
  },
);

captureTest(
  "command environment: arguments that are not UTF-8 arrive or are refused",
  async (bench) => {
    const script = 'exec "$@" "$(printf "\\377\\200")"';
    const tool = bench.launch(["printf", "<%s>"], {
      through: ["sh", "-c", script, "sh"],
    });
    const { code, stdout } = await tool.ended();
    // Some versions of the runtime do not start with such arguments.
    if (code !== 0) assert.equal(stdout, "");
    else assert.deepEqual([...tool.stdoutBytes], [60, 0xff, 0x80, 62]);
  },
);

captureTest(
  "command environment: a script without interpreter line",
  async (bench) => {
    const script = `${bench.folder}/script`;
    Deno.writeTextFileSync(script, "echo from the script $1\n", {
      mode: 0o755,
    });
    const { code, stdout } = await bench.launch(["./script", "x"]).ended();
    assert.deepEqual({ code, stdout }, {
      code: 0,
      stdout: "from the script x\n",
    });
  },
);

captureTest(
  "command environment: standard streams pass through",
  async (bench) => {
    const script = "cat; printf error >&2; head -c 300000 /dev/zero";
    const tool = bench.tool(
      ["-q", "-o", bench.output, "--", "sh", "-c", script],
      { stdin: "piped" },
    );
    await tool.writeLine("first");
    await tool.seen("stdout", /first/);
    await tool.writeLine("second");
    await tool.closeInput();
    const { code, stdout, stderr } = await tool.ended();
    assert.equal(code, 0);
    assert.equal(stdout, `first\nsecond\n${"\0".repeat(300000)}`);
    assert.equal(stderr, "error");
  },
);

captureTest(
  "command environment: --user runs it as another user",
  async (bench) => {
    const probe = await compileWorkload("state_probe");
    const tool = bench.launch([probe], { options: ["--user", "nobody"] });
    const { code, stdout, stderr } = await tool.ended();
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Uid:\t65534\t65534\t65534\t65534$/m);
    assert.match(stdout, /^Gid:\t65534\t65534\t65534\t65534$/m);
    assert.match(stdout, /^Groups:\t65534 ?$/m);
    assert.match(stdout, /^CapEff:\t0+$/m);
    assert.match(stdout, /^CapPrm:\t0+$/m);
  },
);

captureTest("command environment: its packets with --user", async (bench) => {
  const server = await bench.scene();
  const client = await compileWorkload("tcp_client");
  const tool = bench.launch([client, "blocking", server.tcp4, "3"], {
    options: ["-u", "nobody"],
  });
  assert.equal((await tool.ended()).code, 0);
  await bench.verify({ sockets: 3 });
});
