import assert from "node:assert/strict";
import { compileWorkload } from "../support/compile.ts";
import { captureTest } from "../support/harness.ts";
import { parseCapture } from "../support/packets.ts";

const VISITS = 60;

for (const first of ["the program", "the stranger"] as const) {
  captureTest(
    `TCP port shared with a stranger, ${first} first`,
    async (bench) => {
      if (!bench.isTracker("ebpf")) return;
      await bench.scene();
      const server = await compileWorkload("reuseport_server");
      const client = await compileWorkload("tcp_client");
      const options = bench.trackerOptions("ebpf");
      const isFirst = first === "the program";
      const launch = (at: string): ReturnType<typeof bench.launch> =>
        bench.launch([server, at], { options, stdin: "piped" });
      const start = (at: string): ReturnType<typeof bench.startForeign> =>
        bench.startForeign([server, at], { stdin: "piped" });
      const leader = (isFirst ? launch : start)("127.0.0.1:0");
      const log = isFirst ? bench.log : bench.foreignLog;
      const { value } = await log.event("listening");
      const other = (isFirst ? start : launch)(value);
      const tool = isFirst ? leader : other;
      const stranger = isFirst ? other : leader;
      await tool.seen("stderr", /tcp port \d+ is shared with other programs/);
      const from = await bench.mark();
      const visitor = [client, "blocking", value, `${VISITS}`];
      assert.equal((await bench.startForeign(visitor).ended()).code, 0);
      await stranger.closeInput();
      await tool.closeInput();
      assert.equal((await tool.ended()).code, 0);
      assert.equal((await stranger.ended()).code, 0);
      const own = bench.log.sockets().length;
      assert.ok(own > 0 && own < VISITS, `${own} of ${VISITS}`);
      await bench.verify({ sockets: own, from, mayWarn: true });
    },
  );
}

captureTest("TCP port shared with a stranger: ptrace", async (bench) => {
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
  const foreign = new Set(bench.foreignLog.sockets().map((s) => s.remote));
  const { packets } = parseCapture(await Deno.readFile(bench.output));
  for (const { source, destination, text } of packets) {
    assert.ok(!foreign.has(source) && !foreign.has(destination), text);
  }
});
