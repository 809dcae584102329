import assert from "node:assert/strict";
import { LinkType } from "../../../../../lib/bytes/link_type.ts";
import {
  decodeDnsMessage,
  type DnsMessage,
} from "../../../../../lib/packet/app/dns.ts";
import {
  formatDnsClass,
  formatDnsOpcode,
  formatDnsResponseCode,
  formatDnsType,
  formatServiceKey,
} from "../../../../../lib/packet/app/dns_constants.ts";
import type { DnsData } from "../../../../../lib/packet/app/dns_records.ts";
import {
  type DecodedPacket,
  decodePacket,
  findLayer,
} from "../../../../../lib/packet/packet.ts";
import { hex, SAMPLES } from "../samples.ts";

/** example.com */
const NAME = "07 6578616d706c65 03 636f6d 00";
/** Pointer to the name of the first question. */
const POINTER = "c00c";

/** A response with one answer that has the given type, class, TTL and data. */
function answer(
  type: number,
  data: string,
  recordClass = 1,
  ttl = 300,
): Uint8Array {
  const short = (value: number): string => value.toString(16).padStart(4, "0");
  return hex(
    `1234 8180 0001 0001 0000 0000 ${NAME} ${short(type)} 0001
     ${POINTER} ${short(type)} ${short(recordClass)}
     ${ttl.toString(16).padStart(8, "0")} ${short(hex(data).length)} ${data}`,
  );
}

function decodeData(bytes: Uint8Array): DnsData | undefined {
  const result = decodeDnsMessage(bytes);
  assert.equal(result?.end, bytes.length);
  return result.message.answers[0]?.data;
}

Deno.test("decodeDnsMessage() reads a query", () => {
  const bytes = hex(`beef 0100 0001 0000 0000 0000 ${NAME} 001c 0001`);
  const expected: DnsMessage = {
    id: 0xbeef,
    isResponse: false,
    opcode: 0,
    authoritative: false,
    isShortened: false,
    recursionDesired: true,
    recursionAvailable: false,
    authenticData: false,
    checkingDisabled: false,
    responseCode: 0,
    counts: { questions: 1, answers: 0, authorities: 0, additionals: 0 },
    questions: [{ name: "example.com", type: 28, class: 1 }],
    answers: [],
    authorities: [],
    additionals: [],
  };
  assert.deepEqual(decodeDnsMessage(bytes), {
    message: expected,
    end: bytes.length,
    truncated: undefined,
    malformed: undefined,
  });
});

Deno.test("decodeDnsMessage() reads each flag", () => {
  const rows: [string, Partial<DnsMessage>][] = [
    ["8000", { isResponse: true }],
    ["7800", { opcode: 15 }],
    ["0400", { authoritative: true }],
    ["0200", { isShortened: true }],
    ["0100", { recursionDesired: true }],
    ["0080", { recursionAvailable: true }],
    ["0020", { authenticData: true }],
    ["0010", { checkingDisabled: true }],
    ["000f", { responseCode: 15 }],
  ];
  const none = decodeDnsMessage(new Uint8Array(12))?.message;
  for (const [flags, expected] of rows) {
    const bytes = hex(`0000 ${flags} 0000 0000 0000 0000`);
    assert.deepEqual(decodeDnsMessage(bytes)?.message, {
      ...none,
      ...expected,
    });
  }
});

const RECORDS: [string, number, string, DnsData][] = [
  ["A", 1, "c0000201", { kind: "address", address: "192.0.2.1" }],
  [
    "AAAA",
    28,
    "20010db8000000000000000000000001",
    { kind: "address", address: "2001:db8::1" },
  ],
  ["CNAME", 5, `03 777777 ${POINTER}`, {
    kind: "name",
    name: "www.example.com",
  }],
  ["NS", 2, `026e73 ${POINTER}`, { kind: "name", name: "ns.example.com" }],
  ["PTR", 12, POINTER, { kind: "name", name: "example.com" }],
  ["DNAME", 39, "00", { kind: "name", name: "." }],
  [
    "MX",
    15,
    `000a 02 6d78 ${POINTER}`,
    { kind: "mx", preference: 10, exchange: "mx.example.com" },
  ],
  [
    "TXT",
    16,
    "0476 3d73 31 00 0261 22",
    { kind: "txt", strings: ["v=s1", "", 'a"'] },
  ],
  [
    "SRV",
    33,
    `0001 0002 1466 04 73697031 ${POINTER}`,
    {
      kind: "srv",
      priority: 1,
      weight: 2,
      port: 5222,
      target: "sip1.example.com",
    },
  ],
  [
    "SOA",
    6,
    `026e73 ${POINTER} 0561646d696e ${POINTER} 78a5ecc9 00001c20 00000e10 00127500 ffffffff`,
    {
      kind: "soa",
      primary: "ns.example.com",
      mailbox: "admin.example.com",
      serial: 2024139977,
      refresh: 7200,
      retry: 3600,
      expire: 1209600,
      minimum: 0xffff_ffff,
    },
  ],
  [
    "HTTPS",
    65,
    "0001 00 0001 0003 02 6832 0003 0002 20fb",
    {
      kind: "service",
      priority: 1,
      target: ".",
      parameters: [
        { key: 1, value: hex("026832") },
        { key: 3, value: hex("20fb") },
      ],
    },
  ],
  [
    "SVCB alias",
    64,
    `0000 ${NAME}`,
    { kind: "service", priority: 0, target: "example.com", parameters: [] },
  ],
  ["CAA", 257, "00056973737565", { kind: "raw", data: hex("00056973737565") }],
];

for (const [name, type, data, expected] of RECORDS) {
  Deno.test(`decodeDnsMessage() reads ${name} records`, () => {
    const bytes = answer(type, data);
    assert.deepEqual(decodeData(bytes), expected);
    assert.equal(decodeDnsMessage(bytes)?.malformed, undefined);
    const record = decodeDnsMessage(bytes)?.message.answers[0];
    assert.equal(record?.name, "example.com");
    assert.equal(record.type, type);
    assert.equal(record.class, 1);
    assert.equal(record.ttl, 300);
  });
}

Deno.test("decodeDnsMessage() reads OPT records", () => {
  const bytes = answer(41, "000a 0002 abcd 000c 0000", 1232, 0x0103_8000);
  assert.deepEqual(decodeData(bytes), {
    kind: "opt",
    udpSize: 1232,
    extendedCode: 1,
    version: 3,
    dnssecOk: true,
    options: [{ code: 10, data: hex("abcd") }, { code: 12, data: hex("") }],
  });
});

Deno.test("decodeDnsMessage() gives data raw that contradict their type", () => {
  // deno-fmt-ignore
  const rows: [number, string][] = [
    [1, "c00002"], [1, "c000020100"], [28, "00"], [5, "0361"], [5, "00 00"], [5, "c0ff"],
    [15, "00"], [16, "05 61"], [33, "0001"], [6, "0000 00000000"], [65, "0001"],
    [65, "0001 00 0001 0004 00"], [41, "000a 0003 00"],
  ];
  for (const [type, data] of rows) {
    const bytes = answer(type, data);
    assert.deepEqual(decodeData(bytes), { kind: "raw", data: hex(data) });
    assert.deepEqual(decodeDnsMessage(bytes)?.malformed, {
      offset: bytes.length - hex(data).length,
      reason: `data of record type ${type} cannot be decoded`,
    });
  }
});

Deno.test("decodeDnsMessage() keeps the records before a loop", () => {
  const bytes = hex(
    `1234 8180 0000 0002 0000 0000
     ${NAME} 0001 0001 00000001 0004 c0000201
     c027 0001 0001 00000001 0004 c0000202`,
  );
  const result = decodeDnsMessage(bytes);
  assert.equal(result?.message.answers.length, 1);
  assert.deepEqual(result.malformed, {
    offset: 39,
    reason: "name pointer does not point back",
  });
});

Deno.test("decodeDnsMessage() keeps the sections apart", () => {
  const record = `${POINTER} 0010 0001 00000000 0002 01`;
  const bytes = hex(
    `0000 8000 0001 0001 0001 0001 ${NAME} 0010 0001
     ${record} 61 ${record} 62 ${record} 63`,
  );
  const { message } = decodeDnsMessage(bytes)!;
  assert.deepEqual(message.answers[0]?.data, { kind: "txt", strings: ["a"] });
  assert.deepEqual(message.authorities[0]?.data, {
    kind: "txt",
    strings: ["b"],
  });
  assert.deepEqual(message.additionals[0]?.data, {
    kind: "txt",
    strings: ["c"],
  });
});

Deno.test("decodeDnsMessage() gives what precedes a cut", () => {
  const whole = SAMPLES.dnsResponse.data.subarray(42);
  for (let length = 0; length < whole.length; length++) {
    const result = decodeDnsMessage(whole, 0, length);
    assert.equal(result === undefined, length < 12);
    if (result === undefined) continue;
    const { message, truncated, malformed } = result;
    assert.equal(malformed, undefined);
    assert(truncated);
    assert(truncated.offset <= length);
    assert(truncated.offset + truncated.needed > length);
    assert(result.end <= length);
    assert.equal(message.questions.length, length >= 33 ? 1 : 0);
    assert.equal(message.counts.answers, 3);
    const answers = [62, 78, 94].filter((end) => end <= length).length;
    assert.equal(message.answers.length, answers);
  }
});

Deno.test("decodeDnsMessage() finds a message in the midst of other bytes", () => {
  const message = SAMPLES.dnsResponse.data.subarray(42);
  const bytes = Uint8Array.from([0xee, 0xee, ...message, 0xee]);
  const inner = decodeDnsMessage(bytes, 2, bytes.length - 1);
  assert.deepEqual(inner?.message, decodeDnsMessage(message)?.message);
  assert.equal(inner?.end, bytes.length - 1);
});

/** A TCP segment from port 53 with a payload. */
function segment(payload: string): DecodedPacket {
  const bytes = hex(payload);
  const length = (40 + bytes.length).toString(16).padStart(4, "0");
  const header = hex(
    `4500 ${length} 0000 0000 4006 0000 c0000202 c0000201
     0035 c32a 00000001 00000002 5018 0100 0000 0000`,
  );
  const data = Uint8Array.from([...header, ...bytes]);
  return decodePacket(data, LinkType.RAW, { originalLength: data.length });
}

const QUERY = `beef 0100 0001 0000 0000 0000 ${NAME} 0001 0001`;

Deno.test("decodeDns() reads messages over TCP", () => {
  const packet = segment(`001d ${QUERY}`);
  const layer = findLayer(packet, "dns");
  assert.equal(layer?.offset, 40);
  assert.equal(layer.headerLength, 31);
  assert.equal(layer.payloadLength, 0);
  assert.equal(layer.questions[0]?.name, "example.com");
  assert.equal(packet.truncated, undefined);
});

Deno.test("decodeDns() gives a layer for each message of a segment", () => {
  const packet = segment(`001d ${QUERY} 001d ${QUERY} 001d beef 0100 0001`);
  assert.deepEqual(packet.layers.map(({ kind, offset }) => [kind, offset]), [
    ["ipv4", 0],
    ["tcp", 20],
    ["dns", 40],
    ["dns", 71],
  ]);
  assert.equal(packet.payloadOffset, 102);
  assert.equal(packet.malformed, undefined);
});

Deno.test("decodeDns() takes a message that goes on in the next segment", () => {
  const packet = segment(`0100 ${QUERY.replace("0001 0000", "0001 0009")}`);
  assert.equal(findLayer(packet, "dns")?.questions.length, 1);
  assert.equal(packet.truncated?.layer, "dns");
  assert.equal(packet.malformed, undefined);
});

Deno.test("decodeDns() complains when a message exceeds its length over TCP", () => {
  const packet = segment(`0014 ${QUERY} ${"00".repeat(40)}`);
  assert.equal(packet.malformed?.layer, "dns");
  assert.equal(packet.truncated, undefined);
});

Deno.test("decodeDns() leaves segments alone that begin within a message", () => {
  for (
    const payload of [
      "6578616d706c652e",
      "0003 " + QUERY,
      "001d beef 0140",
      "",
      "00",
      `001d beef 7800${"00".repeat(25)}`,
    ]
  ) {
    const packet = segment(payload);
    assert.equal(packet.layers.at(-1)?.kind, "tcp", payload);
    assert.equal(packet.truncated, undefined);
    assert.equal(packet.malformed, undefined);
    assert.equal(packet.payloadOffset, 40);
  }
});

Deno.test("decodeDns() knows a message's end although the packet's is unknown", () => {
  const payload = hex(`0014 ${QUERY} ${"00".repeat(40)}`);
  const header = hex(
    `4500 0000 0000 0000 4006 0000 c0000202 c0000201
     0035 c32a 00000001 00000002 5018 0100 0000 0000`,
  );
  const packet = decodePacket(
    Uint8Array.from([...header, ...payload]),
    LinkType.RAW,
  );
  assert.equal(packet.malformed?.layer, "dns");
  assert.equal(packet.truncated, undefined);
});

Deno.test("decodePacket() finds nothing wrong with an empty datagram", () => {
  const data = hex(
    "4500 001c 0000 0000 4011 0000 c0000201 c0000202 c32a 0035 0008 0000",
  );
  const packet = decodePacket(data, LinkType.RAW, { originalLength: 28 });
  assert.deepEqual(packet.layers.map(({ kind }) => kind), ["ipv4", "udp"]);
  assert.equal(packet.malformed, undefined);
  assert.equal(packet.truncated, undefined);
});

Deno.test("decodePacket() decodes multicast DNS and LLMNR too", () => {
  for (const port of [5353, 5355]) {
    const data = SAMPLES.dnsQuery.data.slice();
    data.set([port >>> 8, port & 0xff], 36);
    const packet = decodePacket(data, LinkType.ETHERNET);
    assert.equal(findLayer(packet, "dns")?.id, 0xbeef);
  }
});

Deno.test("format functions name numbers and show unknown ones", () => {
  assert.equal(formatDnsType(65), "HTTPS");
  assert.equal(formatDnsType(4711), "TYPE4711");
  assert.equal(formatDnsClass(1), "IN");
  assert.equal(formatDnsClass(0x8001), "CLASS32769");
  assert.equal(formatDnsResponseCode(3), "NXDOMAIN");
  assert.equal(formatDnsResponseCode(12), "RCODE12");
  assert.equal(formatDnsOpcode(5), "UPDATE");
  assert.equal(formatDnsOpcode(3), "OPCODE3");
  assert.equal(formatServiceKey(1), "alpn");
  assert.equal(formatServiceKey(667), "key667");
});
