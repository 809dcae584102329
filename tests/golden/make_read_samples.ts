/**
 * Writes the captures that the transcripts of `tracedump read` read.
 *
 *     deno run -A tests/golden/make_read_samples.ts
 *
 * @module
 */

import {
  encodeInterface,
  encodeInterfaceStatistics,
  encodeNameResolution,
  encodePacket,
  encodeProcessEvent,
  encodeSectionHeader,
} from "../../lib/pcap/pcapng/encode.ts";
import { formatProcessComment } from "../../lib/pcap/pcapng/process_comment.ts";
import { SAMPLES } from "../unit/lib/packet/samples.ts";
import { concat } from "../unit/lib/pcap/pcapng/sample_blocks.ts";

const FOLDER = new URL("./data/", import.meta.url);
const START = 1_700_000_000_123_456_789n;
const STEP = 1_000_007n;
const OWNERS = [
  { pid: 4242, tid: 4243, comm: "curl", args: "curl -s http://web/" },
  { pid: 77, tid: 77, comm: "sleeper" },
];

const packets = [SAMPLES.sllSyn, SAMPLES.sllReset, SAMPLES.sll6Out].map(
  ({ data, originalLength }, i) =>
    encodePacket({
      interface: i % 2,
      time: START + BigInt(i) * STEP,
      originalLength,
      data,
      direction: i < 2 ? "in" : "out",
      process: OWNERS[i >> 1],
      event: i >> 1,
      comments: i === 0 ? [formatProcessComment(OWNERS[0]!)] : [],
    }),
);

const file = concat([
  encodeSectionHeader({ application: "tracedump", comments: ["sample"] }),
  ...["lo", "eth0"].map((name) =>
    encodeInterface({ linkType: 113, snaplen: 262_144, name })
  ),
  ...OWNERS.map(encodeProcessEvent),
  encodeNameResolution([
    { address: Uint8Array.of(127, 0, 0, 1), names: ["web.example"] },
  ]),
  ...packets,
  encodeInterfaceStatistics({ interface: 0, time: START, received: 3n }),
]);

await Deno.writeFile(new URL("processes.pcapng", FOLDER), file);
// Ends within the last packet.
await Deno.writeFile(new URL("cut.pcapng", FOLDER), file.slice(0, -100));
