import assert from "node:assert/strict";
import { be32, ip, zeros } from "../../text/packet_builder.ts";
import { decodeUdp, fieldsOf } from "./decode.ts";

const MESSAGE = [
  ...[0xe4, 2, 6, 0xe8, be32(0x0001_8000), be32(0x0000_4000)],
  ...[ip("192.0.2.1"), be32(1), be32(2), be32(3), be32(4), be32(5), be32(6)],
  ...[be32(7), be32(8)],
];

Deno.test("decodeNtp() reads every field", () => {
  assert.deepEqual(fieldsOf(decodeUdp(MESSAGE, 123), "ntp"), {
    kind: "ntp",
    leap: 3,
    version: 4,
    mode: 4,
    stratum: 2,
    poll: 6,
    precision: -24,
    rootDelay: 1.5,
    rootDispersion: 0.25,
    referenceId: ip("192.0.2.1"),
    reference: { seconds: 1, fraction: 2 },
    origin: { seconds: 3, fraction: 4 },
    receive: { seconds: 5, fraction: 6 },
    transmit: { seconds: 7, fraction: 8 },
  });
});

Deno.test("decodeNtp() leaves control messages and short ones alone", () => {
  assert.equal(fieldsOf(decodeUdp([0x16, zeros(60)], 123), "ntp"), undefined);
  const short = decodeUdp(zeros(47), 123);
  assert.equal(fieldsOf(short, "ntp"), undefined);
  assert.equal(short.malformed?.reason, "48 bytes needed, the packet has 47");
});
