/**
 * Files that we write, judged by programs that others wrote: tcpdump, tshark
 * and capinfos. Tests of programs that are not installed are skipped.
 */
import assert from "node:assert/strict";
import { LinkType } from "../../lib/bytes/link_type.ts";
import { decodePacket, findLayer } from "../../lib/packet/packet.ts";
import { Magic } from "../../lib/pcap/format.ts";
import { PcapReader } from "../support/pcap_reader.ts";
import {
  encodeFileHeader,
  encodeRecord,
  type PcapRecordInput,
} from "../../lib/pcap/writer.ts";
import { ask, judge } from "../support/judge.ts";
import { type Sample, SAMPLES } from "../unit/lib/packet/samples.ts";

const START = 1_700_000_000_123_456_789n;
const STEP = 1_000_000_007n;

function inputsOf(samples: readonly Sample[]): PcapRecordInput[] {
  return samples.map(({ data, originalLength }, i) => ({
    timestamp: START + BigInt(i) * STEP,
    originalLength,
    data,
  }));
}

/** The samples of a link type, as our writer writes them. */
function fileOf(
  linkType: number,
  nanoseconds: boolean,
): { file: Uint8Array; inputs: PcapRecordInput[]; samples: Sample[] } {
  const samples = Object.values(SAMPLES).filter((sample) =>
    sample.linkType === linkType
  );
  const inputs = inputsOf(samples);
  const options = { linkType, snaplen: 262_144, nanoseconds };
  const file = Uint8Array.from([
    ...encodeFileHeader(options),
    ...inputs.flatMap((input) => [...encodeRecord(input, options)]),
  ]);
  return { file, inputs, samples };
}

/** Seconds since 1970 with nine decimals, as tshark prints them. */
function epoch(timestamp: bigint, nanoseconds: boolean): string {
  const kept = nanoseconds ? timestamp : timestamp - timestamp % 1000n;
  const seconds = kept / 1_000_000_000n;
  return `${seconds}.${String(kept % 1_000_000_000n).padStart(9, "0")}`;
}

const LINK_NAMES: [number, string, string][] = [
  [LinkType.ETHERNET, "EN10MB (Ethernet)", "ether"],
  [LinkType.LINUX_SLL, "LINUX_SLL (Linux cooked v1)", "linux-sll"],
  [LinkType.LINUX_SLL2, "LINUX_SLL2 (Linux cooked v2)", "linux-sll2"],
];

for (const [linkType, tcpdumpName, capinfosName] of LINK_NAMES) {
  for (const nanoseconds of [false, true]) {
    const kind = `${capinfosName}, ${nanoseconds ? "ns" : "µs"}`;

    judge("tshark", `tshark reads our file (${kind})`, async () => {
      const { file, inputs } = fileOf(linkType, nanoseconds);
      const fields = [
        "frame.time_epoch",
        "frame.cap_len",
        "frame.len",
        "_ws.malformed",
      ];
      const { lines } = await ask("tshark", file, (path) => [
        ...["-n", "-r", path, "-T", "fields"],
        ...fields.flatMap((field) => ["-e", field]),
      ]);
      const expected = inputs.map(({ timestamp, data, originalLength }) =>
        [epoch(timestamp, nanoseconds), data.length, originalLength, ""]
          .join("\t")
      );
      assert.deepEqual(lines, expected);
    });

    judge("tcpdump", `tcpdump reads our file (${kind})`, async () => {
      const { file, inputs } = fileOf(linkType, nanoseconds);
      const { lines, errors } = await ask("tcpdump", file, (path) => [
        ...["-n", "-tt", "-xx", "-q", "-r", path],
        ...(nanoseconds ? ["--nano"] : []),
      ]);
      assert.match(errors, /^reading from file /);
      assert(errors.includes(`link-type ${tcpdumpName}`), errors);
      assert.doesNotMatch(errors, /snapshot length 0|warning|truncated/);
      const stamps = lines.filter((line) => /^\d/.test(line)).map((line) =>
        line.split(" ")[0]
      );
      assert.deepEqual(
        stamps,
        inputs.map(({ timestamp }) =>
          epoch(timestamp, nanoseconds).slice(0, nanoseconds ? undefined : -3)
        ),
      );
      const dumped = lines.filter((line) => line.startsWith("\t0x"))
        .map((line) => line.replace(/^\t0x\w+: /, "")).join("");
      assert.equal(
        dumped.replaceAll(/\s/g, ""),
        inputs.flatMap(({ data }) => [...data])
          .map((byte) => byte.toString(16).padStart(2, "0")).join(""),
      );
    });

    judge("capinfos", `capinfos agrees with our file (${kind})`, async () => {
      const { file, inputs } = fileOf(linkType, nanoseconds);
      const { lines, errors } = await ask("capinfos", file, (path) => [
        ...["-M", "-T", "-r", "-m", "-N", "-E", "-c", "-l", "-d", "-u"],
        ...["-a", "-e", "-S", path],
      ]);
      assert.doesNotMatch(errors, /cut short|damaged|corrupt/i);
      const values = lines[0]?.split(",").slice(1)
        .map((value) => value.replaceAll('"', ""));
      const bytes = inputs.reduce(
        (sum, input) => sum + input.originalLength,
        0,
      );
      const last = inputs.at(-1)!.timestamp;
      const text = (timestamp: bigint): string =>
        epoch(timestamp, nanoseconds).slice(0, nanoseconds ? undefined : -3);
      assert.equal(values?.[0], capinfosName);
      for (
        const expected of [
          "262144",
          String(inputs.length),
          String(bytes),
          text(START),
          text(last),
        ]
      ) assert(values.includes(expected), `${expected} in ${lines[0]}`);
    });
  }
}

judge("tshark", "tshark reads other kinds of files like we do", async () => {
  const { file } = fileOf(LinkType.ETHERNET, false);
  const view = new DataView(file.buffer);
  const swapped = file.slice();
  const swappedView = new DataView(swapped.buffer);
  swappedView.setUint32(0, view.getUint32(0, true));
  for (const at of [4, 6]) {
    swappedView.setUint16(at, view.getUint16(at, true));
  }
  for (const at of [8, 12, 16, 20]) {
    swappedView.setUint32(at, view.getUint32(at, true));
  }
  for (const { offset } of new PcapReader(file)) {
    for (const at of [0, 4, 8, 12]) {
      swappedView.setUint32(offset + at, view.getUint32(offset + at, true));
    }
  }
  for (const extra of [8, 12]) {
    const modified = [...file.subarray(0, 24)];
    for (const { offset, data } of new PcapReader(file)) {
      modified.push(...file.subarray(offset, offset + 16));
      modified.push(...new Uint8Array(extra), ...data);
    }
    const bytes = Uint8Array.from(modified);
    new DataView(bytes.buffer).setUint32(0, Magic.KUZNETZOV, true);
    await compareFrames(bytes);
  }
  await compareFrames(swapped);
});

async function compareFrames(file: Uint8Array): Promise<void> {
  const { lines } = await ask("tshark", file, (path) => [
    ...["-n", "-r", path, "-T", "fields"],
    ...["-e", "frame.time_epoch", "-e", "frame.cap_len", "-e", "frame.len"],
  ]);
  const records = [...new PcapReader(file)].map((record) =>
    [epoch(record.timestamp, true), record.data.length, record.originalLength]
      .join("\t")
  );
  assert.deepEqual(lines, records);
}

/** Fields that tshark and our decoders both show, first occurrence. */
const FIELDS: readonly string[] = [
  "ip.src",
  "ip.dst",
  "ip.ttl",
  "ipv6.src",
  "ipv6.dst",
  "ipv6.hlim",
  "tcp.srcport",
  "tcp.dstport",
  "tcp.seq_raw",
  "tcp.ack_raw",
  "tcp.flags",
  "tcp.window_size_value",
  "tcp.options.mss_val",
  "tcp.options.timestamp.tsval",
  "udp.srcport",
  "udp.dstport",
  "udp.length",
  "icmp.type",
  "icmp.code",
  "icmpv6.type",
  "icmpv6.code",
  "arp.opcode",
  "arp.src.proto_ipv4",
  "dns.qry.name",
  "dns.count.answers",
];

/** The same fields, decoded by us. */
function fieldsOf(sample: Sample): string[] {
  const packet = decodePacket(sample.data, sample.linkType, sample);
  const ip = findLayer(packet, "ipv4");
  const ip6 = findLayer(packet, "ipv6");
  const tcp = findLayer(packet, "tcp");
  const udp = findLayer(packet, "udp");
  const icmp = findLayer(packet, "icmp");
  const icmp6 = findLayer(packet, "icmpv6");
  const arp = findLayer(packet, "arp");
  const dns = findLayer(packet, "dns");
  let mss: number | undefined;
  let value: number | undefined;
  for (const option of tcp?.options ?? []) {
    if (option.type === "mss") mss = option.value;
    if (option.type === "timestamps") value = option.value;
  }
  return [
    ip?.source,
    ip?.destination,
    ip?.ttl,
    ip6?.source,
    ip6?.destination,
    ip6?.hopLimit,
    tcp?.sourcePort,
    tcp?.destinationPort,
    tcp?.sequence,
    tcp?.acknowledgment,
    tcp && `0x${tcp.flags.toString(16).padStart(4, "0")}`,
    tcp?.window,
    mss,
    value,
    udp?.sourcePort,
    udp?.destinationPort,
    udp?.length,
    icmp?.type,
    icmp?.code,
    icmp6?.type,
    icmp6?.code,
    arp?.operation,
    arp?.senderProtocol,
    dns?.questions[0]?.name,
    dns?.counts.answers,
  ].map((field) => field === undefined ? "" : String(field));
}

for (const [linkType, , name] of LINK_NAMES) {
  judge("tshark", `tshark decodes what we decode (${name})`, async () => {
    const { file, samples } = fileOf(linkType, true);
    const { lines } = await ask("tshark", file, (path) => [
      ...["-n", "-r", path, "-T", "fields", "-E", "occurrence=f"],
      ...["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"],
      ...FIELDS.flatMap((field) => ["-e", field]),
    ]);
    for (const [i, sample] of samples.entries()) {
      // Ports and lengths of a quoted packet are the quote's, not the error's.
      const theirs = lines[i]!.split("\t");
      const ours = fieldsOf(sample);
      const isError = decodePacket(sample.data, linkType).quoted.length > 0;
      for (const [j, field] of FIELDS.entries()) {
        if (isError && /^(?:udp|tcp)\./.test(field)) continue;
        assert.equal(ours[j], theirs[j], `${field} of ${sample.about}`);
      }
    }
  });
}
