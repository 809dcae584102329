/**
 * What becomes of a capture when the kernel has no room for what it has to
 * tell about sockets.
 *
 * @module
 */
import assert from "node:assert/strict";
import { compileWorkload } from "../support/compile.ts";
import { captureTest } from "../support/harness.ts";
import { missingEbpf } from "./ebpf_support.ts";

const NARROW = new URL("../support/narrow_capture.ts", import.meta.url);

captureTest("lost events: connections are found again", async (bench) => {
  if (!bench.isTracker("ebpf") || missingEbpf() !== undefined) return;
  const server = await bench.scene();
  const program = await compileWorkload("tcp_client");
  const script = `
    "$0" parallel "$1" 60 || exit
    "$0" blocking "$1" 503 || exit
    "$0" bound "$1" 127.0.0.1:0 || exit
    exec "$0" blocking "$2" 3`;
  const command = ["sh", "-c", script, program, server.tcp4, server.tcp6];
  const tool = bench.tool([bench.output, ...command], {
    program: [Deno.execPath(), "run", "-A", "--no-check", NARROW.pathname],
  });
  const { code, stderr } = await tool.ended();
  assert.equal(code, 0, stderr);
  assert.match(
    stderr,
    /^tracedump: warning: lost in the kernel: [\d,]+ events of sockets/m,
  );
  assert.match(stderr, /^tracedump: at the end 0 sockets are known/m);
  await bench.verify({ sockets: 567 });
});
