import assert from "node:assert/strict";
import type { Bench } from "../support/bench.ts";
import { compileWorkload } from "../support/compile.ts";
import { captureTest } from "../support/harness.ts";
import {
  ETHERNET_DEVICE,
  FAR,
  NEAR,
  type PrivateNetwork,
} from "../support/network.ts";
import { missing } from "../support/requires.ts";
import { type EchoServer, startEchoServer } from "../support/servers.ts";

const VLAN_NEAR = { ipv4: "10.98.0.1", ipv6: "fd00:98::1" } as const;
const VLAN_FAR = { ipv4: "10.98.0.2", ipv6: "fd00:98::2" } as const;

/** Puts a VLAN on the Ethernet device of a namespace. */
async function addVlan(
  network: PrivateNetwork,
  { ipv4, ipv6 }: { readonly ipv4: string; readonly ipv6: string },
): Promise<void> {
  const ip = (...args: string[]): Promise<void> => network.run("ip", ...args);
  const name = "vlan10";
  await ip(
    ...["link", "add", "link", ETHERNET_DEVICE, "name", name],
    ...["type", "vlan", "id", "10"],
  );
  await ip("address", "add", `${ipv4}/24`, "dev", name);
  await ip("address", "add", `${ipv6}/64`, "dev", name, "nodad");
  await ip("link", "set", name, "up");
}

/** Makes the Ethernet device a part of a bridge, which gets its addresses. */
async function addBridge({ network }: Bench): Promise<void> {
  const ip = (...args: string[]): Promise<void> => network.run("ip", ...args);
  await ip("link", "add", "br0", "type", "bridge");
  await ip("link", "set", "br0", "address", NEAR.hardware);
  await ip("address", "flush", "dev", ETHERNET_DEVICE);
  await ip("link", "set", ETHERNET_DEVICE, "master", "br0");
  await ip("address", "add", `${NEAR.ipv4}/24`, "dev", "br0");
  await ip("address", "add", `${NEAR.ipv6}/64`, "dev", "br0", "nodad");
  await ip("link", "set", "br0", "up");
  const { hardware } = FAR;
  await ip("neighbor", "add", FAR.ipv6, "lladdr", hardware, "dev", "br0");
}

async function talk(
  bench: Bench,
  server: EchoServer,
  options: readonly string[],
): Promise<void> {
  const tcp = await compileWorkload("tcp_client");
  const udp = await compileWorkload("udp_client");
  const script = `"$0" blocking ${server.tcp4} 5 && "$0" bulk ${server.tcp4} \
    500000 && "$1" many ${server.udp4} && "$1" many ${server.udp6}`;
  const tool = bench.launch(["sh", "-c", script, tcp, udp], { options });
  assert.equal((await tool.ended()).code, 0);
  await bench.verify({ sockets: 86 });
}

for (const tracker of ["ebpf", "ptrace"] as const) {
  captureTest(`stacked devices: bridge: ${tracker}`, async (bench) => {
    if (!bench.isTracker(tracker)) return;
    await addBridge(bench);
    const server = await bench.scene();
    await talk(bench, server, bench.trackerOptions(tracker));
  }, { network: "ethernet", needs: ["IPv6"] });

  // No package brings what a kernel was built without: the name of the test
  // says that it had nothing to try.
  const noVlans = missing(["VLAN devices"]);
  const vlanTest = noVlans === undefined
    ? captureTest
    : (name: string): void =>
      Deno.test(`${name} (nothing to try: ${noVlans})`, () => {
        assert.notEqual(missing(["VLAN devices"]), undefined);
      });
  vlanTest(`stacked devices: VLAN: ${tracker}`, async (bench) => {
    if (!bench.isTracker(tracker)) return;
    await addVlan(bench.network, VLAN_NEAR);
    await addVlan(bench.far, VLAN_FAR);
    await bench.scene();
    const start = bench.startFar.bind(bench);
    const server = await startEchoServer(start, VLAN_FAR);
    await talk(bench, server, bench.trackerOptions(tracker));
  }, { network: "ethernet", needs: ["IPv6"] });
}

captureTest("stacked devices: a part of a bridge on demand", async (bench) => {
  await addBridge(bench);
  const server = await bench.scene();
  const options = ["-i", ETHERNET_DEVICE];
  await talk(bench, server, options);
}, { network: "ethernet", needs: ["IPv6"] });
