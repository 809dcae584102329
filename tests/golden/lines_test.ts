/**
 * Sample packets and exactly how they are printed.
 *
 * Each file in `text/` shows the packets of a group of
 * `tests/unit/lib/text/samples.ts`: a line with options, then what they give.
 * `deno task golden:update` writes them anew.
 */

import assert from "node:assert/strict";
import { packetToJson } from "../../lib/text/packet_json.ts";
import { PacketPrinter } from "../../lib/text/packet_printer.ts";
import {
  type PrintablePacket,
  type PrintOptions,
  TIME_FORMATS,
} from "../../lib/text/print_options.ts";
import { type Group, GROUPS } from "../unit/lib/text/samples.ts";

const FOLDER = new URL("./text/", import.meta.url);
const START = 1_783_944_688;
const NANOSECONDS = 123_456_789;
const JSON_FORM = "json";

/** Options of every group. */
const COMMON: Readonly<Record<string, PrintOptions>> = {
  "": {},
  "-e -q": { linkHeader: true, quiet: true },
  "-vv": { verbosity: 2 },
};
/** Options that one group is enough for. */
const MORE: Readonly<Record<string, PrintOptions>> = {
  "-v": { verbosity: 1 },
  "-S": { absoluteSequence: true },
  "-# --nano": { numbered: true, nanoseconds: true },
  ...Object.fromEntries(
    TIME_FORMATS.slice(1).map((time, i) => [`-${"t".repeat(i + 1)}`, { time }]),
  ),
  "-q -A": { quiet: true, payload: "text" },
  "-q -AA": { quiet: true, payload: "text-frame" },
  "-q -x": { quiet: true, payload: "hex" },
  "-q -xx": { quiet: true, payload: "hex-frame" },
  "-q -X": { quiet: true, payload: "hex-text" },
  "-q -XX": { quiet: true, payload: "hex-text-frame" },
  "--color": { color: true },
};
/** Further options of groups; these also have their JSON form. */
const IN_DETAIL: ReadonlyMap<string, typeof MORE> = new Map([
  ["tcp", MORE],
  ["content", { "-q -A": MORE["-q -A"]!, "--color": MORE["--color"]! }],
  ["dns", { "--color": MORE["--color"]! }],
  ["icmp", { "--color": MORE["--color"]! }],
]);

function packetsOf({ linkType, packets }: Group): PrintablePacket[] {
  return packets.map((packet, index) => ({
    ...packet,
    seconds: START + index,
    nanoseconds: NANOSECONDS * index % 1_000_000_000,
    interface: { linkType, name: "lo" },
    ...(index % 2 === 1 ? {} : { direction: "out" }),
    ...(index % 3 === 0 ? { process: { pid: 402475, comm: "curl" } } : {}),
  }));
}

function show(group: Group, options: PrintOptions): string {
  const printer = new PacketPrinter({ ...options, timeZone: "UTC" });
  // Escape sequences as they can be read.
  return packetsOf(group).map((packet) => printer.format(packet))
    .join("\n").replaceAll("\x1b", "\\e");
}

function transcript(group: Group): string {
  const more = IN_DETAIL.get(group.name);
  const manners = Object.entries({ ...COMMON, ...more });
  const parts = manners.map(([flags, options]) =>
    `$ ${flags}\n${show(group, options)}\n`
  );
  if (more !== undefined) {
    const objects = packetsOf(group).map((packet, index) =>
      JSON.stringify(packetToJson(packet, index + 1))
    );
    parts.push(`$ ${JSON_FORM}\n${objects.join("\n")}\n`);
  }
  return parts.join("\n").replaceAll(
    / +$/gm,
    (spaces) => "·".repeat(spaces.length),
  );
}

for (const group of GROUPS.filter(({ name }) => !name.endsWith("_cut"))) {
  Deno.test(`printed packets ${group.name}`, async () => {
    const file = new URL(`${group.name}.txt`, FOLDER);
    const actual = transcript(group);
    if (Deno.env.get("UPDATE_GOLDEN") === "1") {
      await Deno.writeTextFile(file, actual);
    } else assert.equal(actual, await Deno.readTextFile(file));
  });
}

Deno.test("every transcript is of a group", () => {
  const names = GROUPS.map(({ name }) => `${name}.txt`);
  for (const { name } of Deno.readDirSync(FOLDER)) {
    assert(names.includes(name), name);
  }
});
