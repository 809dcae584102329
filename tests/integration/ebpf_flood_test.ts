import { deepEqual, equal, ok } from "node:assert/strict";
import { loadTracker, VARIANTS } from "../../lib/trace/ebpf_loader.ts";
import { Bench } from "../support/bench.ts";
import { compileWorkload } from "../support/compile.ts";
import { until } from "../support/processes.ts";
import { startEchoServer } from "../support/servers.ts";
import {
  netnsOf,
  NO_LOSSES,
  Tap,
  type TappedPacket,
  variantTest,
} from "./ebpf_support.ts";

const CLIENTS = 100;

const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;

/** How often each kind of segment passed, for one port of a client. */
interface Segments {
  syn: number;
  synAck: number;
  fin: number;
  rst: number;
}

/** Counts segments by the client's port; other packets are an error. */
function segmentsByPort(
  packets: readonly TappedPacket[],
  server: number,
): Map<number, Segments> {
  const ports = new Map<number, Segments>();
  for (const { bytes } of packets) {
    const view = new DataView(bytes.buffer);
    const isIpv4 = bytes[0]! >> 4 === 4;
    const length = isIpv4 ? (bytes[0]! & 15) * 4 : 40;
    equal(isIpv4 ? bytes[9] : bytes[6], 6, "only TCP");
    const [from, to] = [view.getUint16(length), view.getUint16(length + 2)];
    ok(from === server || to === server, `foreign packet ${from}>${to}`);
    const port = from === server ? to : from;
    const segments = ports.get(port) ?? { syn: 0, synAck: 0, fin: 0, rst: 0 };
    const flags = bytes[length + 13]!;
    if ((flags & (SYN | ACK)) === SYN) segments.syn++;
    if ((flags & (SYN | ACK)) === (SYN | ACK)) segments.synAck++;
    if (flags & FIN) segments.fin++;
    if (flags & RST) segments.rst++;
    ports.set(port, segments);
  }
  return ports;
}

for (const variant of VARIANTS) {
  for (const family of ["tcp4", "tcp6"] as const) {
    variantTest(
      variant,
      `${CLIENTS} clients in a flood of others, ${family}`,
      async () => {
        using tracker = loadTracker({ variants: [variant] });
        await using bench = await Bench.create({ network: "private" });
        const start = bench.startForeign.bind(bench);
        const server = await startEchoServer(start, {
          ipv4: "127.0.0.1",
          ipv6: "::1",
        });
        const client = await compileWorkload("tcp_client");
        const foreign = async (least: number): Promise<void> => {
          await until(
            () => bench.foreignLog.sockets().length >= least || undefined,
            "connections of others",
          );
        };
        using tap = new Tap(tracker.filterProgram, netnsOf(bench));
        tracker.filter.open();
        // The flood is under way before and after the clients.
        const flood = [1, 2].map(() =>
          start([client, "blocking", server[family], "1000000"])
        );
        await foreign(500);
        const script = `for i in $(seq ${CLIENTS}); do
        "$0" blocking "$1" & done; wait`;
        tracker.addTarget(Deno.pid, { children: "only" });
        const target = bench.start([
          "sh",
          "-c",
          script,
          client,
          server[family],
        ]);
        tracker.removeTarget(Deno.pid);
        equal((await target.ended()).code, 0);
        await foreign(bench.foreignLog.sockets().length + 200);
        for (const each of flood) each.signal("SIGKILL");

        const logged = bench.log.sockets().map(({ local }) => portOf(local));
        equal(logged.length, CLIENTS);
        const seen = segmentsByPort(tap.drain(), portOf(server[family]));
        deepEqual([...seen.keys()].sort(), logged.sort());
        for (const [port, segments] of seen) {
          deepEqual(
            segments,
            { syn: 1, synAck: 1, fin: 2, rst: 0 },
            `port ${port}`,
          );
        }
        tracker.countCalls();
        deepEqual(tracker.losses, NO_LOSSES);
      },
      ["root", "gcc", "IPv6", "network namespaces"],
    );
  }
}

function portOf(endpoint: string): number {
  return Number(endpoint.slice(endpoint.lastIndexOf(":") + 1));
}
