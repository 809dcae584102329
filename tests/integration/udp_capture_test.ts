import assert from "node:assert/strict";
import { compileWorkload } from "../support/compile.ts";
import { captureTest, type CaseOptions } from "../support/harness.ts";
import { type EchoServer, freePort } from "../support/servers.ts";

/** A run of `udp_client` under the tool. */
interface UdpCase extends CaseOptions {
  readonly name: string;
  readonly args: (server: EchoServer) => string[];
  /** Sockets that the workload logs. */
  readonly sockets: number;
  readonly is32Bit?: boolean;
}

const CASES: readonly UdpCase[] = [
  {
    name: "sendto on an unbound socket",
    args: (s) => ["sendto", s.udp4],
    sockets: 1,
  },
  {
    name: "sendto to several peers",
    args: (s) => ["sendto", s.udp4, s.otherUdp4, s.dualUdp, s.udp4],
    sockets: 1,
  },
  {
    name: "40 sockets in a row",
    args: (s) => ["many", s.udp4],
    sockets: 40,
  },
  {
    // An unconnected port may be that of any program at another time.
    name: "connected sockets in the host's network",
    args: (s) => ["connected", s.udp4, s.otherUdp4, s.udp4],
    sockets: 3,
    network: "host",
  },
  {
    name: "IPv6",
    args: (s) => ["many", s.udp6],
    sockets: 40,
    needs: ["IPv6"],
  },
  {
    name: "v4-mapped address on an IPv6 socket",
    args: (s) => ["mapped", s.udp4],
    sockets: 1,
    needs: ["IPv6"],
  },
  {
    name: "connected socket",
    args: (s) => ["connected", s.udp4],
    sockets: 1,
  },
  {
    name: "connected to one peer, then to another",
    args: (s) => ["connected", s.udp4, s.otherUdp4],
    sockets: 2,
  },
  {
    name: "connected socket with another destination in sendto",
    args: (s) => ["connected_sendto", s.udp4, s.mute],
    sockets: 2,
  },
  {
    name: "sendmsg to several peers",
    args: (s) => ["sendmsg", s.udp4, s.otherUdp4, s.udp4],
    sockets: 1,
  },
  {
    name: "sendmmsg to several peers in one call",
    args: (s) => ["sendmmsg", s.udp4, s.otherUdp4, s.dualUdp],
    sockets: 1,
  },
  {
    name: "sendmmsg over IPv6",
    args: (s) => ["sendmmsg", s.udp6, s.udp6],
    sockets: 1,
    needs: ["IPv6"],
  },
  {
    name: "sendmmsg on a connected socket",
    args: (s) => ["connected_sendmmsg", s.udp4],
    sockets: 1,
  },
  {
    name: "bound socket",
    args: (s) => ["bound", "127.0.0.1:0", s.udp4],
    sockets: 1,
  },
  {
    name: "exit right after sendto",
    args: (s) => ["send_and_exit", s.mute],
    sockets: 1,
  },
  {
    name: "sendmmsg in a 32-bit program",
    args: (s) => ["sendmmsg", s.udp4, s.otherUdp4],
    sockets: 1,
    is32Bit: true,
    needs: ["gcc -m32"],
  },
];

for (const { name, args, sockets, is32Bit = false, ...options } of CASES) {
  captureTest(`UDP client: ${name}`, async (bench) => {
    const server = await bench.scene();
    const client = await compileWorkload("udp_client", { is32Bit });
    const tool = bench.launch([client, ...args(server)]);
    assert.equal((await tool.ended()).code, 0);
    assert.equal(bench.log.sockets().length, sockets);
    await bench.verify({ sockets });
  }, options);
}

captureTest("UDP client: same port on another address", async (bench) => {
  const server = await bench.scene();
  const client = await compileWorkload("udp_client");
  const port = freePort();
  const neighbor = async (): Promise<void> => {
    const argv = [client, "bound", `127.0.0.2:${port}`, server.udp4];
    assert.equal((await bench.startForeign(argv).ended()).code, 0);
  };
  const own = [client, "bound", `127.0.0.1:${port}`, server.udp4];
  const script = '"$@" && echo half && read line && "$@"';
  const tool = bench.launch(["sh", "-c", script, "sh", ...own], {
    stdin: "piped",
  });
  await tool.seen("stdout", /half/);
  await neighbor();
  await tool.writeLine();
  assert.equal((await tool.ended()).code, 0);
  await bench.verify({ sockets: 2 });
});

for (const family of ["udp4", "udp6"] as const) {
  captureTest(`UDP client: fragments over ${family}`, async (bench) => {
    await bench.network.run("ip", "link", "set", "lo", "mtu", "1500");
    const server = await bench.scene();
    const client = await compileWorkload("udp_client");
    const argv = [client, "large", server[family]];
    const neighbor = bench.startForeign(argv);
    const tool = bench.launch(argv);
    assert.equal((await tool.ended()).code, 0);
    assert.equal((await neighbor.ended()).code, 0);
    const packets = await bench.verify();
    assert.ok(packets.some((packet) => packet.isLaterFragment));
  }, { network: "private", needs: family === "udp6" ? ["IPv6"] : [] });
}
