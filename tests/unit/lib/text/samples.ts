/**
 * Packets of every protocol that is printed, in groups that make a capture.
 *
 * @module
 */

import { LinkType } from "../../../../lib/bytes/link_type.ts";
import { hex, SAMPLES } from "../packet/samples.ts";
import {
  be16,
  be32,
  bytes,
  dns,
  dnsName,
  ethernet,
  icmp,
  icmpv6,
  igmp,
  ip,
  ipv4,
  ipv6,
  type Part,
  question,
  record,
  tcp,
  type TcpFields,
  udp,
  udplite,
  zeros,
} from "./packet_builder.ts";

/** A packet of a capture. */
export interface CapturedPacket {
  readonly data: Uint8Array;
  readonly originalLength: number;
}

/** Packets that are printed one after the other. */
export interface Group {
  readonly name: string;
  readonly linkType: number;
  readonly packets: readonly CapturedPacket[];
}

const A4 = "192.0.2.1";
const B4 = "192.0.2.2";
const A6 = "2001:db8::1";
const B6 = "2001:db8::2";
const L6 = "fe80::ff:fe00:a";
const MAC = [2, 0, 0, 0, 0, 10];

function captured(data: Uint8Array): CapturedPacket {
  return { data, originalLength: data.length };
}

function group(name: string, ...packets: readonly Uint8Array[]): Group {
  return {
    name,
    linkType: LinkType.ETHERNET,
    packets: packets.map((packet) => captured(ethernet(packet))),
  };
}

/** The same packets, every second one cut after some bytes. */
function cut(
  { name, linkType, packets }: Group,
  ...lengths: readonly number[]
): Group {
  return {
    name: `${name}_cut`,
    linkType,
    packets: lengths.flatMap((length) =>
      packets.map(({ data, originalLength }) => ({
        data: data.slice(0, length),
        originalLength,
      }))
    ),
  };
}

const timestamps = (value: number, echo: number): Part => [
  ...[1, 1, 8, 10],
  be32(value),
  be32(echo),
];
const SYN_OPTIONS: Part = [
  ...[[2, 4, be16(1460)], [4, 2], [8, 10, be32(7), be32(0)], 1, [3, 3, 10]],
];

const REQUEST = "GET /index.html HTTP/1.1\r\nHost: example.org\r\n" +
  "Accept: */*\r\n\r\n";
const RESPONSE = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n" +
  "Content-Length: 6\r\n\r\nhello\n";

/** Both sides of a connection from 40000 to a port. */
function sides(
  port: number,
  from: string,
  to: string,
): [
  (flags: string, payload?: Part, fields?: TcpFields) => Uint8Array,
  (flags: string, payload?: Part, fields?: TcpFields) => Uint8Array,
] {
  return [
    (flags, payload, fields) =>
      tcp(40000, port, flags, payload, { from, to, ...fields }),
    (flags, payload, fields) =>
      tcp(port, 40000, flags, payload, { from: to, to: from, ...fields }),
  ];
}

function conversation(name: string, from: string, to: string): Group {
  const [client, server] = sides(9000, from, to);
  const options = { tcpOptions: timestamps(20, 10) };
  return group(
    name,
    client("S", [], { seq: 4294967290, tcpOptions: SYN_OPTIONS }),
    server("S.", [], {
      ...{ seq: 77, ack: 4294967291, tcpOptions: SYN_OPTIONS },
    }),
    client(".", [], { seq: 4294967291, ack: 78, ...options }),
    client("P.", "0123456789", { seq: 4294967291, ack: 78, ...options }),
    server(".", [], { seq: 78, ack: 5, window: 0, ...options }),
    server(".", [], {
      seq: 78,
      ack: 5,
      tcpOptions: [1, 1, 5, 18, be32(25), be32(35), be32(45), be32(55)],
    }),
    client("P.", "0123456789", { seq: 4294967291, ack: 78, ...options }),
    client("P.U", "xy", { seq: 5, ack: 78, urgent: 1 }),
    server("F.EW", [], { seq: 78, ack: 7 }),
    client("R", [], { seq: 7 }),
    client("R.", "port is closed for maintenance today", {
      ...{ seq: 7, ack: 79 },
    }),
    client("", [], {}),
  );
}

const TCP_OPTIONS: readonly Part[] = [
  [34, 2, 1, 1],
  [34, 10, [1, 2, 3, 4, 5, 6, 7, 8], 1, 1],
  [34, 3, 9, 1],
  [254, 4, 0xf9, 0x89],
  [254, 8, 0xf9, 0x89, 1, 2, 3, 4],
  [254, 6, 0x12, 0x34, 5, 6, 1, 1],
  [253, 4, 1, 2],
  [253, 2, 1, 1],
  [19, 18, zeros(16), 1, 1],
  [28, 4, 0x80, 0x0b],
  [28, 4, 0, 20],
  [29, 16, 1, 2, zeros(12)],
  [29, 3, 1, 0],
  [20, 4, 1, 2],
  [6, 6, be32(5), 7, 6, be32(6)],
  [11, 6, be32(5), 12, 6, be32(6)],
  [13, 6, be32(5), 1, 1],
  [5, 6, 1, 2, 3, 4, 1, 1],
  [2, 3, 1, 0],
  [2, 8, 1, 2, 3, 4, 5, 6],
  [3, 3, 7, 0],
  [8, 1, 0, 0],
  [8, 20, 1, 1],
  [1, 1, 8, 20],
  [0, 1, 2, 3],
  [1, 0, 5, 5],
];

const HELLO_EXTENSIONS: Part = [
  [0x0a, 0x0a, 0, 0],
  [be16(0), be16(16), be16(14), 0, be16(11), "example.org"],
  [be16(16), be16(14), be16(12), 2, "h2", 8, "http/1.1"],
  [be16(43), be16(7), 6, 0x1a, 0x1a, 3, 4, 3, 3],
];

function record3(type: number, version: number, fragment: Part): Uint8Array {
  const data = bytes(fragment);
  return bytes(type, be16(version), be16(data.length), data);
}

function handshake(type: number, body: Part): Uint8Array {
  const data = bytes(body);
  return bytes(type, 0, be16(data.length), data);
}

function extensions(part: Part): Part {
  const data = bytes(part);
  return [be16(data.length), data];
}

/** A ClientHello in its record. */
export const CLIENT_HELLO = record3(
  22,
  0x0301,
  handshake(1, [
    [be16(0x0303), new Uint8Array(32).fill(7), 0],
    [be16(6), 0x2a, 0x2a, 0x13, 1, 0x13, 2, 1, 0],
    extensions(HELLO_EXTENSIONS),
  ]),
);
/** A ServerHello in its record, and the one after it. */
export const SERVER_HELLO = bytes(
  record3(
    22,
    0x0303,
    handshake(2, [
      [be16(0x0303), new Uint8Array(32).fill(9), 0, 0x13, 1, 0],
      extensions([be16(43), be16(2), 3, 4]),
    ]),
  ),
  record3(20, 0x0303, 1),
);
/** A ServerHello that asks for another ClientHello. */
export const HELLO_RETRY = record3(
  22,
  0x0303,
  handshake(2, [
    be16(0x0303),
    ...["cf21ad74", "e59a6111", "be1d8c02", "1e65b891"].map(hex),
    ...["c2a21116", "7abb8c5e", "079e09e2", "c8a8339c"].map(hex),
    [0, 0x13, 1, 0],
    extensions([be16(43), be16(2), 3, 4]),
  ]),
);
/** A ServerHello of TLS 1.2 that chooses a protocol. */
export const SERVER_HELLO_12 = record3(
  22,
  0x0303,
  handshake(2, [
    [be16(0x0303), new Uint8Array(32).fill(9), 0, 0xc0, 0x2f, 0],
    extensions([be16(0), be16(0), be16(16), be16(5), be16(3), 2, "h2"]),
  ]),
);

const QUIC_ID = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
/** A QUIC Initial packet, as a client sends it first. */
export const QUIC_INITIAL = bytes(
  ...[0xc3, be32(1), 8, QUIC_ID, 0, 0, 0x44, 0x9e],
  new Uint8Array(1182).fill(0xa5),
);

const MDNS = { from: A4, to: "224.0.0.251", ttl: 255 };
const pointer = (offset: number): number[] => [0xc0, offset];

const DNS_GROUP = group(
  "dns",
  udp(40000, 53, dns(4660, 0x0100, [1, 0, 0, 0], question("example.org", 1))),
  udp(
    40000,
    53,
    dns(
      4661,
      0x0130,
      [1, 0, 0, 1],
      question("www.example.org", 28),
      record(
        "",
        41,
        [be16(10), be16(8), [1, 2, 3, 4, 5, 6, 7, 8]],
        1232,
        0x8000,
      ),
    ),
  ),
  udp(
    53,
    40000,
    dns(
      4661,
      0x8580,
      [1, 3, 1, 2],
      question("www.example.org", 1),
      record(pointer(12), 5, dnsName("cdn.example.net")),
      record(dnsName("cdn.example.net"), 1, ip("198.51.100.7"), 1, 90061),
      record(dnsName("cdn.example.net"), 28, ip(B6)),
      record("example.net", 2, dnsName("ns.example.net")),
      record("ns.example.net", 1, ip("198.51.100.8")),
      record(
        "",
        41,
        [
          [be16(8), be16(7), be16(1), 24, 0, 198, 51, 100],
          [be16(3), be16(2), 1, 2, be16(12), be16(3), 0, 0, 0],
          [be16(11), be16(2), be16(300), be16(9), be16(4), be32(60)],
        ],
        4096,
      ),
    ),
  ),
  udp(53, 40000, dns(1, 0x8183, [1, 0, 0, 0], question("nowhere.test", 1))),
  udp(53, 40000, dns(2, 0x8385, [1, 0, 0, 0], question("a.test", 15))),
  udp(53, 40000, dns(3, 0x81a2, [1, 0, 0, 0], question("b.test", 6))),
  udp(
    53,
    40000,
    dns(
      4,
      0x8180,
      [1, 7, 0, 0],
      question("m.test", 255),
      record("m.test", 15, [be16(10), dnsName("mail.test")]),
      record("m.test", 16, [3, "a b", 4, "c\x01\xe9"]),
      record("_sip._tcp.m.test", 33, [
        ...[be16(1), be16(2), be16(5060), dnsName("sip.test")],
      ]),
      record("m.test", 6, [
        ...[dnsName("ns.test"), dnsName("root.test"), be32(2026), be32(1)],
        ...[be32(2), be32(3), be32(4)],
      ]),
      record("1.2.0.192.in-addr.arpa", 12, dnsName("m.test")),
      record("m.test", 39, dnsName("n.test")),
      record("m.test", 4000, [1, 2, 3]),
    ),
  ),
  udp(
    40000,
    53,
    dns(
      5,
      0x2800,
      [1, 0, 1, 0],
      question("u.test", 6),
      record("u.test", 1, ip(A4)),
    ),
  ),
  udp(
    40000,
    53,
    dns(
      6,
      0x0100,
      [2, 0, 0, 0],
      question("x.test", 1),
      question("y.test", 1, 3),
    ),
  ),
  udp(40000, 53, dns(7, 0x0940, [0, 1, 0, 0], record("", 1, ip(A4)))),
  udp(40000, 53, dns(8, 0x0100, [1, 0, 0, 0], question(".", 2))),
  udp(40000, 53, [1, 2, 3]),
  udp(53, 40000, dns(9, 0x8180, [1, 9, 0, 0], question("cut.test", 1))),
  tcp(40000, 53, "P.", [
    ...[be16(29), dns(10, 0x0100, [1, 0, 0, 0], question("example.org", 1))],
  ]),
  tcp(40001, 53, "P.", [be16(500), 1, 2, 3, 4]),
  tcp(40002, 53, "P.", [7]),
);

const MDNS_GROUP = group(
  "mdns",
  udp(
    5353,
    5353,
    dns(
      0,
      0,
      [2, 1, 0, 0],
      question("_http._tcp.local", 12),
      question("printer.local", 1, 0x8001),
      record("_http._tcp.local", 12, dnsName("My Printer._http._tcp.local")),
    ),
    MDNS,
  ),
  udp(
    5353,
    5353,
    dns(
      0,
      0x8400,
      [0, 2, 0, 1],
      record("printer.local", 1, ip(B4), 0x8001, 120),
      record("printer.local", 47, [dnsName("printer.local"), 0, 1, 0x40]),
      record("", 41, [], 1440),
    ),
    MDNS,
  ),
);

const DHCP_HEADER = (operation: number): Part => [
  ...[operation, 1, 6, 0, be32(0x3903f326), be16(3), be16(0)],
];
const DHCP_REST: Part = [MAC, zeros(10), zeros(64), zeros(128)];
const COOKIE = be32(0x63825363);

const DHCP_GROUP = group(
  "dhcp",
  udp(
    68,
    67,
    [
      ...[DHCP_HEADER(1), zeros(16), DHCP_REST, COOKIE, [53, 1, 1]],
      [61, 7, 1, MAC],
      [50, 4, ip(B4)],
      [12, 6, "laptop"],
      [55, 6, 1, 3, 6, 15, 42, 200],
      [57, 2, be16(1500)],
      [60, 4, "dhcp"],
      [81, 9, 1, 0, 0, "laptop"],
      [61, 4, 0, "abc"],
      [255, 0, 0],
    ],
    { from: "0.0.0.0", to: "255.255.255.255" },
  ),
  udp(
    67,
    68,
    [
      ...[2, 1, 6, 1, be32(0x3903f326), be16(0), be16(0x8000)],
      ...[zeros(4), ip(B4), ip(A4), ip("192.0.2.254")],
      [MAC, zeros(10), "server", zeros(58), "boot.img", zeros(120)],
      ...[COOKIE, [53, 1, 5], [54, 4, ip(A4)], [51, 4, be32(3600)]],
      ...[[1, 4, 255, 255, 255, 0], [3, 8, ip(A4), ip(B4)], [15, 4, "test"]],
      ...[[2, 4, be32(-3600 >>> 0)], [19, 2, 1, 7], [33, 8, ip(A4), ip(B4)]],
      [121, 14, 24, 198, 51, 100, ip(A4), 0, ip(B4), 33],
      [[43, 3, 1, 2, 3], [200, 4, be32(5)], [201, 2, 1, 2], [52, 1, 3]],
      [[93, 3, 0, 1, 9], 0, 0, 255],
    ],
  ),
  udp(67, 68, [2, 6, 5, 0, be32(0), zeros(228), be32(7)]),
  udp(67, 68, [2, 1, 6, 0, be32(0), zeros(228), COOKIE, 12, 20, "cut"]),
  udp(67, 68, [2, 1]),
);

const ntp = (first: number, stratum: number, id: Part): Part => [
  ...[first, stratum, 6, 0xe8, be32(0x0001_8000), be32(0x0000_4000), id],
];
const NTP_GROUP = group(
  "ntp",
  udp(123, 123, [
    ntp(0x23, 0, zeros(4)),
    zeros(28),
    be32(0xedfe_0000),
    be32(0x8000_0000),
  ]),
  udp(123, 123, [
    ...[ntp(0x24, 1, "GPS\0"), be32(0xedfe_0000), be32(0)],
    ...[be32(0xedfe_0000), be32(0x8000_0000)],
    ...[be32(0xedfe_0001), be32(0x4000_0000)],
    ...[be32(0xedfd_ffff), be32(0x4000_0000)],
  ]),
  udp(123, 123, [ntp(0xdc, 2, ip(A4)), zeros(32), be32(1), zeros(16)]),
  udp(123, 123, [ntp(0x64, 2, ip(A4)), zeros(32), be32(9)]),
  udp(123, 123, [ntp(0x1b, 16, ip(A4)), zeros(32), zeros(9)]),
  udp(123, 123, [0x16, 0x82, be16(1), be16(0x618), zeros(4), be16(4), "abcd"]),
  udp(123, 123, [0x27, 0, 0]),
  udp(123, 123, [0x23, 0, 0]),
);

const QUOTED_UDP = udp(33000, 9, "data", { from: B4, to: A4 });
const QUOTED_TCP = tcp(33000, 81, "S", [], { from: B4, to: A4 });
const ICMP_GROUP = group(
  "icmp",
  icmp(8, 0, [be16(77), be16(1), "ping"]),
  icmp(0, 0, [be16(77), be16(1), "ping"]),
  ...[0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16].map((code) =>
    icmp(3, code, [zeros(4), QUOTED_UDP])
  ),
  icmp(3, 3, [zeros(4), QUOTED_UDP]),
  icmp(3, 3, [zeros(4), QUOTED_TCP]),
  icmp(3, 3, [zeros(4), ipv4(132, zeros(12))]),
  icmp(3, 4, [be16(0), be16(1400), QUOTED_TCP]),
  icmp(3, 4, [zeros(4), QUOTED_TCP.slice(0, 28)]),
  icmp(4, 0, [zeros(4), QUOTED_UDP]),
  ...[0, 1, 2, 3, 4].map((code) =>
    icmp(5, code, [ip("192.0.2.254"), QUOTED_UDP])
  ),
  ...[0, 1, 2].map((code) => icmp(11, code, [zeros(4), QUOTED_UDP])),
  ...[0, 1].map((code) => icmp(12, code, [20, 0, 0, 0, QUOTED_UDP])),
  icmp(9, 0, [2, 2, be16(1800), ip(A4), be32(0), ip(B4), be32(5)]),
  icmp(9, 0, [1, 3, be16(30), zeros(12)]),
  icmp(9, 0, [0, 2, be16(7200)]),
  icmp(10, 0, zeros(4)),
  icmp(13, 0, [be16(1), be16(2), be32(43_200_000), zeros(8)]),
  icmp(14, 0, [be16(1), be16(2), be32(43_200_001), be32(5), be32(86_399_999)]),
  icmp(15, 0, zeros(4)),
  icmp(17, 0, zeros(8)),
  icmp(18, 0, [zeros(4), 255, 255, 255, 0]),
  icmp(42, 0, zeros(4)),
  ipv4(1, [8, 0, 0, 1, zeros(8)]),
);

const QUOTED_UDP6 = udp(33000, 9, "data", { from: B6, to: A6 });
const LINK_OPTION: Part = [1, 1, MAC];
const ICMPV6_GROUP = group(
  "icmpv6",
  icmpv6(128, 0, [be16(77), be16(1), "ping"]),
  icmpv6(129, 0, [be16(77), be16(1), "ping"]),
  ...[0, 1, 2, 3, 4, 5].map((code) => icmpv6(1, code, [zeros(4), QUOTED_UDP6])),
  icmpv6(1, 4, [zeros(4), tcp(1, 81, "S", [], { from: B6, to: A6 })]),
  icmpv6(1, 4, [
    zeros(4),
    ipv6(0, [17, 0, zeros(6), be16(7), be16(8), zeros(4)]),
  ]),
  icmpv6(2, 0, [be32(1280), QUOTED_UDP6]),
  ...[0, 1, 2].map((code) => icmpv6(3, code, [zeros(4), QUOTED_UDP6])),
  ...[0, 1, 2, 3, 4].map((code) => icmpv6(4, code, [be32(40), QUOTED_UDP6])),
  icmpv6(133, 0, [zeros(4), LINK_OPTION], {
    from: L6,
    to: "ff02::2",
    ttl: 255,
  }),
  icmpv6(
    134,
    0,
    [
      ...[64, 0xc8, be16(1800), be32(30000), be32(1000), LINK_OPTION],
      [
        3,
        4,
        64,
        0xc0,
        be32(86400),
        be32(0xffff_ffff),
        zeros(4),
        ip("2001:db8::"),
      ],
      [5, 1, 0, 0, be32(1500)],
      [24, 2, 48, 0x08, be32(600), [0x20, 1, 0x0d, 0xb8, 0, 1, 0, 0]],
      [25, 3, 0, 0, be32(1200), ip("2001:db8::53")],
      [31, 3, 0, 0, be32(1200), dnsName("example.org"), 0, 0, 0],
      [7, 1, 0, 0, be32(5000), 8, 1, 0, 0, be16(1), be16(300)],
      [14, 1, 1, 2, 3, 4, 5, 6],
    ],
    { from: L6, to: "ff02::1", ttl: 255 },
  ),
  icmpv6(135, 0, [zeros(4), ip(B6), LINK_OPTION], {
    from: L6,
    to: "ff02::1:ff00:2",
  }),
  icmpv6(136, 0, [0xe0, 0, 0, 0, ip(B6), 2, 1, MAC]),
  icmpv6(137, 0, [zeros(4), ip(L6), ip(B6), 4, 2, zeros(14)]),
  icmpv6(130, 0, [be16(1000), 0, 0, zeros(16)]),
  icmpv6(130, 0, [
    be16(0x8123),
    0,
    0,
    ip("ff02::5"),
    0x0a,
    125,
    be16(1),
    ip(A6),
  ]),
  icmpv6(130, 0, zeros(5)),
  icmpv6(131, 0, [be16(0), 0, 0, ip("ff02::fb")]),
  icmpv6(132, 0, [be16(0), 0, 0, ip("ff02::fb")]),
  icmpv6(143, 0, [
    ...[0, 0, be16(2), 4, 0, be16(0), ip("ff02::fb")],
    ...[3, 0, be16(1), ip("ff02::fc"), ip(A6)],
  ]),
  icmpv6(143, 0, [0, 0, be16(3), 9, 0, be16(5), ip("ff02::fb")]),
  icmpv6(100, 0, zeros(12)),
  ipv6(58, [128, 0, 0, 1, zeros(8)]),
  ipv6(58, []),
);

const IGMP_GROUP = group(
  "igmp",
  igmp([0x11, 0, 0, 0, zeros(4)], "224.0.0.1"),
  igmp([0x11, 100, 0, 0, zeros(4)], "224.0.0.1"),
  igmp([0x11, 50, 0, 0, ip("224.0.0.251")], "224.0.0.251"),
  igmp([0x11, 24, 0, 0, zeros(4), 2, 125, be16(0)], "224.0.0.1"),
  igmp(
    [0x11, 100, 0, 0, ip("224.0.0.251"), 2, 125, be16(1), ip(A4)],
    "224.0.0.251",
  ),
  igmp([0x11, 0xff, 0, 0, zeros(8)], "224.0.0.1"),
  igmp([0x12, 0, 0, 0, ip("224.0.0.5")], "224.0.0.5"),
  igmp([0x16, 0, 0, 0, ip("224.0.0.251")], "224.0.0.251"),
  igmp([0x17, 0, 0, 0, ip("224.0.0.251")], "224.0.0.2"),
  igmp(
    [
      ...[0x22, 0, 0, 0, 0, 0, be16(2), 4, 0, be16(0), ip("224.0.0.251")],
      ...[1, 0, be16(1), ip("224.0.0.5"), ip(A4)],
    ],
    "224.0.0.22",
  ),
  igmp([0x33, 0, 0, 0, zeros(4)], "224.0.0.1"),
);

const NETWORK_GROUP = group(
  "network",
  ipv4(17, bytes(be16(7), be16(8), be16(408), 0, 0, zeros(92)), {
    ...{ fragment: 0x2000, id: 99 },
  }),
  ipv4(17, zeros(100), { fragment: 0x200d, id: 99 }),
  ipv4(17, zeros(50), { fragment: 0x001a, id: 99 }),
  ipv4(6, [be16(7), be16(8), 1, 2], { fragment: 0x2000 }),
  udp(7, 8, "marked", { tos: 0x03, ttl: 0 }),
  udp(7, 8, "marked", { tos: 0x29 }),
  udp(7, 8, "marked", { tos: 0x02, fragment: 0x4000 }),
  udp(7, 8, "options", { options: [148, 4, 0, 0] }),
  udp(7, 8, "options", { options: [148, 4, 0, 5, 1, 1, 1, 0] }),
  udp(7, 8, "route", { options: [7, 11, 8, ip(A4), ip("0.0.0.0"), 0] }),
  udp(7, 8, "stamps", { options: [68, 12, 9, 0, be32(5), be32(0)] }),
  udp(7, 8, "stamps", { options: [68, 12, 13, 0x21, ip(A4), be32(5)] }),
  udp(7, 8, "damaged", { options: [68, 3, 9, 0, 130, 2, 99, 9] }),
  ipv4(4, udp(7, 8, "inner", { from: "10.0.0.1", to: "10.0.0.2" })),
  ipv4(41, udp(7, 8, "inner", { from: A6, to: B6 })),
  ipv6(4, udp(7, 8, "inner", { from: "10.0.0.1", to: "10.0.0.2" })),
  ipv4(50, [be32(0x1234), be32(7), zeros(20)]),
  ipv4(51, [6, 4, 0, 0, be32(5), be32(6), zeros(12), tcp(1, 2, "S").slice(20)]),
  ipv4(58, zeros(8)),
  ipv6(1, zeros(8)),
  ipv4(200, zeros(9)),
  ipv4(17, [1, 2]),
  ipv4(17, [be16(7), be16(8), be16(3), 0, 0]),
  ipv4(17, [be16(7), be16(8), be16(80), 0, 0, 1, 2, 3]),
  ipv4(6, [be16(7), be16(8), be32(1), be32(2), 0x10, 2, zeros(6)]),
  ipv4(6, [be16(7), be16(8), be32(1), be32(2), 0xf0, 2, zeros(6)]),
  ipv4(0, []),
  ipv6(0, [17, 0, 5, 2, 0, 0, 1, 0, udp(7, 8, "hop", { from: A6 }).slice(40)]),
  ipv6(60, [
    6,
    0,
    1,
    4,
    zeros(4),
    tcp(1, 2, "S", [], { from: A6, to: B6 }).slice(40),
  ]),
  ipv6(43, [
    17,
    2,
    0,
    1,
    zeros(4),
    ip(A6),
    udp(7, 8, "x", { from: A6 }).slice(40),
  ]),
  ipv6(43, [
    17,
    2,
    4,
    0,
    0,
    0,
    be16(9),
    ip(A6),
    udp(7, 8, "x", { from: A6 }).slice(40),
  ]),
  ipv6(43, [17, 0, 9, 0, zeros(4), zeros(8)]),
  ipv6(44, [
    17,
    0,
    be16(1),
    be32(0xabcd),
    be16(7),
    be16(8),
    be16(40),
    zeros(26),
  ]),
  ipv6(44, [17, 0, be16(0x20 | 1), be32(0xabcd), zeros(24)]),
  ipv6(0, [
    60,
    0,
    0,
    0,
    1,
    2,
    0,
    0,
    17,
    0,
    0x3e,
    4,
    zeros(4),
    udp(7, 8, "y", { from: A6 }).slice(40),
  ]),
  ipv6(60, [59, 2, 0xc9, 16, ip(A6), 1, 2, 0, 0]),
  ipv6(59, []),
  udp(7, 8, "flow", { from: A6, to: B6, tos: 0x20, flow: 0xbeef }),
  udp(7, 8, "mapped", { from: "::ffff:192.0.2.9", to: "::192.0.2.1" }),
  udp(7, 8, "zero", { from: "::", to: "::1" }),
  udp(7, 8, "gaps", { from: "2001:0:0:1::1", to: "2001:db8:0:1:1:1:1:1" }),
  bytes(
    udp(7, 8, "damaged").slice(0, 24),
    9,
    9,
    udp(7, 8, "damaged").slice(26),
  ),
  bytes(0x50, udp(7, 8).slice(1)),
  bytes(0x43, udp(7, 8).slice(1)),
  bytes(0x45, 0, 0, 5, udp(7, 8).slice(4)),
  bytes(0x45, 0, 0, 0, udp(7, 8, "unsegmented").slice(4)),
  bytes(0x45, 0, 1, 0, udp(7, 8, "too long").slice(4)),
  bytes(ipv6(17, zeros(8)).slice(0, 4), 0, 99, ipv6(17, zeros(8)).slice(6)),
);

const INNER = udp(7, 8, "inner", { from: "10.0.0.1", to: "10.0.0.2" });
const INNER6 = udp(7, 8, "inner", { from: A6, to: B6 });
const TUNNEL_GROUP: Group = {
  name: "tunnel",
  linkType: LinkType.ETHERNET,
  packets: [
    ...[
      ipv4(47, [be16(0), be16(0x0800), INNER]),
      ipv4(47, [
        ...[be16(0xb000), be16(0x86dd), be16(0x1234), be16(0), be32(7)],
        ...[be32(9), INNER6],
      ]),
      ipv4(47, [be16(0x2000), be16(0x6558), be32(5), ethernet(INNER)]),
      ipv4(47, [be16(0), be16(0x880b), zeros(8)]),
      ipv4(47, [be16(0xb000), be16(0x0800), 1]),
      ipv4(47, [be16(2), be16(0x0800), zeros(8)]),
      udp(40000, 4789, [8, 0, 0, 0, 0, 1, 2, 0, ethernet(INNER)]),
      udp(40000, 4789, [0, 0, 0, 0, 0, 1, 2, 0, ethernet(INNER6)]),
      udp(40000, 4789, [8, 0]),
      udp(40000, 6081, [0, 0, 0x65, 0x58, 0, 0, 5, 0, ethernet(INNER)]),
      udp(40000, 6081, [
        ...[3, 0xc0, be16(0x0800), 0, 0, 5, 1, be16(0x0102), 0x81, 1],
        ...[be32(0xabcd), be16(0x0042), 1, 0, INNER],
      ]),
      udp(40000, 6081, [9, 0, be16(0x0800), 0, 0, 5, 0, 1, 2, 3]),
      udp(40000, 6081, [0x40, zeros(9)]),
      udp(40000, 6081, [1, 0, be16(0x0800), zeros(4), be16(0xfff1), 0, 5]),
      udp(40000, 6081, [0, 0, be16(0x1234), zeros(4)]),
    ].map((packet) => ethernet(packet)),
    ethernet(bytes(be32(5 << 12 | 1 << 8 | 64), INNER), 0x8847),
    ethernet(
      bytes(
        be32(0x64040),
        be32(1 << 12 | 0x240),
        be32(2 << 12 | 0x140),
        INNER6,
      ),
      0x8847,
    ),
    ethernet(bytes(be32(7 << 12 | 1 << 8 | 9), "no packet"), 0x8848),
    ethernet(bytes(be32(7 << 12 | 9)), 0x8847),
    ethernet(bytes(0x11, 0, be16(5), be16(35), be16(0x21), INNER), 0x8864),
    ethernet(bytes(0x11, 0, be16(5), be16(99), 0x57, INNER6), 0x8864),
    ethernet(bytes(0x22, 0, be16(0), be16(1), 0x21), 0x8864),
    ethernet(bytes(0x11, 0, 0), 0x8864),
  ].map(captured),
};

const [webClient, webServer] = sides(80, A4, B4);
const [otherClient, otherServer] = sides(8000, A4, B4);
const HTTP_GROUP = group(
  "http",
  webClient("P.", REQUEST, { ack: 1 }),
  webServer("P.", RESPONSE, { seq: 1, ack: 1064 }),
  webServer("P.", "\x00\x01binary", { seq: 100 }),
  webServer("P.", "only text without an end", { seq: 100 }),
  webClient("P.", "propfind / HTTP/1.1\nDepth: 1\n\n"),
  webClient("P.", "GET / HTTP/1.1\r\nX-Bad: \x07\r\n\r\n"),
  tcp(40000, 8080, "P.", "HEAD / HTTP/1.0\r\n\r\n"),
  tcp(21, 40000, "P.", "220 ready\r\n"),
  tcp(40000, 25, "P.", "EHLO example.org\r\n"),
  tcp(22, 40000, "P.", "SSH-2.0-OpenSSH_9.9\r\n"),
  tcp(22, 40000, "P.", [0, 0, 1, 2]),
  tcp(
    40000,
    554,
    "P.",
    "OPTIONS rtsp://example.org RTSP/1.0\r\nCSeq: 1\r\n\r\n",
  ),
  tcp(40000, 43, "P.", "example.org\r\n"),
  udp(5060, 5060, "INVITE sip:a@example.org SIP/2.0\r\nVia: x\r\n\r\n"),
  udp(5060, 5060, "SIP/2.0 180 Ringing\r\n\r\n"),
);

/** Protocols that are recognized where tcpdump looks at ports only. */
const CONTENT_GROUP = group(
  "content",
  otherClient("P.", REQUEST, { ack: 1 }),
  otherServer("P.", RESPONSE, { seq: 1 }),
  otherServer("P.", "no start line at all\r\n", { seq: 200 }),
  otherClient("P.", "PATCH /a HTTP/1.1\r\n\r\n"),
  tcp(40000, 443, "P.", CLIENT_HELLO),
  tcp(40000, 8443, "P.", CLIENT_HELLO.slice(0, 60)),
  tcp(40000, 8080, "P.", CLIENT_HELLO),
  tcp(40000, 25, "P.", REQUEST),
  tcp(40000, 554, "P.", "OPTIONS rtsp://example.org"),
  tcp(443, 40000, "P.", SERVER_HELLO),
  tcp(443, 40000, "P.", SERVER_HELLO_12),
  tcp(443, 40000, "P.", HELLO_RETRY),
  tcp(443, 40000, "P.", record3(21, 0x0303, [2, 48])),
  tcp(443, 40000, "P.", record3(21, 0x0303, [1, 0])),
  tcp(443, 40000, "P.", record3(21, 0x0303, zeros(26))),
  tcp(443, 40000, "P.", record3(23, 0x0303, zeros(90))),
  udp(40000, 443, QUIC_INITIAL),
  udp(443, 40000, [
    0xe0,
    be32(1),
    4,
    1,
    2,
    3,
    4,
    8,
    QUIC_ID,
    0x40,
    0x50,
    zeros(80),
  ]),
  udp(443, 40000, [0xf0, be32(1), 0, 8, QUIC_ID, "token", zeros(16)]),
  udp(443, 40000, [
    0x80,
    be32(0),
    0,
    8,
    QUIC_ID,
    be32(1),
    be32(0x6b3343cf),
    be32(0xff00001d),
  ]),
  udp(40000, 443, [
    0xd3,
    be32(0x6b3343cf),
    8,
    QUIC_ID,
    0,
    2,
    7,
    7,
    0x44,
    0x9e,
    zeros(200),
  ]),
  udp(443, 40000, [0x43, 1, 2, 3, zeros(30)]),
  udp(40000, 5355, dns(1, 0, [1, 0, 0, 0], question("laptop", 1))),
  udp(
    53,
    40000,
    dns(
      ...[2, 0x8180, [1, 1, 0, 0]] as const,
      question("example.org", 65),
      record("example.org", 65, [
        ...[be16(1), 0, be16(1), be16(6), 2, "h2", 2, "h3", be16(4), be16(4)],
        ip(B4),
      ]),
    ),
  ),
);

const ARP = [0, 1, 8, 0, 6, 4];
const LINK_GROUP: Group = {
  name: "link",
  linkType: LinkType.ETHERNET,
  packets: [
    ethernet(bytes(ARP, be16(1), MAC, ip(A4), zeros(6), ip(B4)), 0x0806),
    ethernet(bytes(ARP, be16(1), MAC, ip(A4), MAC, ip(B4), zeros(18)), 0x0806),
    ethernet(bytes(ARP, be16(2), MAC, ip(B4), MAC, ip(A4)), 0x0806),
    ...[3, 4, 8, 9, 10, 77].map((operation) =>
      ethernet(bytes(ARP, be16(operation), MAC, ip(B4), MAC, ip(A4)), 0x8035)
    ),
    ethernet(bytes(0, 6, 8, 0, 6, 5, be16(1), zeros(22)), 0x0806),
    ethernet(bytes(0, 99, 0x86, 0xdd, 6, 4, be16(1), zeros(20)), 0x0806),
    ethernet(bytes(0, 1, 8, 0, 0, 4, be16(1), zeros(8)), 0x0806),
    ethernet(bytes(be16(0x3005), be16(0x0800), udp(7, 8, "tagged")), 0x8100),
    ethernet(
      bytes(
        be16(5),
        be16(0x8100),
        be16(6),
        be16(0x86dd),
        udp(7, 8, "twice", { from: A6 }),
      ),
      0x88a8,
    ),
    ethernet(bytes(0xaa, 0xaa, 3, 0, 0, 0, 8, 0, udp(7, 8, "snap")), 36 + 8),
    ethernet(bytes("unknown protocol"), 0x88b5),
    ethernet(bytes(udp(7, 8, "padded"), zeros(20))),
  ].map(captured),
};

const SAMPLE_GROUPS: readonly Group[] = [
  LinkType.ETHERNET,
  LinkType.LINUX_SLL,
  LinkType.LINUX_SLL2,
].map((linkType) => ({
  name: `linux_${linkType}`,
  linkType,
  packets: Object.values(SAMPLES).filter((sample) =>
    sample.linkType === linkType
  ),
}));

const UDP_LITE_GROUP = group(
  "udplite",
  udplite(40000, 9, 0, "all of it"),
  udplite(40000, 9, 17, "all of it"),
  udplite(40000, 9, 8, "no payload"),
  udplite(40000, 9, 12, "partly", { from: A6, to: B6 }),
  ipv4(136, [be16(40000), be16(9), be16(3), be16(1), "coverage too small"]),
  ipv4(136, [be16(40000), be16(9), be16(0)]),
  ipv4(136, [1, 2]),
);

/** All groups. */
export const GROUPS: readonly Group[] = [
  conversation("tcp", A4, B4),
  conversation("tcp6", A6, B6),
  group(
    "tcp_options",
    ...TCP_OPTIONS.map((tcpOptions) => tcp(7, 8, "S", [], { tcpOptions })),
  ),
  DNS_GROUP,
  MDNS_GROUP,
  DHCP_GROUP,
  NTP_GROUP,
  ICMP_GROUP,
  ICMPV6_GROUP,
  IGMP_GROUP,
  NETWORK_GROUP,
  HTTP_GROUP,
  CONTENT_GROUP,
  LINK_GROUP,
  TUNNEL_GROUP,
  UDP_LITE_GROUP,
  ...SAMPLE_GROUPS,
  cut(conversation("tcp", A4, B4), 14, 20, 34, 36, 40, 54, 60, 66, 70),
  cut(UDP_LITE_GROUP, 34, 36, 38, 40, 54, 58, 60),
  cut(DNS_GROUP, 40, 50, 60, 75, 90, 120),
  cut(NETWORK_GROUP, 12, 30, 36, 44, 56, 64, 72),
  cut(ICMP_GROUP, 35, 36, 40, 44, 60, 66),
  cut(ICMPV6_GROUP, 54, 55, 60, 70, 90, 100),
  cut(HTTP_GROUP, 54, 56, 60, 80),
  cut(TUNNEL_GROUP, 35, 38, 46, 50, 60, 75),
  cut(LINK_GROUP, 13, 15, 18, 24, 40),
  cut(DHCP_GROUP, 43, 60, 100, 290, 310),
  cut(NTP_GROUP, 42, 43, 50, 60, 80),
];
