import assert from "node:assert/strict";
import fc from "fast-check";
import { compileCaptureFilter } from "../../bpf/capture_filter.ts";
import { type Instruction, statement } from "../../bpf/classic/instruction.ts";
import type { PacketView } from "../../bpf/classic/packet_view.ts";
import {
  formatC,
  formatDecimal,
  formatListing,
  parseDecimal,
} from "../../bpf/classic/text.ts";
import { findViolation } from "../../bpf/classic/validate.ts";
import { ClassicMachine } from "../../bpf/classic/vm.ts";
import { PrivateNetwork } from "../support/network.ts";
import {
  isContinuousIntegration,
  missing,
  type Requirement,
} from "../support/requires.ts";
import { acceptedBy } from "../unit/bpf/accepted_by.ts";
import { captureRules } from "../unit/bpf/capture_rules.ts";
import {
  doubtfulPrograms,
  type LoadOffsets,
  validPrograms,
} from "../unit/bpf/classic/random_programs.ts";
import {
  innerEthertype,
  type PacketDescription,
  packets,
  startsWithTag,
  tagBytes,
  viewOf,
} from "../unit/bpf/packets.ts";
import type { SeccompTask } from "./bpf_kernel_seccomp.ts";
import { PacketSockets, socketPair } from "./bpf_kernel_sockets.ts";

function kernelTest(
  name: string,
  needs: readonly Requirement[],
  body: () => void | Promise<void>,
): void {
  const reason = missing(needs);
  const skip = reason !== undefined && !isContinuousIntegration();
  Deno.test(skip ? `${name} (skipped: ${reason})` : name, {
    ignore: skip,
  }, body);
}

/** Long enough for every verdict that {@linkcode byteOfA} gives. */
const PACKET_LENGTH = 300;

/** Loads around the start and the end of a packet. */
const PLAIN_OFFSETS: LoadOffsets = {
  direct: fc.oneof(
    fc.nat(40),
    fc.integer({ min: PACKET_LENGTH - 6, max: PACKET_LENGTH + 2 }),
    fc.constantFrom(0x7fffffff, 0x7ffffffc),
  ),
  atX: fc.oneof(fc.nat(40), fc.integer({ min: PACKET_LENGTH - 40, max: 300 })),
};

/** The program with the verdict "one byte of A, plus one". */
function byteOfA(
  program: readonly Instruction[],
  byte: number,
): Instruction[] {
  return [
    ...program.slice(0, -1),
    statement(0x74, 8 * byte),
    statement(0x54, 0xff),
    statement(0x04, 1),
    statement(0x16),
  ];
}

/** What a socket receives of a packet by the interpreter's verdict. */
function expectedLength(
  program: readonly Instruction[],
  view: PacketView,
): number {
  const length = view.bytes.length - (view.start ?? 0);
  return Math.min(length, new ClassicMachine(program).run(view));
}

function fillTo(length: number, start: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length).fill(0x5a);
  bytes.set(start);
  return bytes;
}

kernelTest("Linux takes and refuses the programs that we do", [], () => {
  let refused = 0;
  let taken = 0;
  const [sender, receiver] = socketPair();
  using _sender = sender;
  using _receiver = receiver;
  fc.assert(
    fc.property(doubtfulPrograms(PLAIN_OFFSETS, 40), (program) => {
      const found = findViolation(program);
      assert.equal(
        receiver.attach(program),
        found === undefined,
        `${found?.message ?? "valid"}\n${formatListing(program)}`,
      );
      if (found === undefined) taken++;
      else refused++;
    }),
    { numRuns: 5000 },
  );
  assert.ok(taken > 500 && refused > 500, `${taken}, ${refused}`);
});

kernelTest("Linux gives the verdicts that we give", [], () => {
  const [sender, receiver] = socketPair();
  using _sender = sender;
  using _receiver = receiver;
  const start = fc.uint8Array({ minLength: 60, maxLength: 60 });
  const verdicts = new Set<number>();
  fc.assert(
    fc.property(validPrograms(PLAIN_OFFSETS, 60), start, (body, first) => {
      const bytes = fillTo(PACKET_LENGTH, first);
      for (let byte = 0; byte < 4; byte++) {
        const program = byteOfA(body, byte);
        assert.ok(receiver.attach(program), formatListing(program));
        sender.send(bytes);
        const received = receiver.receive();
        verdicts.add(received);
        assert.equal(
          received,
          expectedLength(program, { bytes }),
          formatListing(program),
        );
      }
    }),
    { numRuns: 3000 },
  );
  assert.ok(verdicts.size > 250, `${verdicts.size} different verdicts`);
});

kernelTest("Linux returns A where a packet has no interface", [], () => {
  const [sender, receiver] = socketPair();
  using _sender = sender;
  using _receiver = receiver;
  for (const offset of [-0x1000 + 8, -0x1000 + 28]) {
    const program = [
      statement(0x00, 5),
      statement(0x20, offset),
      statement(0x06, 7),
    ];
    assert.ok(receiver.attach(program));
    const bytes = new Uint8Array(9);
    sender.send(bytes);
    assert.equal(receiver.receive(), expectedLength(program, { bytes }));
  }
});

kernelTest("Linux takes capture filters of any number of ports", [], () => {
  const [sender, receiver] = socketPair();
  using _sender = sender;
  using _receiver = receiver;
  for (const count of [0, 1, 2, 10, 119, 300, 1000, 3000, 30000, 65536]) {
    // An odd factor visits every port once.
    const tcpPorts = Array.from(
      { length: count },
      (_, index) => index * 40503 % 65536,
    ).sort((a, b) => a - b);
    const program = compileCaptureFilter(
      { tcpPorts, udpPorts: tcpPorts.slice(0, 100), remotes: [] },
      { snaplen: 0 },
    );
    assert.ok(receiver.attach(program), `${count} ports`);
  }
});

/**
 * Two interface pairs in a network of their own: what is sent on `near` is
 * received on `far`; what is sent on `out` is seen there as outgoing.
 */
class Cables implements AsyncDisposable {
  readonly #network: PrivateNetwork;
  readonly sockets: PacketSockets;

  private constructor(network: PrivateNetwork) {
    this.#network = network;
    const path = network.prefix[1]!.replace("--net=", "");
    this.sockets = new PacketSockets(path);
  }

  static async create(): Promise<Cables> {
    const network = await PrivateNetwork.create();
    // No addresses, no IPv6: the kernel says nothing by itself.
    await network.run(
      ...["sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6"],
    );
    for (const [name, peer] of [["near", "far"], ["out", "away"]] as const) {
      await network.run(
        ...["ip", "link", "add", name, "address", mac(NEAR), "type", "veth"],
        ...["peer", "name", peer, "address", mac(FAR)],
      );
      await network.run("ip", "link", "set", name, "up");
      await network.run("ip", "link", "set", peer, "up");
    }
    return new Cables(network);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#network[Symbol.asyncDispose]();
  }
}

const NEAR = [0x02, 0, 0, 0, 0, 1];
const FAR = [0x02, 0, 0, 0, 0, 2];

/** Destination of a frame, by the packet type that its receiver sees. */
const DESTINATIONS: Readonly<Record<number, readonly number[]>> = {
  0: FAR,
  1: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  2: [0x01, 0, 0x5e, 0, 0, 1],
  3: [0x02, 0, 0, 0, 0, 3],
  4: FAR,
};

function mac(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

function u16(value: number): number[] {
  return [value >> 8, value & 0xff];
}

/** The frame that is sent so that a packet socket sees the packet. */
function frameOf(packet: PacketDescription): Uint8Array<ArrayBuffer> {
  const { bytes } = viewOf(packet);
  const addresses = [...DESTINATIONS[packet.packetType]!, ...NEAR];
  if (packet.tags.length === 0) {
    return Uint8Array.of(
      ...addresses,
      ...u16(innerEthertype(packet)),
      ...bytes,
    );
  }
  // The receiving kernel takes one more tag out.
  const first = startsWithTag(packet)
    ? [0x81, 0x00, 0x00, 0x05, ...u16(packet.tags[0]!)]
    : [...u16(packet.tags[0]!), ...tagBytes(packet)];
  return Uint8Array.of(...addresses, ...first, ...bytes);
}

kernelTest(
  "Linux takes the packets that a capture filter should take",
  ["root", "network namespaces", "program ip", "program nsenter"],
  async () => {
    await using cables = await Cables.create();
    using near = cables.sockets.sender("near");
    using out = cables.sockets.sender("out");
    // The last one to bind gets packets first: when a packet has come to the
    // observer, the filter has judged it.
    using farObserver = cables.sockets.datagrams("far");
    using outObserver = cables.sockets.datagrams("out");
    using farFiltered = cables.sockets.datagrams("far");
    using outFiltered = cables.sockets.datagrams("out");
    const incoming = [near, farObserver, farFiltered] as const;
    const outgoing = [out, outObserver, outFiltered] as const;
    const snaplen = 50;
    let taken = 0;
    let dropped = 0;
    const batch = fc.array(packets, { minLength: 15, maxLength: 15 });
    fc.assert(
      fc.property(captureRules, batch, (rules, all) => {
        const program = compileCaptureFilter(rules, { snaplen });
        assert.ok(farFiltered.attach(program) && outFiltered.attach(program));
        for (const packet of all) {
          const view = viewOf(packet);
          // Linux drops frames that end in a VLAN tag.
          if (view.bytes.length < 8) continue;
          const [sender, observer, filtered] = packet.packetType === 4
            ? outgoing
            : incoming;
          sender.send(frameOf(packet));
          const bytes = observer.await();
          const length = filtered.receive();
          assert.deepEqual(bytes, view.bytes, JSON.stringify(packet));
          assert.equal(
            length,
            expectedLength(program, view),
            JSON.stringify(packet),
          );
          const expected = acceptedBy(rules, packet);
          if (expected === true) taken++;
          if (expected === false) dropped++;
          if (expected !== undefined) {
            assert.equal(length > 0, expected, JSON.stringify(packet));
          }
        }
      }),
      { numRuns: 200, endOnFailure: true },
    );
    assert.ok(taken > 300 && dropped > 300, `${taken}, ${dropped}`);
  },
);

/** Loads of headers by negative offsets and of metadata. */
const PACKET_OFFSETS: LoadOffsets = {
  direct: fc.oneof(
    PLAIN_OFFSETS.direct,
    fc.nat(310).map((offset) => offset - 0x100000),
    fc.nat(325).map((offset) => offset - 0x200000),
    // Protocol, type, interface, its type, VLAN tag, presence, and protocol.
    fc.constantFrom(0, 4, 8, 28, 40, 44, 48, 60).map((offset) =>
      offset - 0x1000
    ),
  ),
  atX: fc.oneof(
    PLAIN_OFFSETS.atX,
    fc.nat(100).map((offset) => offset - 0x100000),
    fc.nat(100).map((offset) => offset - 0x200000),
    fc.nat(100).map((offset) => -1 - offset),
  ),
};

kernelTest(
  "Linux reads headers and metadata as we do",
  ["root", "network namespaces", "program ip", "program nsenter"],
  async () => {
    await using cables = await Cables.create();
    const ifindex = cables.sockets.indexOf("far");
    using sender = cables.sockets.sender("near");
    using observer = cables.sockets.datagrams("far");
    using filtered = cables.sockets.datagrams("far");
    const frames = fc.record({
      packetType: fc.constantFrom(0, 1, 2, 3),
      tci: fc.constantFrom(undefined, 0, 5, 0xe123),
      protocol: fc.constantFrom(0x0800, 0x86dd, 0x0806, 0x88b5),
      start: fc.uint8Array({ minLength: 60, maxLength: 60 }),
    });
    const programs = validPrograms(PACKET_OFFSETS, 60);
    fc.assert(
      fc.property(programs, frames, (body, frame) => {
        const { packetType, tci, protocol } = frame;
        const payload = fillTo(PACKET_LENGTH, frame.start);
        const addresses = [...DESTINATIONS[packetType]!, ...NEAR];
        const tag = tci === undefined ? [] : [0x88, 0xa8, ...u16(tci)];
        const head = [...addresses, ...u16(protocol)];
        const view: PacketView = {
          bytes: Uint8Array.of(...head, ...payload),
          start: head.length,
          link: 0,
          packetType,
          protocol,
          ifindex,
          arphrd: 1,
          vlanPresent: tci !== undefined,
          vlanTci: tci ?? 0,
          vlanProtocol: tci === undefined ? 0 : 0x88a8,
        };
        for (let byte = 0; byte < 4; byte++) {
          const program = byteOfA(body, byte);
          assert.ok(filtered.attach(program), formatListing(program));
          sender.send(
            Uint8Array.of(...addresses, ...tag, ...u16(protocol), ...payload),
          );
          assert.deepEqual(observer.await(), payload);
          assert.equal(
            filtered.receive(),
            expectedLength(program, view),
            formatListing(program),
          );
        }
      }),
      { numRuns: 600 },
    );
  },
);

/** Calls that take no arguments, so that any can be passed. */
const HARMLESS_CALLS = {
  x86_64: {
    auditArch: 0xc000003e,
    seccomp: 317,
    ...{ getuid: 102, getgid: 104, geteuid: 107, getegid: 108 },
  },
  aarch64: {
    auditArch: 0xc00000b7,
    seccomp: 277,
    ...{ getuid: 174, geteuid: 175, getgid: 176, getegid: 177 },
  },
} as const;

kernelTest("Linux traces the calls that a syscall filter should", [], () => {
  const numbers = HARMLESS_CALLS[Deno.build.arch];
  const args = (index: number, value: string): string[] => {
    return Array.from({ length: 6 }, (_, at) => at === index ? value : "0x0");
  };
  const cases: [nr: number, args: string[], traced: boolean][] = [
    [numbers.getuid, args(0, "0x0"), false],
    [numbers.getuid, args(3, "0x1"), false],
    [numbers.geteuid, args(0, "0x0"), true],
    [numbers.getgid, args(4, "0x0"), false],
    [numbers.getgid, args(4, "0x1"), true],
    [numbers.getgid, args(4, "0x100000000"), true],
    [numbers.getgid, args(3, "0x1"), false],
    [numbers.getegid, args(4, "0x1"), false],
  ];
  const task: SeccompTask = {
    architectures: [
      { auditArch: 0x40000003, calls: [{ nr: numbers.getuid }] },
      {
        auditArch: numbers.auditArch,
        calls: [
          { nr: numbers.geteuid },
          { nr: numbers.getgid, nonZeroArgument: 4 },
        ],
        ignoreBits: Deno.build.arch === "x86_64" ? 0x40000000 : 0,
      },
    ],
    seccomp: numbers.seccomp,
    calls: cases.map(([nr, args]) => ({ nr, args })),
  };
  const script = new URL("./bpf_kernel_seccomp.ts", import.meta.url);
  const { success, stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script.pathname, JSON.stringify(task)],
  }).outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
  assert.deepEqual(
    JSON.parse(new TextDecoder().decode(stdout)),
    cases.map(([, , traced]) => traced),
  );
});

/** Filters that use all of libpcap's code generator. */
const EXPRESSIONS = [
  "tcp port 80",
  "ip6 and udp",
  "vlan 5 and host 192.0.2.1",
  "ether[14:4] & 0xff = 3 and len - 4 > 2",
  "ip[0] << 2 = -ip[1]|3^4 and (len % 3)*ip[2]/7 = 5",
  "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and not src net 10.0.0.0/8",
  "greater 100 and portrange 1000-2000",
];

function tcpdump(...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command("tcpdump", {
    args: ["-y", "EN10MB", ...args],
    stderr: "piped",
  }).outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

kernelTest("tcpdump prints programs as we do", ["program tcpdump"], () => {
  for (const expression of EXPRESSIONS) {
    for (const options of [[], ["-O"]]) {
      const decimal = tcpdump("-ddd", ...options, expression);
      const program = parseDecimal(decimal);
      assert.equal(findViolation(program), undefined);
      assert.equal(formatDecimal(program), decimal);
      assert.equal(formatC(program), tcpdump("-dd", ...options, expression));
      assert.equal(
        formatListing(program),
        tcpdump("-d", ...options, expression),
      );
    }
  }
});

kernelTest(
  "Programs of tcpdump mean the same optimized or not",
  ["program tcpdump"],
  () => {
    const frames = fc.sample(
      packets.filter(({ tags, packetType }) => {
        return tags.length === 0 || packetType !== 4;
      }),
      { numRuns: 300, seed: 7 },
    ).map(frameOf);
    for (const expression of EXPRESSIONS) {
      const [optimized, plain] = [[], ["-O"]].map((options) =>
        new ClassicMachine(
          parseDecimal(tcpdump("-ddd", ...options, expression)),
        )
      );
      for (const bytes of frames) {
        assert.equal(optimized!.run({ bytes }), plain!.run({ bytes }));
      }
    }
  },
);
