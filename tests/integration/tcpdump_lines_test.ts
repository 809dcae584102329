/**
 * Printed lines judged by tcpdump: every sample packet must be printed exactly
 * as `tcpdump -n` prints it, with every option, but for a list of differences.
 *
 * @module
 */

import assert from "node:assert/strict";
import { PacketPrinter } from "../../lib/text/packet_printer.ts";
import type { PrintOptions } from "../../lib/text/print_options.ts";
import {
  readCapture,
  SAMPLE_LINK_TYPES,
  sampleName,
} from "../unit/bpf/filter/samples.ts";
import { GROUPS } from "../unit/lib/text/samples.ts";
import { isContinuousIntegration, missing } from "../support/requires.ts";

const GOLDEN = new URL("../golden/data/", import.meta.url);
const ZONE = "Asia/Kolkata";
const START = 1_783_944_688;
/** Seconds and nanoseconds between packets, neither of them round. */
const STEP = [7, 1_234_567] as const;

/** A capture that both print. */
interface Capture {
  readonly name: string;
  readonly linkType: number;
  readonly packets: readonly {
    readonly data: Uint8Array;
    readonly originalLength: number;
  }[];
}

/**
 * What tcpdump prints where ours differs on purpose: packets with such a line
 * are not compared.
 */
const DIFFERENCES: readonly (readonly [RegExp, string])[] = [
  [/PPPoE PAD|LCP|IPCP/, "discovery and PPP's own protocols are only named"],
  [/GREv1/, "PPTP"],
  [/igrp|PIMv|VRRP|sctp|dhcp6/, "protocols that are not decoded"],
  [/LLC|IPX|aarp|AT \d|STP|ISO|lat |MOP|Loopback|LLDP/, "nor these links"],
  [/Unnumbered|Information|Supervisory|\[\|llc\]|802\.1d/, "nor LLC"],
  [/ethertype DN/, "nor DECnet"],
  [/\.443[ :].*length [1-9]/, "HTTP and TLS are recognized on any port"],
  [/\[\|domain\]|inv_q| ns: \S+ \(/, "DNS messages that were cut"],
  [/ip-proto-136|header UDPLite|UDPLite \(136\)/, "UDP-Lite is decoded"],
  [/bad-len 0$/, "packets before segmentation are printed as what they are"],
  [/NACK Reply|Unknown \(\d+\)/, "odd ARP operations"],
  [/md5/, "the signature is printed without a comment"],
];

/** Groups whose protocols tcpdump does not recognize. */
const NOT_COMPARED: ReadonlySet<string> = new Set([
  "content",
  "udplite",
]);

/** Options, ours and those of tcpdump. */
const MANNERS: readonly (readonly [PrintOptions, readonly string[]])[] = [
  [{}, []],
  [{ quiet: true }, ["-q"]],
  [{ verbosity: 1 }, ["-v"]],
  [{ verbosity: 2 }, ["-vv"]],
  [{ verbosity: 3 }, ["-vvv"]],
  [{ linkHeader: true }, ["-e"]],
  [{ linkHeader: true, quiet: true }, ["-e", "-q"]],
  [{ linkHeader: true, verbosity: 1 }, ["-e", "-v"]],
  [{ absoluteSequence: true }, ["-S"]],
  [{ numbered: true, time: "none" }, ["-#", "-t"]],
  [{ time: "epoch" }, ["-tt"]],
  [{ time: "delta" }, ["-ttt"]],
  [{ time: "date" }, ["-tttt"]],
  [{ time: "elapsed" }, ["-ttttt"]],
  [{ nanoseconds: true }, ["--nano"]],
  [{ nanoseconds: true, time: "delta" }, ["--nano", "-ttt"]],
  [{ payload: "hex" }, ["-x"]],
  [{ payload: "hex-frame" }, ["-xx"]],
  [{ payload: "hex-text" }, ["-X"]],
  [{ payload: "hex-text-frame", verbosity: 1 }, ["-XX", "-v"]],
];

/** Writes a capture file with nanoseconds. */
function writeFile({ linkType, packets }: Capture): Uint8Array {
  const size = packets.reduce((sum, { data }) => sum + 16 + data.length, 24);
  const file = new Uint8Array(size);
  const view = new DataView(file.buffer);
  [0xa1b2_3c4d, 2 | 4 << 16, 0, 0, 262_144, linkType].forEach((word, index) =>
    view.setUint32(4 * index, word, true)
  );
  let at = 24;
  for (const [index, { data, originalLength }] of packets.entries()) {
    const [seconds, nanoseconds] = timeOf(index);
    [seconds, nanoseconds, data.length, originalLength].forEach((word, field) =>
      view.setUint32(at + 4 * field, word, true)
    );
    file.set(data, at + 16);
    at += 16 + data.length;
  }
  return file;
}

function timeOf(index: number): [seconds: number, nanoseconds: number] {
  return [START + STEP[0] * index, STEP[1] * index % 1_000_000_000];
}

/** What tcpdump prints with each set of options. */
async function printTheirs(
  capture: Capture,
  manners: readonly (readonly string[])[],
): Promise<string[]> {
  const path = await Deno.makeTempFile({ suffix: ".pcap" });
  try {
    await Deno.writeFile(path, writeFile(capture));
    return await Promise.all(manners.map(async (options) => {
      const { success, stdout } = await new Deno.Command("tcpdump", {
        args: ["-n", ...options, "-r", path],
        env: { TZ: ZONE },
        stderr: "null",
      }).output();
      assert(success, `tcpdump ${options.join(" ")}`);
      return new TextDecoder("latin1").decode(stdout);
    }));
  } finally {
    await Deno.remove(path);
  }
}

function printOurs(
  { linkType, packets }: Capture,
  options: PrintOptions,
): string {
  const printer = new PacketPrinter({
    ...options,
    timeZone: ZONE,
    names: { interface: (index) => INTERFACES.get(index) },
  });
  return packets.map((packet, index) => {
    const [seconds, nanoseconds] = timeOf(index);
    return printer.format({
      ...packet,
      seconds,
      nanoseconds,
      interface: { linkType },
    }) + "\n";
  }).join("");
}

/** Names of this machine's interfaces, as tcpdump finds them. */
const INTERFACES: ReadonlyMap<number, string> = new Map(
  [...Deno.readDirSync("/sys/class/net")].flatMap(({ name }) => {
    try {
      const text = Deno.readTextFileSync(`/sys/class/net/${name}/ifindex`);
      return [[Number(text), name] as const];
    } catch {
      // Not an interface, or gone.
      return [];
    }
  }),
);

/** For `-x` and `-X` also those whose headers were cut: theirs then vary. */
const HEX_DIFFERENCES: readonly RegExp[] = [/\[\|/, /remaining caplen/];
const HEX: ReadonlySet<string> = new Set(["hex", "hex-text"]);

/** Leaves out the packets that tcpdump prints in another way. */
async function comparable(
  capture: Capture,
  differences: readonly RegExp[] = DIFFERENCES.map(([pattern]) => pattern),
): Promise<Capture> {
  const texts = await printTheirs(capture, [
    ["-#t", "-e"],
    ["-#t", "-v"],
    ["-#t", "-vv"],
  ]);
  const different = new Set<number>();
  for (const text of texts) {
    // A line of a packet begins with its number, the others are indented.
    for (const entry of text.split(/\n(?= {0,4}\d+ {2})/)) {
      const isDifferent = differences.some((pattern) =>
        entry.split("\n").some((line) => pattern.test(line))
      );
      if (isDifferent) different.add(parseInt(entry));
    }
  }
  const packets = capture.packets.filter((_, i) => !different.has(i + 1));
  return { ...capture, packets };
}

const FILES: readonly Capture[] = SAMPLE_LINK_TYPES.map((linkType) => ({
  name: sampleName(linkType),
  linkType,
  packets: readCapture(
    Deno.readFileSync(new URL(sampleName(linkType), GOLDEN)),
  ).map(({ bytes, length }) => ({ data: bytes, originalLength: length })),
}));

async function compare(
  capture: Capture,
  manners: typeof MANNERS,
): Promise<void> {
  const flags = manners.map(([, theirs]) => theirs);
  const theirs = await printTheirs(capture, flags);
  for (const [index, [options]] of manners.entries()) {
    const name = flags[index]!.join(" ");
    const ours = printOurs(capture, options).split("\n");
    assert.deepEqual(ours, theirs[index]!.split("\n"), name);
  }
}

/** Packets of all captures, and those that are compared. */
const counts = { all: 0, compared: 0 };

const needs = missing(["program tcpdump"]);
const ignore = needs !== undefined && !isContinuousIntegration();
for (const capture of [...GROUPS, ...FILES]) {
  if (NOT_COMPARED.has(capture.name)) continue;
  Deno.test({
    name: `lines of ${capture.name} are those of tcpdump`,
    ignore,
    fn: async () => {
      const same = await comparable(capture);
      counts.all += capture.packets.length;
      counts.compared += same.packets.length;
      assert(same.packets.length > 0);
      const isHex = ([{ payload }]: typeof MANNERS[number]): boolean =>
        payload !== undefined && HEX.has(payload);
      await compare(same, MANNERS.filter((manner) => !isHex(manner)));
      const whole = await comparable(same, HEX_DIFFERENCES);
      await compare(whole, MANNERS.filter(isHex));
    },
  });
}

Deno.test({
  name: "most sample packets are compared with tcpdump",
  ignore,
  fn: () => {
    const { all, compared } = counts;
    assert(compared > 0.8 * all, `${compared} of ${all}`);
  },
});
