/**
 * Captures as pcapng, in several files, and with keys: exact as any other, and
 * read by tshark and tcpdump without a complaint.
 */
import assert from "node:assert/strict";
import type { Bench } from "../support/bench.ts";
import { compileWorkload } from "../support/compile.ts";
import { captureTest } from "../support/harness.ts";
import { CaptureStream } from "../../lib/pcap/capture_stream.ts";
import { FILE_HEADER_LENGTH } from "../../lib/pcap/format.ts";

async function client(...args: string[]): Promise<string[]> {
  return [await compileWorkload("tcp_client"), ...args];
}

/** What a program that must not complain prints. */
async function ask(
  bench: Bench,
  ...argv: readonly string[]
): Promise<string> {
  const { code, stdout, stderr } = await bench.start(argv).ended();
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /truncated|error|bad|cut short/i);
  return stdout;
}

/** One line a packet with these fields. */
async function fields(
  bench: Bench,
  path: string,
  ...names: readonly string[]
): Promise<string[][]> {
  const wanted = names.flatMap((name) => ["-e", name]);
  const text = await ask(
    bench,
    ...["tshark", "-nr", path, "-T", "fields", ...wanted],
  );
  return text.trimEnd().split("\n").map((line) => line.split("\t"));
}

/** The file as pcap, by tcpdump. */
async function asPcap(bench: Bench, path: string): Promise<Uint8Array> {
  const target = `${bench.folder}/converted.pcap`;
  await ask(bench, "tcpdump", "-nr", path, "-w", target);
  return Deno.readFileSync(target);
}

/** Several pcap files as one. */
function joined(paths: readonly string[]): Uint8Array {
  const parts = paths.map((path, at) => {
    const bytes = Deno.readFileSync(path);
    return at === 0 ? bytes : bytes.subarray(FILE_HEADER_LENGTH);
  });
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

function filesOf(bench: Bench, pattern: RegExp): string[] {
  return [...Deno.readDirSync(bench.folder)].map(({ name }) => name)
    .filter((name) => pattern.test(name)).sort()
    .map((name) => `${bench.folder}/${name}`);
}

captureTest(
  "pcapng: every packet with interface, direction and process",
  async (bench) => {
    const server = await bench.scene();
    const path = `${bench.folder}/capture.pcapng`;
    const argv = await client("blocking", server.tcp4, "5");
    const tool = bench.tool(["-o", path, "--", ...argv]);
    assert.equal((await tool.ended()).code, 0);
    const packets = await bench.verify({
      sockets: 5,
      capture: await asPcap(bench, path),
    });
    const pid = /^tracedump: capturing process (\d+)/m.exec(tool.stderr)![1]!;
    const rows = await fields(
      bench,
      path,
      "frame.interface_name",
      "frame.packet_flags_direction",
      "tcp.dstport",
      "tcp.flags.syn",
      "frame.comment",
    );
    assert.equal(rows.length, packets.length);
    const port = server.tcp4.split(":")[1];
    for (const [name, direction, destination, syn, text = ""] of rows) {
      const isSent = destination === port;
      assert.equal(name, "lo");
      assert.equal(Number(direction), isSent ? 2 : 1);
      // One comment for each connection.
      assert.equal(text !== "", isSent && /1|True/.test(syn!), text);
      if (text !== "") {
        assert.ok(
          text.startsWith(`PID: ${pid}\\nCmd: tcp_client`),
          text,
        );
      }
    }
    const info = await ask(bench, "capinfos", path);
    assert.match(info, /Capture application: tracedump/);
    assert.match(info, /Capture comment: +Command: .*tcp_client.* blocking /);
  },
);

captureTest("pcapng: owners as data", async (bench) => {
  const server = await bench.scene();
  const path = `${bench.folder}/capture.pcapng`;
  const argv = await client("blocking", server.tcp4, "2");
  const tool = bench.tool([
    ...["-o", path, "--comments", "none", "--process-blocks", "--", ...argv],
  ]);
  assert.equal((await tool.ended()).code, 0);
  const pid = /^tracedump: capturing process (\d+)/m.exec(tool.stderr)![1]!;
  const file = await Deno.open(path);
  let packets = 0;
  for await (const record of await CaptureStream.open(file.readable)) {
    packets++;
    assert.equal(record.process?.pid, Number(pid));
    assert.equal(record.process?.tid, Number(pid));
    assert.match(record.process?.comm ?? "", /^tcp_client/);
    assert.deepEqual(record.comments, []);
  }
  assert.ok(packets >= 20, `${packets} packets`);
});

captureTest(
  "pcapng: a process that becomes another program",
  async (bench) => {
    const server = await bench.scene();
    const path = `${bench.folder}/capture.pcapng`;
    const script = "import os, socket, sys; " +
      "end = sys.argv[3].split(':'); " +
      "socket.create_connection((end[0], int(end[1]))).close(); " +
      "os.execv(sys.argv[1], sys.argv[1:])";
    const argv = await client("blocking", server.tcp4, "1");
    const tool = bench.tool(
      ["-o", path, "--", "python3", "-c", script, ...argv],
    );
    const { code, stderr } = await tool.ended();
    assert.equal(code, 0, stderr);
    const names = new Set<string>();
    const file = await Deno.open(path);
    for await (const record of await CaptureStream.open(file.readable)) {
      names.add(/^[a-z_]*/.exec(record.process?.comm ?? "")![0]);
    }
    assert.deepEqual([...names], ["python", "tcp_client"]);
  },
  { needs: ["program python3"] },
);

captureTest(
  "pcapng: command lines of programs that end at once",
  async (bench) => {
    const server = await bench.scene();
    const path = `${bench.folder}/capture.pcapng`;
    const argv = await client("blocking", server.tcp4, "1");
    const script = 'for i in 1 2 3 4 5; do "$@"; done';
    const tool = bench.tool(
      ["-o", path, "--", "sh", "-c", script, "sh", ...argv],
    );
    const { code, stderr } = await tool.ended();
    assert.equal(code, 0, stderr);
    const rows = await fields(bench, path, "frame.comment");
    const comments = rows.map(([text = ""]) => text).filter((text) =>
      text !== ""
    );
    assert.equal(comments.length, 5);
    for (const text of comments) {
      assert.ok(text.endsWith(`\\nArgs: ${argv.join(" ")}`), text);
    }
  },
);

captureTest("pcapng: live through a pipe", async (bench) => {
  const server = await bench.scene();
  const argv = await client("blocking", server.tcp4, "5");
  const script = '"$@" | tshark -nr - 2>/dev/null | wc -l';
  const shell = bench.tool(
    ["-q", "-o", "-", "--format", "pcapng", "--", ...argv],
    { through: ["sh", "-c", script, "sh"] },
  );
  const { stdout } = await shell.ended();
  assert.ok(Number(stdout) >= 50, stdout);
});

captureTest(
  "files: -C goes on in a new file, nothing is lost",
  async (bench) => {
    const server = await bench.scene();
    const tool = bench.launch(await client("blocking", server.tcp4, "30"), {
      options: ["-C", "4k"],
    });
    const { code, stderr } = await tool.ended();
    assert.equal(code, 0, stderr);
    const files = filesOf(bench, /^capture-\d{5}\.pcap$/);
    assert.ok(files.length > 3, `${files.length} files`);
    for (const path of files) assert.ok(Deno.statSync(path).size <= 4000, path);
    assert.match(
      stderr,
      new RegExp(`written to ${files.length} files, .*-00001\\.pcap to `),
    );
    await bench.verify({ sockets: 30, capture: joined(files) });
  },
);

captureTest("files: -W keeps the newest", async (bench) => {
  const server = await bench.scene();
  const path = `${bench.folder}/ring.pcapng`;
  const argv = await client("blocking", server.tcp4, "30");
  const tool = bench.tool(["-o", path, "-C", "4k", "-W", "2", "--", ...argv]);
  assert.equal((await tool.ended()).code, 0);
  const files = filesOf(bench, /^ring-\d{5}\.pcapng$/);
  assert.equal(files.length, 2);
  for (const file of files) {
    assert.ok(Deno.statSync(file).size <= 4000, file);
    // Each stands for itself: interface, process, statistics.
    for (const [name] of await fields(bench, file, "frame.interface_name")) {
      assert.equal(name, "lo");
    }
  }
});

captureTest(
  "files: --max-size ends the capture, the command goes on",
  async (bench) => {
    const server = await bench.scene();
    const argv = await client("blocking", server.tcp4, "30");
    const script = `${argv.join(" ")}; exit 7`;
    const tool = bench.launch(["sh", "-c", script], {
      options: ["--max-size", "4k"],
    });
    const { code, stderr } = await tool.ended();
    assert.equal(code, 7, stderr);
    assert.match(stderr, /ended because the files reached --max-size$/m);
    assert.equal(bench.log.sockets().length, 30);
    const { size } = Deno.statSync(bench.output);
    assert.ok(size > 3000 && size <= 4000, `${size} bytes`);
    await ask(bench, "tcpdump", "-nr", bench.output);
  },
);

captureTest("files: --min-free ends the capture", async (bench) => {
  const server = await bench.scene();
  const tool = bench.launch(await client("blocking", server.tcp4, "3"), {
    options: ["--min-free", "900000G"],
  });
  const { code, stderr } = await tool.ended();
  assert.equal(code, 0, stderr);
  assert.match(
    stderr,
    /warning: the capture ended because .* --min-free left$/m,
  );
  await ask(bench, "tcpdump", "-nr", bench.output);
});

captureTest("files: the folder of the next file is gone", async (bench) => {
  const server = await bench.scene();
  const folder = `${bench.folder}/gone`;
  Deno.mkdirSync(folder);
  const argv = await client("blocking", server.tcp4, "30");
  const script = `rm -r ${folder}; ${argv.join(" ")}; exit 5`;
  const tool = bench.tool(
    ["-C", "2k", "-o", `${folder}/x.pcap`, "--", "sh", "-c", script],
  );
  const { code, stderr } = await tool.ended();
  assert.equal(code, 5, stderr);
  assert.match(
    stderr,
    /^tracedump: Cannot write \S+\/gone\/x-00002\.pcap: No such file/m,
  );
  assert.equal(bench.log.sockets().length, 30);
});

/** Starts a TLS server that answers every request. */
async function startTlsServer(bench: Bench): Promise<number> {
  const key = `${bench.folder}/key.pem`;
  const certificate = `${bench.folder}/cert.pem`;
  await ask(
    bench,
    ...["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"],
    ...["-keyout", key, "-out", certificate, "-days", "2"],
    ...["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
  );
  const source = `
import http.server, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"hello")
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[1])
server.socket = context.wrap_socket(server.socket, server_side=True)
print("port", server.server_port, flush=True)
server.serve_forever()
`;
  const child = bench.start(["python3", "-c", source, key, certificate]);
  return Number((await child.seen("stdout", /port (\d+)/))[1]);
}

const NODE_CLIENT = `
const https = require("https");
https.get(process.argv[1], { rejectUnauthorized: false, agent: false },
  (response) => response.pipe(process.stdout));
`;

captureTest(
  "keys: tshark reads what curl and node said over TLS",
  async (bench) => {
    const port = await startTlsServer(bench);
    const path = `${bench.folder}/tls.pcapng`;
    const cases: readonly (readonly [string, ...string[]])[] = [
      ["curl", "-s", "-k"],
      ["node", "-e", NODE_CLIENT],
    ];
    for (const [program, ...options] of cases) {
      const url = `https://127.0.0.1:${port}/${program}-secret`;
      const tool = bench.tool(
        ["-o", path, "--tls-keys", "--", program, ...options, url],
      );
      const { code, stdout, stderr } = await tool.ended();
      assert.equal(code, 0, stderr);
      assert.equal(stdout, "hello");
      const text = await ask(
        bench,
        ...["tshark", "-nr", path, "-Y", "http.request"],
        ...["-T", "fields", "-e", "http.request.uri"],
      );
      assert.match(text, new RegExp(`/${program}-secret\\n`));
    }
  },
  { needs: ["program openssl", "program tshark", "program node"] },
);
