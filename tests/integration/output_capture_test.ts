import assert from "node:assert/strict";
import type { Bench } from "../support/bench.ts";
import { compileWorkload } from "../support/compile.ts";
import { captureTest } from "../support/harness.ts";
import { parseCapture } from "../support/packets.ts";
import { until } from "../support/processes.ts";

const LINKTYPE_LINUX_SLL = 113;
const SLL_HEADER_LENGTH = 16;
const PACKET_HOST = 0;
const PACKET_OUTGOING = 4;

async function client(...args: string[]): Promise<string[]> {
  return [await compileWorkload("tcp_client"), ...args];
}

/** Every reader of capture files takes the file without a complaint. */
async function assertReadable(bench: Bench, packets: number): Promise<void> {
  const tcpdump = await bench.start(["tcpdump", "-nr", bench.output]).ended();
  assert.equal(tcpdump.code, 0, tcpdump.stderr);
  assert.equal(tcpdump.stdout.trimEnd().split("\n").length, packets);
  assert.doesNotMatch(tcpdump.stderr, /truncated|error|bad/i);
}

captureTest("output: -s 64 keeps 64 bytes of each IP packet", async (bench) => {
  const server = await bench.scene();
  const tool = bench.launch(await client("blocking", server.tcp4, "20"), {
    options: ["-s", "64"],
  });
  assert.equal((await tool.ended()).code, 0);
  const packets = await bench.verify({ snaplen: 64, sockets: 20 });
  assert.ok(packets.some(({ bytes, length }) => bytes.length < length));
  const { header } = parseCapture(Deno.readFileSync(bench.output));
  assert.equal(header.snaplen, 64 + SLL_HEADER_LENGTH);
  await assertReadable(bench, packets.length);
});

captureTest("output: link type, snaplen, directions", async (bench) => {
  const server = await bench.scene();
  const tool = bench.launch(await client("blocking", server.tcp4, "3"));
  assert.equal((await tool.ended()).code, 0);
  const packets = await bench.verify({ sockets: 3 });
  const { header } = parseCapture(Deno.readFileSync(bench.output));
  assert.equal(header.linkType, LINKTYPE_LINUX_SLL);
  assert.equal(header.nanoseconds, false);
  assert.ok(header.snaplen >= 65535 + SLL_HEADER_LENGTH);
  for (const { destination, packetType, text } of packets) {
    const isSent = destination === server.tcp4;
    assert.equal(packetType, isSent ? PACKET_OUTGOING : PACKET_HOST, text);
  }
  await assertReadable(bench, packets.length);
});

captureTest("output: read by capinfos and tshark", async (bench) => {
  const server = await bench.scene();
  const tool = bench.launch(await client("blocking", server.tcp4, "3"));
  assert.equal((await tool.ended()).code, 0);
  const packets = await bench.verify({ sockets: 3 });
  const info = await bench.start(["capinfos", "-TmcEr", bench.output]).ended();
  assert.equal(info.code, 0, info.stderr);
  assert.match(info.stdout, new RegExp(`linux-sll,${packets.length}`));
  const tshark = await bench.start(
    ["tshark", "-r", bench.output, "-T", "fields", "-e", "tcp.stream"],
    { env: { HOME: bench.folder } },
  ).ended();
  assert.equal(tshark.code, 0, tshark.stderr);
  const streams = tshark.stdout.trimEnd().split("\n");
  assert.equal(streams.length, packets.length);
  assert.equal(new Set(streams).size, 3);
}, { needs: ["program capinfos", "program tshark"] });

for (const nano of [false, true]) {
  const unit = nano ? "nanoseconds" : "microseconds";
  captureTest(`output: time stamps in ${unit}`, async (bench) => {
    const server = await bench.scene();
    const start = BigInt(Date.now() - 1) * 1_000_000n;
    const tool = bench.launch(await client("blocking", server.tcp4, "20"), {
      options: nano ? ["--nano"] : [],
    });
    assert.equal((await tool.ended()).code, 0);
    const end = BigInt(Date.now() + 1) * 1_000_000n;
    const packets = await bench.verify({ sockets: 20 });
    const { header } = parseCapture(Deno.readFileSync(bench.output));
    assert.equal(header.nanoseconds, nano);
    for (const { timestamp } of packets) {
      assert.ok(start <= timestamp && timestamp <= end, `${timestamp}`);
    }
    assert.equal(
      packets.some(({ timestamp }) => timestamp % 1000n !== 0n),
      nano,
    );
  });
}

captureTest("output: -o - through a pipe into tcpdump -r -", async (bench) => {
  const server = await bench.scene();
  const pipe = '"$@" | tee copy.pcap | tcpdump -nr - 2>messages';
  const tool = bench.tool(
    ["-o", "-", "--", ...await client("blocking", server.tcp4, "7")],
    { through: ["sh", "-c", pipe, "sh"] },
  );
  const { code, stdout } = await tool.ended();
  assert.equal(code, 0);
  const packets = await bench.verify({
    capture: Deno.readFileSync(`${bench.folder}/copy.pcap`),
    sockets: 7,
  });
  assert.equal(stdout.trimEnd().split("\n").length, packets.length);
  const messages = Deno.readTextFileSync(`${bench.folder}/messages`);
  assert.doesNotMatch(messages, /truncated|error/);
});

/** Lines that tcpdump prints of the capture file. */
async function linesOf(bench: Bench): Promise<string[]> {
  const { code, stdout, stderr } = await bench.start(
    ["tcpdump", "-nr", bench.output],
  ).ended();
  assert.equal(code, 0, stderr);
  return stdout.trimEnd().split("\n");
}

captureTest("output: -f keeps what matches", async (bench) => {
  const server = await bench.scene();
  const tool = bench.launch(await client("blocking", server.tcp4, "5"), {
    options: ["-f", "tcp[tcpflags] & tcp-syn != 0"],
  });
  const { code, stderr } = await tool.ended();
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^tracedump: 10 packets .* of 5 sockets written/m);
  const lines = await linesOf(bench);
  assert.equal(lines.length, 10);
  for (const line of lines) assert.match(line, /Flags \[S\.?\]/);
});

captureTest("output: -f tells processes and directions", async (bench) => {
  const server = await bench.scene();
  const argv = await client("blocking", server.tcp4, "5");
  const script = `${argv.join(" ")}; cp ${argv[0]} ${bench.folder}/other; ` +
    `${bench.folder}/other ${argv.slice(1).join(" ")}`;
  const tool = bench.launch(["sh", "-c", script], {
    options: ["-f", "comm other and proc out and tcp[13] = 2"],
  });
  const { code, stderr } = await tool.ended();
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^tracedump: 5 packets .* of 10 sockets written/m);
  assert.match(stderr, /^other \(\d+\), 5 flows:/m);
  assert.equal((await linesOf(bench)).length, 5);
});

captureTest("output: a mistake in -f starts nothing", async (bench) => {
  const tool = bench.launch(["sh", "-c", "echo ran"], {
    options: ["-f", "tcp prot 80"],
  });
  const { code, stdout, stderr } = await tool.ended();
  assert.deepEqual([code, stdout], [2, ""]);
  assert.equal(
    stderr,
    'tracedump: Cannot compile filter: found "prot" at line 1, column 5, ' +
      'expected "and", "or" or the end\n' +
      "tracedump:   tcp prot 80\ntracedump:       ^\n",
  );
});

captureTest("output: -o - is live", async (bench) => {
  const server = await bench.scene();
  const argv = await client("bound", server.tcp4, "127.0.0.1:0");
  const tool = bench.tool(["-o", "-", "--", ...argv], { stdin: "piped" });
  await bench.log.event("echoed");
  // Handshake, a message each way and their acknowledgments, while it waits.
  await until(() => packetCount(tool.stdoutBytes) >= 7 || undefined, "packets");
  await tool.writeLine();
  assert.equal((await tool.ended()).code, 0);
  await bench.verify({ capture: tool.stdoutBytes });
});

function packetCount(bytes: Uint8Array): number {
  try {
    return parseCapture(bytes).packets.length;
  } catch {
    // Cut within a packet, or before the header.
    return 0;
  }
}

captureTest(
  "output: a reader that goes away leaves the command alone",
  async (bench) => {
    const server = await bench.scene();
    const pipe = '{ "$@"; echo "status=$?" >&2; } | head -c 100 >/dev/null';
    const tool = bench.tool(
      ["-o", "-", "--", ...await client("blocking", server.tcp4, "200")],
      { through: ["sh", "-c", pipe, "sh"] },
    );
    const { stderr } = await tool.ended();
    assert.match(stderr, /^status=\d+$/m);
    assert.equal(bench.log.sockets().length, 200);
  },
);

captureTest(
  "output: -c N writes N packets, the command goes on",
  async (bench) => {
    const server = await bench.scene();
    const tool = bench.launch(await client("blocking", server.tcp4, "60"), {
      options: ["-c", "23"],
    });
    assert.equal((await tool.ended()).code, 0);
    assert.equal(bench.log.sockets().length, 60);
    const { packets } = parseCapture(Deno.readFileSync(bench.output));
    assert.equal(packets.length, 23);
    await assertReadable(bench, 23);
  },
);

captureTest(
  "output: -c N ends the capture of a running program",
  async (bench) => {
    const server = await bench.scene();
    const program = await compileWorkload("attach_target");
    const target = bench.start([program, "busy", server.tcp4, server.udp4], {
      stdin: "piped",
    });
    await bench.log.event("ready");
    const tool = await bench.attach([target.pid], { options: ["-c", "41"] });
    assert.equal((await tool.ended()).code, 0);
    await target.writeLine();
    assert.equal((await target.ended()).code, 0);
    const { packets } = parseCapture(Deno.readFileSync(bench.output));
    assert.equal(packets.length, 41);
  },
);

captureTest(
  "output: --duration ends the capture of a running program",
  async (bench) => {
    const server = await bench.scene();
    const program = await compileWorkload("attach_target");
    const target = bench.start([program, "busy", server.tcp4, server.udp4], {
      stdin: "piped",
    });
    await bench.log.event("ready");
    const tool = await bench.attach([target.pid], {
      options: ["--duration", "1s"],
    });
    const from = await bench.mark();
    while (bench.log.sockets().length < 12) await bench.mark();
    const until = await bench.mark();
    assert.ok(!tool.isOver, "the machine is too slow for this test");
    assert.equal((await tool.ended()).code, 0);
    assert.ok(!target.isOver);
    await target.writeLine();
    assert.equal((await target.ended()).code, 0);
    await bench.verify({ from, until });
  },
);

captureTest(
  "output: dump.pcap without -o, a longer old file is replaced",
  async (bench) => {
    const server = await bench.scene();
    const file = `${bench.folder}/dump.pcap`;
    Deno.writeFileSync(file, new Uint8Array(1_000_000));
    const tool = bench.tool(["--", ...await client("blocking", server.tcp4)]);
    assert.equal((await tool.ended()).code, 0);
    await bench.verify({ capture: Deno.readFileSync(file) });
  },
);

captureTest(
  "output: -i lo takes all, another interface nothing",
  async (bench) => {
    const server = await bench.scene();
    const veth = ["type", "veth", "peer", "empty1"];
    await bench.network.run("ip", "link", "add", "empty0", ...veth);
    await bench.network.run("ip", "link", "set", "empty0", "up");
    const command = await client("blocking", server.tcp4, "3");
    const other = `${bench.folder}/other.pcap`;
    const elsewhere = bench.tool(
      ["-i", "empty0", "-o", other, "--", ...command],
      { env: bench.foreignLog.environment },
    );
    assert.equal((await elsewhere.ended()).code, 0);
    const tool = bench.launch(command, {
      options: ["-i", "lo", "-i", "empty0"],
    });
    assert.equal((await tool.ended()).code, 0);
    await bench.verify({ sockets: 3 });
    assert.equal(parseCapture(Deno.readFileSync(other)).packets.length, 0);
  },
  { network: "private" },
);

captureTest("output: the summary counts what is in the file", async (bench) => {
  const server = await bench.scene();
  const tool = bench.launch(await client("blocking", server.tcp4, "5"));
  const { code, stdout, stderr } = await tool.ended();
  assert.equal(code, 0);
  const packets = await bench.verify({ sockets: 5 });
  assert.equal(stdout, "");
  assert.match(stderr, new RegExp(`\\b${packets.length} packets\\b`));
  assert.match(stderr, /\b5 sockets\b/);
  assert.match(stderr, /\b0 dropped\b/);
  assert.ok(stderr.includes(server.tcp4), stderr);
  assert.doesNotMatch(stderr, /NaN|undefined/);
});

captureTest("output: nothing is said with -q", async (bench) => {
  const server = await bench.scene();
  const tool = bench.launch(await client("blocking", server.tcp4), {
    options: ["-q"],
  });
  const { code, stdout, stderr } = await tool.ended();
  assert.deepEqual({ code, stdout, stderr }, {
    code: 0,
    stdout: "",
    stderr: "",
  });
  await bench.verify();
});
