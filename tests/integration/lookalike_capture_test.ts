/**
 * Traffic of other programs that looks like the program's own: the same port
 * of another protocol, of another owner, or in another namespace.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Bench } from "../support/bench.ts";
import { compileWorkload } from "../support/compile.ts";
import { captureTest } from "../support/harness.ts";
import { PrivateNetwork } from "../support/network.ts";
import type { Child } from "../support/processes.ts";
import { freePort } from "../support/servers.ts";

const VISITS = 5;

/** Programs that serve, and others that visit them, by protocol. */
const PROTOCOLS = {
  tcp: {
    server: async (local: string) => [
      ...[await compileWorkload("tcp_server"), "one", local, `${2 * VISITS}`],
    ],
    visitor: async (to: string) => [
      ...[await compileWorkload("tcp_client"), "blocking", to, `${VISITS}`],
    ],
  },
  udp: {
    server: async (local: string) => [
      ...[await compileWorkload("udp_server"), "echo", local, `${2 * VISITS}`],
    ],
    visitor: async (to: string) => [
      await compileWorkload("udp_client"),
      "sendto",
      ...Array<string>(VISITS).fill(to),
    ],
  },
} as const;

type Protocol = keyof typeof PROTOCOLS;

/** Starts a foreign server; what the test starts inside comes first. */
async function startForeignServer(
  bench: Bench,
  protocol: Protocol,
  local: string,
  inside: readonly string[] = [],
): Promise<Child> {
  const argv = await PROTOCOLS[protocol].server(local);
  const server = bench.startForeign([...inside, ...argv]);
  await bench.foreignLog.event("listening");
  return server;
}

/** Runs a foreign client to its end. */
async function visit(
  bench: Bench,
  protocol: Protocol,
  to: string,
  inside: readonly string[] = [],
): Promise<void> {
  const argv = await PROTOCOLS[protocol].visitor(to);
  const visitor = bench.startForeign([...inside, ...argv]);
  assert.equal((await visitor.ended()).code, 0);
}

for (const [own, other] of [["tcp", "udp"], ["udp", "tcp"]] as const) {
  captureTest(
    `lookalike: foreign ${other} on the program's ${own} address and port`,
    async (bench) => {
      await bench.scene();
      const local = `127.0.0.1:${freePort()}`;
      const target = bench.start(await PROTOCOLS[own].server(local));
      await bench.log.event("listening");
      const tool = await bench.attach([target.pid]);
      const from = await bench.mark();
      const foreign = await startForeignServer(bench, other, local);
      for (const protocol of [own, other, own, other] as const) {
        await visit(bench, protocol, local);
      }
      for (const program of [target, foreign, tool]) {
        assert.equal((await program.ended()).code, 0);
      }
      await bench.verify({ from });
    },
  );
}

for (const protocol of ["tcp", "udp"] as const) {
  captureTest(
    `lookalike: same ${protocol} address and port in another namespace`,
    async (bench) => {
      await bench.scene();
      await using elsewhere = await PrivateNetwork.create();
      const local = `127.0.0.1:${freePort()}`;
      const target = bench.start(await PROTOCOLS[protocol].server(local));
      await bench.log.event("listening");
      const tool = await bench.attach([target.pid]);
      const from = await bench.mark();
      const inside = elsewhere.prefix;
      const foreign = await startForeignServer(bench, protocol, local, inside);
      for (let round = 0; round < 2; round++) {
        await visit(bench, protocol, local);
        await visit(bench, protocol, local, inside);
      }
      for (const program of [target, foreign, tool]) {
        assert.equal((await program.ended()).code, 0);
      }
      await bench.verify({ from });
    },
    { needs: ["network namespaces"] },
  );
}
