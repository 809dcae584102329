import assert from "node:assert/strict";
import { compileWorkload } from "../support/compile.ts";
import { captureTest } from "../support/harness.ts";
import type { EchoServer } from "../support/servers.ts";

/** A run of a workload that starts threads or processes. */
interface TreeCase {
  readonly name: string;
  readonly workload: string;
  readonly args: (server: EchoServer) => string[];
  /** Sockets that the workload logs. */
  readonly sockets: number;
  /** Exit status of the root process. */
  readonly code?: number;
}

function tree(mode: string): Pick<TreeCase, "workload" | "args"> {
  return { workload: "process_tree", args: (s) => [mode, s.tcp4, s.udp4] };
}

const CASES: readonly TreeCase[] = [
  {
    name: "8 threads that connect at once",
    workload: "threads",
    args: (s) => ["8", "12", s.tcp4, s.udp4],
    sockets: 192,
  },
  { name: "fork", ...tree("fork"), sockets: 10 },
  { name: "vfork and exec", ...tree("vfork_exec"), sockets: 4 },
  { name: "posix_spawn", ...tree("spawn"), sockets: 4 },
  { name: "daemon that outlives the command", ...tree("daemon"), sockets: 2 },
  { name: "60 short-lived children", ...tree("churn"), sockets: 20 },
  { name: "socket shared by fork", ...tree("shared_socket"), sockets: 1 },
  { name: "orphan", ...tree("orphan"), sockets: 4, code: 3 },
  {
    name: "sockets inherited over exec",
    workload: "exec_inherit",
    args: (s) => ["connected", s.tcp4, s.udp4],
    sockets: 3,
  },
  {
    name: "exec in a thread that is not the leader",
    workload: "exec_inherit",
    args: (s) => ["from_thread", s.tcp4, s.udp4],
    sockets: 3,
  },
  {
    name: "socket passed to a child over AF_UNIX",
    workload: "exec_inherit",
    args: (s) => ["passed", s.tcp4, s.udp4],
    sockets: 1,
  },
  {
    name: "clone with CLONE_FILES",
    workload: "clone_files",
    args: (s) => ["shared", s.tcp4, s.otherTcp4],
    sockets: 1,
  },
  {
    name: "clone with CLONE_FILES and CLONE_VM",
    workload: "clone_files",
    args: (s) => ["shared_vm", s.tcp4, s.otherTcp4],
    sockets: 1,
  },
  {
    name: "clone with CLONE_VM alone",
    workload: "clone_files",
    args: (s) => ["vm_only", s.tcp4, s.otherTcp4],
    sockets: 1,
  },
  {
    name: "thread that left the table of files",
    workload: "clone_files",
    args: (s) => ["unshared", s.tcp4, s.otherTcp4],
    sockets: 2,
  },
  {
    name: "thread whose leader has ended",
    workload: "clone_files",
    args: (s) => ["leaderless", s.tcp4, s.otherTcp4],
    sockets: 1,
  },
];

for (const { name, workload, args, sockets, code = 0 } of CASES) {
  captureTest(`process tree: ${name}`, async (bench) => {
    const server = await bench.scene();
    const program = await compileWorkload(workload);
    const tool = bench.launch([program, ...args(server)]);
    assert.equal((await tool.ended()).code, code);
    assert.equal(bench.log.sockets().length, sockets);
    await bench.verify({ sockets });
  });
}

for (const mode of ["processes", "threads"]) {
  for (const address of ["127.0.0.1", "[::1]"]) {
    captureTest(
      `both ends in the target: ${mode}, ${address}`,
      async (bench) => {
        await bench.scene();
        const program = await compileWorkload("both_ends");
        const tool = bench.launch([program, mode, address]);
        assert.equal((await tool.ended()).code, 0);
        await bench.verify({ sockets: 12 });
      },
      { needs: address === "[::1]" ? ["IPv6"] : [] },
    );
  }
}

captureTest(
  "both ends in the target: socket connected to itself",
  async (bench) => {
    await bench.scene();
    const program = await compileWorkload("both_ends");
    const tool = bench.launch([program, "self", "127.0.0.1"]);
    assert.equal((await tool.ended()).code, 0);
    await bench.verify();
  },
);

captureTest("process tree: --no-follow leaves it alone", async (bench) => {
  const server = await bench.scene();
  const program = await compileWorkload("process_tree");
  const command = [program, "fork", server.tcp4, server.udp4];
  const tool = bench.launch(command, { options: ["--no-follow"] });
  assert.equal((await tool.ended()).code, 0);
  const sockets = bench.log.sockets();
  assert.equal(sockets.length, 10);
  const root = rootOf(sockets.map(({ pid }) => pid));
  await bench.verify({ sockets: 2, only: ({ pid }) => pid === root });
});

/** The first process has the lowest id, unless ids wrapped around. */
function rootOf(pids: readonly number[]): number {
  const sorted = pids.toSorted((a, b) => a - b);
  const isWrapped = sorted.at(-1)! - sorted[0]! > 10_000;
  const start = isWrapped ? sorted.filter((pid) => pid > 10_000) : sorted;
  return start[0]!;
}
