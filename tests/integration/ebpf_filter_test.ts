import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { SK_BUFF } from "../../bpf/extended/context.ts";
import { FILTER_FLAG } from "../../bpf/programs/layout.ts";
import { KernelFilter } from "../../lib/trace/ebpf_filter.ts";
import { PrivateNetwork } from "../support/network.ts";
import { ebpfTest, netnsOf, Tap, UdpSocket } from "./ebpf_support.ts";

const TCP = 6;
const UDP = 17;
const ICMP = 1;
const ICMPV6 = 58;
const SCTP = 132;

const HOST = 0;
const MULTICAST = 2;
const OTHERHOST = 3;
const OUTGOING = 4;

type Family = 4 | 6;

/** A transport header with its addresses. */
interface Flow {
  readonly family: Family;
  readonly protocol: number;
  /** Last byte of the addresses. */
  readonly source: number;
  readonly destination: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Words of IPv4 options; number of IPv6 extension headers. */
  readonly extras: number;
}

type Fragment =
  | { readonly kind: "whole" | "atomic" }
  | { readonly kind: "first" | "later"; readonly id: number };

/** A packet to be made. */
interface Spec extends Flow {
  readonly direction: number;
  /** Tags in the packet; `late` means the header follows the type at once. */
  readonly tags: 0 | 1 | 2 | "late";
  readonly fragment: Fragment;
  /** Quoted in an ICMP error of this type. */
  readonly error?: number;
  /** Cut to so many bytes after the Ethernet header. */
  readonly cut?: number;
}

interface Rules {
  readonly connections: readonly Flow[];
  readonly ports: readonly (readonly [protocol: number, port: number])[];
  readonly remotes: readonly Flow[];
  readonly flags: number;
}

function address(family: Family, last: number): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set(
    family === 4 ? [0xff, 0xff, 10, 0, 0, last] : [0, 0, 0, 0, 0, last],
    10,
  );
  if (family === 6) bytes[0] = 0xfd;
  return bytes;
}

const EXTENSIONS = [0, 60, 43, 51, 135, 139, 140] as const;

/** IP header, extension headers and the first bytes behind them. */
function ipBytes(spec: Spec | Flow, payload: readonly number[]): number[] {
  const { family, protocol, extras } = spec;
  const fragment = "fragment" in spec ? spec.fragment : { kind: "whole" };
  const isPart = fragment.kind === "first" || fragment.kind === "later";
  const id = isPart ? (fragment as { id: number }).id : 7;
  const later = fragment.kind === "later";
  if (family === 4) {
    const length = 20 + extras * 4 + payload.length;
    const flags = later ? 0x0010 : isPart ? 0x2000 : 0x4000;
    return [
      ...[0x45 + extras, 0, length >> 8, length & 255, 0, id],
      ...[flags >> 8, flags & 255, 64, protocol, 0, 0],
      ...address(4, spec.source).subarray(12),
      ...address(4, spec.destination).subarray(12),
      ...new Array(extras * 4).fill(1),
      ...payload,
    ];
  }
  // Header kinds in order; each header names the next one.
  const kinds = EXTENSIONS.slice(0, extras) as number[];
  if (fragment.kind !== "whole") kinds.splice(Math.min(2, extras), 0, 44);
  const chain = [...kinds, protocol];
  const headers = kinds.flatMap((kind, i) => {
    const next = chain[i + 1]!;
    if (kind === 44) {
      const offset = later ? 0x0010 : isPart ? 0x0001 : 0;
      return [next, 0, offset >> 8, offset & 255, 1, 2, 3, id];
    }
    // AH counts in 4 bytes: both are 16 bytes long.
    return [next, kind === 51 ? 2 : 1, ...new Array(14).fill(0)];
  });
  // Later fragments have nothing behind the fragment header.
  const at = kinds.indexOf(44);
  const body = [...headers, ...payload];
  if (later) {
    const end = kinds.slice(0, at).length * 16 + 8;
    body.splice(end, Infinity, ...new Array(16).fill(0xee));
  }
  return [
    ...[0x60, 0, 0, 0, body.length >> 8, body.length & 255, chain[0]!, 64],
    ...address(6, spec.source),
    ...address(6, spec.destination),
    ...body,
  ];
}

function ports({ sourcePort, destinationPort }: Flow): number[] {
  return [
    ...[sourcePort >> 8, sourcePort & 255],
    ...[destinationPort >> 8, destinationPort & 255],
    ...[0, 0, 0, 0],
  ];
}

function packetBytes(spec: Spec): Uint8Array<ArrayBuffer> {
  const later = spec.fragment.kind === "later";
  let ip: number[];
  if (spec.error === undefined) {
    ip = ipBytes(spec, later ? new Array(16).fill(0xee) : ports(spec));
  } else {
    // The error goes back to the quoted packet's source, perhaps from a hop.
    const quoted = ipBytes({
      ...spec,
      fragment: { kind: "whole" },
    }, ports(spec));
    ip = ipBytes({
      ...spec,
      protocol: spec.family === 4 ? ICMP : ICMPV6,
      source: 200,
      destination: spec.source,
      extras: 0,
    }, [spec.error, 0, 0, 0, 0, 0, 0, 0, ...quoted]);
  }
  const type = spec.family === 4 ? [0x08, 0x00] : [0x86, 0xdd];
  const tag = [0x81, 0x00];
  const head = spec.tags === 0
    ? type
    : spec.tags === "late"
    ? tag
    : spec.tags === 1
    ? [...tag, 0, 5, ...type]
    : [0x88, 0xa8, 0, 9, ...tag, 0, 5, ...type];
  const body = [...head.slice(2), ...ip];
  // Destination 00:00:00:00:00:00 is the loopback interface itself.
  return Uint8Array.from([
    ...new Array(12).fill(0),
    ...head.slice(0, 2),
    ...body.slice(0, spec.cut ?? body.length),
  ]);
}

/** The specification of the filter, in terms of how packets are made. */
class Reference {
  readonly #rules: Rules;
  readonly #hasLoopback: boolean;
  readonly #fragments = new Map<string, boolean>();

  constructor(rules: Rules, hasLoopback: boolean) {
    this.#rules = rules;
    this.#hasLoopback = hasLoopback;
  }

  accepts(spec: Spec): boolean {
    const { direction, fragment } = spec;
    if (direction === OTHERHOST) return false;
    const isOutgoing = direction === OUTGOING;
    const fragmentKey = "id" in fragment
      ? [
        ...[spec.family, spec.source, spec.destination, fragment.id],
        ...[afterFragmentHeader(spec), isOutgoing],
      ].join()
      : "";
    if (fragment.kind === "later") {
      const mayBe = spec.family === 6 || hasPorts(spec);
      return mayBe && (this.#fragments.get(fragmentKey) ?? true);
    }
    const wanted = this.#wants(spec, isOutgoing);
    if (fragment.kind !== "first" || !hasPorts(spec)) return wanted;
    this.#fragments.set(fragmentKey, wanted);
    return true;
  }

  #wants(spec: Spec, isOutgoing: boolean): boolean {
    if (!hasPorts(spec)) return false;
    let fromSender = this.#matches(spec, false);
    let fromReceiver = this.#matches(spec, true);
    if (spec.error !== undefined) {
      if (!(this.#rules.flags & FILTER_FLAG.ICMP)) return false;
      const errors = spec.family === 4 ? [3, 4, 5, 11, 12] : [1, 2, 3, 4];
      if (!errors.includes(spec.error)) return false;
      [fromSender, fromReceiver] = [fromReceiver, fromSender];
    }
    if (isOutgoing) return fromSender;
    return fromReceiver && !(this.#hasLoopback && fromSender);
  }

  #matches(flow: Flow, isSwapped: boolean): boolean {
    const { connections, ports, remotes, flags } = this.#rules;
    const own = isSwapped ? swapped(flow) : flow;
    return connections.some((rule) => isSame(rule, own)) ||
      ports.some(([protocol, port]) =>
        protocol === own.protocol && port === own.sourcePort
      ) ||
      remotes.some((rule) =>
        rule.family === own.family && rule.protocol === own.protocol &&
        rule.destination === own.destination &&
        rule.destinationPort === own.destinationPort
      ) ||
      own.protocol === TCP && (flags & FILTER_FLAG.ALL_TCP) !== 0 ||
      own.protocol === UDP && (flags & FILTER_FLAG.ALL_UDP) !== 0;
  }
}

/** What a fragment header names next, see {@linkcode ipBytes}. */
function afterFragmentHeader({ family, extras, protocol }: Spec): number {
  return family === 6 && extras > 2 ? EXTENSIONS[2] : protocol;
}

/** Whether the filter gets to the ports. */
function hasPorts({ protocol, family, extras, fragment }: Spec): boolean {
  if (protocol !== TCP && protocol !== UDP) return false;
  const headers = extras + (fragment.kind === "whole" ? 0 : 1);
  return family === 4 || headers <= 8;
}

function swapped(flow: Flow): Flow {
  return {
    ...flow,
    source: flow.destination,
    destination: flow.source,
    sourcePort: flow.destinationPort,
    destinationPort: flow.sourcePort,
  };
}

function isSame(a: Flow, b: Flow): boolean {
  return a.family === b.family && a.protocol === b.protocol &&
    a.source === b.source && a.destination === b.destination &&
    a.sourcePort === b.sourcePort && a.destinationPort === b.destinationPort;
}

function applyRules(filter: KernelFilter, rules: Rules): void {
  for (const map of [filter.maps.conns, filter.maps.ports]) clear(map);
  clear(filter.maps.remotes);
  clear(filter.maps.fragments);
  filter.setFlags(0xffff_ffff, false);
  filter.setFlags(rules.flags, true);
  for (const flow of rules.connections) {
    filter.addConnection(
      flow.protocol,
      { address: address(flow.family, flow.source), port: flow.sourcePort },
      {
        address: address(flow.family, flow.destination),
        port: flow.destinationPort,
      },
    );
  }
  for (const [protocol, port] of rules.ports) filter.setPort(protocol, port);
  for (const flow of rules.remotes) {
    filter.addRemote(flow.protocol, {
      address: address(flow.family, flow.destination),
      port: flow.destinationPort,
    });
  }
}

function clear(map: KernelFilter["maps"]["conns"]): void {
  for (const key of map.keys()) map.delete(key);
}

// Few values, so that packets, rules and fragments meet.
const somePort = fc.constantFrom(80, 443, 40000);
const someHost = fc.constantFrom(1, 2);
const flow: fc.Arbitrary<Flow> = fc.record({
  family: fc.constantFrom<Family>(4, 6),
  protocol: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(TCP, UDP) },
    { weight: 1, arbitrary: fc.constant(SCTP) },
  ),
  source: someHost,
  destination: someHost,
  sourcePort: somePort,
  destinationPort: somePort,
  extras: fc.nat(7),
});
const fragment: fc.Arbitrary<Fragment> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: "whole" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "atomic" as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom("first" as const, "later" as const),
      id: fc.constantFrom(1, 2),
    }),
  },
);
const spec: fc.Arbitrary<Spec> = fc.tuple(
  flow,
  fc.constantFrom(HOST, HOST, MULTICAST, OTHERHOST, OUTGOING, OUTGOING),
  fc.constantFrom<Spec["tags"]>(0, 0, 0, 1, 2, "late"),
  fragment,
  fc.option(fc.nat(13), { nil: undefined, freq: 3 }),
).map(([flow, direction, tags, fragment, error]): Spec => ({
  ...flow,
  direction,
  tags,
  // IPv4 has no atomic fragments; errors are sent whole here.
  fragment: error !== undefined || flow.family === 4 &&
      fragment.kind === "atomic"
    ? { kind: "whole" }
    : fragment,
  ...(error === undefined ? {} : { error }),
}));
const rules: fc.Arbitrary<Rules> = fc.record({
  connections: fc.array(flow, { maxLength: 3 }),
  ports: fc.array(fc.tuple(fc.constantFrom(TCP, UDP), somePort), {
    maxLength: 1,
  }),
  remotes: fc.array(flow, { maxLength: 1 }),
  flags: fc.constantFrom(
    0,
    FILTER_FLAG.ICMP,
    FILTER_FLAG.ICMP,
    FILTER_FLAG.ALL_TCP,
    FILTER_FLAG.ALL_UDP | FILTER_FLAG.ICMP,
  ),
});

// A test run cannot set the packet type, but the mark.
const byMark = { packetType: SK_BUFF.mark } as const;

function runOn(filter: KernelFilter, spec: Spec): number {
  const context = new Uint8Array(192);
  context[SK_BUFF.mark.offset] = spec.direction;
  return filter.program.testRun(packetBytes(spec), { context }).result;
}

for (const hasLoopback of [true, false]) {
  const where = hasLoopback ? "the loopback" : "another";
  ebpfTest(
    `packet filter agrees with its specification on ${where} interface`,
    () => {
      using filter = new KernelFilter({
        ...byMark,
        loopbackIndex: hasLoopback ? 1 : 99,
      });
      filter.open(1234);
      fc.assert(
        fc.property(
          rules,
          fc.array(spec, { minLength: 1, maxLength: 40 }),
          (rules, specs) => {
            applyRules(filter, rules);
            const reference = new Reference(rules, hasLoopback);
            for (const spec of specs) {
              equal(
                runOn(filter, spec),
                reference.accepts(spec) ? 1234 : 0,
                JSON.stringify(spec),
              );
            }
          },
        ),
        { numRuns: 300 },
      );
    },
  );
}

ebpfTest("packet filter needs the ports of a packet and nothing behind", () => {
  using filter = new KernelFilter(byMark);
  filter.open();
  const flags = FILTER_FLAG.ALL_TCP | FILTER_FLAG.ALL_UDP | FILTER_FLAG.ICMP;
  filter.setFlags(flags, true);
  const reference = new Reference(
    { connections: [], ports: [], remotes: [], flags },
    true,
  );
  const isWithPorts = ({ fragment }: Spec): boolean =>
    fragment.kind !== "later";
  fc.assert(
    fc.property(spec.filter(isWithPorts), fc.nat(8), (spec, missing) => {
      // Four bytes follow the ports. The kernel wants a whole IP header.
      const cut = packetBytes(spec).length - 14 - missing;
      const accepted = runOn(filter, { ...spec, cut }) > 0;
      equal(accepted, missing <= 4 && reference.accepts(spec));
    }),
    { numRuns: 1000 },
  );
});

ebpfTest(
  "packet filter lets nothing through before open() and after shut()",
  () => {
    using filter = new KernelFilter(byMark);
    filter.setFlags(FILTER_FLAG.ALL_TCP, true);
    const packet: Spec = {
      ...{ family: 4, protocol: TCP, source: 1, destination: 2, extras: 0 },
      ...{ sourcePort: 1, destinationPort: 2, direction: OUTGOING, tags: 0 },
      fragment: { kind: "whole" },
    };
    equal(runOn(filter, packet), 0);
    filter.open();
    equal(runOn(filter, packet), 0x4_0000);
    filter.open(96);
    equal(runOn(filter, packet), 96);
    filter.shut();
    equal(runOn(filter, packet), 0);
  },
);

/** Shows packets as `sent 40000>53` and the like. */
function summary(tap: Tap): string[] {
  return tap.drain().map(({ type, bytes }) => {
    const view = new DataView(bytes.buffer);
    const length = bytes[0]! >> 4 === 4 ? (bytes[0]! & 15) * 4 : 40;
    return `${type === OUTGOING ? "sent" : "received"} ${
      view.getUint16(length)
    }>${view.getUint16(length + 2)}`;
  });
}

ebpfTest(
  "packet filter takes each packet on the loopback interface once",
  async () => {
    for (const host of ["127.0.0.1", "::1"]) {
      using filter = new KernelFilter();
      using tap = new Tap(filter.program.fd);
      await using client = await UdpSocket.open(host);
      await using server = await UdpSocket.open(host);
      const [c, s] = [client.port, server.port];
      const exchange = async (): Promise<void> => {
        await client.send(10, s);
        await server.send(10, c);
      };
      filter.open();
      await exchange();
      deepEqual(summary(tap), []);
      filter.setPort(UDP, c);
      await exchange();
      deepEqual(summary(tap), [`sent ${c}>${s}`, `received ${s}>${c}`]);
      filter.setPort(UDP, s);
      await exchange();
      deepEqual(summary(tap), [`sent ${c}>${s}`, `sent ${s}>${c}`]);
      filter.removePort(UDP, c);
      await exchange();
      deepEqual(summary(tap), [`received ${c}>${s}`, `sent ${s}>${c}`]);
    }
  },
);

ebpfTest(
  "packet filter takes first fragments, and later ones of wanted packets",
  async () => {
    await using network = await PrivateNetwork.create();
    await network.run("ip", "link", "set", "lo", "mtu", "1500");
    using filter = new KernelFilter();
    using tap = new Tap(filter.program.fd, netnsOf({ network }));
    filter.open();
    filter.setPort(UDP, 5001);
    // 4,000 bytes of payload make three fragments.
    const script = `
    for (const hostname of ["127.0.0.1", "::1"]) {
      for (const port of [5001, 5002]) {
        const to = { transport: "udp", hostname, port: 5003 };
        const socket = Deno.listenDatagram({ ...to, port });
        await socket.send(new Uint8Array(4000), to);
      }
    }`;
    await network.run(Deno.execPath(), "eval", "--unstable-net", script);
    const packets = tap.drain();
    const fragments = packets.filter(({ bytes }) =>
      bytes[0]! >> 4 === 4 ? bytes[9] === UDP : bytes[6] === 44
    );
    const isFirst = ({ bytes }: { bytes: Uint8Array }): boolean =>
      bytes[0]! >> 4 === 4
        ? (bytes[6]! << 8 | bytes[7]!) === 0x2000
        : (bytes[42]! << 8 | bytes[43]!) === 1;
    // All first ones, which tell whose the later ones are.
    const later = fragments.filter((packet) => !isFirst(packet));
    deepEqual(later.map(({ type }) => type), new Array(4).fill(OUTGOING));
    equal(fragments.length - later.length, 8);
  },
);

ebpfTest(
  "packet filter takes ICMP errors about wanted packets when asked to",
  async () => {
    for (const host of ["127.0.0.1", "::1"]) {
      using filter = new KernelFilter();
      using tap = new Tap(filter.program.fd);
      await using wanted = await UdpSocket.open(host);
      await using other = await UdpSocket.open(host);
      const closed = await UdpSocket.open(host);
      await closed[Symbol.asyncDispose]();
      filter.open();
      filter.setPort(UDP, wanted.port);
      const send = async (): Promise<number[]> => {
        await wanted.send(10, closed.port);
        await other.send(10, closed.port);
        return tap.drain().map(({ bytes }) =>
          bytes[0]! >> 4 === 4 ? bytes[9]! : bytes[6]!
        );
      };
      deepEqual(await send(), [UDP]);
      filter.setFlags(FILTER_FLAG.ICMP, true);
      deepEqual(await send(), [UDP, host === "::1" ? ICMPV6 : ICMP]);
    }
  },
);
