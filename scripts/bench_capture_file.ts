/**
 * A large capture file to be read: connections that take turns, as tracedump
 * captures them.
 *
 * @module
 */
import { LinkType } from "../lib/bytes/link_type.ts";
import { encodeFileHeader, encodeRecord } from "../lib/pcap/writer.ts";
import { MAXIMUM_SNAPLEN } from "../lib/pcap/format.ts";
import {
  be16,
  be32,
  bytes,
  dns,
  type Part,
  question,
  tcp,
  udp,
} from "../tests/unit/lib/text/packet_builder.ts";

const CONNECTIONS = 500;
/** Records that are written at a time. */
const BATCH = 10_000;
/** Nanoseconds since 1970 of the first packet, and between packets. */
const START = 1_783_944_688_000_000_000n;
const STEP = 50_000n;
const FILE = {
  linkType: LinkType.LINUX_SLL,
  snaplen: MAXIMUM_SNAPLEN,
  nanoseconds: true,
};

const TIMESTAMPS: Part = [1, 1, 8, 10, be32(290568002), be32(290568001)];
const REQUEST = "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n";

/** Writes a file with so many packets. */
export async function writeCaptureFile(
  path: string,
  count: number,
): Promise<void> {
  const packets = samplePackets();
  using file = await Deno.open(path, { write: true, createNew: true });
  await writeAll(file, [encodeFileHeader(FILE)]);
  let timestamp = START;
  for (let first = 0; first < count; first += BATCH) {
    const records: Uint8Array[] = [];
    for (let i = first; i < Math.min(first + BATCH, count); i++) {
      const data = packets[i % packets.length]!;
      const record = { timestamp, data, originalLength: data.length };
      records.push(encodeRecord(record, FILE));
      timestamp += STEP;
    }
    await writeAll(file, records);
  }
}

/** Packets of all connections, one step after the other. */
function samplePackets(): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let step = 0; step < 4; step++) {
    for (let i = 0; i < CONNECTIONS; i++) {
      packets.push(cooked(packetOf(i, step)));
    }
  }
  return packets;
}

/** Request, acknowledgment and answer; every tenth is a DNS query instead. */
function packetOf(connection: number, step: number): Uint8Array {
  const isIpv6 = connection % 4 === 3;
  const client = isIpv6
    ? `2001:db8::${connection}`
    : `10.0.${connection >> 8}.${connection & 255}`;
  const server = isIpv6 ? "2001:db8:1::1" : "192.0.2.80";
  const port = 40_000 + connection;
  if (connection % 10 === 0) {
    const query = dns(connection, 0x0100, [1, 0, 0, 0], question("a.test", 1));
    return udp(port, 53, query, { from: client, to: server });
  }
  const sent = { from: client, to: server, tcpOptions: TIMESTAMPS };
  const received = { from: server, to: client, tcpOptions: TIMESTAMPS };
  switch (step) {
    case 0:
      return tcp(port, 80, "P.", REQUEST, { ...sent, seq: 1, ack: 1 });
    case 1:
      return tcp(80, port, ".", [], { ...received, seq: 1, ack: 37 });
    case 2:
      return tcp(80, port, "P.", new Uint8Array(400), {
        ...received,
        seq: 1,
        ack: 37,
      });
    default:
      return tcp(port, 80, ".", [], { ...sent, seq: 37, ack: 401 });
  }
}

/** A Linux cooked header before an IP packet that was sent. */
function cooked(packet: Uint8Array): Uint8Array {
  const etherType = packet[0]! >>> 4 === 6 ? 0x86dd : 0x0800;
  const header = [be16(4), be16(772), be16(6), new Uint8Array(8)];
  return bytes(...header, be16(etherType), packet);
}

async function writeAll(
  file: Deno.FsFile,
  parts: readonly Uint8Array[],
): Promise<void> {
  const data = new Uint8Array(
    await new Blob(parts.map((part) => part.slice())).arrayBuffer(),
  );
  for (let at = 0; at < data.length;) at += await file.write(data.subarray(at));
}
