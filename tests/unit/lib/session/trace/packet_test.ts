import assert from "node:assert/strict";
import fc from "fast-check";
import { LinkType } from "../../../../../lib/bytes/link_type.ts";
import { Packet } from "../../../../../lib/session/trace/packet.ts";
import { type Sample, SAMPLES } from "../../packet/samples.ts";

const TIME = 1_700_000_000_123_456_789n;

function packetOf(
  { linkType, data, originalLength }: Sample,
  length = data.length,
): Packet {
  return new Packet({
    timestamp: TIME,
    linkType,
    data: data.subarray(0, length),
    wireLength: originalLength,
  });
}

Deno.test("Packet tells time and lengths", () => {
  const packet = packetOf(SAMPLES.tcp6Data, 60);
  assert.equal(packet.timestamp, TIME);
  assert.equal(packet.time.toISOString(), "2023-11-14T22:13:20.123Z");
  assert.equal(packet.captureLength, 60);
  assert.equal(packet.wireLength, SAMPLES.tcp6Data.originalLength);
  assert.equal(packet.data.length, 60);
  assert.equal(packet.linkType, LinkType.ETHERNET);
  const { data, linkType } = SAMPLES.tcp6Data;
  const whole = new Packet({ timestamp: 0n, linkType, data });
  assert.equal(whole.wireLength, data.length);
});

Deno.test("Packet has each header under its name", () => {
  const rows: [keyof typeof SAMPLES, (keyof Packet)[]][] = [
    ["arpRequest", ["ethernet", "arp"]],
    ["tcpSyn", ["ethernet", "ip", "tcp"]],
    ["tcp6Data", ["ethernet", "ip6", "tcp"]],
    ["dnsQuery", ["ethernet", "ip", "udp", "dns"]],
    ["icmpUnreachable", ["ethernet", "ip", "icmp"]],
    ["icmp6Unreachable", ["ethernet", "ip6", "icmp6"]],
    ["fragmentLater", ["ethernet", "ip"]],
    ["sllReset", ["ip", "tcp"]],
    ["sll2Arp", ["arp"]],
  ];
  const names = [
    "ethernet",
    "vlan",
    "arp",
    "ip",
    "ip6",
    "tcp",
    "udp",
    "icmp",
    "icmp6",
    "dns",
  ] as const;
  for (const [sample, expected] of rows) {
    const packet = packetOf(SAMPLES[sample]);
    const found = names.filter((name) => packet[name] !== undefined);
    assert.deepEqual(found, expected, sample);
  }
});

Deno.test("Packet has what the transport carries as payload", () => {
  const query = packetOf(SAMPLES.dnsQuery);
  assert.equal(query.payload.length, query.udp!.payloadLength);
  assert.notEqual(query.dns, undefined);
  const data = packetOf(SAMPLES.tcp6Data);
  assert.equal(data.payload.length, data.tcp!.payloadLength);
  assert.equal(packetOf(SAMPLES.tcpSyn).payload.length, 0);
  // Padding of the Ethernet frame is no payload.
  assert.equal(packetOf(SAMPLES.arpRequest).payload.length, 0);
});

Deno.test("Packet tells its ends, and those of a quoted packet", () => {
  assert.deepEqual(packetOf(SAMPLES.dnsQuery).flow?.destinationPort, 53);
  const error = packetOf(SAMPLES.icmpUnreachable);
  assert.equal(error.flow?.sourcePort, undefined);
  assert.equal(error.quoted[0]?.kind, "ipv4");
  assert.equal(packetOf(SAMPLES.arpRequest).flow, undefined);
});

Deno.test("Packet reads its direction from a cooked header", () => {
  assert.equal(packetOf(SAMPLES.sll6Out).direction, "out");
  assert.equal(packetOf(SAMPLES.sll2Syn).direction !== undefined, true);
  assert.equal(packetOf(SAMPLES.tcpSyn).direction, undefined);
  const { data, linkType } = SAMPLES.sll6Out;
  const stated = { timestamp: 0n, linkType, data, direction: "in" } as const;
  assert.equal(new Packet(stated).direction, "in");
  const types = [["in", 0], ["in", 1], ["in", 2], ["other", 3], ["out", 4], [
    undefined,
    7,
  ]] as const;
  for (const [direction, type] of types) {
    const cooked = new Uint8Array(16);
    cooked[1] = type;
    const packet = new Packet({ timestamp: 0n, linkType: 113, data: cooked });
    assert.equal(packet.direction, direction);
  }
  const none = new Packet({
    timestamp: 0n,
    linkType: 276,
    data: new Uint8Array(3),
  });
  assert.equal(none.direction, undefined);
});

Deno.test("Packet does not change", () => {
  const packet = packetOf(SAMPLES.tcpSyn);
  assert(packet.tcp);
  for (const name of ["timestamp", "data", "tcp", "process", "more"]) {
    assert.throws(() => {
      (packet as unknown as Record<string, unknown>)[name] = 1;
    }, TypeError);
  }
});

Deno.test("Packet.cut() keeps everything but bytes", () => {
  const { data, linkType, originalLength } = SAMPLES.tcpSyn;
  const packet = new Packet({
    timestamp: TIME,
    linkType,
    data,
    wireLength: originalLength,
    interface: "eth0",
    direction: "in",
    process: { pid: 1, comm: "init" },
  });
  assert.equal(packet.cut(0), packet);
  assert.equal(packet.cut(data.length), packet);
  const short = packet.cut(40);
  assert.deepEqual({ ...short }, { ...packet, data: data.subarray(0, 40) });
  assert.equal(short.wireLength, originalLength);
  assert.equal(short.truncated?.layer, "tcp");
  assert.equal(short.ip?.protocol, 6);
});

Deno.test("Packet never throws, whatever it holds", () => {
  fc.assert(fc.property(
    fc.uint8Array({ maxLength: 120 }),
    fc.oneof(
      fc.constantFrom(...Object.values(LinkType)),
      fc.nat({ max: 65535 }),
    ),
    fc.nat({ max: 200 }),
    (data, linkType, more) => {
      const packet = new Packet({
        timestamp: 0n,
        linkType,
        data,
        wireLength: data.length + more,
      });
      for (let key of names(packet)) {
        if (key === "cut") key = "data";
        void packet[key];
      }
      assert.ok(packet.payload.length <= data.length);
    },
  ));
});

function names(packet: Packet): (keyof Packet)[] {
  const prototype = Object.getPrototypeOf(packet);
  return [
    ...Object.keys(packet),
    ...Object.getOwnPropertyNames(prototype),
  ].filter((name) => name !== "constructor") as (keyof Packet)[];
}
