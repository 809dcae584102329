import { deepEqual, equal, ok } from "node:assert/strict";
import { CALL, CALL_SHIFT, EVENT_TYPE } from "../../bpf/programs/layout.ts";
import {
  loadTracker,
  type Variant,
  VARIANTS,
} from "../../lib/trace/ebpf_loader.ts";
import type { EbpfTracker } from "../../lib/trace/ebpf_tracker.ts";
import { Bench } from "../support/bench.ts";
import { compileWorkload } from "../support/compile.ts";
import { endAll, leftovers } from "../support/leaks.ts";
import { PrivateNetwork } from "../support/network.ts";
import type { Child, StartOptions } from "../support/processes.ts";
import type { Requirement } from "../support/requires.ts";
import { type EchoServer, freePort } from "../support/servers.ts";
import {
  netnsOf,
  NO_LOSSES,
  pcapOf,
  Tap,
  variantTest,
} from "./ebpf_support.ts";

const ECONNREFUSED = 111;

/** A program that is traced from its start, seen through the filter alone. */
class Scene implements AsyncDisposable {
  readonly bench: Bench;
  readonly server: EchoServer;
  readonly tracker: EbpfTracker;
  readonly #tap: Tap;

  private constructor(bench: Bench, server: EchoServer, variant: Variant) {
    this.bench = bench;
    this.server = server;
    this.tracker = loadTracker({ variants: [variant] });
    this.#tap = new Tap(this.tracker.filterProgram, netnsOf(bench));
    this.tracker.filter.open();
  }

  static async create(variant: Variant): Promise<Scene> {
    // Other traffic of the machine would fill tcpdump's buffer.
    const bench = await Bench.create({ network: "private" });
    try {
      return new Scene(bench, await bench.scene(), variant);
    } catch (error) {
      await bench[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts a workload that is traced with its children. */
  async launch(
    workload: string,
    args: readonly string[],
    options: StartOptions = {},
  ): Promise<Child> {
    const program = await compileWorkload(workload);
    this.tracker.addTarget(Deno.pid, { children: "only" });
    try {
      return this.bench.start([program, ...args], options);
    } finally {
      this.tracker.removeTarget(Deno.pid);
    }
  }

  /** Compares what the filter let through with what belongs to the program. */
  async verify(sockets: number): Promise<void> {
    const end = await this.bench.mark();
    const capture = pcapOf(this.#tap.drain());
    await this.bench.verify({ capture, sockets, until: end });
    this.tracker.countCalls();
    deepEqual(this.tracker.losses, NO_LOSSES);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tap[Symbol.dispose]();
    this.tracker.close();
    await this.bench[Symbol.asyncDispose]();
    const left = leftovers(this.bench.id);
    endAll(left.map(({ pid }) => pid));
  }
}

interface Case {
  readonly name: string;
  readonly workload: string;
  readonly args: (server: EchoServer) => readonly string[];
  readonly sockets: number;
  readonly code?: number;
  /** Variants that do not promise this. */
  readonly except?: readonly Variant[];
}

function tcp(
  name: string,
  sockets: number,
  args: (server: EchoServer) => string[],
): Case {
  return { name: `TCP: ${name}`, workload: "tcp_client", args, sockets };
}

function udp(
  name: string,
  sockets: number,
  args: (server: EchoServer) => string[],
): Case {
  return { name: `UDP: ${name}`, workload: "udp_client", args, sockets };
}

function tree(mode: string, sockets: number, code = 0): Case {
  return {
    name: `process tree: ${mode}`,
    workload: "process_tree",
    args: (s) => [mode, s.tcp4, s.udp4],
    sockets,
    code,
  };
}

const CASES: readonly Case[] = [
  tcp("blocking connect", 1, (s) => ["blocking", s.tcp4]),
  tcp("non-blocking connect", 1, (s) => ["nonblocking", s.tcp4]),
  tcp("abandoned connect", 1, (s) => ["abandoned", s.tcp4]),
  tcp("IPv6", 3, (s) => ["blocking", s.tcp6, "3"]),
  tcp("v4-mapped address", 1, (s) => ["mapped", s.tcp4]),
  tcp("dual-stack server", 1, (s) => ["blocking", s.dual]),
  tcp("bound, then connected", 1, (s) => ["bound", s.tcp4, "127.0.0.1:0"]),
  tcp("refused", 1, (s) => ["refused", s.closed]),
  tcp("refused, non-blocking", 1, (s) => ["refused_nonblocking", s.closed]),
  tcp("exit right after send", 1, (s) => ["send_and_exit", s.tcp4]),
  tcp("RST by SO_LINGER", 1, (s) => ["reset", s.tcp4]),
  tcp("RST by unread data", 1, (s) => ["unread", s.tcp4]),
  tcp("fast open", 1, (s) => ["fastopen", s.tcp4]),
  tcp("fast open at the first write", 1, (s) => ["fastopen_connect", s.tcp4]),
  tcp("two connections", 2, (s) => ["reconnect", s.tcp4, s.otherTcp4]),
  tcp("60 at once", 60, (s) => ["parallel", s.tcp4, "60"]),
  tcp("503 in a row", 503, (s) => ["blocking", s.tcp4, "503"]),
  tcp("a megabyte", 1, (s) => ["bulk", s.tcp4, "1048576"]),
  udp("sendto", 1, (s) => ["sendto", s.udp4]),
  udp("several peers", 1, (s) => ["sendto", s.udp4, s.otherUdp4, s.dualUdp]),
  udp("40 sockets", 40, (s) => ["many", s.udp4]),
  udp("IPv6", 40, (s) => ["many", s.udp6]),
  udp("v4-mapped address", 1, (s) => ["mapped", s.udp4]),
  udp("connected", 1, (s) => ["connected", s.udp4]),
  udp("connected twice", 2, (s) => ["connected", s.udp4, s.otherUdp4]),
  udp("past the peer", 2, (s) => ["connected_sendto", s.udp4, s.mute]),
  udp("sendmsg", 1, (s) => ["sendmsg", s.udp4, s.otherUdp4, s.udp4]),
  udp("sendmmsg", 1, (s) => ["sendmmsg", s.udp4, s.otherUdp4, s.dualUdp]),
  udp("sendmmsg over IPv6", 1, (s) => ["sendmmsg", s.udp6, s.udp6]),
  udp("connected sendmmsg", 1, (s) => ["connected_sendmmsg", s.udp4]),
  udp("bound", 1, (s) => ["bound", "127.0.0.1:0", s.udp4]),
  udp("exit right after sendto", 1, (s) => ["send_and_exit", s.mute]),
  {
    name: "8 threads that connect at once",
    workload: "threads",
    args: (s) => ["8", "12", s.tcp4, s.udp4],
    sockets: 192,
  },
  tree("fork", 10),
  tree("vfork_exec", 4),
  tree("spawn", 4),
  tree("daemon", 2),
  tree("churn", 20),
  tree("shared_socket", 1),
  tree("orphan", 4, 3),
  ...["connected", "from_thread", "passed"].map((mode): Case => ({
    name: `sockets handed on: ${mode}`,
    workload: "exec_inherit",
    args: (s) => [mode, s.tcp4, s.udp4],
    sockets: mode === "passed" ? 1 : 3,
  })),
  ...["shared", "shared_vm", "vm_only", "unshared", "leaderless"].map(
    (mode): Case => ({
      name: `tables of files: ${mode}`,
      workload: "clone_files",
      args: (s) => [mode, s.tcp4, s.otherTcp4],
      sockets: mode === "unshared" ? 2 : 1,
    }),
  ),
  ...["processes", "threads", "self"].map((mode): Case => ({
    name: `both ends: ${mode}`,
    workload: "both_ends",
    args: () => [mode, "127.0.0.1"],
    sockets: mode === "self" ? 1 : 12,
    except: ["tp"],
  })),
  {
    name: "both ends over IPv6",
    workload: "both_ends",
    args: () => ["processes", "[::1]"],
    sockets: 12,
    except: ["tp"],
  },
];

const TOOLS: readonly Requirement[] = [
  "root",
  "gcc",
  "program tcpdump",
  "IPv6",
];

for (const variant of VARIANTS) {
  const test = (name: string, run: () => Promise<void>): void =>
    variantTest(variant, name, run, TOOLS);

  for (const { name, workload, args, sockets, code = 0, except } of CASES) {
    if (except?.includes(variant)) continue;
    test(name, async () => {
      await using scene = await Scene.create(variant);
      const child = await scene.launch(workload, args(scene.server));
      equal((await child.ended()).code, code);
      await scene.verify(sockets);
    });
  }

  for (const mode of ["one", "poll", "fork", "threads", "prefork"]) {
    test(`TCP server: ${mode}`, async () => {
      await using scene = await Scene.create(variant);
      const child = await scene.launch("tcp_server", [mode, "[::]:0", "24"]);
      await visit(scene.bench, "tcp_client", ["blocking"], ["12"]);
      equal((await child.ended()).code, 0);
      await scene.verify(1);
    });
  }

  test("the same ends in two namespaces", async () => {
    await using bench = await Bench.create({ network: "private" });
    await using there = await PrivateNetwork.create();
    // What has ended passes no more at once.
    using tracker = loadTracker({ variants: [variant], connectionLinger: 0 });
    using tap = new Tap(tracker.filterProgram, there.path);
    tracker.filter.open();
    const remote = `127.0.0.1:${freePort()}`;
    const server = [await compileWorkload("tcp_server"), "one", remote, "1"];
    const servers = [
      bench.startForeign(server),
      bench.startForeign([...there.prefix, ...server]),
    ];
    await bench.foreignLog.event("listening", 2);
    const program = await compileWorkload("netns_twins");
    tracker.addTarget(Deno.pid, { children: "only" });
    const local = `127.0.0.1:${freePort()}`;
    const argv = [program, there.path, local, remote];
    const child = bench.start(argv, { stdin: "piped" });
    tracker.removeTarget(Deno.pid);
    await bench.log.event("open");
    await child.writeLine();
    await bench.log.event("closed");
    tap.drain();
    await child.writeLine();
    equal((await child.ended()).code, 0);
    for (const each of servers) equal((await each.ended()).code, 0);
    // A message, its echo, two FINs, and acknowledgements.
    ok(tap.drain().length >= 4);
    const closed = new Set<bigint>();
    tracker.events.read(({ type, cookie }) => {
      if (type === EVENT_TYPE.CLOSED) closed.add(cookie);
    });
    equal(closed.size, 2);
  });

  const options = { env: { WORKLOAD_PROTOCOL: "136" } };
  for (const [mode, sockets] of [["sendto", 1], ["many", 40]] as const) {
    variantTest(variant, `UDP-Lite: ${mode}`, async () => {
      await using scene = await Scene.create(variant);
      const program = await compileWorkload("udp_server");
      const server = [program, "echo", "127.0.0.1:0", `${sockets}`];
      const foreign = scene.bench.startForeign(server, options);
      const { value } = await scene.bench.foreignLog.event("listening");
      const child = await scene.launch("udp_client", [mode, value], options);
      equal((await child.ended()).code, 0);
      equal((await foreign.ended()).code, 0);
      await scene.verify(sockets);
    }, [...TOOLS, "UDP-Lite"]);
  }

  if (variant === "tp") continue;
  test("UDP server", async () => {
    await using scene = await Scene.create(variant);
    const child = await scene.launch("udp_server", ["echo", "[::]:0", "80"]);
    await visit(scene.bench, "udp_client", ["many"], []);
    equal((await child.ended()).code, 0);
    await scene.verify(1);
  });
}

/** Two foreign clients, over IPv4 and IPv6, of the server that is traced. */
async function visit(
  bench: Bench,
  workload: string,
  before: readonly string[],
  after: readonly string[],
): Promise<void> {
  const { value } = await bench.log.event("listening");
  const port = value.slice(value.lastIndexOf(":") + 1);
  const program = await compileWorkload(workload);
  const clients = ["127.0.0.1", "[::1]"].map((address) =>
    bench.startForeign([program, ...before, `${address}:${port}`, ...after])
  );
  for (const client of clients) equal((await client.ended()).code, 0);
}

for (const variant of VARIANTS) {
  variantTest(variant, "results of calls are told on request", async () => {
    const program = await compileWorkload("tcp_client");
    for (const callResults of [false, true]) {
      using tracker = loadTracker({ variants: [variant], callResults });
      equal(tracker.callResultsError, undefined);
      tracker.addTarget(Deno.pid, { children: "only" });
      const args = ["refused", "127.0.0.1:1"];
      const { code } = await new Deno.Command(program, { args }).output();
      equal(code, 0);
      const results: number[][] = [];
      tracker.events.read(({ type, extra, remotePort }) => {
        if (type === EVENT_TYPE.RETURNED) results.push([extra, remotePort]);
      });
      const refused = CALL.CONNECT << CALL_SHIFT | ECONNREFUSED;
      deepEqual(results, callResults ? [[refused, 1]] : []);
    }
  }, ["program gcc"]);
}
