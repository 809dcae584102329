import assert from "node:assert/strict";
import { compileWorkload } from "../support/compile.ts";
import type { Bench } from "../support/bench.ts";
import { captureTest } from "../support/harness.ts";
import { type Child, until } from "../support/processes.ts";
import { PrivateNetwork } from "../support/network.ts";

const VISITS = 60;

/** Ends the servers and compares; each of them accepted some visits. */
async function verify(
  bench: Bench,
  tool: Child,
  servers: readonly Child[],
): Promise<void> {
  for (const server of servers) await server.closeInput();
  for (const child of [...servers, tool]) {
    assert.equal((await child.ended()).code, 0);
  }
  assert.match(tool.stderr, /tcp port \d+ is shared with other programs/);
  const own = bench.log.sockets().length;
  const local = bench.log.sockets()[0]?.local;
  const others = bench.foreignLog.sockets().filter((s) => s.local === local);
  assert.ok(own > 0 && others.length > 0, `${own} and ${others.length}`);
  await bench.verify({ sockets: own, mayWarn: true });
}

captureTest("shared port: a stranger comes", async (bench) => {
  if (!bench.isTracker("ebpf")) return;
  await bench.scene();
  const server = await compileWorkload("reuseport_server");
  const tool = bench.launch([server, "127.0.0.1:0"], {
    options: bench.trackerOptions("ebpf"),
    stdin: "piped",
  });
  const { value } = await bench.log.event("listening");
  // It is visited as soon as it listens: nobody has time to look for it.
  const stranger = bench.startForeign([server, value, `${VISITS}`], {
    stdin: "piped",
  });
  await bench.foreignLog.event("visited");
  await verify(bench, tool, [tool, stranger]);
});

captureTest("shared port: the program comes", async (bench) => {
  if (!bench.isTracker("ebpf")) return;
  await bench.scene();
  const server = await compileWorkload("reuseport_server");
  const client = await compileWorkload("tcp_client");
  const stranger = bench.startForeign([server, "127.0.0.1:0"], {
    stdin: "piped",
  });
  const { value } = await bench.foreignLog.event("listening");
  // The visits go on while the program begins to listen.
  const script = 'read line && exec "$0" "$1"';
  const tool = bench.launch(["sh", "-c", script, server, value], {
    options: bench.trackerOptions("ebpf"),
    stdin: "piped",
  });
  await tool.seen("stderr", /capturing/);
  const visitor = bench.startForeign([client, "blocking", value, "2000"]);
  await until(
    () => bench.foreignLog.sockets().length > 100 || undefined,
    "some visits",
  );
  await tool.writeLine();
  assert.equal((await visitor.ended()).code, 0);
  await verify(bench, tool, [tool, stranger]);
});

captureTest("shared port: both are there, attached", async (bench) => {
  if (!bench.isTracker("ebpf")) return;
  await bench.scene();
  const server = await compileWorkload("reuseport_server");
  const client = await compileWorkload("tcp_client");
  const target = bench.start([server, "127.0.0.1:0"], { stdin: "piped" });
  const { value } = await bench.log.event("listening");
  const stranger = bench.startForeign([server, value], { stdin: "piped" });
  await bench.foreignLog.event("listening");
  const options = bench.trackerOptions("ebpf");
  const tool = await bench.attach([target.pid], { options });
  const visitor = [client, "blocking", value, `${VISITS}`];
  assert.equal((await bench.startForeign(visitor).ended()).code, 0);
  await verify(bench, tool, [target, stranger]);
});

// In another namespace, or at another address, a port is another one.
captureTest("shared port: a stranger has it elsewhere", async (bench) => {
  if (!bench.isTracker("ebpf")) return;
  await bench.scene();
  await using elsewhere = await PrivateNetwork.create();
  const server = await compileWorkload("reuseport_server");
  const client = await compileWorkload("tcp_client");
  const options = bench.trackerOptions("ebpf");
  const tool = bench.launch([server, "127.0.0.1:0"], {
    options,
    stdin: "piped",
  });
  const { value } = await bench.log.event("listening");
  const other = value.replace("127.0.0.1", "127.0.0.2");
  const strangers = [
    bench.startForeign([...elsewhere.prefix, server, value], {
      stdin: "piped",
    }),
    bench.startForeign([server, other], { stdin: "piped" }),
  ];
  await bench.foreignLog.event("listening", 2);
  for (const at of [value, other]) {
    const visitor = [client, "blocking", at, "5"];
    assert.equal((await bench.startForeign(visitor).ended()).code, 0);
  }
  for (const child of [...strangers, tool]) {
    await child.closeInput();
    assert.equal((await child.ended()).code, 0);
  }
  await bench.verify({ sockets: 5 });
});

captureTest("shared port: short connections under ptrace", async (bench) => {
  if (!bench.isTracker("ptrace")) return;
  await bench.scene();
  const server = await compileWorkload("reuseport_server");
  const client = await compileWorkload("tcp_client");
  const options = bench.trackerOptions("ptrace");
  const stranger = bench.startForeign([server, "127.0.0.1:0"], {
    stdin: "piped",
  });
  const { value } = await bench.foreignLog.event("listening");
  const tool = bench.launch([server, value], { options, stdin: "piped" });
  await tool.seen("stderr", /tcp port \d+ is shared with other programs/);
  const visitor = [client, "blocking", value, `${VISITS}`];
  assert.equal((await bench.startForeign(visitor).ended()).code, 0);
  await stranger.closeInput();
  await tool.closeInput();
  assert.equal((await tool.ended()).code, 0);
  assert.equal((await stranger.ended()).code, 0);
  // Who accepted a short connection cannot be told in time: none is taken.
  const own = bench.log.sockets().length;
  await bench.verify({ sockets: own, mayWarn: true, mayMiss: true });
});
