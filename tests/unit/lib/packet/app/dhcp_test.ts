import assert from "node:assert/strict";
import { formatDhcpMessageType } from "../../../../../lib/packet/app/dhcp.ts";
import { be16, be32, bytes, ip, zeros } from "../../text/packet_builder.ts";
import { decodeUdp, fieldsOf } from "./decode.ts";

const FIXED = [
  ...[1, 1, 6, 2, be32(0x3903_f326), be16(9), be16(0x8000)],
  ...[ip("192.0.2.1"), ip("192.0.2.2"), ip("192.0.2.3"), ip("192.0.2.4")],
  ...[[2, 0, 0, 0, 0, 10], zeros(10), zeros(64), zeros(128)],
];
const COOKIE = be32(0x6382_5363);

Deno.test("decodeDhcp() reads every field", () => {
  const options = [53, 1, 3, 0, 0, 12, 2, 0x61, 0x07, 255, 1, 2];
  assert.deepEqual(fieldsOf(decodeUdp([FIXED, COOKIE, options], 67), "dhcp"), {
    kind: "dhcp",
    operation: 1,
    hardwareType: 1,
    hops: 2,
    transactionId: 0x3903_f326,
    seconds: 9,
    isBroadcast: true,
    clientAddress: "192.0.2.1",
    yourAddress: "192.0.2.2",
    serverAddress: "192.0.2.3",
    gatewayAddress: "192.0.2.4",
    clientHardware: "02:00:00:00:00:0a",
    messageType: 3,
    hostName: "a?",
    options: [
      { type: 53, data: bytes(3) },
      { type: 12, data: bytes("a", 7) },
    ],
  });
});

Deno.test("decodeDhcp() takes BOOTP without options", () => {
  for (const rest of [[], [be32(7), 53, 1, 1]]) {
    const packet = decodeUdp([FIXED, rest], 68);
    assert.deepEqual(fieldsOf(packet, "dhcp")?.options, []);
    assert.equal(packet.malformed, undefined);
  }
});

Deno.test("decodeDhcp() keeps the options before a damaged one", () => {
  const packet = decodeUdp([FIXED, COOKIE, 53, 1, 5, 12, 9, "cut"], 67);
  const fields = fieldsOf(packet, "dhcp");
  assert.equal(fields?.messageType, 5);
  assert.equal(fields?.hostName, undefined);
  assert.equal(packet.malformed?.layer, "dhcp");
});

Deno.test("decodeDhcp() needs its fixed part", () => {
  assert.equal(fieldsOf(decodeUdp(zeros(235), 67), "dhcp"), undefined);
});

Deno.test("formatDhcpMessageType() names types", () => {
  assert.equal(formatDhcpMessageType(1), "discover");
  assert.equal(formatDhcpMessageType(6), "nak");
  assert.equal(formatDhcpMessageType(0), "type-0");
  assert.equal(formatDhcpMessageType(77), "type-77");
});
