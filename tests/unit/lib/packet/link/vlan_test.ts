import assert from "node:assert/strict";
import { LinkType } from "../../../../../lib/bytes/link_type.ts";
import { PacketCursor, Space } from "../../../../../lib/packet/cursor.ts";
import { decodeVlan } from "../../../../../lib/packet/link/vlan.ts";
import { decodePacket, flowOf } from "../../../../../lib/packet/packet.ts";
import { hex, SAMPLES } from "../samples.ts";

Deno.test("decodeVlan() reads priority, drop flag, identifier and type", () => {
  const cursor = new PacketCursor(hex("b005 0800 45"));
  assert.deepEqual(decodeVlan(cursor), {
    kind: "vlan",
    offset: 0,
    headerLength: 4,
    payloadLength: 1,
    priority: 5,
    dropEligible: true,
    id: 5,
    etherType: 0x0800,
  });
  assert.equal(cursor.space, Space.ETHER_TYPE);
  assert.equal(decodeVlan(new PacketCursor(hex("efff 86dd")))?.id, 0xfff);
});

Deno.test("decodeVlan() takes a small type as a length", () => {
  const cursor = new PacketCursor(hex("0001 0003 424203 ee"));
  assert.equal(decodeVlan(cursor)?.payloadLength, 3);
  assert.equal(cursor.space, Space.LLC);
});

Deno.test("decodeVlan() needs 4 bytes", () => {
  for (let length = 0; length < 4; length++) {
    const cursor = new PacketCursor(new Uint8Array(length));
    assert.equal(decodeVlan(cursor), undefined);
    assert.equal(cursor.truncated?.layer, "vlan");
  }
});

Deno.test("decodePacket() looks behind stacked tags", () => {
  const plain = SAMPLES.tcpSyn.data;
  for (const outer of ["88a8", "9100", "8100"]) {
    const data = Uint8Array.from([
      ...plain.subarray(0, 12),
      ...hex(`${outer} 0064 8100 2005`),
      ...plain.subarray(12),
    ]);
    const packet = decodePacket(data, LinkType.ETHERNET);
    assert.deepEqual(
      packet.layers.map((layer) => layer.kind),
      ["ethernet", "vlan", "vlan", "ipv4", "tcp"],
    );
    assert.equal(flowOf(packet)?.destinationPort, 80);
  }
});
