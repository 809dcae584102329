/**
 * A tool that gets its rights from its file, as `setcap` gives them: the
 * kernel protects it from its own user, and its command must get none.
 *
 * @module
 */
import assert from "node:assert/strict";
import { assertNoCrash, type Bench } from "../support/bench.ts";
import { compileWorkload } from "../support/compile.ts";
import { captureTest } from "../support/harness.ts";
import type { Child } from "../support/processes.ts";
import { NOBODY } from "../support/requires.ts";
import { CAPTURING_REGEXP, TOOL } from "../support/tool.ts";

/** Without CAP_SYS_PTRACE: for a user's own programs it is not needed. */
const CASES: readonly {
  readonly capabilities: string;
  readonly options: readonly string[];
}[] = [
  { capabilities: "cap_net_raw", options: ["--tracker", "ptrace"] },
  {
    capabilities: "cap_net_raw,cap_bpf,cap_perfmon,cap_net_admin",
    options: ["--tracker", "ebpf"],
  },
];

/** Starts a copy of the tool whose file has capabilities, as nobody. */
async function startTool(
  bench: Bench,
  capabilities: string,
  args: readonly string[],
): Promise<Child> {
  const copy = `${bench.folder}/tool`;
  await Deno.copyFile(TOOL[0]!, copy);
  await Deno.chmod(copy, 0o755);
  Deno.chmodSync(bench.folder, 0o777);
  const setcap = bench.start(["setcap", `${capabilities}+ep`, copy]);
  const { code, stderr } = await setcap.ended();
  assert.equal(code, 0, stderr);
  const env = { DENO_DIR: `${bench.folder}/deno`, HOME: bench.folder };
  const argv = [...NOBODY, copy, ...TOOL.slice(1), ...args];
  return bench.start(argv, { env });
}

for (const { capabilities, options } of CASES) {
  const needs = ["unprivileged tool", "program setcap"] as const;
  const output = (bench: Bench): string[] => [...options, "-o", bench.output];

  captureTest(`rights of the file: ${capabilities}, command`, async (bench) => {
    const server = await bench.scene();
    const client = await compileWorkload("tcp_client");
    const script = '"$@" && grep ^CapPrm: /proc/self/status';
    const command = ["sh", "-c", script, "sh", client, "blocking"];
    const tool = await startTool(bench, capabilities, [
      ...output(bench),
      ...["--", ...command, server.tcp4, "5"],
    ]);
    const { code, stdout, stderr } = await tool.ended();
    assert.equal(code, 0, stderr);
    assertNoCrash(stderr);
    assert.equal(stdout, `CapPrm:\t${"0".repeat(16)}\n`);
    await bench.verify({ sockets: 5 });
  }, { needs });

  captureTest(`rights of the file: ${capabilities}, process`, async (bench) => {
    const server = await bench.scene();
    const client = await compileWorkload("tcp_client");
    const script = 'read line; "$@"';
    const argv = [client, "blocking", server.tcp4, "5"];
    const target = bench.start([
      ...[...NOBODY, "sh", "-c", script, "sh", ...argv],
    ], { stdin: "piped" });
    const tool = await startTool(bench, capabilities, [
      ...output(bench),
      `${target.pid}`,
    ]);
    await tool.seen("stderr", CAPTURING_REGEXP);
    await target.writeLine();
    assert.equal((await target.ended()).code, 0);
    const { code, stderr } = await tool.ended();
    assert.equal(code, 0, stderr);
    await bench.verify({ sockets: 5 });
  }, { needs });
}
