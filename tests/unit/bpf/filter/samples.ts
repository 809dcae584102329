/**
 * Sample packets for filters, put together byte by byte.
 *
 * `deno run --allow-write tests/unit/bpf/filter/make_samples.ts` writes them
 * into capture files; the tests read those.
 *
 * @module
 */

/** What the link layer carries. */
export interface Sample {
  /** Ethertype, or undefined for the bytes of an LLC frame. */
  readonly ethertype: number | undefined;
  readonly bytes: readonly number[];
}

const be16 = (value: number): number[] => [value >> 8 & 0xff, value & 0xff];
const be32 = (value: number): number[] => [
  ...be16(value >>> 16),
  ...be16(value),
];
const zeros = (count: number): number[] => new Array<number>(count).fill(0);
const text = (value: string): number[] => [...new TextEncoder().encode(value)];

const A4 = [10, 0, 0, 1];
const B4 = [10, 0, 0, 2];
const C4 = [192, 168, 1, 1];
const D4 = [127, 0, 0, 1];
const v6 = (prefix: number, last: number): number[] => [
  ...be16(prefix),
  ...zeros(12),
  ...be16(last),
];
const A6 = v6(0x2001, 1);
const B6 = v6(0x2001, 2);
const L6 = v6(0xfe80, 1);
const LOOP6 = v6(0, 1);
const M6 = v6(0xff02, 1);

interface Ip4Options {
  readonly from?: number[];
  readonly to?: number[];
  readonly fragment?: number;
  readonly options?: number[];
  readonly tos?: number;
  readonly ttl?: number;
}

function ip4(
  protocol: number,
  payload: number[],
  { from = A4, to = B4, fragment = 0, options = [], tos = 0, ttl = 64 }:
    Ip4Options = {},
): number[] {
  const length = 20 + options.length;
  return [
    ...[0x40 | length / 4, tos, ...be16(length + payload.length)],
    ...[0x12, 0x34, ...be16(fragment), ttl, protocol, 0, 0],
    ...from,
    ...to,
    ...options,
    ...payload,
  ];
}

function ip6(
  next: number,
  payload: number[],
  from = A6,
  to = B6,
): number[] {
  return [
    ...[0x60, 0, 0, 0, ...be16(payload.length), next, 64],
    ...from,
    ...to,
    ...payload,
  ];
}

const tcp = (from: number, to: number, flags: number, data = ""): number[] => [
  ...[...be16(from), ...be16(to), ...be32(1000), ...be32(flags & 16 ? 5 : 0)],
  ...[0x50, flags, 0xff, 0xff, 0, 0, 0, 0],
  ...text(data),
];
const udp = (from: number, to: number, data: number[] = []): number[] => [
  ...[...be16(from), ...be16(to), ...be16(8 + data.length), 0, 0],
  ...data,
];
const sctp = (from: number, to: number): number[] => [
  ...[...be16(from), ...be16(to), ...be32(7), ...be32(0), 1, 0, 0, 4],
];
const icmp = (type: number, code: number): number[] => [
  ...[type, code, 0, 0, 0, 1, 0, 2],
  ...text("abcdefgh"),
];
/** Next header, length, and zeros up to a multiple of 8. */
const extension = (next: number, units: number): number[] => [
  next,
  units,
  ...zeros(6 + 8 * units),
];
const fragment6 = (next: number, offset: number): number[] => [
  ...[next, 0, ...be16(offset << 3 | 1), ...be32(9)],
];
const authentication = (next: number): number[] => [next, 4, ...zeros(22)];
const ether = (to: number[], from: number[], type: number): number[] => [
  ...to,
  ...from,
  ...be16(type),
];

const MAC1 = [0x02, 0, 0, 0, 0, 1];
const MAC2 = [0x02, 0, 0, 0, 0, 2];
const EVERYONE = [255, 255, 255, 255, 255, 255];
const GROUP = [0x01, 0, 0x5e, 0, 0, 0xfb];

const HTTP = "GET / HTTP/1.1\r\nHost: example\r\n\r\n";
const V4_PACKETS: number[][] = [
  ip4(6, tcp(40000, 80, 0x02)),
  ip4(6, tcp(80, 40000, 0x12), { from: B4, to: A4 }),
  ip4(6, tcp(40000, 80, 0x18, HTTP)),
  ip4(6, tcp(80, 40000, 0x10, "x".repeat(900)), { from: B4, to: A4 }),
  ip4(6, tcp(40000, 80, 0x11)),
  ip4(6, tcp(80, 40000, 0x04), { from: B4, to: A4 }),
  ip4(6, tcp(40001, 443, 0x02), { options: [1, 1, 1, 0] }),
  ip4(6, tcp(40001, 443, 0x18, "\x16\x03\x01"), { options: zeros(8) }),
  ip4(6, tcp(40002, 22, 0x10), { to: C4 }),
  ip4(6, tcp(21, 40003, 0x18, "220 ready\r\n"), { from: C4, to: A4 }),
  ip4(6, tcp(80, 80, 0x10), { from: D4, to: D4 }),
  ip4(6, tcp(80, 443, 0xc2)),
  ip4(6, tcp(5432, 8080, 0x30), { from: [172, 16, 5, 4] }),
  ip4(17, udp(40000, 53, text("query")), { to: C4 }),
  ip4(17, udp(53, 40000, text("answer")), { from: C4, to: A4, tos: 0x10 }),
  ip4(17, udp(123, 123, zeros(48)), { to: C4 }),
  ip4(17, udp(5353, 5353), { to: [224, 0, 0, 251], ttl: 255 }),
  ip4(17, udp(68, 67, zeros(300)), { from: zeros(4), to: zeros(4).fill(255) }),
  ip4(17, udp(1000, 2000), { to: zeros(4) }),
  ip4(17, udp(80, 1234, zeros(1400))),
  ip4(17, udp(40000, 53), { fragment: 0x2000 }),
  ip4(17, text("a later fragment of it"), { fragment: 0x00b9 }),
  ip4(6, tcp(40000, 80, 2), { fragment: 0x20b9 }),
  ip4(1, icmp(8, 0)),
  ip4(1, icmp(0, 0), { from: B4, to: A4 }),
  ip4(1, icmp(3, 1), { from: C4, to: A4 }),
  ip4(1, icmp(5, 0)),
  ip4(1, icmp(11, 0), { options: zeros(4) }),
  ip4(2, [0x16, 0, 0, 0, 224, 0, 0, 5], { to: [224, 0, 0, 5], ttl: 1 }),
  ip4(9, zeros(12)),
  ip4(47, [...zeros(2), 8, 0, ...ip4(6, tcp(1, 2, 2))]),
  ip4(50, zeros(16)),
  ip4(51, [...authentication(6), ...tcp(40000, 80, 2)]),
  ip4(51, [...authentication(51), ...authentication(17), ...udp(53, 53)]),
  ip4(103, [0x20, 0, 0, 0], { to: [224, 0, 0, 13] }),
  ip4(112, [0x21, 1, 100, 1, ...zeros(4)], { to: [224, 0, 0, 18] }),
  ip4(132, sctp(36412, 80)),
  ip4(132, sctp(2905, 443), { options: zeros(4) }),
  ip4(0, []),
  ip4(17, udp(40000, 6081, geneve(0x6558, 5, [...innerFrame(6, 80)]))),
  ip4(17, udp(40000, 6081, geneve(0x6558, 7, innerFrame(17, 53), 8))),
  ip4(17, udp(40000, 6081, geneve(0x0800, 5, ip4(6, tcp(9, 80, 2)))), {
    options: zeros(4),
  }),
  ip4(17, udp(40000, 6081, geneve(0x86dd, 9, ip6(6, tcp(9, 80, 2)), 4))),
  ip4(17, udp(40000, 6081, [0x80, ...zeros(20)])),
  ip4(17, udp(40000, 4789, [8, 0, 0, 0, 0, 0, 7, 0, ...innerFrame(6, 80)])),
];

const V6_PACKETS: number[][] = [
  ip6(6, tcp(40000, 80, 0x02)),
  ip6(6, tcp(80, 40000, 0x12), B6, A6),
  ip6(6, tcp(40001, 443, 0x18, HTTP)),
  ip6(6, tcp(22, 40002, 0x10), LOOP6, LOOP6),
  ip6(17, udp(40000, 53, text("query"))),
  ip6(17, udp(546, 547), L6, M6),
  ip6(17, udp(5353, 5353, zeros(200)), L6, v6(0xff02, 0xfb)),
  ip6(17, udp(80, 80), v6(0xfe80, 0x99), L6),
  ip6(58, icmp(128, 0)),
  ip6(58, icmp(129, 0), B6, A6),
  ip6(58, icmp(135, 0), L6, M6),
  ip6(58, icmp(1, 4)),
  ip6(0, [...extension(6, 0), ...tcp(40000, 80, 2)]),
  ip6(0, [...extension(43, 1), ...extension(17, 2), ...udp(53, 53)]),
  ip6(60, [...extension(58, 0), ...icmp(128, 0)]),
  ip6(44, [...fragment6(6, 0), ...tcp(40000, 80, 2)]),
  ip6(44, [...fragment6(17, 185), ...text("a later fragment")]),
  ip6(44, [...fragment6(58, 0), ...icmp(128, 0)]),
  ip6(51, [...authentication(6), ...tcp(40000, 80, 2)]),
  ip6(50, zeros(16)),
  ip6(59, []),
  ip6(103, [0x20, 0, 0, 0]),
  ip6(132, sctp(36412, 80)),
  ip6(17, udp(40000, 6081, geneve(0x6558, 5, innerFrame(6, 80), 4))),
  ip6(17, udp(40000, 6081, geneve(0x0800, 6, ip4(17, udp(7, 53))))),
];

const arp = (operation: number, from: number[], to: number[]): number[] => [
  ...[0, 1, 8, 0, 6, 4, ...be16(operation)],
  ...[...MAC1, ...from, ...zeros(6), ...to],
];
const mpls = (label: number, bottom: number): number[] => [
  ...be32((label << 12 | bottom << 8 | 64) >>> 0),
];
const pppoe = (session: number, protocol: number): number[] => [
  ...[0x11, 0, ...be16(session), 0, 40, ...be16(protocol)],
];
const snap = (organization: number, type: number): number[] => [
  ...[0xaa, 0xaa, 3, organization >> 16, organization >> 8 & 0xff],
  ...[organization & 0xff, ...be16(type)],
];

/** Packets that a protocol number of the link layer tells apart. */
const OTHER_PACKETS: Sample[] = [
  { ethertype: 0x0806, bytes: arp(1, A4, B4) },
  { ethertype: 0x0806, bytes: arp(2, B4, A4) },
  { ethertype: 0x0806, bytes: arp(1, C4, C4) },
  { ethertype: 0x8035, bytes: arp(3, A4, C4) },
  { ethertype: 0x809b, bytes: zeros(20) },
  { ethertype: 0x80f3, bytes: zeros(20) },
  { ethertype: 0x8137, bytes: zeros(30) },
  { ethertype: 0x6001, bytes: zeros(20) },
  { ethertype: 0x6002, bytes: zeros(20) },
  { ethertype: 0x6004, bytes: zeros(20) },
  { ethertype: 0x6007, bytes: zeros(20) },
  {
    ethertype: 0x6003,
    bytes: [20, 0, 0x02, 0x0f, 0x28, 0x02, 4, ...zeros(20)],
  },
  {
    ethertype: 0x6003,
    bytes: [20, 0, 0x81, 0x06, ...zeros(6), 0x0f, 0x28, ...zeros(20)],
  },
  { ethertype: 0x8863, bytes: [0x11, 9, 0, 0, 0, 0] },
  {
    ethertype: 0x8864,
    bytes: [...pppoe(5, 0x21), ...ip4(6, tcp(40000, 80, 2))],
  },
  {
    ethertype: 0x8864,
    bytes: [...pppoe(6, 0x57), ...ip6(17, udp(53, 53))],
  },
  { ethertype: 0x8864, bytes: [...pppoe(5, 0xc021), 1, 1, 0, 4] },
  { ethertype: 0x8100, bytes: tagged(5, 0x0800, ip4(6, tcp(40000, 80, 2))) },
  { ethertype: 0x8100, bytes: tagged(7, 0x86dd, ip6(17, udp(53, 53))) },
  { ethertype: 0x8100, bytes: tagged(7, 0x0806, arp(1, A4, B4)) },
  {
    ethertype: 0x88a8,
    bytes: tagged(100, 0x8100, tagged(7, 0x86dd, ip6(6, tcp(9, 80, 2)))),
  },
  { ethertype: 0x9100, bytes: tagged(0x6005, 0x0800, ip4(1, icmp(8, 0))) },
  {
    ethertype: 0x8100,
    bytes: tagged(9, 0x8847, [...mpls(7, 1), ...ip4(6, tcp(9, 80, 2))]),
  },
  {
    ethertype: 0x8847,
    bytes: [...mpls(5, 1), ...ip4(6, tcp(40000, 80, 2))],
  },
  {
    ethertype: 0x8847,
    bytes: [...mpls(5, 0), ...mpls(1024, 1), ...ip4(17, udp(53, 53))],
  },
  { ethertype: 0x8847, bytes: [...mpls(16, 1), ...ip6(6, tcp(9, 80, 2))] },
  { ethertype: 0x8847, bytes: [...mpls(5, 0), ...mpls(6, 0), ...mpls(7, 1)] },
  { ethertype: 0x88cc, bytes: zeros(40) },
  { ethertype: 0x9000, bytes: zeros(46) },
  { ethertype: 0x0600, bytes: zeros(46) },
  { ethertype: undefined, bytes: [0x42, 0x42, 3, ...zeros(35)] },
  { ethertype: undefined, bytes: [0xe0, 0xe0, 3, ...zeros(35)] },
  { ethertype: undefined, bytes: [0xff, 0xff, 0, 30, ...zeros(35)] },
  { ethertype: undefined, bytes: [0xf0, 0xf0, 3, ...zeros(35)] },
  { ethertype: undefined, bytes: [0x06, 0x06, 3, ...ip4(6, tcp(9, 80, 2))] },
  { ethertype: undefined, bytes: [...snap(0, 0x8137), ...zeros(35)] },
  { ethertype: undefined, bytes: [...snap(0x080007, 0x809b), ...zeros(35)] },
  { ethertype: undefined, bytes: [...snap(0, 0x80f3), ...zeros(35)] },
  { ethertype: undefined, bytes: [0x05, 0x05, 3, ...zeros(35)] },
  ...[0x81, 0x82].map((first) => ({
    ethertype: undefined,
    bytes: [0xfe, 0xfe, 3, first, ...zeros(35)],
  })),
  ...[15, 16, 17, 18, 20, 24, 25, 26, 27].map((type) => ({
    ethertype: undefined,
    bytes: [0xfe, 0xfe, 3, 0x83, 27, 1, 0, type, ...zeros(35)],
  })),
  ...[0x00, 0x01, 0x05, 0x09, 0x63, 0x43, 0x6f, 0xe3, 0xaf, 0x87, 0x13].map(
    (control) => ({
      ethertype: undefined,
      bytes: [0x10, 0x10, control, ...zeros(35)],
    }),
  ),
];

function tagged(control: number, type: number, inner: number[]): number[] {
  return [...be16(control), ...be16(type), ...inner];
}

function geneve(
  type: number,
  network: number,
  inner: number[],
  options = 0,
): number[] {
  return [
    ...[options / 4, 0, ...be16(type), ...be32(network << 8)],
    ...zeros(options),
    ...inner,
  ];
}

function innerFrame(protocol: number, port: number): number[] {
  const payload = protocol === 6 ? tcp(1234, port, 2) : udp(1234, port);
  const packet = ip4(protocol, payload, { from: [10, 9, 9, 9] });
  return [...ether(MAC2, MAC1, 0x0800), ...packet];
}

const SAMPLES: readonly Sample[] = [
  ...V4_PACKETS.map((bytes) => ({ ethertype: 0x0800, bytes })),
  ...V6_PACKETS.map((bytes) => ({ ethertype: 0x86dd, bytes })),
  ...OTHER_PACKETS,
];

/** A packet of a capture file. */
export interface CapturedSample {
  readonly bytes: Uint8Array;
  /** Bytes on the wire. */
  readonly length: number;
}

const LLC = 4;

function frame(
  linkType: number,
  { ethertype, bytes }: Sample,
  index: number,
): number[] | undefined {
  const isIp4 = ethertype === 0x0800;
  const isIp6 = ethertype === 0x86dd;
  switch (linkType) {
    case 0:
    case 108: {
      const families = [30, 24, 28, 10];
      const family = isIp4 ? 2 : families[index % families.length]!;
      const word = be32(family);
      if (!isIp4 && !isIp6) return undefined;
      return [...(linkType === 0 ? word.reverse() : word), ...bytes];
    }
    case 1: {
      const first = bytes[0] === 0x45 ? bytes[16] : 0;
      const to = first === 255
        ? EVERYONE
        : first === 224
        ? GROUP
        : index % 2 === 0
        ? MAC2
        : MAC1;
      const from = to === MAC1 ? MAC2 : MAC1;
      return [...ether(to, from, ethertype ?? bytes.length), ...bytes];
    }
    case 101:
      return isIp4 || isIp6 ? [...bytes] : undefined;
    case 228:
      return isIp4 ? [...bytes] : undefined;
    case 229:
      return isIp6 ? [...bytes] : undefined;
    case 113:
      return [
        ...[...be16(index % 5), 0, 1, 0, 6, ...MAC1, 0, 0],
        ...be16(index === 0 ? 1 : ethertype ?? LLC),
        ...bytes,
      ];
    case 276:
      return [
        ...[...be16(ethertype ?? (bytes[0] === 0xfe ? 0xfe : LLC)), 0, 0],
        ...[...be32(1 + index % 3), 0, 1, index % 5, 6, ...MAC1, 0, 0],
        ...bytes,
      ];
  }
  return undefined;
}

/** The sample packets as packets of a link type; the last are cut short. */
export function samplesOf(linkType: number): CapturedSample[] {
  const whole = SAMPLES
    .map((sample, index) => frame(linkType, sample, index))
    .filter((bytes) => bytes !== undefined)
    .map((bytes) => ({ bytes: Uint8Array.from(bytes), length: bytes.length }));
  const cut = whole.flatMap(({ bytes, length }, index) =>
    index % 9 !== 0 ? [] : [
      { bytes: bytes.slice(0, 10 + index % 7), length },
      { bytes: bytes.slice(0, 24 + index % 13), length },
      { bytes: bytes.slice(0, 40 + index % 19), length },
    ]
  );
  return [...whole, ...cut];
}

/** Link types of the sample captures. */
export const SAMPLE_LINK_TYPES = [0, 1, 101, 108, 113, 228, 229, 276] as const;

/** Name of the sample capture of a link type. */
export function sampleName(linkType: number): string {
  return `filter_linktype_${linkType}.pcap`;
}

/** Writes packets as a capture file; packet N has second N. */
export function writeCapture(
  linkType: number,
  packets: readonly CapturedSample[],
): Uint8Array {
  const out: number[] = [];
  const le16 = (value: number): void => {
    out.push(value & 0xff, value >> 8);
  };
  const le32 = (value: number): void => {
    le16(value & 0xffff);
    le16(value >>> 16);
  };
  le32(0xa1b2c3d4);
  le16(2);
  le16(4);
  for (const field of [0, 0, 262144, linkType]) le32(field);
  for (const [index, { bytes, length }] of packets.entries()) {
    for (const field of [index, 0, bytes.length, length]) le32(field);
    out.push(...bytes);
  }
  return Uint8Array.from(out);
}

/** Reads a capture file that {@linkcode writeCapture} or tcpdump wrote. */
export function readCapture(
  file: Uint8Array,
): (CapturedSample & { readonly second: number })[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const packets = [];
  for (let at = 24; at + 16 <= file.length;) {
    const kept = view.getUint32(at + 8, true);
    packets.push({
      second: view.getUint32(at, true),
      bytes: file.slice(at + 16, at + 16 + kept),
      length: view.getUint32(at + 12, true),
    });
    at += 16 + kept;
  }
  return packets;
}
