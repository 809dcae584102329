/**
 * ICMP errors about what the program sent, beside those about others.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Bench } from "../support/bench.ts";
import { compileWorkload } from "../support/compile.ts";
import { captureTest } from "../support/harness.ts";
import { FAR } from "../support/network.ts";
import type { TestPacket } from "../support/packets.ts";
import { freePort } from "../support/servers.ts";

const PLACES = [
  { network: "private", family: "IPv4", host: "127.0.0.1" },
  { network: "private", family: "IPv6", host: "[::1]" },
  { network: "ethernet", family: "IPv4", host: FAR.ipv4 },
  { network: "ethernet", family: "IPv6", host: `[${FAR.ipv6}]` },
] as const;

/** Datagrams, of the program and of another, to a port that nobody has. */
async function knock(
  bench: Bench,
  host: string,
  options: readonly string[],
): Promise<readonly TestPacket[]> {
  await bench.scene();
  const client = await compileWorkload("udp_client");
  const argv = [client, "refused", `${host}:${freePort()}`];
  const neighbor = bench.startForeign(argv);
  const tool = bench.launch(argv, { options });
  assert.equal((await tool.ended()).code, 0);
  assert.equal((await neighbor.ended()).code, 0);
  return await bench.verify({ icmp: options.length > 0 });
}

for (const { network, family, host } of PLACES) {
  const needs = ["IPv6"] as const;
  captureTest(`ICMP errors: ${family}, ${network}`, async (bench) => {
    const packets = await knock(bench, host, ["--icmp"]);
    assert.equal(packets.filter(({ quoted }) => quoted).length, 1);
    // A datagram of 4000 bytes, in one piece or in three.
    assert.equal(packets.length, network === "private" ? 2 : 4);
  }, { network, needs });
}

captureTest("ICMP errors: left out unless wanted", async (bench) => {
  const packets = await knock(bench, "127.0.0.1", []);
  assert.equal(packets.length, 1);
}, { network: "private" });
