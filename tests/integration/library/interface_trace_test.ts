import assert from "node:assert/strict";
import { TraceError } from "../../../lib/session/trace/errors.ts";
import { openTrace } from "../../../lib/session/trace/open_trace.ts";
import type { Packet } from "../../../lib/session/trace/packet.ts";
import { CaptureError } from "../../../lib/session/types.ts";
import {
  ETHERNET_DEVICE,
  FAR,
  NEAR,
  PrivateNetwork,
} from "../../support/network.ts";
import { Child, until } from "../../support/processes.ts";
import { freePort } from "../../support/servers.ts";
import { libraryTest, numbersOf, range, send } from "./support.ts";

const PROGRAM = new URL("./print_trace.ts", import.meta.url).pathname;

libraryTest("int: gives each packet once and in order", async () => {
  const port = freePort();
  const trace = openTrace("int:lo", { filter: `udp dst port ${port}` });
  await trace.start();
  await send(5, freePort());
  await send(500, port);
  const packets: Packet[] = [];
  for await (const packet of trace) {
    packets.push(packet);
    if (packets.length === 500) break;
  }
  assert.equal(trace.state, "closed");
  assert.deepEqual(numbersOf(packets), range(500));
  for (const packet of packets) {
    assert.equal(packet.interface, "lo");
    assert.equal(packet.direction, "in");
    assert.equal(packet.linkType, 1);
    assert.equal(packet.wireLength, packet.captureLength);
    assert.equal(packet.captureLength, 14 + 20 + 8 + 8);
    assert.equal(packet.process, undefined);
  }
  assert.deepEqual(trace.stats(), {
    accepted: 500,
    filtered: undefined,
    received: 500,
    dropped: 0,
    captured: 500,
  });
});

libraryTest("ring:any gives cooked packets of all interfaces", async () => {
  const port = freePort();
  await using trace = openTrace("ring:any", {
    filter: `udp dst port ${port}`,
    snaplen: 44,
  });
  await trace.start();
  await send(1, port);
  const packet = (await trace.read())!;
  assert.equal(packet.linkType, 113);
  assert.equal(packet.interface, "lo");
  assert.equal(packet.captureLength, 44);
  assert.equal(packet.wireLength, 16 + 20 + 8 + 8);
  assert.equal(packet.udp?.destinationPort, port);
});

libraryTest("int: goes on with other settings after a pause", async () => {
  const [first, second] = [freePort(), freePort()];
  await using trace = openTrace("int:lo", { filter: `udp port ${first}` });
  await trace.start();
  await send(2, first);
  await trace.pause();
  await send(3, first);
  await send(3, second);
  trace.configure({ filter: `udp dst port ${second}`, snaplen: 50 });
  await trace.start();
  await send(4, second);
  const packets = [];
  for (let i = 0; i < 4; i++) packets.push((await trace.read())!);
  assert.deepEqual(numbersOf(packets), range(4));
  assert.deepEqual(packets.map(({ udp }) => udp?.destinationPort), [
    second,
    second,
    second,
    second,
  ]);
});

libraryTest("int: stops waiting in time and with its signal", async () => {
  const filter = `udp port ${freePort()}`;
  const controller = new AbortController();
  const { signal } = controller;
  const trace = openTrace("int:lo", { filter, timeout: 20, signal });
  await trace.start();
  await assert.rejects(trace.read(), /no packet came within 20 ms/);
  const packets = assert.rejects(async () => {
    await trace.pause();
    trace.configure({ timeout: 0 });
    await trace.start();
    await trace.read();
  }, /enough/);
  await trace.pause();
  controller.abort(new Error("enough"));
  await packets;
  await trace.close();
});

libraryTest(
  "int: never waits for a slow reader, and counts losses",
  async () => {
    const port = freePort();
    await using trace = openTrace("int:lo", {
      filter: `udp dst port ${port}`,
      bufferSize: 1,
    });
    await trace.start();
    const count = 20_000;
    await send(count, port);
    const stats = await until(() => {
      const stats = trace.stats();
      return stats.received === count ? stats : undefined;
    }, "all packets to be counted");
    assert(stats.dropped! > 0);
    assert.equal(stats.captured + stats.dropped!, count);
    const packets: Packet[] = [];
    while (packets.length < stats.captured) packets.push((await trace.read())!);
    const numbers = numbersOf(packets);
    assert.deepEqual(numbers, numbers.toSorted((one, two) => one - two));
    await send(1, port);
    assert.deepEqual(numbersOf([(await trace.read())!]), [0]);
  },
);

libraryTest("int: says what is wrong before it captures", async () => {
  await assert.rejects(
    openTrace("int:none0").start(),
    (error) => error instanceof CaptureError && error.code === "no-interface",
  );
  await assert.rejects(
    openTrace("int:any", { promiscuous: true }).start(),
    (error) => error instanceof TraceError && error.code === "setting",
  );
  await assert.rejects(
    openTrace("int:any", { filter: "ether host 02:00:00:00:00:01" }).start(),
    SyntaxError,
  );
});

/** Runs a program that prints the packets of a trace, in a namespace. */
function printTrace(network: PrivateNetwork, ...args: string[]): Child {
  return new Child([
    ...network.prefix,
    ...[Deno.execPath(), "run", "-A", "--no-check", PROGRAM, ...args],
  ], {});
}

/** Python that sends a datagram in a frame, with bytes before its EtherType. */
const SENDING_FRAME = `
import socket, sys
udp = bytes.fromhex("30390009000d0000") + b"hello"
ip = bytes([69, 0, 0, 20 + len(udp), 0, 0, 0, 0, 64, 17, 0, 0,
            10, 5, 0, 1, 10, 5, 0, 2])
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
addresses = bytes.fromhex("${FAR.hardware}${NEAR.hardware}".replace(":", ""))
s.send(addresses + bytes.fromhex(sys.argv[2] + "0800") + ip + udp)
`;

libraryTest("int: gives VLAN tags back to their packets", async () => {
  await using near = await PrivateNetwork.create();
  await using far = await PrivateNetwork.create();
  await near.connect(far);
  await using printed = printTrace(
    far,
    `int:${ETHERNET_DEVICE}`,
    "vlan 5",
    "2",
  );
  await printed.seen("stdout", /ready/);
  for (const tags of ["", "81000006", "81000005", "8100000581000007"]) {
    await near.run("python3", "-c", SENDING_FRAME, ETHERNET_DEVICE, tags);
  }
  const { stdout } = await printed.ended();
  assert.deepEqual(stdout.trim().split("\n").slice(1), [
    "ethernet vlan ipv4 udp 51 51 hello",
    "ethernet vlan vlan ipv4 udp 55 55 hello",
  ]);
}, "network namespaces");

libraryTest(
  "int: has its interface take foreign packets on demand",
  async () => {
    await using near = await PrivateNetwork.create();
    await using far = await PrivateNetwork.create();
    await near.connect(far);
    const promiscuity = async (): Promise<number> => {
      const { stdout } = await new Deno.Command(far.prefix[0]!, {
        args: [
          ...far.prefix.slice(1),
          ...["ip", "-j", "-d", "link", "show", ETHERNET_DEVICE],
        ],
      }).output();
      return JSON.parse(new TextDecoder().decode(stdout))[0].promiscuity;
    };
    assert.equal(await promiscuity(), 0);
    await using printed = printTrace(
      far,
      `int:${ETHERNET_DEVICE}`,
      "udp port 9",
      "1",
      "promiscuous",
    );
    await printed.seen("stdout", /ready/);
    assert.equal(await promiscuity(), 1);
    await near.run("bash", "-c", `echo -n x > /dev/udp/${FAR.ipv4}/9`);
    await printed.ended();
    assert.equal(await promiscuity(), 0);
  },
  "network namespaces",
);

libraryTest(
  "int: ends with an error when its interface goes down",
  async () => {
    await using near = await PrivateNetwork.create();
    await using far = await PrivateNetwork.create();
    await near.connect(far);
    await using printed = printTrace(far, `int:${ETHERNET_DEVICE}`, "", "99");
    await printed.seen("stdout", /ready/);
    await far.run("ip", "link", "set", ETHERNET_DEVICE, "down");
    const { stderr, code } = await printed.ended();
    assert.equal(code, 1);
    assert.match(stderr, /Cannot read from int:wire0: Network is down/);
  },
  "network namespaces",
);
