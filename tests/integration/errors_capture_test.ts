import assert from "node:assert/strict";
import { assertNoCrash, type Bench } from "../support/bench.ts";
import { compileWorkload } from "../support/compile.ts";
import { captureTest } from "../support/harness.ts";
import { parseCapture } from "../support/packets.ts";
import { assertFree, statusOf } from "../support/process_state.ts";
import { type Child, type Ended, until } from "../support/processes.ts";
import { NOBODY } from "../support/requires.ts";
import { CAPTURING_REGEXP } from "../support/tool.ts";
import type { EchoServer } from "../support/servers.ts";

const USAGE = 2;
const FAILURE = 1;

/** Fails unless the tool ended with a clear message and nothing else. */
function assertRefused(ended: Ended, code: number, ...texts: RegExp[]): void {
  assert.equal(ended.code, code, ended.stderr);
  assertNoCrash(ended.stderr);
  assert.doesNotMatch(ended.stderr, /internal error/i);
  assert.equal(ended.stdout, "");
  for (const text of texts) assert.match(ended.stderr, text);
}

/** Wrong command lines, which do not even reach the engine. */
const USAGE_CASES: readonly {
  readonly name: string;
  readonly args: readonly string[];
  readonly texts: readonly RegExp[];
}[] = [
  { name: "nothing to do", args: [], texts: [/Usage: tracedump/] },
  { name: "-s abc", args: ["-s", "abc", "1"], texts: [/abc/, /-s/] },
  { name: "-c 0", args: ["-c", "0", "1"], texts: [/0/, /-c/] },
  {
    name: "--duration soon",
    args: ["--duration", "soon", "1"],
    texts: [/soon/, /10s/],
  },
  {
    name: "unknown option",
    args: ["--snplen", "1"],
    texts: [/--snplen/, /--snaplen/],
  },
  { name: "option without its value", args: ["-o"], texts: [/-o/] },
  { name: "text among the PIDs", args: ["12", "nginx"], texts: [/nginx/] },
  { name: "negative PID", args: ["--", ""], texts: [/./] },
  { name: "PIDs and a command", args: ["12", "--", "true"], texts: [/./] },
];

for (const { name, args, texts } of USAGE_CASES) {
  captureTest(`errors: ${name}`, async (bench) => {
    const ended = await bench.tool(args).ended();
    assertRefused(ended, ended.code === 127 ? 127 : USAGE, ...texts);
    assert.deepEqual(filesIn(bench), ["foreign.log", "workload.log"]);
  });
}

function filesIn(bench: Bench): string[] {
  return [...Deno.readDirSync(bench.folder)].map(({ name }) => name).sort();
}

captureTest("errors: no such process", async (bench) => {
  const gone = bench.start(["true"]);
  await gone.ended();
  const tool = bench.tool(["-o", bench.output, `${gone.pid}`]);
  assertRefused(await tool.ended(), FAILURE, new RegExp(`${gone.pid}`));
});

captureTest("errors: one of two processes does not exist", async (bench) => {
  const sleeper = bench.start(["sleep", "60"]);
  const gone = bench.start(["true"]);
  await gone.ended();
  const tool = bench.tool(
    ["-o", bench.output, `${sleeper.pid}`, `${gone.pid}`],
  );
  assertRefused(await tool.ended(), FAILURE, new RegExp(`${gone.pid}`));
  assertFree(sleeper.pid);
});

captureTest("errors: a zombie", async (bench) => {
  const script = "sleep 0 & echo $!; exec sleep 60";
  const parent = bench.start(["sh", "-c", script]);
  const [zombie] = await parent.seen("stdout", /\d+/);
  await untilZombie(Number(zombie));
  const tool = bench.tool(["-o", bench.output, zombie]);
  assertRefused(await tool.ended(), FAILURE, new RegExp(zombie));
});

captureTest(
  "attach: the tool ends with a target that stays a zombie",
  async (bench) => {
    const script = "sleep 60 & echo $!; exec sleep 60";
    const parent = bench.start(["sh", "-c", script]);
    const pid = Number((await parent.seen("stdout", /\d+/))[0]);
    const tool = await bench.attach([pid]);
    Deno.kill(pid, "SIGTERM");
    await untilZombie(pid);
    assert.equal((await tool.ended()).code, 0);
  },
);

async function untilZombie(pid: number): Promise<void> {
  await until(
    () => statusOf(pid).get("State")!.startsWith("Z") || undefined,
    `the end of process ${pid}`,
  );
}

captureTest("errors: a kernel thread", async (bench) => {
  const tool = bench.tool(["-o", bench.output, "2"]);
  assertRefused(await tool.ended(), FAILURE, /\b2\b/, /kernel thread/i);
}, { needs: ["kernel thread 2"] });

/**
 * Attaches to a process that is traced. The ptrace tracker has to refuse;
 * another one may do its work beside the tracer, which then keeps its tracee.
 */
async function attachToTraced(
  bench: Bench,
  pid: number,
  ...texts: RegExp[]
): Promise<void> {
  const tracer = statusOf(pid).get("TracerPid");
  assert.notEqual(tracer, "0");
  const tool = bench.tool(["-o", "traced.pcap", `${pid}`], {
    options: bench.trackerOptions("ptrace"),
  });
  const isAttached = await tool.seen("stderr", CAPTURING_REGEXP)
    .then(() => true, () => false);
  if (isAttached) {
    assert.ok(!bench.isTracker("ptrace"), "two tracers at one process");
    tool.signal("SIGINT");
    assert.equal((await tool.ended()).code, 0);
  } else {
    assertRefused(await tool.ended(), FAILURE, ...texts);
  }
  assert.equal(statusOf(pid).get("TracerPid"), tracer);
}

captureTest("errors: traced by strace, which is named", async (bench) => {
  const tracer = bench.start(
    ["strace", "-o", "trace", "sh", "-c", "echo $$; exec sleep 60"],
  );
  const [pid] = await tracer.seen("stdout", /\d+/);
  const tracerPid = new RegExp(`\\b${tracer.pid}\\b`);
  await attachToTraced(bench, Number(pid), /strace/, tracerPid);
  Deno.kill(Number(pid), "SIGKILL");
  await tracer.ended();
}, { needs: ["program strace"] });

captureTest("errors: traced by gdb, which is named", async (bench) => {
  const target = bench.start(["sleep", "60"]);
  const script = ["-ex", `attach ${target.pid}`, "-ex", "echo attached\\n"];
  const tracer = bench.start(["gdb", "-nx", "-q", ...script], {
    stdin: "piped",
    env: { DEBUGINFOD_URLS: "" },
  });
  await tracer.seen("stdout", /attached/);
  await attachToTraced(bench, target.pid, /gdb/);
}, { needs: ["program gdb"] });

captureTest("errors: traced by this tool already", async (bench) => {
  const target = bench.start(["sleep", "60"]);
  const options = bench.trackerOptions("ptrace");
  const first = await bench.attach([target.pid], { options });
  if (bench.isTracker("ptrace")) {
    await attachToTraced(bench, target.pid, new RegExp(`${target.pid}`));
  } else {
    const second = await bench.attach([target.pid]);
    second.signal("SIGINT");
    assert.equal((await second.ended()).code, 0);
  }
  first.signal("SIGINT");
  assert.equal((await first.ended()).code, 0);
  assertFree(target.pid);
});

captureTest("errors: the tool itself under strace", async (bench) => {
  const tool = bench.launch(["true"], { through: ["strace", "-f", "-o", "t"] });
  assertRefused(await tool.ended(), FAILURE, /strace/);
}, { needs: ["program strace"] });

/** Surroundings in which only the named capabilities can be had. */
function nobodyWith(...capabilities: string[]): string[] {
  const list = capabilities.map((name) => `+${name}`).join(",");
  return list === ""
    ? [...NOBODY]
    : [...NOBODY, `--inh-caps=${list}`, `--ambient-caps=${list}`];
}

/** Environment and folder for a tool that does not run as root. */
function openFolder(bench: Bench): Record<string, string> {
  Deno.chmodSync(bench.folder, 0o777);
  return { DENO_DIR: `${bench.folder}/deno`, HOME: bench.folder };
}

captureTest("errors: process of another user", async (bench) => {
  const env = openFolder(bench);
  const target = bench.start(["sleep", "60"]);
  const tool = bench.tool(["-o", bench.output, `${target.pid}`], {
    env,
    through: nobodyWith("net_raw"),
  });
  assertRefused(
    await tool.ended(),
    FAILURE,
    new RegExp(`${target.pid}`),
    /CAP_SYS_PTRACE/,
    /setcap/,
  );
  assertFree(target.pid);
}, { needs: ["unprivileged tool"], isUnprivileged: true });

captureTest("errors: no CAP_NET_RAW for a command", async (bench) => {
  const env = openFolder(bench);
  const tool = bench.launch(["sh", "-c", "echo ran"], {
    env,
    through: nobodyWith(),
  });
  assertRefused(await tool.ended(), FAILURE, /CAP_NET_RAW/, /setcap/);
}, { needs: ["unprivileged tool"], isUnprivileged: true });

captureTest("errors: root without CAP_NET_RAW", async (bench) => {
  const target = bench.start(["sleep", "60"]);
  const tool = bench.tool(["-o", bench.output, `${target.pid}`], {
    through: ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw"],
  });
  assertRefused(await tool.ended(), FAILURE, /CAP_NET_RAW/, /setcap/);
  assertFree(target.pid);
});

captureTest("rights: another user with CAP_NET_RAW captures", async (bench) => {
  const env = openFolder(bench);
  const server = await bench.scene();
  const client = await compileWorkload("tcp_client");
  const tool = bench.launch([client, "blocking", server.tcp4, "5"], {
    env,
    through: nobodyWith("net_raw"),
  });
  assert.equal((await tool.ended()).code, 0);
  assert.equal(Deno.statSync(bench.output).uid, 65534);
  await bench.verify({ sockets: 5 });
}, { needs: ["unprivileged tool"], isUnprivileged: true });

captureTest(
  "rights: another user attaches to an own process",
  async (bench) => {
    const env = openFolder(bench);
    const server = await bench.scene();
    const program = await compileWorkload("attach_target");
    const argv = [program, "threads", server.tcp4, server.udp4, "2"];
    const target = bench.start([...nobodyWith(), ...argv], { stdin: "piped" });
    await bench.log.event("ready");
    const tool = await bench.attach([target.pid], {
      env,
      through: nobodyWith("net_raw"),
    });
    const from = await bench.mark();
    await target.writeLine();
    await bench.log.event("done");
    const until = await bench.mark();
    tool.signal("SIGINT");
    assert.equal((await tool.ended()).code, 0);
    await target.closeInput();
    assert.equal((await target.ended()).code, 0);
    const isListener = (s: { proto: string; remote: string }): boolean =>
      s.proto === "tcp" && s.remote === "*";
    await bench.verify({ from, until, idle: isListener });
  },
  { needs: ["unprivileged tool"], isUnprivileged: true },
);

captureTest("errors: no such interface", async (bench) => {
  const tool = bench.launch(["sh", "-c", "echo ran"], {
    options: ["-i", "nosuch0"],
  });
  assertRefused(await tool.ended(), FAILURE, /nosuch0/);
});

captureTest("errors: no such user", async (bench) => {
  const tool = bench.launch(["sh", "-c", "echo ran"], {
    options: ["-u", "nosuchuser"],
  });
  assertRefused(await tool.ended(), FAILURE, /nosuchuser/);
});

captureTest("errors: folder of the output missing", async (bench) => {
  const output = `${bench.folder}/no/such/folder.pcap`;
  const tool = bench.tool(["-o", output, "--", "sh", "-c", "echo ran"]);
  assertRefused(await tool.ended(), FAILURE, /no\/such\/folder\.pcap/);
});

captureTest("errors: output is a folder", async (bench) => {
  const tool = bench.tool(["-o", bench.folder, "--", "sh", "-c", "echo ran"]);
  assertRefused(await tool.ended(), FAILURE, new RegExp(bench.folder));
});

captureTest("errors: disk full", async (bench) => {
  const server = await bench.scene();
  const client = await compileWorkload("tcp_client");
  const disk = `${bench.folder}/disk`;
  Deno.mkdirSync(disk);
  const script = `mount -t tmpfs -o size=64k none ${disk}; "$@"; ` +
    `status=$?; cp ${disk}/capture.pcap ${bench.output}; exit $status`;
  const tool = bench.tool(
    [
      ...["-o", `${disk}/capture.pcap`, "--"],
      ...[client, "blocking", server.tcp4, "300"],
    ],
    { through: ["unshare", "--mount", "sh", "-c", script, "sh"] },
  );
  const { code, stderr } = await tool.ended();
  assert.equal(code, FAILURE, stderr);
  assert.match(stderr, /No space left|ENOSPC|disk is full/i);
  assertNoCrash(stderr);
  assert.equal(bench.log.sockets().length, 300, "the program was harmed");
  const { packets } = parseCapture(Deno.readFileSync(bench.output));
  assert.ok(packets.length > 100, `${packets.length}`);
  const tcpdump = await bench.start(["tcpdump", "-nr", bench.output]).ended();
  assert.equal(tcpdump.code, 0);
  assert.doesNotMatch(tcpdump.stderr, /truncated/);
}, { needs: ["mount namespaces"] });

captureTest("errors: /dev/full as output", async (bench) => {
  const server = await bench.scene();
  const client = await compileWorkload("tcp_client");
  const command = [client, "blocking", server.tcp4, "20"];
  const tool = bench.tool(["-o", "/dev/full", "--", ...command]);
  const { code, stderr } = await tool.ended();
  assert.equal(code, FAILURE, stderr);
  assert.match(stderr, /\/dev\/full/);
  assertNoCrash(stderr);
});

captureTest("errors: the folder vanishes during the capture", async (bench) => {
  const server = await bench.scene();
  const client = await compileWorkload("tcp_client");
  Deno.mkdirSync(`${bench.folder}/vanishing`);
  const command = [client, "bound", server.tcp4, "127.0.0.1:0"];
  const output = `${bench.folder}/vanishing/capture.pcap`;
  const tool = bench.tool(["-o", output, "--", ...command], { stdin: "piped" });
  await bench.log.event("echoed");
  Deno.removeSync(`${bench.folder}/vanishing`, { recursive: true });
  await tool.writeLine();
  const { code, stderr } = await tool.ended();
  assert.equal(code, 0, stderr);
  assertNoCrash(stderr);
});

/** As sudo(8) starts programs. */
const SUDO = { SUDO_UID: "65534", SUDO_GID: "65534", SUDO_USER: "nobody" };

captureTest("sudo: the file belongs to the calling user", async (bench) => {
  const server = await bench.scene();
  Deno.chownSync(bench.folder, 65534, 65534);
  const client = await compileWorkload("tcp_client");
  const tool = bench.launch([client, "blocking", server.tcp4], { env: SUDO });
  const { code, stderr } = await tool.ended();
  assert.equal(code, 0, stderr);
  const { uid, gid } = Deno.statSync(bench.output);
  assert.deepEqual({ uid, gid }, { uid: 65534, gid: 65534 });
  await bench.verify();
});

captureTest("sudo: a user with a number of ten digits", async (bench) => {
  const id = 1_847_600_500;
  Deno.chownSync(bench.folder, id, id);
  const env = { SUDO_UID: `${id}`, SUDO_GID: `${id}` };
  const { code, stderr } = await bench.launch(["true"], { env }).ended();
  assert.equal(code, 0, stderr);
  const { uid, gid } = Deno.statSync(bench.output);
  assert.deepEqual({ uid, gid }, { uid: id, gid: id });
});

captureTest(
  "sudo: a symbolic link to a file of root is refused",
  async (bench) => {
    Deno.chownSync(bench.folder, 65534, 65534);
    const precious = `${bench.folder}/precious`;
    Deno.writeTextFileSync(precious, "precious", { mode: 0o644 });
    Deno.symlinkSync(precious, bench.output);
    const tool = bench.launch(["sh", "-c", "echo ran"], { env: SUDO });
    assertRefused(await tool.ended(), FAILURE, /capture\.pcap/);
    assert.equal(Deno.readTextFileSync(precious), "precious");
  },
);

captureTest(
  "sudo: a folder closed to the calling user is refused",
  async (bench) => {
    const tool = bench.launch(["sh", "-c", "echo ran"], { env: SUDO });
    assertRefused(await tool.ended(), FAILURE, /capture\.pcap/);
    assert.deepEqual(filesIn(bench), ["foreign.log", "workload.log"]);
  },
);

captureTest(
  "errors: the target ends while it is attached to",
  async (bench) => {
    // A parent that does not reap it, and ends at different moments.
    const script = "exec 3<&0; cat <&3 & echo $!; exec 3<&-; exec sleep 60";
    for (let delay = 40; delay <= 440; delay += 50) {
      const parent = bench.start(["sh", "-c", script], { stdin: "piped" });
      const [pid] = await parent.seen("stdout", /\d+/);
      const tool = bench.tool(["-o", bench.output, pid]);
      await new Promise((resolve) => setTimeout(resolve, delay));
      await parent.closeInput();
      await untilZombie(Number(pid));
      const { code, stderr } = await tool.ended();
      assertNoCrash(stderr);
      assert.ok(code === 0 || code === FAILURE, `${code}: ${stderr}`);
      if (code === FAILURE) assert.ok(stderr.includes(pid), stderr);
    }
  },
);

captureTest(
  "attach: a program that starts and ends processes all the time",
  async (bench) => {
    const server = await bench.scene();
    const target = await startChurn(bench, server);
    const tool = await bench.attach([target.pid]);
    const from = await bench.mark();
    const until = await afterRounds(bench, 30);
    tool.signal("SIGINT");
    const { code, stderr } = await tool.ended();
    assert.equal(code, 0, stderr);
    await target.closeInput();
    assert.equal((await target.ended()).code, 0);
    await bench.verify({ from, until, sockets: 30 });
  },
);

/** A shell that runs one short-lived client after the other. */
async function startChurn(bench: Bench, server: EchoServer): Promise<Child> {
  const client = await compileWorkload("process_tree");
  const script = 'while ! read -t 0 line; do "$@" || exit; done';
  const target = bench.start(
    [
      ...["bash", "-c", script, "bash"],
      ...[client, "fork", server.tcp4, server.udp4],
    ],
    { stdin: "piped" },
  );
  await afterRounds(bench, 10);
  return target;
}

async function afterRounds(bench: Bench, sockets: number): Promise<string> {
  const enough = bench.log.sockets().length + sockets;
  while (bench.log.sockets().length < enough) await bench.mark();
  return await bench.mark();
}
