import assert from "node:assert/strict";
import { PacketPrinter } from "../../../../lib/text/packet_printer.ts";
import type {
  PrintablePacket,
  PrintOptions,
} from "../../../../lib/text/print_options.ts";
import { type Sample, SAMPLES } from "../packet/samples.ts";

const SECONDS = 1_783_944_688;
const SYN_OPTIONS = "[mss 65495,sackOK,TS val 290568002 ecr 0,nop,wscale 10]";
const SYN = "IP 127.0.0.1.45078 > 127.0.0.1.1: Flags [S], seq 3913087801, " +
  `win 65495, options ${SYN_OPTIONS}, length 0`;

function packetOf(
  sample: Sample,
  more: Partial<PrintablePacket> = {},
): PrintablePacket {
  return {
    data: sample.data,
    originalLength: sample.originalLength,
    seconds: SECONDS,
    nanoseconds: 9_276_543,
    interface: { linkType: sample.linkType },
    ...more,
  };
}

function print(sample: Sample, options: PrintOptions = {}): string {
  return new PacketPrinter({ timeZone: "UTC", time: "none", ...options })
    .format(packetOf(sample));
}

Deno.test("a line begins with the time of day in the zone", () => {
  const packet = packetOf(SAMPLES.sllSyn);
  const utc = new PacketPrinter({ timeZone: "UTC" });
  assert.equal(utc.format(packet), `12:11:28.009276 ${SYN}`);
  const india = new PacketPrinter({
    timeZone: "Asia/Kolkata",
    nanoseconds: true,
    time: "date",
  });
  assert.equal(india.format(packet), `2026-07-13 17:41:28.009276543 ${SYN}`);
});

Deno.test("interface, direction and process stand before the protocol", () => {
  const line = new PacketPrinter({ timeZone: "UTC" }).format(
    packetOf(SAMPLES.sllSyn, {
      interface: { linkType: SAMPLES.sllSyn.linkType, name: "lo" },
      process: { pid: 402475, comm: "curl" },
    }),
  );
  assert.equal(line, `12:11:28.009276 lo    In  curl.402475 ${SYN}`);
});

Deno.test("a process with a hostile name cannot write to the terminal", () => {
  const line = new PacketPrinter({ time: "none" }).format(
    packetOf(SAMPLES.sllSyn, { process: { pid: 7, comm: "a\x1b[2J\n" } }),
  );
  assert.equal(line, `a?[2J?.7 ${SYN}`);
});

Deno.test("a process without a name has a question mark", () => {
  const line = new PacketPrinter({ time: "none" }).format(
    packetOf(SAMPLES.sllSyn, { process: { pid: 7 } }),
  );
  assert.equal(line, `?.7 ${SYN}`);
});

Deno.test("sequence numbers count from the beginning of the connection", () => {
  const printer = new PacketPrinter({ time: "none" });
  const lines = [SAMPLES.tcpSyn, SAMPLES.tcpSynAck, SAMPLES.tcpData]
    .map((sample) => printer.format(packetOf(sample)));
  assert.match(lines[1]!, /Flags \[S\.\], seq 1964565811, ack 576485189,/);
  assert.match(lines[2]!, /Flags \[P\.\], seq 1:28, ack 1,/);
  assert.match(
    print(SAMPLES.tcpData, { absoluteSequence: true }),
    /seq 576485189:576485216, ack 1964565812,/,
  );
});

Deno.test("quiet lines say little", () => {
  assert.equal(
    print(SAMPLES.tcpData, { quiet: true }),
    "IP 192.0.2.1.49962 > 192.0.2.2.80: tcp 27",
  );
});

Deno.test("names stand for numbers", () => {
  const names = {
    host: (address: string): string | undefined =>
      address === "192.0.2.2" ? "server" : undefined,
    port: (port: number): string | undefined =>
      port === 80 ? "http" : undefined,
  };
  assert.equal(
    print(SAMPLES.tcpData, { quiet: true, names }),
    "IP 192.0.2.1.49962 > server.http: tcp 27",
  );
});

Deno.test("names that are learned along the way are printed from then on", () => {
  const known = new Map<string, string>();
  const printer = new PacketPrinter({
    time: "none",
    quiet: true,
    names: { host: (address) => known.get(address) },
  });
  const format = (): string => printer.format(packetOf(SAMPLES.tcpData));
  assert.equal(format(), "IP 192.0.2.1.49962 > 192.0.2.2.80: tcp 27");
  known.set("192.0.2.2", "server");
  assert.equal(format(), "IP 192.0.2.1.49962 > server.80: tcp 27");
});

Deno.test("records with impossible lengths are reported", () => {
  const printer = new PacketPrinter();
  const empty = { ...SAMPLES.udp, data: new Uint8Array(0), originalLength: 0 };
  assert.equal(
    printer.format(packetOf(empty)),
    "[Invalid header: caplen==0, len==0]",
  );
  assert.equal(
    printer.format(packetOf({ ...SAMPLES.udp, originalLength: 51 })),
    "[Invalid header: len(51) < caplen(52)]",
  );
});

Deno.test("packets of unknown link types are shown in hexadecimal", () => {
  const line = print({
    ...SAMPLES.udp,
    linkType: 147,
    data: SAMPLES.udp.data.slice(0, 4),
  });
  assert.equal(
    line,
    "link type 147, length 52\n\t0x0000:  0200 0000" + " ".repeat(32) + "....",
  );
});

Deno.test("an unknown time zone is refused in words", () => {
  assert.throws(
    () => new PacketPrinter({ timeZone: "Mars/Olympus" }),
    { message: "Cannot print times of Mars/Olympus: no such zone" },
  );
});
