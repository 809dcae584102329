import assert from "node:assert/strict";
import type { Bench } from "../support/bench.ts";
import { compileWorkload } from "../support/compile.ts";
import { captureTest } from "../support/harness.ts";

/** Visits the listening socket that the program got. */
async function visit(bench: Bench): Promise<void> {
  const { value } = await bench.log.event("listening");
  const client = await compileWorkload("tcp_client");
  const visitor = bench.startForeign([client, "blocking", value, "1"]);
  assert.equal((await visitor.ended()).code, 0);
}

for (const tracker of ["ebpf", "ptrace"] as const) {
  captureTest(`given sockets: from the shell: ${tracker}`, async (bench) => {
    if (!bench.isTracker(tracker)) return;
    const server = await bench.scene();
    const giver = await compileWorkload("giver");
    const receiver = await compileWorkload("receiver");
    const tool = bench.launch([receiver, "-", server.udp4], {
      through: [giver, "-", server.tcp4],
      options: bench.trackerOptions(tracker),
    });
    await tool.seen("stderr", /capturing/);
    const from = await bench.mark();
    await visit(bench);
    assert.equal((await tool.ended()).code, 0);
    assert.doesNotMatch(tool.stderr, /warning/);
    await bench.verify({ sockets: 3, from });
  });

  captureTest(
    `given sockets: through a Unix socket: ${tracker}`,
    async (bench) => {
      if (!bench.isTracker(tracker)) return;
      const server = await bench.scene();
      const giver = await compileWorkload("giver");
      const receiver = await compileWorkload("receiver");
      const path = `${bench.folder}/socket`;
      const gift = bench.startForeign([giver, path, server.tcp4]);
      await bench.foreignLog.event("giving");
      const tool = bench.launch([receiver, path, server.udp4], {
        stdin: "piped",
        options: bench.trackerOptions(tracker),
      });
      assert.equal((await gift.ended()).code, 0);
      await tool.seen("stderr", /warning: process \d+ \(receiver.*elsewhere/);
      const from = await bench.mark();
      await tool.writeLine();
      await visit(bench);
      assert.equal((await tool.ended()).code, 0);
      assert.equal(tool.stderr.match(/warning/g)?.length, 1, tool.stderr);
      await bench.verify({ sockets: 3, from, mayWarn: true });
    },
  );

  // ptrace sees the call; eBPF looks for what came of it, and says so.
  captureTest(
    `given sockets: taken from a process: ${tracker}`,
    async (bench) => {
      if (!bench.isTracker(tracker)) return;
      const server = await bench.scene();
      const giver = await compileWorkload("giver");
      const receiver = await compileWorkload("receiver");
      const owner = bench.startForeign([giver, "+", server.tcp4], {
        stdin: "piped",
      });
      const { value: from } = await bench.foreignLog.event("keeping");
      const tool = bench.launch([receiver, from, server.udp4], {
        stdin: "piped",
        options: bench.trackerOptions(tracker),
      });
      await bench.log.event("taken");
      const isExact = tracker === "ptrace";
      if (!isExact) {
        await tool.seen("stderr", /warning: process \d+ \(receiver.*elsewhere/);
      }
      await owner.closeInput();
      assert.equal((await owner.ended()).code, 0);
      const begin = await bench.mark();
      await tool.writeLine();
      await visit(bench);
      assert.equal((await tool.ended()).code, 0);
      const warnings = tool.stderr.match(/warning/g)?.length ?? 0;
      assert.equal(warnings, isExact ? 0 : 1, tool.stderr);
      await bench.verify({ sockets: 3, from: begin, mayWarn: !isExact });
    },
  );
}

for (const kind of ["normal", "direct"] as const) {
  captureTest(`given sockets: io_uring, ${kind}: ebpf`, async (bench) => {
    if (!bench.isTracker("ebpf")) return;
    const server = await bench.scene();
    const client = await compileWorkload("ring_client");
    const tool = bench.launch([client, kind, server.tcp4], {
      stdin: "piped",
      options: bench.trackerOptions("ebpf"),
    });
    await tool.writeLine();
    assert.equal((await tool.ended()).code, 0);
    await bench.verify({ owned: "rest" });
  }, { network: "private" });

  captureTest(`given sockets: io_uring, ${kind}: ptrace`, async (bench) => {
    if (!bench.isTracker("ptrace")) return;
    const server = await bench.scene();
    const client = await compileWorkload("ring_client");
    const tool = bench.launch([client, kind, server.tcp4], {
      stdin: "piped",
      options: bench.trackerOptions("ptrace"),
    });
    await tool.seen("stderr", /warning: process \d+ .* uses io_uring/);
    await tool.seen("stderr", /warning: process \d+ .* from elsewhere/);
    const from = await bench.mark();
    await tool.writeLine();
    assert.equal((await tool.ended()).code, 0);
    await bench.verify({ owned: "rest", from, mayWarn: true });
  }, { network: "private" });
}

captureTest("MPTCP: a connection", async (bench) => {
  const server = await bench.scene();
  const port = server.tcp4.slice(server.tcp4.lastIndexOf(":") + 1);
  const script = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
s.connect(("127.0.0.1", ${port}))
s.sendall(b"over MPTCP")
s.recv(10)
`;
  const tool = bench.launch(["python3", "-c", script]);
  const { code, stderr } = await tool.ended();
  assert.equal(code, 0, stderr);
  // ptrace says what it misses.
  if (/warning: process \d+ .* uses MPTCP: .* missed/.test(stderr)) return;
  await bench.verify({ owned: "rest" });
}, { network: "private", needs: ["program python3"] });
