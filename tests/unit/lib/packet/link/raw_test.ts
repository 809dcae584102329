import assert from "node:assert/strict";
import { LinkType } from "../../../../../lib/bytes/link_type.ts";
import { decodePacket } from "../../../../../lib/packet/packet.ts";
import { hex, SAMPLES } from "../samples.ts";

Deno.test("decodeRaw() tells the versions of IP apart", () => {
  for (const linkType of [LinkType.RAW, LinkType.IPV4, LinkType.IPV6]) {
    const four = decodePacket(SAMPLES.tcpSyn.data.subarray(14), linkType);
    assert.deepEqual(four.layers.map(({ kind }) => kind), ["ipv4", "tcp"]);
    const six = decodePacket(SAMPLES.tcp6Syn.data.subarray(14), linkType);
    assert.deepEqual(six.layers.map(({ kind }) => kind), ["ipv6", "tcp"]);
    assert.equal(six.layers[0]?.offset, 0);
  }
});

Deno.test("decodeRaw() refuses other versions", () => {
  const packet = decodePacket(hex("50000000"), LinkType.RAW);
  assert.deepEqual(packet.layers, []);
  assert.deepEqual(packet.malformed, {
    layer: "raw",
    offset: 0,
    reason: "IP version 5 is unknown",
  });
});

Deno.test("decodeRaw() needs a byte", () => {
  const packet = decodePacket(new Uint8Array(0), LinkType.RAW);
  assert.equal(packet.truncated?.layer, "raw");
  assert.equal(packet.malformed, undefined);
});
