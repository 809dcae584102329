import assert from "node:assert/strict";
import fc from "fast-check";
import { LinkType } from "../../../../lib/bytes/link_type.ts";
import {
  type DecodedPacket,
  decodePacket,
  type Depth,
  findLayer,
  flowOf,
  payloadOf,
  quotedFlowOf,
} from "../../../../lib/packet/packet.ts";
import { hex, type Sample, SAMPLES } from "./samples.ts";

const ALL: readonly Sample[] = Object.values(SAMPLES);

function kinds(packet: DecodedPacket): string {
  return packet.layers.map((layer) => layer.kind).join(" ");
}

function decode(sample: Sample): DecodedPacket {
  return decodePacket(sample.data, sample.linkType, sample);
}

Deno.test("decodePacket() finds the layers of captured packets", () => {
  const rows: [keyof typeof SAMPLES, string][] = [
    ["arpRequest", "ethernet arp"],
    ["tcpSyn", "ethernet ipv4 tcp"],
    ["tcp6Data", "ethernet ipv6 tcp http"],
    ["dnsQuery", "ethernet ipv4 udp dns"],
    ["dnsResponse", "ethernet ipv4 udp dns"],
    ["icmpUnreachable", "ethernet ipv4 icmp"],
    ["icmp6Unreachable", "ethernet ipv6 icmpv6"],
    ["fragmentFirst", "ethernet ipv4 udp"],
    ["fragmentLater", "ethernet ipv4"],
    ["fragment6First", "ethernet ipv6 udp"],
    ["fragment6Later", "ethernet ipv6"],
    ["listenerReport", "ethernet ipv6 icmpv6"],
    ["udp6Options", "ethernet ipv6 udp"],
    ["sllReset", "sll ipv4 tcp"],
    ["sll6Out", "sll ipv6 udp"],
    ["sll2Syn", "sll2 ipv4 tcp"],
    ["sll2Arp", "sll2 arp"],
  ];
  for (const [name, expected] of rows) {
    assert.equal(kinds(decode(SAMPLES[name])), expected, name);
  }
});

Deno.test("decodePacket() finds no fault in captured packets", () => {
  for (const sample of ALL) {
    const packet = decode(sample);
    assert.equal(packet.truncated, undefined, sample.about);
    assert.equal(packet.malformed, undefined, sample.about);
    assert.deepEqual(
      decodePacket(sample.data, sample.linkType).layers.slice(1),
      packet.layers.slice(1),
      `${sample.about}, original length unknown`,
    );
  }
});

Deno.test("decodePacket() stops at the depth that is asked for", () => {
  const rows: [Depth, string][] = [
    ["link", "ethernet"],
    ["network", "ethernet ipv4"],
    ["transport", "ethernet ipv4 udp"],
    ["application", "ethernet ipv4 udp dns"],
  ];
  for (const [depth, expected] of rows) {
    const { data, linkType } = SAMPLES.dnsResponse;
    const packet = decodePacket(data, linkType, { depth });
    assert.equal(kinds(packet), expected);
    assert.equal(
      packet.payloadOffset,
      packet.layers.at(-1)!.offset +
        packet.layers.at(-1)!.headerLength,
    );
  }
  const { data, linkType } = SAMPLES.icmpUnreachable;
  const network = decodePacket(data, linkType, { depth: "network" });
  assert.equal(network.quoted.length, 0);
  const transport = decodePacket(data, linkType, { depth: "transport" });
  assert.equal(transport.quoted.length, 2);
});

Deno.test("decodePacket() gives packets of unknown link types undecoded", () => {
  for (const linkType of [147, 999, -1, NaN]) {
    const packet = decodePacket(hex("0102"), linkType);
    assert.deepEqual(packet.layers, []);
    assert.deepEqual([packet.payloadOffset, packet.payloadEnd], [0, 2]);
    assert.equal(packet.malformed, undefined);
    assert.equal(flowOf(packet), undefined);
  }
});

Deno.test("decodePacket() decodes packets inside packets", () => {
  const inner = SAMPLES.tcp6Syn.data.subarray(14);
  const length = (20 + inner.length).toString(16).padStart(4, "0");
  const outer = hex(`4500 ${length} 0000 0000 4029 0000 c0000201 c0000202`);
  const packet = decodePacket(
    Uint8Array.from([...outer, ...inner]),
    LinkType.RAW,
  );
  assert.equal(kinds(packet), "ipv4 ipv6 tcp");
  assert.equal(flowOf(packet)?.source, "2001:db8::1");
});

Deno.test("decodePacket() gives up on packets nested without end", () => {
  const depth = 40;
  const parts = Array.from({ length: depth }, (_, i) => {
    const length = (20 * (depth - i)).toString(16).padStart(4, "0");
    return `4500 ${length} 0000 0000 4004 0000 c0000201 c0000202`;
  });
  const packet = decodePacket(hex(parts.join("")), LinkType.RAW);
  assert.equal(packet.layers.length, 32);
  assert.equal(packet.malformed?.reason, "more than 32 headers are nested");
});

Deno.test("payloadOf() gives what a layer carries, without padding", () => {
  const { data, linkType } = SAMPLES.udp;
  const padded = Uint8Array.from([...data, 0xee, 0xee]);
  const packet = decodePacket(padded, linkType);
  const text = (layer: "udp" | "ipv4"): string =>
    new TextDecoder().decode(payloadOf(packet, findLayer(packet, layer)!));
  assert.equal(text("udp"), "discard me");
  assert.equal(text("ipv4").slice(8), "discard me");
  assert.equal(packet.payloadEnd, data.length);
  const cut = decodePacket(data.subarray(0, -3), linkType);
  const udp = findLayer(cut, "udp")!;
  assert.equal(payloadOf(cut, udp).length, 7);
  assert.equal(udp.payloadLength, 10);
});

Deno.test("flowOf() names both ends", () => {
  assert.deepEqual(flowOf(decode(SAMPLES.tcp6Data)), {
    protocol: "tcp",
    source: "2001:db8::1",
    sourcePort: 39098,
    destination: "2001:db8::2",
    destinationPort: 80,
  });
  assert.deepEqual(flowOf(decode(SAMPLES.dnsResponse)), {
    protocol: "udp",
    source: "192.0.2.2",
    sourcePort: 53,
    destination: "192.0.2.1",
    destinationPort: 53477,
  });
  assert.deepEqual(flowOf(decode(SAMPLES.fragmentLater)), {
    protocol: "udp",
    source: "192.0.2.1",
    sourcePort: undefined,
    destination: "192.0.2.2",
    destinationPort: undefined,
  });
  assert.deepEqual(flowOf(decode(SAMPLES.icmpUnreachable)), {
    protocol: "icmp",
    source: "192.0.2.2",
    sourcePort: undefined,
    destination: "192.0.2.1",
    destinationPort: undefined,
  });
  assert.equal(flowOf(decode(SAMPLES.arpReply)), undefined);
  assert.equal(quotedFlowOf(decode(SAMPLES.tcpSyn)), undefined);
});

Deno.test("decodePacket() gives the layers before a cut, at every length", () => {
  for (const { about, data, linkType, originalLength } of ALL) {
    const whole = decodePacket(data, linkType, { originalLength });
    for (let length = 0; length < data.length; length++) {
      const cut = data.slice(0, length);
      const packet = decodePacket(cut, linkType, { originalLength });
      const where = `${about}, ${length} bytes`;
      assert.equal(packet.malformed, undefined, where);
      const last = packet.layers.at(-1);
      for (const [i, layer] of packet.layers.entries()) {
        if (layer.kind === "ports") continue;
        const original = whole.layers[i]!;
        // The last layer may lack options or records.
        if (layer === last && packet.truncated !== undefined) {
          assert.equal(layer.kind, original.kind, where);
          assert.equal(layer.offset, original.offset, where);
        } else assert.deepEqual(layer, original, where);
      }
      // What is recognized by its content needs some of it.
      const missing = whole.layers[packet.layers.length];
      if (missing !== undefined && missing.kind !== "http") {
        assert(packet.truncated, where);
      }
      assert(packet.payloadOffset <= packet.payloadEnd, where);
      assert(packet.payloadEnd <= length, where);
      // The same bytes inside a larger buffer: nothing behind is looked at.
      const inner = new Uint8Array(data.length + 64).fill(0xa5);
      inner.set(cut);
      const view = decodePacket(inner.subarray(0, length), linkType, {
        originalLength,
      });
      assert.deepEqual(view.layers, packet.layers, where);
    }
  }
});

Deno.test("decodePacket() does not look at padding", () => {
  const ethernet = ALL.filter(({ data, linkType, originalLength }) =>
    linkType === LinkType.ETHERNET && data.length === originalLength
  );
  fc.assert(fc.property(
    fc.constantFrom(...ethernet),
    fc.uint8Array({ minLength: 1, maxLength: 40 }),
    ({ data, linkType }, padding) => {
      const padded = Uint8Array.from([...data, ...padding]);
      const packet = decodePacket(padded, linkType, {
        originalLength: padded.length,
      });
      const plain = decodePacket(data, linkType);
      assert.deepEqual(packet.layers.slice(1), plain.layers.slice(1));
      assert.deepEqual(packet.quoted, plain.quoted);
      assert.equal(packet.payloadEnd, plain.payloadEnd);
    },
  ));
});

/** What holds for every packet, whatever its bytes are. */
function checkInvariants(packet: DecodedPacket): void {
  const { data, layers, quoted, payloadOffset, payloadEnd } = packet;
  assert(payloadOffset <= payloadEnd && payloadEnd <= data.length);
  assert(layers.length <= 32);
  let end = 0;
  for (const layer of layers) {
    assert.equal(layer.offset, end);
    end = layer.offset + layer.headerLength;
    assert(layer.offset <= data.length);
    assert(layer.payloadLength >= 0);
    assert(payloadOf(packet, layer).length <= data.length);
  }
  for (const layer of [...layers, ...quoted]) {
    for (const [name, value] of Object.entries(layer)) {
      if (typeof value !== "number") continue;
      assert(Number.isSafeInteger(value) && value >= 0, name);
    }
  }
  assert(end <= data.length || packet.truncated || packet.malformed);
  for (const fault of [packet.truncated, packet.malformed]) {
    if (fault === undefined) continue;
    assert(fault.offset <= data.length);
    assert.match(fault.reason, /^(?:[a-z\d]|IP)[^.]*[^.]$/);
  }
  const flow = flowOf(packet);
  assert.equal(
    flow === undefined,
    !layers.some(({ kind }) => kind === "ipv4" || kind === "ipv6"),
  );
}

const LINK_TYPES: readonly number[] = [...Object.values(LinkType), 4711];

Deno.test("decodePacket() never throws on any bytes", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom(...LINK_TYPES),
      fc.option(fc.nat(70_000), { nil: undefined }),
      (data, linkType, originalLength) => {
        checkInvariants(decodePacket(
          data,
          linkType,
          originalLength === undefined ? {} : { originalLength },
        ));
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("decodePacket() never throws on damaged packets", () => {
  const interesting = fc.oneof(
    fc.nat(255),
    fc.constantFrom(0, 1, 0x45, 0x60, 0xc0, 0xff),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...ALL),
      fc.array(fc.tuple(fc.nat(150), interesting), { maxLength: 6 }),
      fc.nat(150),
      fc.boolean(),
      ({ data, linkType, originalLength }, changes, length, isKnown) => {
        const damaged = data.slice(0, Math.max(length, 20));
        for (const [at, value] of changes) {
          if (at < damaged.length) damaged[at] = value;
        }
        checkInvariants(decodePacket(
          damaged,
          linkType,
          isKnown ? { originalLength } : {},
        ));
      },
    ),
    { numRuns: 5000 },
  );
});
