import { deepEqual, equal } from "node:assert/strict";
import { EVENT, EVENT_TYPE } from "../../../../bpf/programs/layout.ts";
import { TrackerEvent } from "../../../../lib/trace/ebpf_events.ts";

const TCP = 6;
const UDP = 17;

Deno.test("TrackerEvent reads each field of the record that it is moved to", () => {
  const bytes = new Uint8Array(16 + EVENT.size);
  const view = new DataView(bytes.buffer);
  const at = 16;
  view.setBigUint64(at + EVENT.time, 0x1_0000_0005n, true);
  view.setBigUint64(at + EVENT.cookie, 1n << 40n, true);
  view.setBigUint64(at + EVENT.netns, 3n, true);
  view.setUint32(at + EVENT.type, EVENT_TYPE.ACCEPTED, true);
  view.setUint32(at + EVENT.tgid, 10, true);
  view.setUint32(at + EVENT.tid, 11, true);
  view.setUint16(at + EVENT.family, 2, true);
  view.setUint16(at + EVENT.protocol, 6, true);
  bytes.fill(7, at + EVENT.local, at + EVENT.local + 16);
  bytes.fill(8, at + EVENT.remote, at + EVENT.remote + 16);
  view.setUint16(at + EVENT.localPort, 80, true);
  view.setUint16(at + EVENT.remotePort, 40_000, true);
  view.setUint32(at + EVENT.extra, 99, true);
  bytes.set(new TextEncoder().encode("a name"), at + EVENT.comm);
  const event = new TrackerEvent(view, bytes).moveTo(at);
  const [local, remote] = [new Uint8Array(16), new Uint8Array(16)];
  event.readLocal(local);
  event.readRemote(remote);
  deepEqual(
    [event.time, event.cookie, event.netns, event.typeName, event.tgid],
    [2 ** 32 + 5, 1n << 40n, 3n, "ACCEPTED", 10],
  );
  deepEqual(
    [event.tid, event.family, event.protocol, event.extra, event.comm],
    [11, 2, 6, 99, "a name"],
  );
  deepEqual([event.localPort, event.remotePort], [80, 40_000]);
  deepEqual([local[0], local[15], remote[0], remote[15]], [7, 7, 8, 8]);
  equal(event.moveTo(0).typeName, "UNKNOWN");
});

Deno.test("TrackerEvent.comm takes names of full length", () => {
  const bytes = new Uint8Array(EVENT.size).fill(0x61);
  const event = new TrackerEvent(new DataView(bytes.buffer), bytes);
  equal(event.comm, "a".repeat(16));
});

Deno.test("TrackerEvent.listens() goes by the port where nobody tells of listen(2)", () => {
  const view = new DataView(new ArrayBuffer(EVENT.size));
  const event = new TrackerEvent(view, new Uint8Array(view.buffer));
  const { BOUND, LISTENING, CONNECTED } = EVENT_TYPE;
  for (
    const [type, protocol, told, untold] of [
      [LISTENING, TCP, true, true],
      [BOUND, TCP, false, true],
      [BOUND, UDP, false, false],
      [CONNECTED, TCP, false, false],
    ] as const
  ) {
    view.setUint32(EVENT.type, type, true);
    view.setUint16(EVENT.protocol, protocol, true);
    deepEqual([event.listens(true), event.listens(false)], [told, untold]);
  }
});
