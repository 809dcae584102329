import assert from "node:assert/strict";
import fc from "fast-check";
import { readUint16 } from "../../../../lib/bytes/integers.ts";
import { LinkType } from "../../../../lib/bytes/link_type.ts";
import { formatAddress } from "../../../../lib/packet/address.ts";
import {
  addressBytes,
  FlowFields,
  Fragment,
} from "../../../../lib/packet/flow_fields.ts";
import { decodePacket, quotedFlowOf } from "../../../../lib/packet/packet.ts";
import { SAMPLES } from "./samples.ts";

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const ARP = 0x0806;
const VLAN = 0x8100;
const QINQ = 0x88a8;
const TCP = 6;
const UDP = 17;
const UDP_LITE = 136;
const WITH_PORTS: readonly number[] = [TCP, UDP, UDP_LITE];
const NAMES = new Map([[TCP, "tcp"], [UDP, "udp"], [UDP_LITE, "udplite"]]);

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION_OPTIONS = 60;

/** What a packet is known by, as text. */
interface Seen {
  readonly version: number;
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  readonly ports: string;
  readonly flags: number;
  readonly fragment: number;
  /** Unset for whole packets. */
  readonly id?: number;
}

/** Runs the code under test on `bytes` from `at` to `end`. */
function parse(
  bytes: Uint8Array,
  etherType: number,
  at = 0,
  end = bytes.length,
): Seen | undefined {
  const fields = new FlowFields();
  // What an earlier packet left must not show.
  fields.fragment = Fragment.LATER;
  fields.tcpFlags = 0xff;
  fields.sourcePort = fields.destinationPort = 0xdead;
  fields.source.fill(-1);
  fields.destination.fill(-1);
  if (!fields.parse(bytes, at, end, etherType)) return undefined;
  const { version, protocol, fragment, fragmentId } = fields;
  return {
    version,
    protocol,
    source: textOf(fields.source, version),
    destination: textOf(fields.destination, version),
    ports: `${fields.sourcePort} > ${fields.destinationPort}`,
    flags: fragment === Fragment.LATER ? 0 : fields.tcpFlags,
    fragment,
    ...(fragment === Fragment.NONE ? {} : { id: fragmentId }),
  };
}

function textOf(words: Int32Array, version: number): string {
  const bytes = addressBytes(words);
  if (version === 6) return formatAddress(bytes);
  assert.deepEqual([...bytes.subarray(0, 12)], [
    ...Array(10).fill(0),
    255,
    255,
  ]);
  return formatAddress(bytes.subarray(12));
}

/**
 * What the decoders of whole packets say.
 *
 * @returns undefined for packets without ports; `"malformed"`
 * where a packet contradicts itself
 */
function judge(
  bytes: Uint8Array,
  etherType: number,
  originalLength = bytes.length,
): Seen | undefined | "malformed" {
  const sll = new Uint8Array(16 + bytes.length);
  sll.set([etherType >> 8, etherType & 0xff], 14);
  sll.set(bytes, 16);
  const decoded = decodePacket(sll, LinkType.LINUX_SLL, {
    originalLength: 16 + originalLength,
    depth: "transport",
  });
  const index = decoded.layers.findIndex(({ kind }) =>
    kind === "ipv4" || kind === "ipv6"
  );
  const ip = decoded.layers[index];
  if (ip?.kind !== "ipv4" && ip?.kind !== "ipv6") {
    return decoded.malformed === undefined ? undefined : "malformed";
  }
  const isTransport = WITH_PORTS.includes(ip.protocol);
  if (isTransport && decoded.malformed !== undefined) return "malformed";
  const common = {
    version: ip.kind === "ipv4" ? 4 : 6,
    protocol: ip.protocol,
    source: ip.source,
    destination: ip.destination,
  };
  const id = ip.kind === "ipv4"
    ? ip.identification
    : swapped(ip.identification ?? 0);
  if (ip.fragmentOffset > 0) {
    const fragment = Fragment.LATER;
    const seen = { ...common, ports: "0 > 0", flags: 0, fragment, id };
    return isTransport ? seen : undefined;
  }
  const inner = decoded.layers[index + 1];
  if (
    inner?.kind !== "tcp" && inner?.kind !== "udp" &&
    inner?.kind !== "udplite" && inner?.kind !== "ports"
  ) {
    return undefined;
  }
  const flagsAt = inner.offset + 13;
  if (ip.protocol === TCP && flagsAt >= sll.length) return undefined;
  return {
    ...common,
    ports: `${inner.sourcePort} > ${inner.destinationPort}`,
    flags: ip.protocol === TCP ? sll[flagsAt]! : 0,
    fragment: ip.moreFragments ? Fragment.FIRST : Fragment.NONE,
    ...(ip.moreFragments ? { id } : {}),
  };
}

/** IPv6 identifications are compared only, so they stay as they lie there. */
function swapped(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value, false);
  return view.getInt32(0, true);
}

function u16(value: number): number[] {
  return [value >> 8, value & 0xff];
}

/** An IPv6 header before the transport header. */
interface Extension {
  readonly type: number;
  /** Length field. */
  readonly length: number;
  /** For fragment headers: offset in units of 8 bytes, and M. */
  readonly offset?: number;
  readonly more?: boolean;
}

interface Described {
  readonly tags: readonly number[];
  readonly version: 4 | 6;
  readonly protocol: number;
  readonly optionWords: number;
  readonly flagBits: number;
  readonly offset: number;
  readonly more: boolean;
  readonly extensions: readonly Extension[];
  readonly transport: readonly number[];
}

function build(described: Described): {
  readonly bytes: Uint8Array;
  readonly etherType: number;
} {
  const { tags, version } = described;
  const ip = version === 4 ? ipv4(described) : ipv6(described);
  const types = [...tags, version === 4 ? IPV4 : IPV6];
  const inner = types.slice(1).flatMap((type) => [0x00, 0x64, ...u16(type)]);
  return { bytes: Uint8Array.from([...inner, ...ip]), etherType: types[0]! };
}

function ipv4(
  { protocol, optionWords, flagBits, offset, more, transport }: Described,
): number[] {
  const header = 20 + 4 * optionWords;
  return [
    ...[0x40 | header / 4, 0, ...u16(header + transport.length)],
    ...[0xab, 0xcd, ...u16(flagBits << 14 | (more ? 0x2000 : 0) | offset)],
    ...[64, protocol, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2],
    ...Array(4 * optionWords).fill(1),
    ...transport,
  ];
}

function ipv6({ protocol, extensions, transport }: Described): number[] {
  const next = [...extensions.map(({ type }) => type), protocol];
  const headers = extensions.flatMap((extension, index) =>
    extensionBytes(extension, next[index + 1]!)
  );
  return [
    ...[0x60, 0, 0, 0, ...u16(headers.length + transport.length)],
    ...[next[0]!, 64],
    ...[0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 1],
    ...[0xfe, 0x80, ...Array(13).fill(0), 2],
    ...headers,
    ...transport,
  ];
}

function extensionBytes(extension: Extension, next: number): number[] {
  const { type, length, offset = 0, more = false } = extension;
  if (type === FRAGMENT) {
    const word = offset << 3 | (more ? 1 : 0);
    return [next, 0, ...u16(word), 0xde, 0xad, 0xbe, 0xef];
  }
  const size = 8 + length * (type === AUTHENTICATION ? 4 : 8);
  return [next, length, ...Array(size - 2).fill(1)];
}

const extension: fc.Arbitrary<Extension> = fc.record({
  type: fc.constantFrom(
    ...[
      HOP_BY_HOP,
      ROUTING,
      DESTINATION_OPTIONS,
      AUTHENTICATION,
      135,
      139,
      140,
    ],
  ),
  length: fc.constantFrom(0, 0, 1, 2, 5),
});
const fragmentHeader: fc.Arbitrary<Extension> = fc.record({
  type: fc.constant(FRAGMENT),
  length: fc.constant(0),
  offset: fc.constantFrom(0, 0, 1, 0x1fff),
  more: fc.boolean(),
});
/** Extension headers, at most one of them a fragment header. */
const extensions: fc.Arbitrary<Extension[]> = fc.tuple(
  fc.array(extension, { maxLength: 3 }),
  fc.option(fragmentHeader, { nil: undefined }),
  fc.array(extension, { maxLength: 2 }),
).map(([before, fragment, after]) =>
  fragment === undefined ? before : [...before, fragment, ...after]
);

const described: fc.Arbitrary<Described> = fc.record({
  tags: fc.array(fc.constantFrom(VLAN, QINQ), { maxLength: 2 }),
  version: fc.constantFrom(4, 6),
  protocol: fc.constantFrom(TCP, TCP, TCP, UDP, UDP, UDP_LITE, 1, 50, 58, 59),
  optionWords: fc.constantFrom(0, 0, 1, 10),
  flagBits: fc.constantFrom(0, 1),
  offset: fc.constantFrom(0, 0, 0, 1, 0x1fff),
  more: fc.boolean(),
  extensions,
  // Ports and flags anything, a TCP header of 20 bytes, a UDP length of 0.
  transport: fc.uint8Array({ minLength: 20, maxLength: 40 }).map((bytes) => {
    bytes[12] = 0x50;
    bytes[4] = bytes[5] = 0;
    return [...bytes];
  }),
});

/** Fails on reading any byte from `end` on. */
function guarded(bytes: Uint8Array, end: number): Uint8Array {
  return new Proxy(bytes, {
    get(target, name): unknown {
      const index = Number(name);
      assert.ok(!(index >= end), `byte ${index} is read, ${end} are there`);
      return target[index];
    },
  });
}

Deno.test("FlowFields.parse() agrees with decodePacket() on every packet, cut anywhere", () => {
  const counts = { taken: 0, later: 0, none: 0 };
  fc.assert(
    fc.property(
      described,
      fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(130)),
      fc.nat(9),
      (packet, cut, at) => {
        const { bytes, etherType } = build(packet);
        const whole = bytes.length;
        const kept = bytes.subarray(0, Math.max(0, whole - cut));
        const expected = judge(kept, etherType, whole);
        assert.notEqual(expected, "malformed");
        const shifted = new Uint8Array(at + whole + 8).fill(0x5a);
        shifted.set(bytes, at);
        const end = at + kept.length;
        const seen = parse(guarded(shifted, end), etherType, at, end);
        if (expected === undefined && seen?.fragment === Fragment.LATER) {
          // The protocol of later fragments is looked at by the matcher.
          assert.ok(!WITH_PORTS.includes(seen.protocol));
          return;
        }
        assert.deepEqual(seen, expected);
        if (seen === undefined) counts.none++;
        else if (seen.fragment === Fragment.LATER) counts.later++;
        else counts.taken++;
      },
    ),
    { numRuns: 2000 },
  );
  assert.ok(counts.taken > 300 && counts.later > 50 && counts.none > 300);
});

Deno.test("FlowFields.parse() takes any bytes and reads none past the end", () => {
  fc.assert(
    fc.property(
      described,
      // A second fragment header is against RFC 8200, and is not judged.
      fc.array(
        fc.tuple(fc.nat(60), fc.nat(255).filter((value) => value !== FRAGMENT)),
        { maxLength: 6 },
      ),
      fc.nat(100),
      (packet, changes, length) => {
        const { bytes, etherType } = build(packet);
        const network = 4 * packet.tags.length;
        for (const [at, value] of changes) bytes[network + at] = value;
        const end = Math.min(length, bytes.length);
        const seen = parse(guarded(bytes, end), etherType, 0, end);
        const expected = judge(bytes.subarray(0, end), etherType);
        if (expected === "malformed" || expected === undefined) return;
        assert.deepEqual(seen, expected);
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("FlowFields.parse() agrees with decodePacket() on captured packets of each length", () => {
  let taken = 0;
  for (const { about, linkType, data } of Object.values(SAMPLES)) {
    if (linkType !== LinkType.ETHERNET) continue;
    const etherType = readUint16(data, 12);
    const network = data.subarray(14);
    for (let length = 0; length <= network.length; length++) {
      const kept = network.subarray(0, length);
      const expected = judge(kept, etherType, network.length);
      if (expected === "malformed") continue;
      const seen = parse(guarded(network, length), etherType, 0, length);
      if (expected === undefined && seen?.fragment === Fragment.LATER) continue;
      assert.deepEqual(seen, expected, `${about}, ${length} bytes`);
      if (seen !== undefined) taken++;
    }
  }
  assert.ok(taken > 100);
});

const PORTS_AND_FLAGS = [
  ...[...u16(40000), ...u16(443), 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x12],
  ...Array(6).fill(0),
];
const PLAIN: Described = {
  tags: [],
  version: 4,
  protocol: TCP,
  optionWords: 0,
  flagBits: 0,
  offset: 0,
  more: false,
  extensions: [],
  transport: PORTS_AND_FLAGS,
};
const SEEN_4: Seen = {
  version: 4,
  protocol: TCP,
  source: "192.0.2.1",
  destination: "198.51.100.2",
  ports: "40000 > 443",
  flags: 0x12,
  fragment: Fragment.NONE,
};
const SEEN_6: Seen = {
  ...SEEN_4,
  version: 6,
  source: "2001:db8::1",
  destination: "fe80::2",
};
const LATER: Partial<Seen> = {
  ports: "0 > 0",
  flags: 0,
  fragment: Fragment.LATER,
};
const DEADBEEF = swapped(0xdeadbeef);

Deno.test("FlowFields.parse() reads these packets", () => {
  const cases: [about: string, Partial<Described>, Seen | undefined][] = [
    ["TCP over IPv4", {}, SEEN_4],
    ["UDP over IPv4", { protocol: UDP }, {
      ...SEEN_4,
      protocol: UDP,
      flags: 0,
    }],
    ["40 bytes of options", { optionWords: 10 }, SEEN_4],
    ["DF set", { flagBits: 1 }, SEEN_4],
    [
      "first fragment",
      { more: true },
      { ...SEEN_4, fragment: Fragment.FIRST, id: 0xabcd },
    ],
    ["middle fragment", { more: true, offset: 185 }, {
      ...SEEN_4,
      ...LATER,
      id: 0xabcd,
    }],
    ["last fragment", { offset: 0x1fff }, {
      ...SEEN_4,
      ...LATER,
      id: 0xabcd,
    }],
    ["one tag", { tags: [VLAN] }, SEEN_4],
    ["two tags", { tags: [QINQ, VLAN] }, SEEN_4],
    ["ICMP", { protocol: 1 }, undefined],
    ["IPv4 in IPv4", { protocol: 4 }, undefined],
    ["SCTP, which has ports, too", { protocol: 132 }, undefined],
    ["TCP over IPv6", { version: 6 }, SEEN_6],
    ["one tag, IPv6", { version: 6, tags: [VLAN] }, SEEN_6],
    ["all extension headers", {
      version: 6,
      extensions: [
        { type: HOP_BY_HOP, length: 0 },
        { type: DESTINATION_OPTIONS, length: 1 },
        { type: ROUTING, length: 2 },
        { type: AUTHENTICATION, length: 4 },
        { type: 135, length: 0 },
        { type: 139, length: 0 },
        { type: 140, length: 3 },
      ],
    }, SEEN_6],
    ["an atomic fragment (RFC 6946)", {
      version: 6,
      extensions: [{ type: FRAGMENT, length: 0 }],
    }, SEEN_6],
    ["first fragment over IPv6", {
      version: 6,
      extensions: [
        { type: ROUTING, length: 0 },
        { type: FRAGMENT, length: 0, more: true },
        { type: DESTINATION_OPTIONS, length: 0 },
      ],
    }, { ...SEEN_6, fragment: Fragment.FIRST, id: DEADBEEF }],
    ["last fragment over IPv6", {
      version: 6,
      extensions: [{ type: FRAGMENT, length: 0, offset: 7 }],
    }, { ...SEEN_6, ...LATER, id: DEADBEEF }],
    ["encrypted", { version: 6, protocol: 50 }, undefined],
    ["no next header", { version: 6, protocol: 59 }, undefined],
  ];
  for (const [about, changes, expected] of cases) {
    const { bytes, etherType } = build({ ...PLAIN, ...changes });
    assert.deepEqual(parse(bytes, etherType), expected, about);
  }
});

Deno.test("FlowFields.parse() refuses what is not IP of the stated version", () => {
  const v4 = build(PLAIN).bytes;
  const v6 = build({ ...PLAIN, version: 6 }).bytes;
  assert.equal(parse(v4, ARP), undefined);
  assert.equal(parse(v4, IPV6), undefined);
  assert.equal(parse(v6, IPV4), undefined);
  const tagged = Uint8Array.from([0, 1, ...u16(ARP), ...v4]);
  assert.equal(parse(tagged, VLAN), undefined);
});

Deno.test("FlowFields.parse() refuses an IPv4 header shorter than 20 bytes", () => {
  const { bytes } = build({ ...PLAIN, transport: Array(60).fill(6) });
  for (const words of [0, 1, 4]) {
    bytes[0] = 0x40 | words;
    assert.equal(parse(bytes, IPV4), undefined, `${words} words`);
  }
  bytes[0] = 0x45;
  assert.notEqual(parse(bytes, IPV4), undefined);
});

Deno.test("FlowFields.parse() needs 14 bytes of TCP and 4 of the others", () => {
  for (
    const [protocol, needed] of [
      ...[[TCP, 14], [UDP, 4], [UDP_LITE, 4]] as const,
    ]
  ) {
    const { bytes } = build({ ...PLAIN, protocol });
    assert.equal(parse(bytes, IPV4, 0, 20 + needed - 1), undefined);
    assert.notEqual(parse(bytes, IPV4, 0, 20 + needed), undefined);
  }
});

Deno.test("FlowFields.parse() tells where the transport header begins", () => {
  const fields = new FlowFields();
  const { bytes } = build({ ...PLAIN, optionWords: 3 });
  const shifted = Uint8Array.from([9, 9, 9, ...bytes]);
  assert.ok(fields.parse(shifted, 3, shifted.length, IPV4));
  assert.equal(fields.transportAt, 3 + 20 + 12);
});

/** An ICMP or ICMPv6 message with a packet in it. */
function message(
  version: 4 | 6,
  type: number,
  quoted: Uint8Array,
  optionWords = 0,
): Uint8Array {
  const protocol = version === 4 ? 1 : 58;
  const transport = [type, 0, 0, 0, 0, 0, 0, 0, ...quoted];
  return build({ ...PLAIN, version, protocol, optionWords, transport }).bytes;
}

/** Runs the code under test on an error. */
function parseQuoted(
  bytes: Uint8Array,
  etherType: number,
  end = bytes.length,
): string | undefined {
  const fields = new FlowFields();
  fields.tcpFlags = 0xff;
  if (!fields.parseQuoted(bytes, 0, end, etherType)) return undefined;
  assert.equal(fields.tcpFlags, 0);
  const { version, protocol, source, destination } = fields;
  return quoteText(
    NAMES.get(protocol)!,
    [textOf(source, version), fields.sourcePort],
    [textOf(destination, version), fields.destinationPort],
  );
}

function quoteText(
  protocol: string,
  source: readonly unknown[],
  destination: readonly unknown[],
): string {
  return [protocol, ...source, ...destination].join(" ");
}

/** What the decoders say of the packet in an error. */
function judgeQuoted(bytes: Uint8Array, etherType: number): string | undefined {
  const sll = new Uint8Array(16 + bytes.length);
  sll.set([etherType >> 8, etherType & 0xff], 14);
  sll.set(bytes, 16);
  const flow = quotedFlowOf(decodePacket(sll, LinkType.LINUX_SLL));
  if (![...NAMES.values()].includes(flow?.protocol ?? "")) return undefined;
  if (flow?.sourcePort === undefined) return undefined;
  return quoteText(
    flow.protocol,
    [flow.source, flow.sourcePort],
    [flow.destination, flow.destinationPort],
  );
}

/** Types of errors and of other messages. */
const MESSAGES = {
  4: [0, 3, 4, 5, 8, 11, 12, 13],
  6: [1, 2, 3, 4, 128, 129, 133, 135],
} as const;

Deno.test("FlowFields.parseQuoted() agrees with quotedFlowOf() on every error, cut anywhere", () => {
  let found = 0;
  fc.assert(
    fc.property(
      described,
      fc.nat(7),
      fc.constantFrom(0, 0, 3),
      fc.nat(120),
      (packet, index, optionWords, kept) => {
        const type = MESSAGES[packet.version][index]!;
        const whole = { ...packet, tags: [], offset: 0, more: false };
        const { bytes, etherType } = build({
          ...whole,
          extensions: packet.extensions.filter(({ type }) => type !== FRAGMENT),
        });
        const words = packet.version === 4 ? optionWords : 0;
        const error = message(packet.version, type, bytes, words);
        const end = Math.min(kept, error.length);
        const seen = parseQuoted(guarded(error, end), etherType, end);
        const expected = judgeQuoted(error.subarray(0, end), etherType);
        // Of TCP, 8 bytes are wanted: with fewer it is no error by RFC 792.
        if (seen === undefined && expected?.startsWith("tcp") === true) return;
        assert.equal(seen, expected);
        if (seen !== undefined) found++;
      },
    ),
    { numRuns: 3000 },
  );
  assert.ok(found > 200, `${found}`);
});

Deno.test("FlowFields.parseQuoted() needs 8 bytes of TCP", () => {
  for (const [version, header] of [[4, 20], [6, 40]] as const) {
    const { bytes, etherType } = build({ ...PLAIN, version });
    const type = version === 4 ? 3 : 1;
    const parseKept = (kept: number): string | undefined =>
      parseQuoted(
        message(version, type, bytes.subarray(0, header + kept)),
        etherType,
      );
    const { source, destination } = version === 4 ? SEEN_4 : SEEN_6;
    const expected = `tcp ${source} 40000 ${destination} 443`;
    assert.equal(parseKept(8), expected);
    assert.equal(parseKept(20), expected);
    assert.equal(parseKept(7), undefined);
  }
});

Deno.test("FlowFields.parseQuoted() reads captured errors", () => {
  const { icmpUnreachable } = SAMPLES;
  const etherType = readUint16(icmpUnreachable.data, 12);
  const network = icmpUnreachable.data.subarray(14);
  assert.equal(
    parseQuoted(network, etherType),
    "udp 192.0.2.1 46921 192.0.2.2 9",
  );
  assert.equal(parse(network, etherType), undefined);
});

Deno.test("FlowFields.parseQuoted() refuses other packets, and leaves no trace", () => {
  const fields = new FlowFields();
  for (const version of [4, 6] as const) {
    const { bytes, etherType } = build({ ...PLAIN, version });
    assert.equal(parseQuoted(bytes, etherType), undefined);
    const echo = message(version, version === 4 ? 8 : 128, bytes);
    assert.equal(parseQuoted(echo, etherType), undefined);
    const error = message(version, version === 4 ? 3 : 1, bytes);
    assert.ok(fields.parseQuoted(error, 0, error.length, etherType));
    // The next packet is read as usual: with its flags, and not without.
    assert.ok(fields.parse(bytes, 0, bytes.length, etherType));
    assert.equal(fields.tcpFlags, 0x12);
    assert.equal(fields.parse(bytes, 0, bytes.length - 7, etherType), false);
  }
  assert.equal(parseQuoted(new Uint8Array(64), ARP), undefined);
});

Deno.test("addressBytes() gives back the bytes that words were read from", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const words = new Int32Array(6);
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      for (let i = 0; i < 4; i++) words[2 + i] = view.getInt32(4 * i, true);
      assert.deepEqual(addressBytes(words, 2), bytes);
    }),
  );
});
