/**
 * What connections still say when their program has ended, over a network
 * whose round trips take 200 ms.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Bench } from "../support/bench.ts";
import { compileWorkload } from "../support/compile.ts";
import { captureTest, type CaseOptions } from "../support/harness.ts";
import { NEAR } from "../support/network.ts";
import { parseCapture, type TestPacket } from "../support/packets.ts";
import type { EchoServer } from "../support/servers.ts";

const SLOW: CaseOptions = { network: "slow", needs: ["IPv6"] };

/** TCP flags of packets: `>` sent, `<` received. */
function flagsOf(packets: readonly TestPacket[]): string[] {
  return packets.map(({ source, text }) => {
    const [, flags] = /flags ([0-9a-f]+)/.exec(text) ?? [];
    const letters = [..."FSRPA"].filter((_, bit) =>
      (parseInt(flags ?? "0", 16) >> bit & 1) === 1
    );
    const isSent = source.includes(NEAR.ipv4) || source.includes(NEAR.ipv6);
    return `${isSent ? ">" : "<"}${letters.join("")}`;
  });
}

/** A program whose end is not that of its connections. */
interface Farewell {
  readonly name: string;
  readonly mode: string;
  readonly peer: (server: EchoServer) => string;
  /** The last packets. */
  readonly end: readonly string[];
}

const FAREWELLS: readonly Farewell[] = [
  {
    name: "FIN and its answers",
    mode: "echo_and_exit",
    peer: (server) => server.tcp4,
    end: [">FA", "<FA", ">A"],
  },
  {
    name: "answer that nobody waits for",
    mode: "send_and_exit",
    peer: (server) => server.tcp4,
    end: [">R"],
  },
  {
    name: "answer to a connection that was given up",
    mode: "abandoned",
    peer: (server) => server.tcp4,
    end: [">S", "<SA", ">R"],
  },
  {
    name: "RST while the peer is sending",
    mode: "quit_midway",
    peer: (server) => server.tcp4,
    end: [">R"],
  },
];

for (const { name, mode, peer, end } of FAREWELLS) {
  captureTest(`linger: ${name}`, async (bench) => {
    const server = await bench.scene();
    const client = await compileWorkload("tcp_client");
    const tool = bench.launch([client, mode, peer(server)]);
    assert.equal((await tool.ended()).code, 0);
    await quiet(bench, server);
    const packets = await bench.verify();
    assert.deepEqual(flagsOf(packets).slice(-end.length), end);
  }, SLOW);
}

/**
 * Waits until everything that is under way has arrived, and what answers it:
 * the wire keeps the order.
 */
async function quiet(bench: Bench, server: EchoServer): Promise<void> {
  const client = await compileWorkload("udp_client");
  const argv = [client, "sendto", server.udp4, server.udp4];
  assert.equal((await bench.startForeign(argv).ended()).code, 0);
}

captureTest("linger: a server's last connection", async (bench) => {
  await bench.scene();
  const server = await compileWorkload("tcp_server");
  const client = await compileWorkload("tcp_client");
  const tool = bench.launch([server, "one", `${NEAR.ipv4}:0`, "1"]);
  const { value } = await bench.log.event("listening");
  const visitor = bench.startFar([client, "blocking", value, "1"]);
  assert.equal((await tool.ended()).code, 0);
  assert.equal((await visitor.ended()).code, 0);
  const packets = await bench.verify();
  // A busy server acknowledges the FIN before it closes, too.
  const flags = flagsOf(packets);
  assert.ok(flags.includes("<FA"));
  assert.deepEqual(flags.slice(-2), [">FA", "<A"]);
}, SLOW);

captureTest("linger: no longer than --linger says", async (bench) => {
  const server = await bench.scene();
  const client = await compileWorkload("tcp_client");
  const tool = bench.launch([client, "abandoned", server.tcp4], {
    options: ["--linger", "20ms"],
  });
  assert.equal((await tool.ended()).code, 0);
  const { packets } = parseCapture(await Deno.readFile(bench.output));
  assert.deepEqual(flagsOf(packets), [">S"]);
}, SLOW);
