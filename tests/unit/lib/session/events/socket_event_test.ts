import assert from "node:assert/strict";
import type { RawSocketEvent } from "../../../../../lib/session/events/raw_event.ts";
import {
  type SocketEvent,
  SocketEvents,
} from "../../../../../lib/session/events/socket_event.ts";
import { Packet } from "../../../../../lib/session/trace/packet.ts";

const SYN_ACK = 0x12;
const RST_ACK = 0x14;
const SYN = 0x02;

function raw(
  kind: RawSocketEvent["kind"],
  more: Partial<RawSocketEvent> = {},
): RawSocketEvent {
  return {
    kind,
    timestamp: 1_000_000n,
    cookie: 7n,
    pid: 42,
    tid: 43,
    comm: "curl",
    protocol: "tcp",
    localAddress: "127.0.0.1",
    localPort: 5000,
    remoteAddress: "127.0.0.2",
    remotePort: 80,
    ...more,
  };
}

/** A segment from 127.0.0.2:80 to 127.0.0.1:5000. */
function answer(flags: number, timestamp = 3_500_000n): Packet {
  const data = new Uint8Array(40);
  data.set([0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0]);
  data.set([127, 0, 0, 2, 127, 0, 0, 1], 12);
  data.set([0, 80, 0x13, 0x88], 20);
  data.set([0x50, flags], 32);
  return new Packet({ timestamp, linkType: 101, data });
}

function collect(): { events: SocketEvents; told: SocketEvent[] } {
  const told: SocketEvent[] = [];
  return { events: new SocketEvents((event) => told.push(event)), told };
}

function outlines(told: readonly SocketEvent[]): unknown[] {
  return told.map(({ kind, result, latency }) => [kind, result, latency]);
}

Deno.test("SocketEvents tells how a connection went, and how long it took", () => {
  for (const [flags, result] of [[SYN_ACK, "ok"], [RST_ACK, "ECONNREFUSED"]]) {
    const { events, told } = collect();
    events.event(raw("connecting"), 0);
    events.packet(answer(SYN));
    assert.deepEqual(told, []);
    events.packet(answer(flags as number));
    events.packet(answer(flags as number));
    assert.deepEqual(told, [{
      kind: "connect",
      timestamp: 1_000_000n,
      pid: 42,
      tid: 43,
      comm: "curl",
      protocol: "tcp",
      localAddress: "127.0.0.1",
      localPort: 5000,
      remoteAddress: "127.0.0.2",
      remotePort: 80,
      result,
      latency: 2.5,
    }]);
  }
});

Deno.test("SocketEvents waits for packets that come after the end", () => {
  const { events, told } = collect();
  events.event(raw("connecting"), 0);
  events.event(raw("closed", { pid: 0, comm: "" }), 10);
  events.tick(400);
  assert.deepEqual(told, []);
  events.packet(answer(SYN_ACK));
  assert.deepEqual(outlines(told), [["connect", "ok", 2.5], [
    "close",
    "ok",
    undefined,
  ]]);
  assert.deepEqual(told.map(({ pid, comm }) => [pid, comm]), [[42, "curl"], [
    42,
    "curl",
  ]]);
});

Deno.test("SocketEvents does not wait for ever", () => {
  const { events, told } = collect();
  events.event(raw("connecting"), 0);
  events.tick(1e6);
  assert.deepEqual(told, [], "it may still be answered");
  events.event(raw("closed"), 10);
  events.tick(1000);
  assert.deepEqual(outlines(told), [["connect", "failed", undefined], [
    "close",
    "ok",
    undefined,
  ]]);
  events.event(raw("connecting"), 2000);
  events.finish();
  assert.deepEqual(outlines(told).at(-1), ["connect", "failed", undefined]);
});

Deno.test("SocketEvents passes on what needs no answer", () => {
  const { events, told } = collect();
  const own = { remotePort: 0, remoteAddress: "0.0.0.0" };
  events.event(raw("bound", own), 0);
  events.event(raw("listening", own), 0);
  events.event(raw("accepted", { cookie: 8n }), 0);
  events.event(raw("closed", { cookie: 8n, localAddress: "::" }), 0);
  events.event(raw("released", { cookie: 8n }), 0);
  events.event(raw("released", { ...own, localAddress: "::" }), 0);
  events.event(raw("connecting", { protocol: "udp", cookie: 9n }), 0);
  events.event(raw("released", { protocol: "udp", cookie: 9n }), 0);
  assert.deepEqual(
    told.map(({ kind, protocol }) => `${kind} ${protocol}`),
    [
      "bind tcp",
      "listen tcp",
      "accept tcp",
      "close tcp",
      "close tcp",
      "connect udp",
      "close udp",
    ],
  );
  assert.equal(told[0]!.remotePort, undefined);
  assert.equal(told[0]!.remoteAddress, undefined);
  assert.equal(told[4]!.localAddress, "127.0.0.1", "as it was known before");
});

const REFUSED = { call: "connect", error: "ECONNREFUSED" } as const;

Deno.test("SocketEvents tells of calls that fail at once, with their error", () => {
  const { events, told } = collect();
  const fail = (more: Partial<RawSocketEvent>): void =>
    events.event(raw("returned", { cookie: 0n, ...more }), 0);
  fail({ call: "bind", error: "EADDRINUSE", remotePort: 0 });
  fail({ call: "listen", error: "EADDRINUSE", remotePort: 0 });
  fail({ call: "connect", error: "ENETUNREACH" });
  fail({ ...REFUSED, duration: 2e6 });
  fail({ call: "connect", error: "EACCES", protocol: "udp" });
  // What succeeded was told when it began.
  fail({ call: "connect", error: "" });
  fail({ call: "connect", error: "", protocol: "udp" });
  assert.deepEqual(outlines(told), [
    ["bind", "EADDRINUSE", undefined],
    ["listen", "EADDRINUSE", undefined],
    ["connect", "ENETUNREACH", undefined],
    ["connect", "ECONNREFUSED", 2],
    ["connect", "EACCES", undefined],
  ]);
});

Deno.test("SocketEvents tells of a connection once, whatever comes first", () => {
  const parts = {
    packet: (events: SocketEvents) => events.packet(answer(RST_ACK)),
    closed: (events: SocketEvents) => events.event(raw("closed"), 10),
    returned: (events: SocketEvents) =>
      events.event(raw("returned", REFUSED), 10),
  };
  const orders = [
    ["packet", "closed", "returned"],
    ["closed", "packet", "returned"],
    ["closed", "returned", "packet"],
    ["returned", "closed", "packet"],
  ] as const;
  for (const order of orders) {
    const { events, told } = collect();
    events.event(raw("connecting"), 0);
    for (const part of order) parts[part](events);
    events.tick(10_000);
    events.finish();
    assert.deepEqual(outlines(told), [
      ["connect", "ECONNREFUSED", 2.5],
      ["close", "ok", undefined],
    ], order.join());
  }
});

Deno.test("SocketEvents takes the call's word where no packet comes", () => {
  const results = [
    ["ETIMEDOUT", "ETIMEDOUT"],
    ["ECONNREFUSED", "ECONNREFUSED"],
    ["", "ok"],
  ];
  for (const [error, result] of results) {
    const { events, told } = collect();
    events.event(raw("connecting"), 0);
    events.event(raw("returned", { call: "connect", error: error! }), 10);
    events.tick(1000);
    assert.deepEqual(outlines(told), [["connect", result, undefined]]);
    // The next call of the same socket is another attempt.
    events.event(raw("returned", { call: "connect", error: "EINVAL" }), 1010);
    assert.deepEqual(outlines(told).at(-1), ["connect", "EINVAL", undefined]);
  }
});

Deno.test("SocketEvents keeps answers that come before the tracker's word", () => {
  const { events, told } = collect();
  events.packet(answer(SYN_ACK));
  events.event(raw("connecting"), 0);
  assert.deepEqual(outlines(told), [["connect", "ok", 2.5]]);
  // One of an earlier connection between the same ends is none.
  events.packet(answer(RST_ACK));
  events.event(raw("connecting", { timestamp: 4_000_000n, cookie: 8n }), 0);
  assert.equal(told.length, 1);
  events.packet(answer(RST_ACK, 5_000_000n));
  assert.equal(told.length, 2);
  // Nor is one that is old.
  events.packet(answer(RST_ACK));
  events.tick(10_000);
  events.event(raw("connecting", { cookie: 9n }), 10_000);
  assert.equal(told.length, 2);
});

Deno.test("SocketEvents tells of the end of sockets that were there before", () => {
  const { events, told } = collect();
  events.event(raw("existing", { remotePort: 0 }), 0);
  assert.deepEqual(told, []);
  events.event(raw("closed", { pid: 0, localPort: 0, remotePort: 0 }), 0);
  assert.deepEqual(
    told.map(({ kind, pid, localPort }) => [
      kind,
      pid,
      localPort,
    ]),
    [["close", 42, 5000]],
  );
});

Deno.test("SocketEvents tells of a port once", () => {
  const { events, told } = collect();
  const own = { remotePort: 0, protocol: "udp" } as const;
  events.event(raw("bound", own), 0);
  events.event(raw("bound", own), 0);
  assert.equal(told.length, 1);
  events.event(raw("bound", { ...own, localPort: 5001 }), 0);
  assert.equal(told.length, 2);
});
