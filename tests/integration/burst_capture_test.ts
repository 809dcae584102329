/**
 * Many packets at once, of the program and of others.
 *
 * @module
 */
import assert from "node:assert/strict";
import { compileWorkload } from "../support/compile.ts";
import { captureTest } from "../support/harness.ts";

for (const count of [500, 5_000, 20_000]) {
  captureTest(`burst: ${count} datagrams at once`, async (bench) => {
    const server = await bench.scene();
    const program = await compileWorkload("udp_burst");
    const tool = bench.launch([program, server.mute, `${count}`, "0"]);
    assert.equal((await tool.ended()).code, 0);
    const packets = await bench.verify();
    assert.equal(packets.length, count);
  });
}

captureTest("burst: 2000 paced datagrams beside a flood", async (bench) => {
  const server = await bench.scene();
  const program = await compileWorkload("udp_burst");
  const flood = bench.startForeign([program, server.otherUdp4, "40000", "0"]);
  await bench.foreignLog.event("sending");
  const tool = bench.launch([program, server.mute, "2000", "50"]);
  assert.equal((await tool.ended()).code, 0);
  assert.equal((await flood.ended()).code, 0);
  const packets = await bench.verify();
  assert.equal(packets.length, 2000);
});
