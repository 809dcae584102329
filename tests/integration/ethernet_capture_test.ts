import assert from "node:assert/strict";
import { compileWorkload } from "../support/compile.ts";
import { captureTest, type CaseOptions } from "../support/harness.ts";
import { NEAR } from "../support/network.ts";
import type { TestPacket } from "../support/packets.ts";
import type { EchoServer } from "../support/servers.ts";

const PACKET_HOST = 0;
const PACKET_OUTGOING = 4;
const OPTIONS: CaseOptions = { network: "ethernet", needs: ["IPv6"] };

/** Packets of the target are marked as sent or as received. */
function assertDirections(packets: readonly TestPacket[]): void {
  for (const { source, packetType, text } of packets) {
    const isSent = source.includes(NEAR.ipv4) || source.includes(NEAR.ipv6);
    assert.equal(packetType, isSent ? PACKET_OUTGOING : PACKET_HOST, text);
  }
}

/** A client under the tool. */
interface EthernetCase {
  readonly name: string;
  readonly workload: string;
  readonly args: (server: EchoServer) => string[];
}

const CASES: readonly EthernetCase[] = [
  {
    name: "20 TCP connections",
    workload: "tcp_client",
    args: (s) => ["blocking", s.tcp4, "20"],
  },
  {
    name: "non-blocking connect over IPv6",
    workload: "tcp_client",
    args: (s) => ["nonblocking", s.tcp6],
  },
  {
    name: "v4-mapped address",
    workload: "tcp_client",
    args: (s) => ["mapped", s.tcp4],
  },
  {
    name: "refused connection",
    workload: "tcp_client",
    args: (s) => ["refused", s.closed],
  },
  {
    name: "exit right after send",
    workload: "tcp_client",
    args: (s) => ["send_and_exit", s.tcp4],
  },
  {
    name: "half a megabyte each way",
    workload: "tcp_client",
    args: (s) => ["bulk", s.tcp4, "500000"],
  },
  {
    name: "40 UDP sockets",
    workload: "udp_client",
    args: (s) => ["many", s.udp4],
  },
  {
    name: "sendmmsg over IPv6",
    workload: "udp_client",
    args: (s) => ["sendmmsg", s.udp6, s.udp6],
  },
  {
    name: "IPv4 fragments",
    workload: "udp_client",
    args: (s) => ["large", s.udp4],
  },
  {
    name: "IPv6 fragments",
    workload: "udp_client",
    args: (s) => ["large", s.udp6],
  },
  {
    name: "8 threads",
    workload: "threads",
    args: (s) => ["8", "5", s.tcp4, s.udp4],
  },
];

for (const { name, workload, args } of CASES) {
  captureTest(`Ethernet: ${name}`, async (bench) => {
    const server = await bench.scene();
    const program = await compileWorkload(workload);
    const tool = bench.launch([program, ...args(server)]);
    assert.equal((await tool.ended()).code, 0);
    assertDirections(await bench.verify());
  }, OPTIONS);
}

for (const family of ["ipv4", "ipv6"] as const) {
  captureTest(`Ethernet: a server over ${family}`, async (bench) => {
    await bench.scene();
    const host = family === "ipv6" ? `[${NEAR.ipv6}]` : NEAR.ipv4;
    const server = await compileWorkload("tcp_server");
    const tool = bench.launch([server, "fork", `${host}:0`, "12"]);
    const { value } = await bench.log.event("listening");
    const client = await compileWorkload("tcp_client");
    const visitor = bench.startFar([client, "blocking", value, "12"]);
    assert.equal((await visitor.ended()).code, 0);
    assert.equal((await tool.ended()).code, 0);
    assertDirections(await bench.verify());
  }, OPTIONS);
}
