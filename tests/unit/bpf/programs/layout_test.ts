import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import {
  CONFIG,
  CONNECTION,
  CONNECTION_KEY,
  COUNTERS,
  EVENT,
  EVENT_TYPE,
  FRAGMENT_KEY,
  MARK,
  PORT,
  portIndex,
  portKey,
  REMOTE_KEY,
  USED_PORTS,
  writeConnectionKey,
  writePortKey,
  writeRemoteKey,
} from "../../../../bpf/programs/layout.ts";

const LOCAL = Uint8Array.from({ length: 16 }, (_, i) => i);
const REMOTE = Uint8Array.from({ length: 16 }, (_, i) => 100 + i);

Deno.test("writeConnectionKey() puts ports in network order", () => {
  const key = new Uint8Array(CONNECTION_KEY.size).fill(0xff);
  writeConnectionKey(
    key,
    6,
    { address: LOCAL, port: 0x1234 },
    { address: REMOTE, port: 80 },
  );
  deepEqual([...key], [
    ...LOCAL,
    ...REMOTE,
    ...[0x12, 0x34, 0, 80, 6, 0, 0, 0],
  ]);
});

Deno.test("writeRemoteKey() fills all of the key", () => {
  const key = new Uint8Array(REMOTE_KEY.size).fill(0xff);
  writeRemoteKey(key, 17, { address: REMOTE, port: 0x0102 });
  deepEqual([...key], [...REMOTE, 1, 2, 17, 0]);
});

Deno.test("writePortKey() writes what portKey() returns", () => {
  const protocol = fc.constantFrom(6, 17, 255);
  fc.assert(fc.property(protocol, fc.nat(0xffff), (protocol, port) => {
    const key = new Uint8Array(4);
    writePortKey(key, protocol, port);
    const number = new DataView(key.buffer).getUint32(0, true);
    equal(number, portKey(protocol, port));
    equal(number, protocol * 65536 + port);
  }));
});

Deno.test("portIndex() gives each port of TCP and UDP a place of its own", () => {
  const last = 0xffff;
  equal(portIndex(6, 0), 0);
  equal(portIndex(6, last), last);
  equal(portIndex(17, 0), last + 1);
  equal(portIndex(17, last), USED_PORTS - 1);
});

Deno.test("fields of a layout lie inside of it, in order, without overlap", () => {
  const layouts = {
    CONFIG,
    CONNECTION,
    CONNECTION_KEY,
    COUNTERS,
    EVENT,
    FRAGMENT_KEY,
    MARK,
    PORT,
    REMOTE_KEY,
  };
  for (const [name, layout] of Object.entries(layouts)) {
    const { size, ...fields } = layout;
    const offsets = Object.values(fields);
    deepEqual(offsets, [...new Set(offsets)].sort((a, b) => a - b), name);
    ok(offsets.every((offset) => offset < size), name);
  }
  // The verifier refuses unaligned words on the stack.
  for (const { size } of [CONFIG, CONNECTION, EVENT, FRAGMENT_KEY, MARK]) {
    equal(size % 8, 0);
  }
});

Deno.test("event types are distinct", () => {
  const numbers = Object.values(EVENT_TYPE);
  equal(new Set(numbers).size, numbers.length);
});
