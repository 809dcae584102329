import assert from "node:assert/strict";
import { VerdictCache } from "../../../../lib/capture/verdict_cache.ts";

const NETWORK = 96;
const OUTGOING = 4;
const TCP = 6;
const UDP = 17;
const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;

/** What a packet in a ring is like. */
interface Shape {
  readonly version?: 4 | 6;
  readonly protocol?: number;
  readonly source?: number;
  readonly destination?: number;
  readonly ports?: readonly [number, number];
  readonly flags?: number;
  readonly type?: number;
  readonly interface?: number;
  readonly seconds?: number;
  readonly nanoseconds?: number;
  readonly length?: number;
  /** IHL and version of IPv4. */
  readonly first?: number;
  readonly fragment?: number;
  readonly status?: number;
  readonly networkAt?: number;
}

/** A ring with one packet. */
class OnePacket {
  readonly #bytes = new Uint8Array(256);
  readonly words = new Int32Array(this.#bytes.buffer);
  readonly at = 0;
  networkAt = NETWORK;

  get interfaceIndex(): number {
    return this.words[13]!;
  }

  see(shape: Shape): void {
    const { version = 4, protocol = UDP, ports = [1000, 53] } = shape;
    const { networkAt = NETWORK } = shape;
    const bytes = this.#bytes;
    const view = new DataView(bytes.buffer);
    bytes.fill(0);
    this.networkAt = networkAt;
    view.setUint32(4, shape.seconds ?? 100, true);
    view.setUint32(8, shape.nanoseconds ?? 0, true);
    view.setUint32(12, shape.length ?? 100, true);
    view.setUint32(20, shape.status ?? 1, true);
    view.setUint16(50, version === 4 ? 0x0800 : 0x86dd);
    view.setUint32(52, shape.interface ?? 1, true);
    bytes[58] = shape.type ?? OUTGOING;
    let transport: number;
    if (version === 4) {
      bytes[networkAt] = shape.first ?? 0x45;
      view.setUint16(networkAt + 6, shape.fragment ?? 0x4000);
      bytes[networkAt + 9] = protocol;
      bytes[networkAt + 15] = shape.source ?? 1;
      bytes[networkAt + 19] = shape.destination ?? 2;
      transport = networkAt + 20;
    } else {
      bytes[networkAt] = 0x60;
      bytes[networkAt + 6] = protocol;
      // One byte of each word in turn must not be overlooked.
      bytes[networkAt + 8] = shape.source ?? 1;
      bytes[networkAt + 39] = shape.destination ?? 2;
      transport = networkAt + 40;
    }
    view.setUint16(transport, ports[0]);
    view.setUint16(transport + 2, ports[1]);
    if (protocol === TCP) bytes[transport + 13] = shape.flags ?? ACK;
  }
}

/**
 * A cache that was told of one packet: owner 7, sent, flow 3, slot 11, since
 * 100 s.
 */
function remembered(shape: Shape): [VerdictCache, OnePacket] {
  const ring = new OnePacket();
  const cache = new VerdictCache(ring);
  ring.see(shape);
  assert.equal(cache.find(5), false);
  cache.remember(5, 7, true, 3, 11, 100, 0);
  return [cache, ring];
}

for (
  const shape of [
    { version: 4, protocol: UDP },
    { version: 4, protocol: TCP },
    { version: 6, protocol: UDP },
    { version: 6, protocol: TCP },
  ] as const
) {
  const name = `IPv${shape.version} protocol ${shape.protocol}`;

  Deno.test(`VerdictCache knows more packets of a flow: ${name}`, () => {
    const [cache, ring] = remembered(shape);
    ring.see({ ...shape, seconds: 200, nanoseconds: 5 });
    assert.ok(cache.find(5));
    const { owner, sent, flow, slot, ends } = cache;
    assert.deepEqual(
      { owner, sent, flow, slot, ends },
      { owner: 7, sent: true, flow: 3, slot: 11, ends: 0 },
    );
  });

  Deno.test(`VerdictCache knows no other packets: ${name}`, () => {
    const [cache, ring] = remembered(shape);
    const others: readonly Shape[] = [
      { source: 9 },
      { destination: 9 },
      { ports: [1001, 53] },
      { ports: [1000, 54] },
      { type: 0 },
      { interface: 2 },
      { seconds: 99, nanoseconds: 999_999_999 },
      { protocol: shape.protocol === TCP ? UDP : TCP },
      { status: 0x11 },
      { networkAt: NETWORK + 2 },
      { length: 27 },
    ];
    for (const other of others) {
      ring.see({ ...shape, ...other });
      assert.equal(cache.find(5), false, JSON.stringify(other));
    }
    ring.see(shape);
    assert.equal(cache.find(6), false, "another stamp");
    cache.clear();
    assert.equal(cache.find(5), false, "cleared");
  });
}

for (
  const shape of [
    { protocol: 1 },
    { first: 0x46 },
    { fragment: 0x2000 },
    { fragment: 0x0001 },
    { protocol: TCP, flags: SYN },
    { protocol: TCP, flags: SYN | ACK | FIN },
    { version: 6, protocol: TCP, flags: SYN | ACK },
    { version: 6, protocol: 44 },
    { protocol: TCP, length: 33 },
  ] as const
) {
  Deno.test(`VerdictCache leaves out ${JSON.stringify(shape)}`, () => {
    const [cache, ring] = remembered(shape);
    ring.see(shape);
    assert.equal(cache.find(5), false);
  });
}

Deno.test("VerdictCache learns from the SYN, and tells of ends", () => {
  for (const version of [4, 6] as const) {
    const shape = { version, protocol: TCP };
    const [cache, ring] = remembered({ ...shape, flags: SYN });
    for (const ends of [0, FIN, RST, FIN | RST]) {
      ring.see({ ...shape, flags: ACK | ends });
      assert.ok(cache.find(5));
      assert.equal(cache.ends, ends);
    }
  }
});

Deno.test("VerdictCache has room for the connections of a busy server", () => {
  for (const version of [4, 6] as const) {
    const ring = new OnePacket();
    const cache = new VerdictCache(ring);
    const shapes: Shape[] = [];
    // Both directions, with the ports that Linux gives to clients: even ones.
    for (let port = 32768; port < 32768 + 512; port += 2) {
      const common = { version, protocol: TCP, source: 1, destination: 1 };
      shapes.push({ ...common, ports: [port, 8080], type: 0 });
      shapes.push({ ...common, ports: [8080, port], type: OUTGOING });
    }
    for (const shape of shapes) {
      ring.see(shape);
      cache.find(1);
      cache.remember(1, 0, true, 0, 0, 0, 0);
    }
    const known = shapes.filter((shape) => {
      ring.see(shape);
      return cache.find(1);
    });
    assert.ok(known.length > 0.85 * shapes.length, `${known.length} are known`);
  }
});
