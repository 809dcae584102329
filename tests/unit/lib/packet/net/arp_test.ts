import assert from "node:assert/strict";
import { PacketCursor } from "../../../../../lib/packet/cursor.ts";
import {
  ArpOperation,
  decodeArp,
  formatArpOperation,
} from "../../../../../lib/packet/net/arp.ts";
import { hex, SAMPLES } from "../samples.ts";

Deno.test("decodeArp() reads addresses of Ethernet and IPv4", () => {
  const { data } = SAMPLES.arpReply;
  const cursor = new PacketCursor(data, data.length, 14);
  assert.deepEqual(decodeArp(cursor), {
    kind: "arp",
    offset: 14,
    headerLength: 28,
    payloadLength: 0,
    hardwareType: 1,
    protocolType: 0x0800,
    operation: ArpOperation.REPLY,
    senderHardware: "02:00:00:00:00:0b",
    senderProtocol: "192.0.2.2",
    targetHardware: "02:00:00:00:00:0a",
    targetProtocol: "192.0.2.1",
  });
});

Deno.test("decodeArp() reads addresses of any length", () => {
  const packet = hex("0006 0800 00 02 0001  abcd 1234");
  const layer = decodeArp(new PacketCursor(packet));
  assert.equal(layer?.headerLength, 12);
  assert.equal(layer.senderHardware, "");
  assert.equal(layer.senderProtocol, "ab:cd");
  assert.equal(layer.targetProtocol, "12:34");
});

Deno.test("decodeArp() needs all addresses", () => {
  const packet = SAMPLES.arpReply.data.subarray(14);
  for (let length = 0; length < packet.length; length++) {
    const cursor = new PacketCursor(packet.subarray(0, length));
    assert.equal(decodeArp(cursor), undefined);
    assert.equal(
      cursor.truncated?.reason,
      `${length < 8 ? 8 : 28} bytes needed, ${length} captured`,
    );
  }
});

Deno.test("formatArpOperation() names operations", () => {
  assert.equal(formatArpOperation(1), "request");
  assert.equal(formatArpOperation(4), "reverse-reply");
  assert.equal(formatArpOperation(99), "99");
});
