import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type CaptureRules,
  compileCaptureFilter,
  DROP_ALL,
  MIN_INSTRUCTIONS,
  type RemoteEndpoint,
} from "../../../bpf/capture_filter.ts";
import type { Instruction } from "../../../bpf/classic/instruction.ts";
import type { PacketView } from "../../../bpf/classic/packet_view.ts";
import { formatListing } from "../../../bpf/classic/text.ts";
import { validateClassic } from "../../../bpf/classic/validate.ts";
import { ClassicMachine } from "../../../bpf/classic/vm.ts";
import { acceptedBy } from "./accepted_by.ts";
import { captureRules, sortedUnique } from "./capture_rules.ts";
import { packets, viewOf } from "./packets.ts";

const NO_RULES: CaptureRules = { tcpPorts: [], udpPorts: [], remotes: [] };

/** Repeatable numbers from 0 to 1 (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let t = Math.imul(state ^ state >>> 15, 1 | state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  };
}

function randomPorts(count: number, seed = count): number[] {
  const random = randomOf(seed);
  const set = new Set<number>();
  while (set.size < count) set.add(Math.floor(random() * 65536));
  return [...set].sort((a, b) => a - b);
}

const samples = fc.array(packets, { minLength: 20, maxLength: 20 });

/** Local side of a received packet to a port. */
function verdictFor(
  program: readonly Instruction[],
  protocol: number,
  port: number,
): number {
  const bytes = new Uint8Array(40);
  bytes[0] = 0x45;
  bytes[9] = protocol;
  new DataView(bytes.buffer).setUint16(22, port);
  const view = { bytes, packetType: 0, protocol: 0x0800 };
  return new ClassicMachine(program).run(view);
}

Deno.test("compileCaptureFilter() takes just what the rules want", () => {
  let accepted = 0;
  let dropped = 0;
  fc.assert(
    fc.property(captureRules, samples, (wanted, batch) => {
      const program = compileCaptureFilter(wanted, { snaplen: 96 });
      const machine = new ClassicMachine(program);
      for (const packet of batch) {
        const verdict = machine.run(viewOf(packet));
        const expected = acceptedBy(wanted, packet);
        if (expected === undefined) continue;
        if (expected) accepted++;
        else dropped++;
        assert.equal(verdict, expected ? 96 : 0, JSON.stringify(packet));
      }
    }),
    { numRuns: 600 },
  );
  assert.ok(accepted > 1000 && dropped > 1000, `${accepted}, ${dropped}`);
});

Deno.test("compileCaptureFilter() takes no less when rules do not fit", () => {
  let surplus = 0;
  const many = fc.tuple(
    captureRules,
    fc.integer({ min: 0, max: 1500 }),
    fc.nat(),
  ).map(
    ([some, count, seed]): CaptureRules => ({
      ...some,
      tcpPorts: sortedUnique([...some.tcpPorts, ...randomPorts(count, seed)]),
      udpPorts: sortedUnique([...some.udpPorts, ...randomPorts(count, ~seed)]),
    }),
  );
  fc.assert(
    fc.property(
      many,
      fc.integer({ min: MIN_INSTRUCTIONS, max: 1500 }),
      samples,
      (wanted, maxInstructions, batch) => {
        const options = { snaplen: 96, maxInstructions };
        const program = compileCaptureFilter(wanted, options);
        assert.ok(program.length <= maxInstructions, `${program.length}`);
        const machine = new ClassicMachine(program);
        for (const packet of batch) {
          const verdict = machine.run(viewOf(packet));
          const expected = acceptedBy(wanted, packet);
          if (expected) assert.equal(verdict, 96, JSON.stringify(packet));
          else if (verdict > 0 && expected === false) surplus++;
          if (packet.packetType === 3) assert.equal(verdict, 0);
          const isForeign = packet.version === 1 ||
            packet.headers.length === 0 &&
              ![6, 17, 136, ...(wanted.icmp ? [1, 58] : [])].includes(
                packet.protocol,
              );
          if (isForeign) assert.equal(verdict, 0, JSON.stringify(packet));
        }
      },
    ),
    { numRuns: 200 },
  );
  assert.ok(surplus > 0);
});

Deno.test("compileCaptureFilter() drops all without rules", () => {
  assert.deepEqual(compileCaptureFilter(NO_RULES, { snaplen: 0 }), DROP_ALL);
  assert.deepEqual(DROP_ALL, [{ code: 0x06, jt: 0, jf: 0, k: 0 }]);
});

Deno.test("compileCaptureFilter() fits any number of ports", () => {
  for (const count of [1, 2, 10, 119, 300, 1000, 3000, 30000, 65536]) {
    const tcpPorts = randomPorts(count);
    const program = compileCaptureFilter(
      { ...NO_RULES, tcpPorts },
      { snaplen: 0 },
    );
    validateClassic(program);
    // A quarter of an instruction for the tree, and 270 for everything else.
    const limit = Math.min(4096, 270 + Math.ceil(1.3 * count));
    assert.ok(program.length <= limit, `${count}: ${program.length}`);
    const machine = new ClassicMachine(program);
    const set = new Set(tcpPorts);
    let surplus = 0;
    for (let port = 0; port < 65536; port++) {
      const bytes = new Uint8Array(24);
      bytes[0] = 0x45;
      bytes[9] = 6;
      bytes[22] = port >> 8;
      bytes[23] = port & 0xff;
      const taken = machine.run({ bytes, protocol: 0x0800 }) > 0;
      if (set.has(port)) assert.ok(taken, `${count}: port ${port}`);
      else if (taken) surplus++;
    }
    if (count <= 3000) assert.equal(surplus, 0);
    // Where ports are joined, the room is used.
    else if (count < 65536) assert.ok(program.length > 4096 * 0.96);
  }
});

/** A packet received from an address and port. */
function received(
  protocol: number,
  address: Uint8Array,
  port: number,
): PacketView {
  const isIpv4 = address.length === 4;
  const bytes = new Uint8Array(60);
  bytes[0] = isIpv4 ? 0x45 : 0x60;
  bytes[isIpv4 ? 9 : 6] = protocol;
  bytes.set(address, isIpv4 ? 12 : 8);
  new DataView(bytes.buffer).setUint16(isIpv4 ? 20 : 40, port);
  return { bytes, protocol: isIpv4 ? 0x0800 : 0x86dd };
}

Deno.test("compileCaptureFilter() compares every byte of a remote", () => {
  const first = Uint8Array.from({ length: 16 }, (_, index) => index + 1);
  for (const length of [4, 16]) {
    // Alike but for one byte, so that they share comparisons.
    const endpoints = Array.from({ length }, (_, index) => {
      const address = first.slice(0, length);
      address[index]! ^= 0x80;
      return { protocol: 6 as const, address, port: 443 };
    });
    const program = compileCaptureFilter(
      { ...NO_RULES, remotes: endpoints },
      { snaplen: 0 },
    );
    const machine = new ClassicMachine(program);
    const isTaken = (address: Uint8Array, port = 443): boolean =>
      machine.run(received(6, address, port)) > 0;
    assert.equal(isTaken(first.slice(0, length)), false);
    for (const { address } of endpoints) {
      assert.equal(isTaken(address), true);
      assert.equal(isTaken(address, 444), false);
      for (const index of address.keys()) {
        const other = address.slice();
        other[index]! ^= 0x08;
        assert.equal(isTaken(other), false);
      }
    }
  }
});

Deno.test("compileCaptureFilter() fits any number of remotes", () => {
  for (const count of [1, 2, 100, 700, 5000, 20000]) {
    const random = randomOf(count);
    const endpoints = Array.from({ length: count }, (_, index) => ({
      protocol: index % 3 === 0 ? 17 as const : 6 as const,
      address: Uint8Array.from(
        { length: index % 2 === 0 ? 4 : 16 },
        () => 1 + Math.floor(random() * 255),
      ),
      port: index % 5 === 0 ? 443 : Math.floor(random() * 65536),
    }));
    const program = compileCaptureFilter(
      { tcpPorts: [80], udpPorts: randomPorts(40), remotes: endpoints },
      { snaplen: 0 },
    );
    validateClassic(program);
    const machine = new ClassicMachine(program);
    for (const { protocol, address, port } of endpoints) {
      const view = received(protocol, address, port);
      assert.ok(machine.run(view) > 0);
      if (count > 100) continue;
      const other = address.map((byte) => byte ^ 0xff);
      assert.equal(machine.run(received(protocol, other, port)), 0);
    }
  }
});

Deno.test("compileCaptureFilter() keeps the snapshot length", () => {
  const wanted = { ...NO_RULES, udpPorts: [53] };
  const verdict = (snaplen: number): number =>
    verdictFor(compileCaptureFilter(wanted, { snaplen }), 17, 53);
  assert.equal(verdict(0), 0x7fffffff);
  assert.equal(verdict(1), 1);
  assert.equal(verdict(262144), 262144);
});

Deno.test("compileCaptureFilter() joins neighbors into ranges", () => {
  const tcpPorts = Array.from({ length: 5000 }, (_, index) => 30000 + index);
  const program = compileCaptureFilter(
    { ...NO_RULES, tcpPorts },
    { snaplen: 0 },
  );
  const single = compileCaptureFilter(
    { ...NO_RULES, tcpPorts: [30000] },
    { snaplen: 0 },
  );
  assert.equal(program.length, single.length + 1);
  assert.equal(verdictFor(program, 6, 29999), 0);
  assert.ok(verdictFor(program, 6, 34999) > 0);
  assert.equal(verdictFor(program, 6, 35000), 0);
  assert.equal(verdictFor(program, 17, 30000), 0);
});

Deno.test("compileCaptureFilter() gives IPv4 TCP the shortest way", () => {
  const program = compileCaptureFilter(
    { tcpPorts: [80], udpPorts: [53], remotes: [] },
    { snaplen: 0 },
  );
  assert.equal(
    formatListing(program.slice(0, 19)),
    `\
(000) ld       [proto]
(001) jeq      #0x800           jt 5	jf 2
(002) jeq      #0x86dd          jt 28	jf 3
(003) jeq      #0x8100          jt 46	jf 4
(004) jeq      #0x88a8          jt 46	jf 63
(005) ld       [6]
(006) and      #0x3fff00ff
(007) jeq      #0x6             jt 10	jf 8
(008) jeq      #0x11            jt 19	jf 9
(009) ja       102
(010) ldb      [0]
(011) jeq      #0x45            jt 12	jf 64
(012) ld       [type]
(013) jeq      #0x4             jt 17	jf 14
(014) jgt      #0x2             jt 63	jf 15
(015) ldh      [22]
(016) ja       317
(017) ldh      [20]
(018) ja       317
`,
  );
  assert.equal(
    formatListing(program).split("\n").slice(-5).join("\n"),
    `\
(317) jeq      #0x50            jt 319	jf 320
(318) jeq      #0x35            jt 319	jf 320
(319) ret      #2147483647
(320) ret      #0
`,
  );
});

Deno.test("compileCaptureFilter() refuses numbers out of range", () => {
  const compile =
    (rules: Partial<CaptureRules>, options = { snaplen: 0 }) => () =>
      compileCaptureFilter({ ...NO_RULES, ...rules }, options);
  const remote = (address: Uint8Array, port: number): RemoteEndpoint => ({
    protocol: 6,
    address,
    port,
  });
  assert.throws(compile({ tcpPorts: [65536] }), RangeError);
  assert.throws(compile({ udpPorts: [-1] }), RangeError);
  assert.throws(
    compile({ remotes: [remote(new Uint8Array(4), 65536)] }),
    RangeError,
  );
  assert.throws(compile({ remotes: [remote(new Uint8Array(5), 1)] }), {
    name: "TypeError",
    message: "Cannot compile filter: an address has 4 or 16 bytes, not 5",
  });
  for (const snaplen of [-1, 2 ** 31, 1.5]) {
    assert.throws(compile({ tcpPorts: [80] }, { snaplen }), RangeError);
  }
  for (const maxInstructions of [0, MIN_INSTRUCTIONS - 1, 4097, 600.5]) {
    const options = { snaplen: 0, maxInstructions };
    assert.throws(compile({ tcpPorts: [80] }, options), RangeError);
  }
});
