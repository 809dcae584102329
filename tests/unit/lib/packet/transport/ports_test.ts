import assert from "node:assert/strict";
import { PacketCursor } from "../../../../../lib/packet/cursor.ts";
import { decodePacket, flowOf } from "../../../../../lib/packet/packet.ts";
import { decodePorts } from "../../../../../lib/packet/transport/ports.ts";
import { hex, SAMPLES } from "../samples.ts";

Deno.test("decodePorts() reads the ports of a cut header", () => {
  const cursor = new PacketCursor(hex("c32a 0050 2222"), 40);
  assert.deepEqual(decodePorts(cursor, 6), {
    kind: "ports",
    offset: 0,
    headerLength: 4,
    payloadLength: 36,
    protocol: 6,
    sourcePort: 49962,
    destinationPort: 80,
  });
  assert.equal(decodePorts(new PacketCursor(hex("c32a 00")), 6), undefined);
});

Deno.test("decodePacket() keeps the ports of a packet that was cut short", () => {
  const { data, linkType, originalLength } = SAMPLES.sllSyn;
  for (let length = 40; length < 56; length++) {
    const packet = decodePacket(data.subarray(0, length), linkType, {
      originalLength,
    });
    assert.equal(packet.layers.at(-1)?.kind, "ports");
    assert.equal(packet.truncated?.layer, "tcp");
    assert.equal(flowOf(packet)?.sourcePort, 45078);
  }
});
