import assert from "node:assert/strict";
import type { Bench } from "../support/bench.ts";
import { compileWorkload } from "../support/compile.ts";
import { captureTest, type CaseOptions } from "../support/harness.ts";
import { type Child, until } from "../support/processes.ts";
import { freePort } from "../support/servers.ts";

/** A traced server and its foreign clients. */
interface ServerCase extends CaseOptions {
  readonly mode: string;
  readonly address: string;
  /** What the clients connect to, with `PORT` for the server's port. */
  readonly clients: readonly string[];
}

const CASES: readonly ServerCase[] = [
  { mode: "one", address: "127.0.0.1:0", clients: ["127.0.0.1:PORT"] },
  { mode: "one", address: "0.0.0.0:0", clients: ["127.0.0.3:PORT"] },
  {
    mode: "one",
    address: "[::1]:0",
    clients: ["[::1]:PORT"],
    needs: ["IPv6"],
  },
  {
    mode: "one",
    address: "[::]:0",
    clients: ["[::1]:PORT", "127.0.0.1:PORT"],
    needs: ["IPv6"],
  },
  { mode: "poll", address: "127.0.0.1:0", clients: ["127.0.0.1:PORT"] },
  { mode: "fork", address: "127.0.0.1:0", clients: ["127.0.0.1:PORT"] },
  { mode: "threads", address: "127.0.0.1:0", clients: ["127.0.0.1:PORT"] },
  { mode: "prefork", address: "127.0.0.1:0", clients: ["127.0.0.1:PORT"] },
];

const VISITS = 12;
/** Microseconds between datagrams that nobody answers. */
const PAUSE = 100;

const WAYS = ["launched", "attached"] as const;

/** Starts a server under the tool; both end when it has served everybody. */
async function startServer(
  bench: Bench,
  way: typeof WAYS[number],
  argv: readonly string[],
): Promise<readonly Child[]> {
  if (way === "launched") return [bench.launch(argv, { stdin: "piped" })];
  const server = bench.start(argv, { stdin: "piped" });
  await bench.log.event("listening");
  return [server, await bench.attach([server.pid])];
}

async function allEnded(children: readonly Child[]): Promise<void> {
  for (const child of children) assert.equal((await child.ended()).code, 0);
}

for (const { mode, address, clients, ...options } of CASES) {
  // Once attached to, servers differ in where they are reached only.
  for (const way of mode === "one" ? WAYS : WAYS.slice(0, 1)) {
    captureTest(`TCP server: ${mode} at ${address}, ${way}`, async (bench) => {
      await bench.scene();
      const program = await compileWorkload("tcp_server");
      const argv = [program, mode, address, `${VISITS * clients.length}`];
      const started = await startServer(bench, way, argv);
      const from = await bench.mark();
      await visitAll(bench, clients, "tcp_client", ["blocking"], [`${VISITS}`]);
      await allEnded(started);
      await bench.verify({ from });
    }, options);
  }
}

const UDP_CASES: readonly ServerCase[] = [
  { mode: "echo", address: "127.0.0.1:0", clients: ["127.0.0.1:PORT"] },
  {
    mode: "echo",
    address: "0.0.0.0:0",
    clients: ["127.0.0.1:PORT", "127.0.0.4:PORT"],
  },
  { mode: "mute", address: "127.0.0.1:0", clients: ["127.0.0.1:PORT"] },
  {
    mode: "echo",
    address: "[::]:0",
    clients: ["[::1]:PORT", "127.0.0.1:PORT"],
    needs: ["IPv6"],
  },
];

for (const { mode, address, clients, ...options } of UDP_CASES) {
  for (const way of WAYS) {
    captureTest(`UDP server: ${mode} at ${address}, ${way}`, async (bench) => {
      await bench.scene();
      const program = await compileWorkload("udp_server");
      const count = 40 * clients.length;
      const argv = [program, mode, address, `${count}`];
      const started = await startServer(bench, way, argv);
      const from = await bench.mark();
      if (mode === "echo") {
        await visitAll(bench, clients, "udp_client", ["many"], []);
      } else {
        const burst = [`${count}`, `${PAUSE}`];
        await visitAll(bench, clients, "udp_burst", [], burst);
      }
      await allEnded(started);
      await bench.verify({ from });
    }, options);
  }
}

/** Runs foreign clients of the traced server, one per address, at once. */
async function visitAll(
  bench: Bench,
  addresses: readonly string[],
  workload: string,
  before: readonly string[],
  after: readonly string[],
): Promise<void> {
  const { value } = await bench.log.event("listening");
  const port = value.slice(value.lastIndexOf(":") + 1);
  const client = await compileWorkload(workload);
  const clients = addresses.map((address) =>
    bench.startForeign([
      client,
      ...before,
      address.replace("PORT", port),
      ...after,
    ])
  );
  for (const each of clients) assert.equal((await each.ended()).code, 0);
}

captureTest(
  "TCP server: connections that wait to be accepted",
  async (bench) => {
    await bench.scene();
    const program = await compileWorkload("tcp_server");
    const target = bench.start([program, "threads", "127.0.0.1:0", "5"]);
    const { value } = await bench.log.event("listening");
    target.signal("SIGSTOP");
    const client = await compileWorkload("tcp_client");
    const visitor = bench.startForeign([client, "parallel", value, "5"]);
    await until(
      () =>
        bench.foreignLog.sockets().filter(({ remote }) => remote === value)
            .length === 5 || undefined,
      "five handshakes",
    );
    const tool = await bench.attach([target.pid]);
    const from = await bench.mark();
    target.signal("SIGCONT");
    for (const child of [visitor, target, tool]) {
      assert.equal((await child.ended()).code, 0);
    }
    await bench.verify({ from });
  },
);

captureTest("TCP server: same port on another address", async (bench) => {
  await bench.scene();
  const program = await compileWorkload("tcp_server");
  const port = freePort();
  const other = bench.startForeign([program, "one", `127.0.0.2:${port}`, "5"]);
  await bench.foreignLog.event("listening");
  const tool = bench.launch([program, "one", `127.0.0.1:${port}`, "5"]);
  await bench.log.event("listening");
  const client = await compileWorkload("tcp_client");
  for (const address of [`127.0.0.2:${port}`, `127.0.0.1:${port}`]) {
    const visitor = bench.startForeign([client, "blocking", address, "5"]);
    assert.equal((await visitor.ended()).code, 0);
  }
  assert.equal((await other.ended()).code, 0);
  assert.equal((await tool.ended()).code, 0);
  await bench.verify();
});

for (const proto of ["tcp", "udp"] as const) {
  for (const way of WAYS) {
    captureTest(
      `${proto.toUpperCase()} server: port that another program takes over, ${way}`,
      async (bench) => await handOver(bench, proto, way),
    );
  }
}

async function handOver(
  bench: Bench,
  proto: "tcp" | "udp",
  way: typeof WAYS[number],
): Promise<void> {
  await bench.scene();
  const program = await compileWorkload("port_handover");
  const client = await compileWorkload(`${proto}_client`);
  const local = `127.0.0.1:${freePort()}`;
  const visit = async (): Promise<void> => {
    const mode = proto === "tcp" ? "blocking" : "sendto";
    const visitor = bench.startForeign([client, mode, local]);
    assert.equal((await visitor.ended()).code, 0);
  };
  const started = await startServer(bench, way, [program, proto, local]);
  await bench.log.event("listening");
  const from = await bench.mark();
  await visit();
  await bench.log.event("closed");
  const moment = await bench.mark();
  const argv = [program, proto, local];
  const heir = bench.startForeign(argv, { stdin: "piped" });
  await bench.foreignLog.event("listening");
  await visit();
  await heir.writeLine();
  assert.equal((await heir.ended()).code, 0);
  await started[0]!.writeLine();
  await allEnded(started);
  await bench.verify({ from, retired: [{ proto, local, moment }] });
}
