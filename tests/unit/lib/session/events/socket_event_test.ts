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
