import assert from "node:assert/strict";
import { LinkType } from "../../../../lib/bytes/link_type.ts";
import {
  type ChecksumState,
  verifyChecksum,
} from "../../../../lib/packet/checksums.ts";
import { decodePacket } from "../../../../lib/packet/packet.ts";
import { hex, type Sample, SAMPLES } from "./samples.ts";

/** State of the checksum in each layer that has one. */
function states(
  data: Uint8Array,
  linkType: number,
): Record<string, ChecksumState> {
  const packet = decodePacket(data, linkType);
  return Object.fromEntries(
    packet.layers.filter((layer) => "checksum" in layer).map((layer) => [
      layer.kind,
      verifyChecksum(packet, layer),
    ]),
  );
}

Deno.test("verifyChecksum() agrees with what the kernel computed", () => {
  const rows: [Sample, Record<string, ChecksumState>][] = [
    [SAMPLES.sllReset, { ipv4: "correct", tcp: "correct" }],
    [SAMPLES.icmpEchoRequest, { ipv4: "correct", icmp: "correct" }],
    [SAMPLES.icmpUnreachable, { ipv4: "correct", icmp: "correct" }],
    [SAMPLES.echo6Request, { icmpv6: "correct" }],
    [SAMPLES.neighborSolicitation, { icmpv6: "correct" }],
    [SAMPLES.listenerReport, { icmpv6: "correct" }],
    [SAMPLES.udp6Options, { udp: "correct" }],
    // Left to the network card.
    [SAMPLES.tcpSyn, { ipv4: "correct", tcp: "incorrect" }],
    // Fragments and packets that were cut.
    [SAMPLES.fragmentFirst, { ipv4: "correct", udp: "unknown" }],
    [SAMPLES.fragment6First, { udp: "unknown" }],
  ];
  for (const [{ about, data, linkType }, expected] of rows) {
    assert.deepEqual(states(data, linkType), expected, about);
  }
});

Deno.test("verifyChecksum() notices any changed bit of the payload", () => {
  const { data, linkType } = SAMPLES.udp6Options;
  for (let bit = 0; bit < 8; bit++) {
    const changed = data.slice();
    changed[data.length - 1]! ^= 1 << bit;
    assert.deepEqual(states(changed, linkType), { udp: "incorrect" });
  }
});

Deno.test("verifyChecksum() knows that UDP over IPv4 may have none", () => {
  const four = hex(
    "4500 001e 0000 0000 4011 0000 c0000201 c0000202 1234 0009 000a 0000 6869",
  );
  assert.equal(states(four, LinkType.RAW)["udp"], "absent");
  assert.equal(states(four, LinkType.RAW)["ipv4"], "incorrect");
  const six = SAMPLES.udp6.data.slice();
  six.set([0, 0], 60);
  assert.equal(states(six, LinkType.ETHERNET)["udp"], "incorrect");
});

Deno.test("verifyChecksum() does not judge what is cut or has none", () => {
  const { data, linkType } = SAMPLES.udpOptions;
  const packet = decodePacket(data.subarray(0, 36), linkType);
  assert.deepEqual(
    packet.layers.map((layer) => verifyChecksum(packet, layer)),
    ["unknown", "unknown"],
  );
  const cut = SAMPLES.udp6Options.data.subarray(0, -1);
  assert.deepEqual(states(cut, LinkType.ETHERNET), { udp: "unknown" });
});

Deno.test("verifyChecksum() does not judge packets on a source route", () => {
  const six = SAMPLES.udp6Options.data.slice();
  six[54] = 43; // next header of hop-by-hop, once destination options
  assert.deepEqual(states(six, LinkType.ETHERNET), { udp: "unknown" });
  const four = SAMPLES.udpOptions.data.slice();
  assert.equal(states(four, LinkType.ETHERNET)["udp"], "incorrect");
  four[34] = 137; // once router alert
  assert.equal(states(four, LinkType.ETHERNET)["udp"], "unknown");
});
