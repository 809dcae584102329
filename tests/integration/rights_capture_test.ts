/**
 * What the tool does with few rights: for each set of capabilities the best
 * way that it allows, exact, and one line that says which way that is and what
 * a better one would need.
 */
import assert from "node:assert/strict";
import { assertNoCrash, type Bench } from "../support/bench.ts";
import { compileWorkload } from "../support/compile.ts";
import { captureTest, type CaseOptions } from "../support/harness.ts";
import { assertFree } from "../support/process_state.ts";
import type { Ended } from "../support/processes.ts";
import { isContinuousIntegration, NOBODY } from "../support/requires.ts";
import type { LoggedSocket } from "../support/workload_log.ts";
import { missingEbpf } from "./ebpf_support.ts";

const FAILURE = 1;

/** Lines for these options are looked at, whatever the variant. */
const AUTO = ["--tracker", "auto", "--kernel-filter", "auto"] as const;
/** The same with each trial told. */
const TALKATIVE = [...AUTO, "--debug", "1"] as const;

const CLASSIC = /^tracedump: debug: packets are selected by classic BPF/m;
const HOOKS = /^tracedump: .*followed by eBPF \((fentry hooks|tracepoints)\)/m;
const CGROUP = /^tracedump: sockets are followed by eBPF \(cgroup hooks\)$/m;

/** One set of capabilities and what has to be said. */
interface Row {
  /** Names as setpriv(1) takes them. */
  readonly capabilities: readonly string[];
  readonly texts: readonly RegExp[];
  /** Only connections are followed exactly. */
  readonly connectionsOnly?: true;
}

const ROWS: readonly Row[] = [
  {
    capabilities: ["net_raw"],
    texts: [
      /: sockets are followed by ptrace: for eBPF the rights CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN are missing$/m,
      CLASSIC,
    ],
  },
  {
    capabilities: ["net_raw", "bpf"],
    texts: [
      /: sockets are followed by ptrace: for eBPF the rights CAP_PERFMON and CAP_NET_ADMIN are missing$/m,
    ],
  },
  {
    capabilities: ["net_raw", "bpf", "net_admin"],
    texts: [
      /: sockets are followed by ptrace: for eBPF the right CAP_PERFMON is missing$/m,
    ],
  },
  {
    capabilities: ["net_raw", "bpf", "perfmon"],
    texts: [HOOKS, /: for cgroup hooks the right CAP_NET_ADMIN is missing$/m],
    connectionsOnly: true,
  },
  {
    capabilities: ["net_raw", "bpf", "perfmon", "net_admin"],
    texts: [CGROUP, /^tracedump: debug: eBPF cgroup hooks: in use/m],
  },
  {
    capabilities: ["net_raw", "sys_admin"],
    texts: [
      /^tracedump: sockets are followed by eBPF \((cgroup|fentry) hooks/m,
    ],
  },
  {
    capabilities: ["net_raw", "sys_ptrace"],
    texts: [/: sockets are followed by ptrace: for eBPF the rights CAP_BPF,/],
  },
];

/** Surroundings in which only these capabilities can be had. */
function nobodyWith(...capabilities: readonly string[]): string[] {
  const list = ["-all", ...capabilities.map((name) => `+${name}`)].join(",");
  return [
    ...NOBODY,
    ...["inh-caps", "ambient-caps", "bounding-set"].map((set) =>
      `--${set}=${list}`
    ),
  ];
}

/** Environment and folder for a tool that does not run as root. */
function openFolder(bench: Bench): Record<string, string> {
  Deno.chmodSync(bench.folder, 0o777);
  return { DENO_DIR: `${bench.folder}/deno`, HOME: bench.folder };
}

/** A capture test that needs eBPF, at least for root. */
function rightsTest(
  name: string,
  body: (bench: Bench) => Promise<void>,
  options: CaseOptions = {},
): void {
  const reason = missingEbpf();
  if (reason !== undefined && !isContinuousIntegration()) {
    const title = `${name} (skipped: ${reason})`;
    Deno.test({ name: title, ignore: true, fn: () => {} });
    return;
  }
  captureTest(name, body, {
    ...options,
    needs: ["program setpriv", "unprivileged tool", ...options.needs ?? []],
  });
}

/** Fails unless the tool ended with a clear message and nothing else. */
function assertRefused(ended: Ended, ...texts: readonly RegExp[]): void {
  assert.equal(ended.code, FAILURE, ended.stderr);
  assertNoCrash(ended.stderr);
  assert.equal(ended.stdout, "");
  for (const text of texts) assert.match(ended.stderr, text);
}

/** One line names what follows the sockets. */
function assertTold(stderr: string, texts: readonly RegExp[]): void {
  for (const text of texts) assert.match(stderr, text);
  assert.equal(stderr.match(/sockets are followed by/g)?.length, 1, stderr);
}

/** Captures a command that opens five connections and exits with 0. */
async function captureCommand(
  bench: Bench,
  through: readonly string[],
  texts: readonly RegExp[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const server = await bench.scene();
  const client = await compileWorkload("tcp_client");
  const tool = bench.launch([client, "blocking", server.tcp4, "5"], {
    env,
    through,
    options: TALKATIVE,
  });
  const { code, stderr } = await tool.ended();
  assert.equal(code, 0, stderr);
  assertTold(stderr, texts);
  await bench.verify({ sockets: 5 });
}

/** Captures one round of a running process with threads. */
async function captureProcess(
  bench: Bench,
  targetThrough: readonly string[],
  through: readonly string[],
  texts: readonly RegExp[],
): Promise<void> {
  const env = openFolder(bench);
  const server = await bench.scene();
  const program = await compileWorkload("attach_target");
  const argv = [program, "threads", server.tcp4, server.udp4, "2"];
  const target = bench.start([...targetThrough, ...argv], { stdin: "piped" });
  await bench.log.event("ready");
  const tool = await bench.attach([target.pid], {
    env,
    through,
    options: TALKATIVE,
  });
  assertTold(tool.stderr, texts);
  const from = await bench.mark();
  await target.writeLine();
  await bench.log.event("done");
  const until = await bench.mark();
  tool.signal("SIGINT");
  assert.equal((await tool.ended()).code, 0);
  assertFree(target.pid);
  await target.closeInput();
  assert.equal((await target.ended()).code, 0);
  await bench.verify({ from, until, idle: isListener });
}

/** The same of a process with one connection. */
async function captureConnection(
  bench: Bench,
  targetThrough: readonly string[],
  through: readonly string[],
  texts: readonly RegExp[],
): Promise<void> {
  const env = openFolder(bench);
  const server = await bench.scene();
  const client = await compileWorkload("tcp_client");
  const argv = [client, "bound", server.tcp4, "127.0.0.1:0"];
  const target = bench.start([...targetThrough, ...argv], { stdin: "piped" });
  await bench.log.event("echoed");
  const tool = await bench.attach([target.pid], {
    env,
    through,
    options: TALKATIVE,
  });
  assertTold(tool.stderr, texts);
  const from = await bench.mark();
  await target.writeLine();
  assert.equal((await target.ended()).code, 0);
  assert.equal((await tool.ended()).code, 0);
  await bench.verify({ from });
}

/** A listener without visitors has no packets. */
function isListener({ proto, remote }: LoggedSocket): boolean {
  return proto === "tcp" && remote === "*";
}

for (const { capabilities, texts, connectionsOnly } of ROWS) {
  const names = capabilities.join(", ");
  rightsTest(`rights: a command with ${names}`, async (bench) => {
    const env = openFolder(bench);
    await captureCommand(bench, nobodyWith(...capabilities), texts, env);
    assert.equal(Deno.statSync(bench.output).uid, 65534);
  });
  rightsTest(`rights: an own process with ${names}`, async (bench) => {
    const through = nobodyWith(...capabilities);
    const capture = connectionsOnly ? captureConnection : captureProcess;
    await capture(bench, nobodyWith(), through, texts);
  });
}

rightsTest("rights: none at all", async (bench) => {
  const env = openFolder(bench);
  const target = bench.start([...nobodyWith(), "sleep", "60"]);
  const options = { env, through: nobodyWith() };
  const command = bench.launch(["sh", "-c", "echo ran"], options);
  const process = bench.tool(["-o", bench.output, `${target.pid}`], options);
  for (const tool of [command, process]) {
    assertRefused(
      await tool.ended(),
      /: Cannot capture packets: the right CAP_NET_RAW is missing$/m,
      /: hint: Run it as root, or .*sudo setcap cap_net_raw,/,
    );
  }
  assertFree(target.pid);
});

rightsTest("rights: all of them, for processes of others", async (bench) => {
  await captureProcess(bench, nobodyWith(), [], [CGROUP]);
});

/** What a process of root asks of a tool that is not root. */
const OTHERS: readonly Row[] = [
  {
    capabilities: ["net_raw"],
    texts: [/the right CAP_SYS_PTRACE is missing$/m],
  },
  {
    capabilities: ["net_raw", "bpf", "perfmon", "net_admin"],
    texts: [/the right CAP_SYS_PTRACE is missing$/m],
  },
  {
    capabilities: ["net_raw", "sys_admin"],
    texts: [/the right CAP_SYS_PTRACE is missing$/m],
  },
  {
    // Folders of procfs belong to the process' user.
    capabilities: ["net_raw", "sys_ptrace"],
    texts: [
      /the right CAP_DAC_READ_SEARCH is missing$/m,
      /setcap \S+,cap_dac_read_search\+ep/,
    ],
  },
  {
    capabilities: ["net_raw", "sys_ptrace", "bpf", "perfmon"],
    texts: [/the right CAP_DAC_READ_SEARCH is missing$/m],
  },
];

for (const { capabilities, texts } of OTHERS) {
  rightsTest(
    `rights: a process of root with ${capabilities.join(", ")}`,
    async (bench) => {
      const env = openFolder(bench);
      const target = bench.start(["sleep", "60"]);
      const through = nobodyWith(...capabilities);
      const tool = bench.tool(
        [...AUTO, "-o", bench.output, `${target.pid}`],
        { env, through },
      );
      const named = new RegExp(
        `Cannot attach to process ${target.pid} \\(sleep\\): `,
      );
      assertRefused(await tool.ended(), named, ...texts, /hint: .*setcap/);
      assertFree(target.pid);
    },
  );
}

for (const more of [[], ["bpf", "perfmon", "net_admin"]]) {
  const names = ["net_raw", "sys_ptrace", "dac_read_search", ...more];
  rightsTest(
    `rights: a process of root with ${names.join(", ")}`,
    async (bench) => {
      const texts = more.length > 0 ? [CGROUP] : [CLASSIC];
      await captureProcess(bench, [], nobodyWith(...names), texts);
    },
  );
}

/** Options that ask for more than the rights allow. */
const ASKED: readonly (Row & { readonly options: readonly string[] })[] = [
  {
    capabilities: ["net_raw"],
    options: ["--tracker", "ebpf"],
    texts: [/with eBPF: the rights CAP_BPF and CAP_PERFMON are missing$/m],
  },
  {
    capabilities: ["net_raw", "bpf", "perfmon"],
    options: ["--tracker", "cg"],
    texts: [/with eBPF cgroup hooks: the right CAP_NET_ADMIN is missing$/m],
  },
  {
    capabilities: ["net_raw", "bpf"],
    options: ["--tracker", "tp"],
    texts: [/with eBPF tracepoints: the right CAP_PERFMON is missing$/m],
  },
  {
    capabilities: ["net_raw"],
    options: ["--tracker", "ptrace", "--kernel-filter", "map"],
    texts: [/Cannot use the map filter: the right CAP_BPF is missing$/m],
  },
];

for (const { capabilities, options, texts } of ASKED) {
  rightsTest(
    `rights: ${options.join(" ")} with ${capabilities.join(", ")}`,
    async (bench) => {
      const env = openFolder(bench);
      const through = nobodyWith(...capabilities);
      const tool = bench.launch(["sh", "-c", "echo ran"], {
        env,
        through,
        options,
      });
      assertRefused(await tool.ended(), ...texts, /hint: .*setcap/);
    },
  );
}

rightsTest("rights: -q keeps the warning about tracepoints", async (bench) => {
  const env = openFolder(bench);
  const through = nobodyWith("net_raw", "bpf", "perfmon");
  const options = ["--tracker", "auto", "-q"];
  const tool = bench.launch(["true"], { env, through, options });
  const { code, stderr } = await tool.ended();
  assert.equal(code, 0, stderr);
  // Kernels that have fentry hooks lose nothing.
  assert.match(stderr, /^(|tracedump: warning: .*can miss datagrams.*\n)$/);
});

/** Runs what follows after a change of the mounts that only it sees. */
function withMounts(script: string): string[] {
  return ["unshare", "--mount", "sh", "-c", `${script}; exec "$@"`, "sh"];
}

rightsTest("surroundings: no cgroup2 mount in sight", async (bench) => {
  const through = withMounts(
    "umount -R /sys/fs/cgroup; ! grep cgroup2 /proc/self/mounts || exit 9",
  );
  await captureCommand(bench, through, [CGROUP]);
}, { needs: ["mount namespaces"] });

rightsTest("surroundings: no type information", async (bench) => {
  const through = withMounts("mount -t tmpfs none /sys/kernel/btf");
  const reason = /followed by ptrace: eBPF cannot be used here: .*BTF/;
  await captureCommand(bench, through, [reason]);
}, { needs: ["mount namespaces"] });

rightsTest("surroundings: no locked memory allowed", async (bench) => {
  await captureCommand(bench, ["prlimit", "--memlock=0:0"], [CGROUP]);
}, { needs: ["program prlimit"] });

rightsTest("surroundings: procfs that hides processes", async (bench) => {
  const env = openFolder(bench);
  const target = bench.start(["sleep", "60"]);
  const through = [
    ...withMounts("mount -t proc -o hidepid=1 proc /proc"),
    ...nobodyWith("net_raw"),
  ];
  const tool = bench.tool(["-o", bench.output, `${target.pid}`], {
    env,
    through,
  });
  assertRefused(
    await tool.ended(),
    new RegExp(`process ${target.pid}: the right CAP_SYS_PTRACE is missing`),
  );
}, { needs: ["mount namespaces"] });

const PID_NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc"] as const;
const OTHER_IDS =
  /followed by ptrace: eBPF sees other process ids than those of this PID/;

rightsTest("surroundings: a command in a PID namespace", async (bench) => {
  await captureCommand(bench, PID_NAMESPACE, [OTHER_IDS]);
}, { needs: ["mount namespaces"] });

rightsTest("surroundings: a process in a PID namespace", async (bench) => {
  const server = await bench.scene();
  const client = await compileWorkload("tcp_client");
  // The shell is the namespace's first process: all others end with it.
  const script = "client=$1 server=$2; shift 2; " +
    'while "$client" blocking "$server" 5; do sleep 0.02; done & ' +
    '"$@" $! & tool=$!; read line; kill -TERM $tool; wait $tool';
  const tool = bench.tool([...AUTO, "-o", bench.output], {
    through: [
      ...PID_NAMESPACE,
      ...["sh", "-c", script, "sh", client, server.tcp4],
    ],
    stdin: "piped",
  });
  await tool.seen("stderr", /capturing/);
  const from = await bench.mark();
  const sockets = bench.log.sockets().length + 20;
  while (bench.log.sockets().length < sockets) await bench.mark();
  const until = await bench.mark();
  assertTold(tool.stderr, [OTHER_IDS]);
  await tool.writeLine();
  const { code, stderr } = await tool.ended();
  assert.equal(code, 0, stderr);
  await bench.verify({ from, until, sockets: 20 });
}, { needs: ["mount namespaces"] });

rightsTest("surroundings: eBPF in a PID namespace", async (bench) => {
  const tool = bench.launch(["sh", "-c", "echo ran"], {
    through: PID_NAMESPACE,
    options: ["--tracker", "ebpf"],
  });
  assertRefused(await tool.ended(), /PID namespace$/m, /--tracker ptrace/);
}, { needs: ["mount namespaces"] });

rightsTest("surroundings: procfs of another PID namespace", async (bench) => {
  const tool = bench.launch(["sh", "-c", "echo ran"], {
    through: ["unshare", "--pid", "--fork"],
  });
  assertRefused(await tool.ended(), /another PID namespace$/m, /mount -t proc/);
});

rightsTest("surroundings: a user namespace", async (bench) => {
  const tool = bench.launch(["sh", "-c", "echo ran"], {
    through: ["unshare", "--user", "--map-root-user"],
  });
  assertRefused(await tool.ended(), /does not belong to this user namespace/);
});

rightsTest("surroundings: a user namespace with a network", async (bench) => {
  const tool = bench.launch(["sh", "-c", "exit 3"], {
    through: ["unshare", "--user", "--map-root-user", "--net"],
    options: TALKATIVE,
  });
  const { code, stderr } = await tool.ended();
  assert.equal(code, 3, stderr);
  assertTold(stderr, [
    /followed by ptrace: eBPF is not permitted in a user namespace$/m,
    CLASSIC,
  ]);
});
