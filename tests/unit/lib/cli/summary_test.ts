import assert from "node:assert/strict";
import { formatPeers, formatTotals } from "../../../../lib/cli/summary.ts";
import type { PeerSummary } from "../../../../lib/session/types.ts";
import { resultOf } from "./fake_host.ts";

const PEER: PeerSummary = {
  protocol: "tcp",
  address: "192.0.2.1",
  port: 443,
  direction: "outgoing",
  packetsSent: 3,
  packetsReceived: 4,
  bytesSent: 1200,
  bytesReceived: 34_500,
  duration: 210,
  flows: 2,
  failed: 0,
};

Deno.test("formatTotals() is one sentence", () => {
  assert.equal(
    formatTotals(resultOf({ drops: 7 }), "dump.pcap"),
    "1,234 packets (1.2 MB) of 5 sockets written to dump.pcap, " +
      "7 dropped by kernel",
  );
  assert.equal(
    formatTotals(resultOf({ packets: 1, bytes: 60, sockets: 1 }), "-"),
    "1 packet (60 B) of 1 socket written to standard output, " +
      "0 dropped by kernel",
  );
});

Deno.test("formatPeers() aligns columns and names hosts, ports and failures", () => {
  const text = formatPeers([
    {
      pid: 4242,
      comm: "curl",
      flows: 4,
      peers: [
        { ...PEER, name: "www.example.com" },
        { ...PEER, address: "2001:db8::1", failed: 1 },
        { ...PEER, direction: "incoming", port: 80 },
        { ...PEER, protocol: "udp", address: "127.0.0.53", port: 53 },
      ],
    },
    { pid: 4243, comm: "idle", flows: 0, peers: [] },
  ]);
  assert.equal(
    text,
    `curl (4242), 4 flows:
  peer                        sent  received    time  failed
  tcp www.example.com:443   1.2 kB   34.5 kB  210 ms
  tcp [2001:db8::1]:443     1.2 kB   34.5 kB  210 ms     1/2
  tcp 192.0.2.1 to port 80  1.2 kB   34.5 kB  210 ms
  udp 127.0.0.53:53         1.2 kB   34.5 kB  210 ms
`,
  );
});

Deno.test("formatPeers() shows five peers and counts the rest", () => {
  const peers = Array.from(
    { length: 1007 },
    (_, at) => ({ ...PEER, port: at + 1 }),
  );
  const lines = formatPeers([{ pid: 1, comm: "x", flows: 1007, peers }])
    .split("\n");
  assert.equal(lines.length, 9);
  assert.equal(lines[7], "  … and 1,002 more");
});

Deno.test("formatPeers() stays below 80 characters and disarms names", () => {
  const text = formatPeers([{
    pid: 4_194_304,
    comm: "evil\x1b]0;x\x07",
    flows: 1,
    peers: [
      {
        ...PEER,
        name: `\x1b[2J${"subdomain.".repeat(20)}example.com`,
        bytesSent: 999_900_000,
        bytesReceived: 999_900_000,
        duration: 36_000_000,
        flows: 123_456,
        failed: 123_456,
      },
      {
        ...PEER,
        address: "2001:db8:1234:5678:9abc:def0:1234:5678",
        port: 65_535,
      },
    ],
  }]);
  assert.doesNotMatch(text, /[^\P{Cc}\n]/u);
  for (const line of text.split("\n")) assert.ok([...line].length < 80, line);
  assert.match(text, /…\S*example\.com:443 /);
});
