/**
 * pcapng files that we write, judged by programs that others wrote: tcpdump,
 * tshark and capinfos. Tests of programs that are not installed are skipped.
 */
import assert from "node:assert/strict";
import { LinkType } from "../../lib/bytes/link_type.ts";
import {
  encodeDecryptionSecrets,
  encodeInterface,
  encodeInterfaceStatistics,
  encodeNameResolution,
  encodePacket,
  encodeProcessBlock,
  encodeProcessEvent,
  encodeSectionHeader,
  type PacketInput,
} from "../../lib/pcap/pcapng/encode.ts";
import { SecretsType } from "../../lib/pcap/pcapng/format.ts";
import { formatProcessComment } from "../../lib/pcap/pcapng/process_comment.ts";
import { ask, judge } from "../support/judge.ts";
import { SAMPLES } from "../unit/lib/packet/samples.ts";
import { concat } from "../unit/lib/pcap/pcapng/sample_blocks.ts";

const START = 1_700_000_000_123_456_789n;
const STEP = 1_000_000_007n;
const OWNER = { pid: 4242, tid: 4243, comm: "curl", args: "curl -s web" };

const SAMPLE_PACKETS = Object.values(SAMPLES).filter(({ linkType }) =>
  linkType === LinkType.LINUX_SLL
);

const PACKETS: PacketInput[] = SAMPLE_PACKETS.map((
  { data, originalLength },
  i,
) => ({
  interface: i % 2,
  time: START + BigInt(i) * STEP,
  originalLength,
  data,
  direction: i % 2 === 0 ? "in" : "out",
  process: OWNER,
  event: 0,
  comments: i === 0 ? [formatProcessComment(OWNER), "second"] : [],
}));

/** Everything that a capture writes. */
function wholeFile(extra: Uint8Array[] = []): Uint8Array {
  return concat([
    encodeSectionHeader({
      hardware: "x86_64",
      os: "Linux 6.18",
      application: "tracedump 0.1.0",
      comments: ["curl -s web on host"],
    }),
    ...["lo", "eth0"].map((name) =>
      encodeInterface({
        linkType: LinkType.LINUX_SLL,
        snaplen: 262_144,
        name,
        description: `interface ${name}`,
        filter: "tcp or udp",
        os: "Linux",
      })
    ),
    encodeDecryptionSecrets({
      type: SecretsType.TLS_KEY_LOG,
      data: new TextEncoder().encode(
        `CLIENT_RANDOM ${"00".repeat(32)} ${"11".repeat(48)}\n`,
      ),
    }),
    encodeProcessEvent(OWNER),
    encodeNameResolution([
      { address: Uint8Array.of(127, 0, 0, 1), names: ["web.example"] },
    ]),
    ...extra,
    ...PACKETS.map(encodePacket),
    ...[0, 1].map((id) =>
      encodeInterfaceStatistics({
        interface: id,
        time: START + 9n * STEP,
        startTime: START,
        endTime: START + 9n * STEP,
        received: 12n,
        interfaceDrops: 3n,
        systemDrops: 2n,
      })
    ),
  ]);
}

function epoch(time: bigint): string {
  const fraction = String(time % 1_000_000_000n).padStart(9, "0");
  return `${time / 1_000_000_000n}.${fraction}`;
}

judge("tshark", "tshark reads what our pcapng says of packets", async () => {
  const fields = [
    "frame.time_epoch",
    "frame.cap_len",
    "frame.len",
    "frame.interface_name",
    "frame.interface_description",
    "frame.packet_flags_direction",
    "frame.comment",
    "_ws.malformed",
  ];
  const { lines, errors } = await ask("tshark", wholeFile(), (path) => [
    ...["-n", "-r", path, "-T", "fields"],
    ...fields.flatMap((field) => ["-e", field]),
  ]);
  assert.doesNotMatch(errors, /damaged|corrupt|cut short|invalid/i);
  assert.deepEqual(
    lines,
    PACKETS.map((packet) =>
      [
        epoch(packet.time),
        packet.data.length,
        packet.originalLength,
        ["lo", "eth0"][packet.interface],
        ["interface lo", "interface eth0"][packet.interface],
        packet.direction === "in" ? "0x00000001" : "0x00000002",
        // tshark escapes line ends.
        packet.comments?.join(",").replaceAll("\n", "\\n"),
        "",
      ].join("\t")
    ),
  );
});

judge("tshark", "tshark takes names from our pcapng", async () => {
  const { lines } = await ask("tshark", wholeFile(), (path) => [
    ...["-N", "n", "-r", path, "-Y", "ip", "-T", "fields"],
    ...["-e", "ip.src_host"],
  ]);
  assert(lines.includes("web.example"), lines.join());
});

judge("tshark", "tshark shows the process where its version can", async () => {
  const { lines: known } = await ask("tshark", new Uint8Array(0), () => [
    ...["-G", "fields"],
  ]);
  const field = "frame.darwin.process_info.pname";
  if (!known.some((line) => line.includes(`\t${field}\t`))) return;
  const { lines } = await ask("tshark", wholeFile(), (path) => [
    ...["-n", "-r", path, "-T", "fields", "-e", field],
  ]);
  assert.deepEqual(lines, PACKETS.map(() => OWNER.comm));
});

judge("tshark", "tshark reads a file with a process block", async () => {
  const block = encodeProcessBlock({ ...OWNER, args: ["curl", "-s", "web"] });
  const { lines, errors } = await ask("tshark", wholeFile([block]), (path) => [
    ...[
      "-n",
      "-r",
      path,
      "-Y",
      "ip or ipv6",
      "-T",
      "fields",
      "-e",
      "frame.len",
    ],
  ]);
  assert.doesNotMatch(errors, /damaged|corrupt|cut short|invalid/i);
  assert.equal(lines.length, PACKETS.length);
});

judge("tcpdump", "tcpdump reads our pcapng", async () => {
  const { lines, errors } = await ask("tcpdump", wholeFile(), (path) => [
    ...["-n", "-tt", "--nano", "-q", "-r", path],
  ]);
  assert.match(errors, /^reading from file .* link-type LINUX_SLL/);
  assert.doesNotMatch(errors, /warning|truncated|error/);
  assert.deepEqual(
    lines.map((line) => line.split(" ")[0]),
    PACKETS.map(({ time }) => epoch(time)),
  );
});

judge("capinfos", "capinfos finds all that our pcapng says", async () => {
  const { lines, errors } = await ask("capinfos", wholeFile(), (path) => [
    ...["-M", path],
  ]);
  assert.equal(errors, "");
  const text = lines.join("\n").replaceAll(/ +/g, " ");
  for (
    const expected of [
      "File type: pcapng",
      `Number of packets: ${PACKETS.length}`,
      "File encapsulation: linux-sll",
      "File timestamp precision: nanoseconds (9)",
      "Capture length = 262144",
      "Capture hardware: x86_64",
      "Capture oper-sys: Linux 6.18",
      "Capture application: tracedump 0.1.0",
      "Capture comment: curl -s web on host",
      "Number of interfaces in file: 2",
      "Name = eth0",
      "Description = interface eth0",
      "Operating system = Linux",
      "Filter string = tcp or udp",
      "Number of decryption secrets in file: 1",
      "Number of resolved IPv4 addresses in file: 1",
    ]
  ) assert(text.includes(expected), `${expected} in ${text}`);
});
