/**
 * Damaged packets: whatever the bytes are, decoding, printing and the JSON
 * form never throw, never look behind the captured bytes, and print nothing
 * that would change a terminal.
 *
 * `TRACEDUMP_FUZZ_PACKETS` sets how many packets are tried, and
 * `TRACEDUMP_FUZZ_SEED` where the random numbers begin; a failure names both
 * and the packet.
 *
 * @module
 */

import assert from "node:assert/strict";
import { LinkType } from "../../lib/bytes/link_type.ts";
import { decodePacket } from "../../lib/packet/packet.ts";
import { packetToJson } from "../../lib/text/packet_json.ts";
import { PacketPrinter } from "../../lib/text/packet_printer.ts";
import type {
  PayloadFormat,
  PrintablePacket,
  PrintOptions,
} from "../../lib/text/print_options.ts";
import { hexDigits } from "../../lib/text/hex.ts";
import { Random } from "../support/random.ts";
import { GROUPS } from "../unit/lib/text/samples.ts";

const PACKETS = Number(Deno.env.get("TRACEDUMP_FUZZ_PACKETS") ?? 5_000);
const SEED = Number(
  Deno.env.get("TRACEDUMP_FUZZ_SEED") ?? Math.floor(Math.random() * 2 ** 32),
);
/** Bytes behind the packet that must not make a difference. */
const MARGIN = 64;
/** Characters that printed text must not have. */
const CONTROL_REGEXP = /(?![\n\t])\p{C}/u;

const LINK_TYPES: readonly number[] = [
  LinkType.ETHERNET,
  LinkType.LINUX_SLL,
  LinkType.LINUX_SLL2,
  LinkType.RAW,
  LinkType.NULL,
  LinkType.PKTAP,
];
const PAYLOADS: readonly PayloadFormat[] = [
  "none",
  "text",
  "text-frame",
  "hex",
  "hex-text",
];
const OPTIONS: readonly PrintOptions[] = Array.from(
  { length: 20 },
  (_, index): PrintOptions => ({
    verbosity: index % 4,
    quiet: index % 5 === 4,
    linkHeader: index % 3 === 0,
    absoluteSequence: index % 7 === 0,
    payload: PAYLOADS[index % PAYLOADS.length]!,
  }),
);

const SEEDS = GROUPS.flatMap(({ linkType, packets }) =>
  packets.map((packet) => ({ ...packet, linkType }))
);

/** A sample packet after a few accidents. */
function mutate(random: Random): PrintablePacket {
  const { data: original, linkType } = SEEDS[random.below(SEEDS.length)]!;
  let data = Uint8Array.from(original);
  for (let count = random.below(6); count > 0; count--) {
    const at = random.below(data.length + 1);
    switch (random.below(6)) {
      case 0:
        data = data.slice(0, at);
        break;
      case 1: {
        const other = SEEDS[random.below(SEEDS.length)]!.data;
        data = Uint8Array.from([...data.slice(0, at), ...other.slice(at)]);
        break;
      }
      case 2:
        data = Uint8Array.from([...data.slice(0, at), ...data.slice(at >> 1)]);
        break;
      case 3:
        if (at < data.length) {
          data[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)]!;
        }
        break;
      default:
        if (at < data.length) data[at] = random.below(256);
    }
  }
  return {
    data,
    originalLength: random.below(3) === 0
      ? data.length + random.below(2000)
      : data.length,
    seconds: random.below(2 ** 31),
    nanoseconds: random.below(1_000_000_000),
    interface: {
      linkType: random.below(10) === 0
        ? LINK_TYPES[random.below(LINK_TYPES.length)]!
        : linkType,
    },
  };
}

/** The same packet in a buffer whose other bytes are all alike. */
function surrounded(packet: PrintablePacket, byte: number): PrintablePacket {
  const { length } = packet.data;
  const buffer = new Uint8Array(length + 2 * MARGIN).fill(byte);
  buffer.set(packet.data, MARGIN);
  return { ...packet, data: buffer.subarray(MARGIN, MARGIN + length) };
}

/** Two printers that see the same packets, so they print the same. */
type Pair = readonly [PacketPrinter, PacketPrinter];

function check(packet: PrintablePacket, [one, two]: Pair): void {
  const [first, second] = [surrounded(packet, 0xa5), surrounded(packet, 0x01)];
  const text = one.format(first);
  assert.equal(text, two.format(second));
  assert.doesNotMatch(text, CONTROL_REGEXP);
  assert.equal(
    JSON.stringify(packetToJson(first)),
    JSON.stringify(packetToJson(second)),
  );
  const { data, originalLength, interface: { linkType } } = packet;
  const decoded = decodePacket(data, linkType, { originalLength });
  assert(decoded.payloadOffset <= decoded.payloadEnd);
  assert(decoded.payloadEnd <= data.length);
}

Deno.test(`${PACKETS} damaged packets are printed (seed ${SEED})`, () => {
  const random = new Random(SEED);
  const pairs = OPTIONS.map((options): Pair => [
    new PacketPrinter(options),
    new PacketPrinter(options),
  ]);
  const colored = new PacketPrinter({ color: true, verbosity: 1 });
  for (let i = 0; i < PACKETS; i++) {
    const packet = mutate(random);
    const options = OPTIONS[i % OPTIONS.length]!;
    try {
      check(packet, pairs[i % pairs.length]!);
      colored.format(packet);
    } catch (cause) {
      const what = `seed ${SEED}, packet ${i}, link type ` +
        `${packet.interface.linkType}, ${JSON.stringify(options)}, ` +
        `${packet.originalLength} bytes: ${hexDigits(packet.data)}`;
      throw new Error(`Cannot handle a damaged packet: ${what}`, { cause });
    }
  }
});

Deno.test("packets nested as deeply as they fit are printed", () => {
  const levels = [0x45, 0, 0xff, 0xff, 0, 0, 0, 0, 64, 4, 0, 0, 1, 1, 1, 1];
  const ipip = new Uint8Array(65_000);
  for (let at = 0; at + 20 <= ipip.length; at += 20) ipip.set(levels, at);
  const authentication = Uint8Array.from(ipip);
  authentication[9] = 51;
  for (let at = 20; at + 8 <= ipip.length; at += 8) {
    authentication.set([51, 0, 0, 0, 0, 0, 0, 0], at);
  }
  const icmp = new Uint8Array(65_000);
  for (let at = 0; at + 28 <= icmp.length; at += 28) {
    icmp.set(levels, at);
    icmp[at + 9] = 1;
    icmp.set([11, 0, 0, 0, 0, 0, 0, 0], at + 20);
  }
  for (const data of [ipip, authentication, icmp]) {
    const text = new PacketPrinter({ verbosity: 3, time: "none" }).format({
      data,
      originalLength: data.length,
      seconds: 0,
      nanoseconds: 0,
      interface: { linkType: LinkType.RAW },
    });
    assert.match(text, /\[nested too deeply\]/);
  }
});
