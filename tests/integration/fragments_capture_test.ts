import assert from "node:assert/strict";
import { compileWorkload } from "../support/compile.ts";
import { captureTest } from "../support/harness.ts";
import { FAR, NEAR } from "../support/network.ts";

const ROUNDS = 5;
const ORDERS = ["012", "210", "102", "120"] as const;

const CASES = [
  { family: "IPv4", tracker: "ebpf", options: [] },
  { family: "IPv6", tracker: "ebpf", options: [] },
  { family: "IPv4", tracker: "ptrace", options: [] },
  { family: "IPv6", tracker: "ptrace", options: [] },
  {
    family: "IPv4",
    tracker: "ptrace",
    options: ["--kernel-filter", "classic"],
  },
  {
    family: "IPv6",
    tracker: "ptrace",
    options: ["--kernel-filter", "classic"],
  },
] as const;

for (const { family, tracker, options } of CASES) {
  const title = [family, tracker, ...options].join(" ");
  captureTest(`fragments: in any order: ${title}`, async (bench) => {
    if (!bench.isTracker(tracker)) return;
    await bench.scene();
    const server = await compileWorkload("udp_server");
    const fragmenter = await compileWorkload("fragmenter");
    const isIpv4 = family === "IPv4";
    const near = isIpv4 ? NEAR.ipv4 : `[${NEAR.ipv6}]`;
    const far = isIpv4 ? FAR.ipv4 : `[${FAR.ipv6}]`;
    const count = `${ROUNDS * ORDERS.length}`;
    const tool = bench.launch([server, "echo", `${near}:0`, count], {
      options: [...bench.trackerOptions(tracker), ...options],
    });
    const own = (await bench.log.event("listening")).value;
    const neighbor = bench.startForeign([server, "echo", `${near}:0`, count]);
    const foreign = (await bench.foreignLog.event("listening")).value;
    for (const order of ORDERS) {
      const argv = [fragmenter, order, `${far}:0`, foreign, own];
      const sender = bench.startFar(argv);
      assert.equal((await sender.ended()).code, 0);
    }
    assert.equal((await neighbor.ended()).code, 0);
    assert.equal((await tool.ended()).code, 0);
    const packets = await bench.verify();
    // Three fragments each way, and the echoes of the neighbor left out.
    assert.equal(packets.length, 6 * ROUNDS * ORDERS.length);
  }, { network: "ethernet", needs: ["IPv6"] });
}

for (const tracker of ["ebpf", "ptrace"] as const) {
  for (
    const [workload, mode, address] of [
      ["tcp_client", "bulk", "tcp4"],
      ["tcp_client", "bulk", "tcp6"],
      ["udp_client", "segments", "udp4"],
      ["udp_client", "segments", "udp6"],
    ] as const
  ) {
    const title = `super-packets: ${address} whole: ${tracker}`;
    captureTest(title, async (bench) => {
      if (!bench.isTracker(tracker)) return;
      const server = await bench.scene();
      const client = await compileWorkload(workload);
      const argv = [client, mode, server[address], "500000"];
      const options = bench.trackerOptions(tracker);
      const tool = bench.launch(argv, { options });
      assert.equal((await tool.ended()).code, 0);
      const packets = await bench.verify();
      // The network card's task: longer than what the wire takes.
      assert.ok(packets.some((packet) => packet.length > 1500));
    }, { network: "ethernet", needs: ["IPv6"] });
  }
}
