/**
 * Packets that are printed as they come.
 */
import assert from "node:assert/strict";
import { compileWorkload } from "../support/compile.ts";
import { captureTest } from "../support/harness.ts";

/** How a line begins: time, interface, direction, process. */
const LINE_REGEXP =
  /^\d\d:\d\d:\d\d\.\d{6} lo +(?:In |Out) tcp_client\S*\.\d+ IP 127\.0\.0\.1\./;

async function client(...args: string[]): Promise<string[]> {
  return [await compileWorkload("tcp_client"), ...args];
}

captureTest("print: every packet, beside the file", async (bench) => {
  const server = await bench.scene();
  const tool = bench.launch(await client("blocking", server.tcp4, "5"), {
    options: ["--print"],
  });
  const { code, stdout, stderr } = await tool.ended();
  assert.equal(code, 0, stderr);
  const packets = await bench.verify({ sockets: 5 });
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines.length, packets.length);
  for (const line of lines) assert.match(line, LINE_REGEXP);
});

captureTest("print: no file unless one is named", async (bench) => {
  const server = await bench.scene();
  const argv = await client("blocking", server.tcp4, "3");
  const script = `echo hello; ${argv.join(" ")}`;
  const tool = bench.tool(["--print", "-t", "--", "sh", "-c", script], {
    cwd: bench.folder,
  });
  const { code, stdout, stderr } = await tool.ended();
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^hello$/m);
  assert.match(stderr, /packets \([^)]+\) of 3 sockets, 0 dropped by kernel$/m);
  assert.match(stdout, /^lo +Out tcp_client/);
  assert.throws(
    () => Deno.statSync(`${bench.folder}/dump.pcap`),
    Deno.errors.NotFound,
  );
});

captureTest("print: live, from a running program, and -f", async (bench) => {
  const server = await bench.scene();
  const target = bench.start(
    await client("bound", server.tcp4, "127.0.0.1:0"),
    { stdin: "piped" },
  );
  await bench.log.event("echoed");
  const tool = bench.tool(
    ["--print", "-f", "tcp[tcpflags] & tcp-fin != 0", `${target.pid}`],
  );
  await tool.seen("stderr", /capturing/);
  await target.writeLine();
  await tool.seen("stdout", /Flags \[F\.\]/);
  assert.equal((await target.ended()).code, 0);
  const { code, stdout } = await tool.ended();
  assert.equal(code, 0);
  assert.equal(stdout.match(/\n/g)?.length, 2, stdout);
});

captureTest(
  "print: a reader that goes away leaves the command alone",
  async (bench) => {
    const server = await bench.scene();
    const argv = await client("blocking", server.tcp4, "20");
    const script = '"$@" | head -n 1; exit "${PIPESTATUS[0]}"';
    const tool = bench.tool(
      ["--print", "-q", "--", "sh", "-c", `${argv.join(" ")}; exit 6`],
      { through: ["bash", "-c", script, "bash"] },
    );
    const { code, stderr } = await tool.ended();
    assert.equal(code, 6, stderr);
    assert.equal(bench.log.sockets().length, 20);
  },
);
