/**
 * Commands that do with processes what a tracer may stand in the way of:
 * setuid programs, and debuggers.
 *
 * @module
 */
import assert from "node:assert/strict";
import { compileWorkload } from "../support/compile.ts";
import { captureTest } from "../support/harness.ts";
import { findProgram } from "../support/requires.ts";

for (const tracker of ["ebpf", "ptrace"]) {
  captureTest(`powers: a setuid program, ${tracker}`, async (bench) => {
    if (!bench.isTracker(tracker)) return;
    const program = `${bench.folder}/id`;
    await Deno.copyFile(findProgram("id")!, program);
    await Deno.chmod(program, 0o4755);
    const tool = bench.launch(["sh", "-c", `${program} -u; id -u`], {
      options: [...bench.trackerOptions(tracker), "-u", "nobody"],
    });
    const { code, stdout, stderr } = await tool.ended();
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "0\n65534\n");
  });
}

for (const name of ["strace", "gdb"] as const) {
  const debug = (argv: readonly string[]): string[] =>
    name === "strace"
      ? ["strace", "-f", "-o", "/dev/null", ...argv]
      : ["gdb", "-q", "-batch", "-nx", "-ex", "run", "--args", ...argv];
  const needs = [`program ${name}`] as const;

  captureTest(`powers: ${name} inside, ebpf`, async (bench) => {
    if (!bench.isTracker("ebpf")) return;
    const server = await bench.scene();
    const client = await compileWorkload("tcp_client");
    const command = debug([client, "blocking", server.tcp4, "3"]);
    const tool = bench.launch(command, {
      options: bench.trackerOptions("ebpf"),
    });
    const { code, stderr } = await tool.ended();
    assert.equal(code, 0, stderr);
    await bench.verify({ sockets: 3 });
  }, { needs });

  captureTest(`powers: ${name} inside, ptrace`, async (bench) => {
    if (!bench.isTracker("ptrace")) return;
    const tool = bench.launch(debug(["true"]), {
      options: bench.trackerOptions("ptrace"),
    });
    const { stdout, stderr } = await tool.ended();
    assert.match(stdout + stderr, /Operation not permitted/);
  }, { needs });
}
