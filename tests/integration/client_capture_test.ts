import assert from "node:assert/strict";
import { compileWorkload } from "../support/compile.ts";
import { captureTest, type CaseOptions } from "../support/harness.ts";
import { type EchoServer, freePort } from "../support/servers.ts";

/** A run of `tcp_client` under the tool. */
interface ClientCase extends CaseOptions {
  readonly name: string;
  readonly args: (server: EchoServer) => string[];
  /** Sockets that the workload logs. */
  readonly sockets: number;
  /** Compiled for i386. */
  readonly is32Bit?: boolean;
}

const CASES: readonly ClientCase[] = [
  {
    name: "blocking connect",
    args: (s) => ["blocking", s.tcp4],
    sockets: 1,
  },
  {
    name: "20 connections in the host's network",
    args: (s) => ["blocking", s.tcp4, "20"],
    sockets: 20,
    network: "host",
  },
  {
    name: "non-blocking connect",
    args: (s) => ["nonblocking", s.tcp4],
    sockets: 1,
  },
  {
    name: "non-blocking connect over IPv6",
    args: (s) => ["nonblocking", s.tcp6],
    sockets: 1,
    needs: ["IPv6"],
  },
  {
    name: "connect that is abandoned at once",
    args: (s) => ["abandoned", s.tcp4],
    sockets: 1,
  },
  {
    name: "IPv6",
    args: (s) => ["blocking", s.tcp6, "3"],
    sockets: 3,
    needs: ["IPv6"],
  },
  {
    name: "v4-mapped address on an IPv6 socket",
    args: (s) => ["mapped", s.tcp4],
    sockets: 1,
    needs: ["IPv6"],
  },
  {
    name: "IPv4 to a dual-stack server",
    args: (s) => ["blocking", s.dual],
    sockets: 1,
  },
  {
    name: "refused connection",
    args: (s) => ["refused", s.closed],
    sockets: 1,
  },
  {
    name: "refused non-blocking connection",
    args: (s) => ["refused_nonblocking", s.closed],
    sockets: 1,
  },
  {
    name: "exit right after send",
    args: (s) => ["send_and_exit", s.tcp4],
    sockets: 1,
  },
  {
    name: "RST by SO_LINGER",
    args: (s) => ["reset", s.tcp4],
    sockets: 1,
  },
  {
    name: "RST by unread data",
    args: (s) => ["unread", s.tcp4],
    sockets: 1,
  },
  {
    name: "one socket for two connections",
    args: (s) => ["reconnect", s.tcp4, s.otherTcp4],
    sockets: 2,
  },
  {
    name: "31 connections open at once",
    args: (s) => ["parallel", s.tcp4, "31"],
    sockets: 31,
  },
  {
    name: "503 short connections in a row",
    args: (s) => ["blocking", s.tcp4, "503"],
    sockets: 503,
  },
  {
    name: "a megabyte each way",
    args: (s) => ["bulk", s.tcp4, "1048576"],
    sockets: 1,
  },
  {
    name: "32-bit program",
    args: (s) => ["blocking", s.tcp4, "5"],
    sockets: 5,
    is32Bit: true,
    needs: ["gcc -m32"],
  },
];

for (const { name, args, sockets, is32Bit = false, ...options } of CASES) {
  captureTest(`TCP client: ${name}`, async (bench) => {
    const server = await bench.scene();
    const client = await compileWorkload("tcp_client", { is32Bit });
    const tool = bench.launch([client, ...args(server)]);
    assert.equal((await tool.ended()).code, 0);
    assert.equal(bench.log.sockets().length, sockets);
    await bench.verify({ sockets });
  }, options);
}

for (const way of ["socketcall", "direct"]) {
  for (const is32Bit of [true, false]) {
    const program = is32Bit ? "a 32-bit program" : "int 0x80 of a 64-bit one";
    captureTest(`i386 calls: ${way} in ${program}`, async (bench) => {
      const server = await bench.scene();
      const client = await compileWorkload("i386_calls", { is32Bit });
      const tool = bench.launch([client, way, server.tcp4, server.udp4]);
      assert.equal((await tool.ended()).code, 0);
      await bench.verify({ sockets: 4 });
    }, { needs: is32Bit ? ["gcc -m32"] : [] });
  }
}

for (const mode of ["fastopen", "fastopen_connect"]) {
  captureTest(`TCP Fast Open: ${mode}`, async (bench) => {
    await bench.network.run("sysctl", "-qw", "net.ipv4.tcp_fastopen=3");
    const server = await bench.scene();
    const client = await compileWorkload("tcp_client");
    // The first connection fetches the cookie, the second one uses it.
    const command = [client, mode, server.tcp4];
    const twice = ["sh", "-c", '"$@" && "$@"', "sh", ...command];
    assert.equal((await bench.launch(twice).ended()).code, 0);
    const packets = await bench.verify({ sockets: 2 });
    const dataInSyn = packets.filter(({ bytes }) => {
      const tcp = (bytes.charCodeAt(0) & 15) * 4;
      const isSyn = (bytes.charCodeAt(tcp + 13) & 0x12) === 2;
      const headers = tcp + (bytes.charCodeAt(tcp + 12) >> 4) * 4;
      return isSyn && bytes.length > headers;
    });
    assert.equal(dataInSyn.length, 1);
  }, { network: "private" });
}

captureTest(
  "shared port: connections of two programs to different peers",
  async (bench) => {
    const server = await bench.scene();
    const client = await compileWorkload("tcp_client");
    const local = `127.0.0.1:${freePort()}`;
    const tool = bench.launch([client, "bound", server.tcp4, local], {
      stdin: "piped",
    });
    await bench.log.event("echoed");
    const neighbor = bench.startForeign(
      [client, "bound", server.otherTcp4, local],
      { stdin: "piped" },
    );
    await bench.foreignLog.event("echoed");
    await neighbor.writeLine();
    assert.equal((await neighbor.ended()).code, 0);
    await tool.writeLine();
    assert.equal((await tool.ended()).code, 0);
    await bench.verify({ sockets: 1 });
  },
);

captureTest(
  "TCP client: FIN of a slow server after the program's end",
  async (bench) => {
    const server = await bench.scene({ serverLinger: 150 });
    const client = await compileWorkload("tcp_client");
    const tool = bench.launch([client, "echo_and_exit", server.otherTcp4]);
    assert.equal((await tool.ended()).code, 0);
    const packets = await bench.verify();
    const fins = packets.filter(({ text }) => text.includes("flags 11"));
    const ends = fins.map(({ source }) => source === server.otherTcp4);
    assert.deepEqual(ends, [false, true]);
  },
);

captureTest("TCP client: two programs under two tools", async (bench) => {
  const server = await bench.scene();
  const client = await compileWorkload("tcp_client");
  const command = [client, "blocking", server.tcp4, "101"];
  const output = `${bench.folder}/other.pcap`;
  const other = bench.tool(["-o", output, "--", ...command], {
    env: bench.foreignLog.environment,
  });
  const tool = bench.launch(command);
  assert.equal((await tool.ended()).code, 0);
  assert.equal((await other.ended()).code, 0);
  await bench.verify({ sockets: 101 });
});
