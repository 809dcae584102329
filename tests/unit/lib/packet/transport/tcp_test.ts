import assert from "node:assert/strict";
import { PacketCursor, Space } from "../../../../../lib/packet/cursor.ts";
import {
  decodeTcp,
  formatTcpFlagLetters,
  formatTcpFlags,
  TcpFlag,
} from "../../../../../lib/packet/transport/tcp.ts";
import { hex, SAMPLES } from "../samples.ts";

Deno.test("decodeTcp() reads every field", () => {
  const { data } = SAMPLES.tcpData;
  const cursor = new PacketCursor(data, data.length, 34);
  assert.deepEqual(decodeTcp(cursor), {
    kind: "tcp",
    offset: 34,
    headerLength: 32,
    payloadLength: 27,
    sourcePort: 49962,
    destinationPort: 80,
    sequence: 576485189,
    acknowledgment: 1964565812,
    flags: TcpFlag.PSH | TcpFlag.ACK,
    window: 63,
    checksum: 33861,
    urgentPointer: 0,
    options: [
      { type: "nop" },
      { type: "nop" },
      { type: "timestamps", value: 2440480595, echoReply: 3457337596 },
    ],
  });
  assert.equal(cursor.offset, 66);
  assert.equal(cursor.space, Space.APPLICATION);
  assert.equal(cursor.code, 6);
});

Deno.test("decodeTcp() reads numbers without sign and all twelve flag bits", () => {
  const layer = decodeTcp(
    new PacketCursor(
      hex("ffff fffe ffffffff fffffffe 5fff fffd fffc fffb"),
    ),
  );
  assert.equal(layer?.sourcePort, 0xffff);
  assert.equal(layer.destinationPort, 0xfffe);
  assert.equal(layer.sequence, 0xffff_ffff);
  assert.equal(layer.acknowledgment, 0xffff_fffe);
  assert.equal(layer.flags, 0xfff);
  assert.equal(layer.window, 0xfffd);
  assert.equal(layer.checksum, 0xfffc);
  assert.equal(layer.urgentPointer, 0xfffb);
});

Deno.test("decodeTcp() complains about a header that is too short", () => {
  const cursor = new PacketCursor(
    hex("0050 c32a 00000001 00000002 4010 0100 0000 0000 6869"),
  );
  assert.equal(decodeTcp(cursor)?.headerLength, 20);
  assert.deepEqual(cursor.malformed, {
    layer: "tcp",
    offset: 12,
    reason: "header length 16 is less than 20",
  });
  assert.equal(cursor.space, Space.NONE);
});

Deno.test("decodeTcp() complains about a header beyond the packet", () => {
  const cursor = new PacketCursor(
    hex("0050 c32a 00000001 00000002 6010 0100 0000 0000"),
    20,
  );
  assert.equal(decodeTcp(cursor)?.sourcePort, 80);
  assert.equal(
    cursor.malformed?.reason,
    "24 bytes needed, the packet has 20",
  );
  assert.equal(cursor.truncated, undefined);
});

Deno.test("decodeTcp() needs 20 bytes and reads options as far as they go", () => {
  const header = SAMPLES.tcpSynAck.data.subarray(34);
  assert.equal(header.length, 40);
  const ends: [number, number][] = [[24, 1], [26, 2], [36, 3], [37, 4], [
    40,
    5,
  ]];
  for (let length = 0; length <= header.length; length++) {
    const cursor = new PacketCursor(header.subarray(0, length), 40);
    const layer = decodeTcp(cursor);
    assert.equal(layer !== undefined, length >= 20);
    assert.equal(cursor.truncated === undefined, length === 40);
    assert.equal(cursor.malformed, undefined);
    if (layer === undefined) continue;
    const whole = layer.options.filter(({ type }) => type !== "damaged");
    const expected = ends.findLast(([end]) => end <= length)?.[1] ?? 0;
    assert.equal(whole.length, expected, `${length} bytes`);
  }
});

Deno.test("formatTcpFlags() names bits and shows unknown ones", () => {
  assert.equal(formatTcpFlags(0), "none");
  assert.equal(formatTcpFlags(TcpFlag.SYN | TcpFlag.ACK), "SYN|ACK");
  assert.equal(
    formatTcpFlags(0x1ff),
    "FIN|SYN|RST|PSH|ACK|URG|ECE|CWR|AE",
  );
  assert.equal(formatTcpFlags(0xa04), "RST|0xa00");
});

Deno.test("formatTcpFlagLetters() prints the letters of tcpdump", () => {
  assert.equal(formatTcpFlagLetters(0), "none");
  assert.equal(formatTcpFlagLetters(0x012), "S.");
  assert.equal(formatTcpFlagLetters(0x1ff), "FSRP.UEWe");
});
