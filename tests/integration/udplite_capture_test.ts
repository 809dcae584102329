/**
 * UDP-Lite beside UDP of others on the same addresses and ports.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Bench } from "../support/bench.ts";
import { compileWorkload } from "../support/compile.ts";
import { captureTest } from "../support/harness.ts";
import type { Child } from "../support/processes.ts";
import { freePort } from "../support/servers.ts";

const UDP_LITE = { WORKLOAD_PROTOCOL: "136" };
const HOSTS = { ipv4: "127.0.0.1", ipv6: "[::1]" } as const;
type Family = keyof typeof HOSTS;

/** Echo servers of both protocols at one address and port, not the program's. */
async function foreignServers(
  bench: Bench,
  at: string,
  count: number,
): Promise<Child[]> {
  const server = await compileWorkload("udp_server");
  const argv = [server, "echo", at, `${count}`];
  const children: Child[] = [];
  for (const env of [{}, UDP_LITE]) {
    const child = bench.startForeign(argv, { env });
    children.push(child);
    await bench.foreignLog.event("listening", children.length);
  }
  return children;
}

for (const tracker of ["ebpf", "ptrace"] as const) {
  for (const filter of ["map", "classic"] as const) {
    for (const family of ["ipv4", "ipv6"] as const) {
      const title = `${family}: ${tracker}, ${filter}`;
      const needs = family === "ipv6"
        ? ["UDP-Lite", "IPv6"] as const
        : ["UDP-Lite"] as const;
      const define = (
        name: string,
        body: (bench: Bench, options: string[], host: string) => Promise<void>,
      ): void =>
        captureTest(`UDP-Lite: ${name} ${title}`, async (bench) => {
          if (!bench.isTracker(tracker)) return;
          const options = [
            ...bench.trackerOptions(tracker),
            ...["--kernel-filter", filter],
          ];
          await body(bench, options, HOSTS[family]);
        }, { needs });

      define("clients", async (bench, options, host) => {
        await bench.scene();
        const at = `${host}:${freePort()}`;
        const servers = await foreignServers(bench, at, COUNT);
        await clients(bench, options, at, family);
        for (const server of servers) {
          assert.equal((await server.ended()).code, 0);
        }
        await bench.verify({ sockets: 44 });
      });

      define("server", async (bench, options, host) => {
        await bench.scene();
        const at = `${host}:${freePort()}`;
        const server = await compileWorkload("udp_server");
        const client = await compileWorkload("udp_client");
        const argv = [server, "echo", at, "43"];
        const target = bench.start(argv, { env: UDP_LITE });
        await bench.log.event("listening");
        const tool = await bench.attach([target.pid], { options });
        const from = await bench.mark();
        const twin = bench.startForeign(argv);
        await bench.foreignLog.event("listening");
        for (const env of [{}, UDP_LITE]) {
          for (const mode of [["many", at], ["sendto", at, at, at]]) {
            const visitor = bench.startForeign([client, ...mode], { env });
            assert.equal((await visitor.ended()).code, 0);
          }
        }
        for (const child of [twin, target, tool]) {
          assert.equal((await child.ended()).code, 0);
        }
        await bench.verify({ from });
      });
    }
  }
}

/** Datagrams that the clients send to each of the servers. */
const COUNT = 1 + 40 + 2 + 1 + 2;

/** The program's clients, and others that do the same with UDP. */
async function clients(
  bench: Bench,
  options: readonly string[],
  at: string,
  family: Family,
): Promise<void> {
  const client = await compileWorkload("udp_client");
  const own = `${HOSTS[family]}:${freePort()}`;
  const script = `"$0" bound ${own} ${at} && "$0" many ${at} &&
    "$0" sendto ${at} ${at} && "$0" connected ${at} &&
    "$0" sendmmsg ${at} ${at}`;
  const argv = ["sh", "-c", script, client];
  const neighbor = bench.startForeign(argv);
  const tool = bench.launch(argv, { options, env: UDP_LITE });
  assert.equal((await tool.ended()).code, 0);
  assert.equal((await neighbor.ended()).code, 0);
}
