import assert from "node:assert/strict";
import fc from "fast-check";
import {
  decodeLinks,
  encodeLinkRequest,
  type Link,
  StackedDevices,
} from "../../../../lib/sockets/links.ts";

type Attribute = readonly [type: number, value: Uint8Array];

function u16(value: number): number[] {
  return [value & 0xff, value >> 8];
}

function u32(value: number): Uint8Array {
  return Uint8Array.from([...u16(value & 0xffff), ...u16(value >>> 16)]);
}

function attributes(...list: Attribute[]): Uint8Array {
  return Uint8Array.from(list.flatMap(([type, value]) => {
    const padding = new Array((4 - value.length % 4) % 4).fill(0);
    return [...u16(4 + value.length), ...u16(type), ...value, ...padding];
  }));
}

/** RTM_NEWLINK as the kernel writes it. */
function message(index: number, ...list: Attribute[]): Uint8Array {
  const payload = [
    ...[0, 0, 1, 0, ...u32(index), ...u32(0), ...u32(0)],
    ...attributes(...list),
  ];
  return Uint8Array.from([
    ...[...u32(16 + payload.length), ...u16(16), ...u16(2)],
    ...[...u32(1), ...u32(0), ...payload],
  ]);
}

function decode(...messages: Uint8Array[]): Link[] {
  const bytes = Uint8Array.from(messages.flatMap((bytes) => [...bytes]));
  return decodeLinks(new DataView(bytes.buffer));
}

const text = (value: string): Uint8Array =>
  new TextEncoder().encode(`${value}\0`);
const NAME: Attribute = [3, text("eth0")];
const PLAIN = message(2, NAME);
const BRIDGE = message(3, [18, attributes([1, text("bridge")])]);
const PORT = message(4, [10, u32(3)], [18, attributes([1, text("veth")])]);
const VLAN = message(
  5,
  [5, u32(2)],
  // NLA_F_NESTED may be set.
  [
    18 | 0x8000,
    attributes(
      [1, text("vlan")],
      [2, attributes([1, Uint8Array.from(u16(10))])],
    ),
  ],
);

Deno.test("decodeLinks() reads devices and what they stand on", () => {
  const none = { kind: "", master: 0, below: 0, vlan: -1 };
  assert.deepEqual(decode(PLAIN, BRIDGE, PORT, VLAN), [
    { ...none, index: 2 },
    { ...none, index: 3, kind: "bridge" },
    { ...none, index: 4, kind: "veth", master: 3 },
    { ...none, index: 5, kind: "vlan", below: 2, vlan: 10 },
  ]);
});

Deno.test("decodeLinks() takes any bytes", () => {
  const whole = [PLAIN, BRIDGE, PORT, VLAN].flatMap((bytes) => [...bytes]);
  for (let length = 0; length <= whole.length; length++) {
    decode(Uint8Array.from(whole.slice(0, length)));
  }
  fc.assert(fc.property(
    fc.nat(whole.length - 1),
    fc.nat(255),
    (at, value) => {
      decode(Uint8Array.from(whole.with(at, value)));
    },
  ));
});

Deno.test("encodeLinkRequest() asks for all devices without their figures", () => {
  assert.deepEqual([...encodeLinkRequest(7)], [
    ...[40, 0, 0, 0, 18, 0, 0x01, 0x03, 7, 0, 0, 0, 0, 0, 0, 0],
    ...new Array(16).fill(0),
    ...[8, 0, 29, 0, 8, 0, 0, 0],
  ]);
});

Deno.test("StackedDevices tells which packets are shown above", () => {
  const devices = new StackedDevices(decode(PLAIN, BRIDGE, PORT, VLAN));
  assert.ok(!devices.isEmpty);
  assert.ok(devices.isShownAbove(4, -1), "the bridge shows it, too");
  assert.ok(devices.isShownAbove(4, 10));
  assert.ok(!devices.isShownAbove(3, -1), "the bridge itself");
  assert.ok(devices.isShownAbove(2, 10), "the VLAN shows it, too");
  assert.ok(!devices.isShownAbove(2, -1), "no VLAN");
  assert.ok(!devices.isShownAbove(2, 11), "another VLAN");
  assert.ok(!devices.isShownAbove(5, -1), "the VLAN itself");
});

Deno.test("StackedDevices leaves parts alone whose packets are shown once", () => {
  const vrf = message(3, [18, attributes([1, text("vrf")])]);
  const devices = new StackedDevices(decode(vrf, PORT));
  assert.ok(devices.isEmpty);
  assert.ok(!devices.isShownAbove(4, -1));
});
