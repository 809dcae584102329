import assert from "node:assert/strict";
import type { Bench } from "../support/bench.ts";
import { compileWorkload } from "../support/compile.ts";
import { captureTest, type CaseOptions } from "../support/harness.ts";
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

for (const { mode, address, clients, ...options } of CASES) {
  captureTest(`TCP server: ${mode} at ${address}`, async (bench) => {
    await bench.scene();
    const program = await compileWorkload("tcp_server");
    const count = VISITS * clients.length;
    const tool = bench.launch([program, mode, address, `${count}`]);
    await visitAll(bench, clients, "tcp_client", ["blocking"], [`${VISITS}`]);
    assert.equal((await tool.ended()).code, 0);
    await bench.verify();
  }, options);
}

const UDP_CASES: readonly Omit<ServerCase, "mode">[] = [
  { address: "127.0.0.1:0", clients: ["127.0.0.1:PORT"] },
  { address: "0.0.0.0:0", clients: ["127.0.0.1:PORT", "127.0.0.4:PORT"] },
  {
    address: "[::]:0",
    clients: ["[::1]:PORT", "127.0.0.1:PORT"],
    needs: ["IPv6"],
  },
];

for (const { address, clients, ...options } of UDP_CASES) {
  captureTest(`UDP server at ${address}`, async (bench) => {
    await bench.scene();
    const program = await compileWorkload("udp_server");
    const tool = bench.launch([program, address, `${40 * clients.length}`]);
    await visitAll(bench, clients, "udp_client", ["many"], []);
    assert.equal((await tool.ended()).code, 0);
    await bench.verify();
  }, options);
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
  captureTest(
    `${proto} port that another program takes over`,
    async (bench) => {
      await bench.scene();
      const program = await compileWorkload("port_handover");
      const client = await compileWorkload(`${proto}_client`);
      const local = `127.0.0.1:${freePort()}`;
      const visit = async (): Promise<void> => {
        const mode = proto === "tcp" ? "blocking" : "sendto";
        const visitor = bench.startForeign([client, mode, local]);
        assert.equal((await visitor.ended()).code, 0);
      };
      const tool = bench.launch([program, proto, local], { stdin: "piped" });
      await bench.log.event("listening");
      await visit();
      await bench.log.event("closed");
      const moment = await bench.mark();
      const heir = bench.startForeign([program, proto, local], {
        stdin: "piped",
      });
      await bench.foreignLog.event("listening");
      await visit();
      await heir.writeLine();
      assert.equal((await heir.ended()).code, 0);
      await tool.writeLine();
      assert.equal((await tool.ended()).code, 0);
      await bench.verify({ retired: [{ proto, local, moment }] });
    },
  );
}
