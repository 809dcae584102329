import assert from "node:assert/strict";
import { compare, describe, isExact, type TruthPacket } from "./compare.ts";
import { ownersOf } from "./ownership.ts";
import type { TestPacket } from "./packets.ts";

const PROGRAM = "127.0.0.1:40000";
const NEIGHBOR = "127.0.0.1:40002";
const SERVER = "127.0.0.1:80";

function packet(
  source: string,
  destination: string,
  bytes: string,
  rest: Partial<TestPacket> = {},
): TestPacket {
  return {
    bytes,
    length: bytes.length,
    protocol: "tcp",
    source,
    destination,
    fragmentOf: undefined,
    isLaterFragment: false,
    text: bytes,
    timestamp: 0n,
    packetType: undefined,
    ...rest,
  };
}

function truthOf(
  packets: readonly TestPacket[],
  required = packets.length,
): TruthPacket[] {
  const socket = {
    pid: 1,
    proto: "tcp",
    local: PROGRAM,
    remote: SERVER,
  } as const;
  const owners = ownersOf(packets, [socket]);
  return packets.map((each, i) => ({
    ...each,
    isOwned: owners[i] !== undefined,
    isRequired: i < required,
  }));
}

const SYN = packet(PROGRAM, SERVER, "syn");
const ANSWER = packet(SERVER, PROGRAM, "syn ack");
const OTHER_SYN = packet(NEIGHBOR, SERVER, "syn of the neighbor");
const TRUTH = truthOf([SYN, OTHER_SYN, ANSWER, SYN]);

Deno.test("compare() accepts the same packets in another order", () => {
  const result = compare([ANSWER, SYN, SYN], TRUTH);
  assert.ok(isExact(result));
  assert.equal(result.right, 3);
});

Deno.test("compare() reports a missing packet", () => {
  const result = compare([SYN, SYN], TRUTH);
  assert.deepEqual(result.missing.map((p) => p.text), ["syn ack"]);
  assert.ok(!isExact(result));
});

Deno.test("compare() reports a missing copy of a repeated packet", () => {
  const result = compare([SYN, ANSWER], TRUTH);
  assert.deepEqual(result.missing.map((p) => p.text), ["syn"]);
});

Deno.test("compare() reports a foreign packet", () => {
  const result = compare([SYN, ANSWER, SYN, OTHER_SYN], TRUTH);
  assert.deepEqual(result.foreign, [OTHER_SYN]);
  assert.equal(result.doubled.length, 0);
});

Deno.test("compare() reports a packet that never passed", () => {
  const result = compare(
    [SYN, ANSWER, SYN, packet(PROGRAM, SERVER, "?")],
    TRUTH,
  );
  assert.equal(result.foreign.length, 1);
});

Deno.test("compare() reports a doubled packet", () => {
  const result = compare([SYN, ANSWER, ANSWER, SYN], TRUTH);
  assert.deepEqual(result.doubled, [ANSWER]);
  assert.match(describe(result), /0 missing, 0 foreign, 1 doubled/);
});

Deno.test("compare() reports a packet whose bytes were changed", () => {
  const result = compare(
    [SYN, SYN, packet(SERVER, PROGRAM, "SYN ACK")],
    TRUTH,
  );
  assert.equal(result.missing.length, 1);
  assert.equal(result.foreign.length, 1);
});

Deno.test("compare() reports a packet that was cut unasked", () => {
  const cut = { ...ANSWER, bytes: "syn" };
  assert.ok(!isExact(compare([SYN, SYN, cut], TRUTH)));
});

Deno.test("compare() wants packets cut to the snaplen, with their lengths", () => {
  const cut = { ...ANSWER, bytes: "syn" };
  assert.ok(isExact(compare([SYN, SYN, cut], TRUTH, 3)));
  assert.ok(!isExact(compare([SYN, SYN, ANSWER], TRUTH, 3)));
  assert.ok(!isExact(compare([SYN, SYN, { ...cut, length: 3 }], TRUTH, 3)));
});

Deno.test("compare() takes packets outside the window or leaves them", () => {
  const truth = truthOf([SYN, OTHER_SYN, ANSWER], 2);
  assert.ok(isExact(compare([SYN], truth)));
  assert.ok(isExact(compare([SYN, ANSWER], truth)));
});

Deno.test("ownersOf() tells sockets of one port apart by address and protocol", () => {
  const here = {
    pid: 1,
    proto: "udp",
    local: "127.0.0.1:53",
    remote: "*",
  } as const;
  const udp = { protocol: "udp" } as const;
  const owners = ownersOf([
    packet("127.0.0.1:9", "127.0.0.1:53", "", udp),
    packet("127.0.0.1:9", "127.0.0.2:53", "", udp),
    packet("127.0.0.1:9", "127.0.0.1:53", ""),
  ], [here]);
  assert.deepEqual(owners, [here, undefined, undefined]);
});

Deno.test("ownersOf() gives IPv4 packets to dual-stack sockets", () => {
  const dual = { pid: 1, proto: "tcp", local: "[::]:80", remote: "*" } as const;
  const any4 = {
    pid: 1,
    proto: "tcp",
    local: "0.0.0.0:81",
    remote: "*",
  } as const;
  const owners = ownersOf([
    packet("127.0.0.1:9", "127.0.0.1:80", ""),
    packet("[::1]:9", "[::1]:80", ""),
    packet("127.0.0.1:9", "127.0.0.1:81", ""),
    packet("[::1]:9", "[::1]:81", ""),
  ], [dual, any4]);
  assert.deepEqual(owners, [dual, dual, any4, undefined]);
});

Deno.test("ownersOf() ends with the retirement of a port", () => {
  const here = {
    pid: 1,
    proto: "tcp",
    local: "127.0.0.1:80",
    remote: "*",
  } as const;
  const visit = packet("127.0.0.1:9", "127.0.0.1:80", "");
  const retired = { proto: "tcp", local: "127.0.0.1:80", index: 1 } as const;
  assert.deepEqual(ownersOf([visit, visit], [here], [retired]), [
    here,
    undefined,
  ]);
});

Deno.test("ownersOf() gives fragments to the owner of the first one", () => {
  const here = {
    pid: 1,
    proto: "udp",
    local: "127.0.0.1:53",
    remote: "*",
  } as const;
  const part = (fragmentOf: string, isLaterFragment: boolean): TestPacket =>
    packet(
      isLaterFragment ? "127.0.0.1:0" : "127.0.0.1:53",
      "127.0.0.1:9",
      "",
      { protocol: "udp", fragmentOf, isLaterFragment },
    );
  const owners = ownersOf(
    [part("a", true), part("a", false), part("b", true)],
    [here],
  );
  assert.deepEqual(owners, [here, here, undefined]);
});
