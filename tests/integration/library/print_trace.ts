/**
 * Prints the packets of a trace: layers, lengths, payload. Arguments: URI,
 * filter, number of packets, and `promiscuous` if that is wanted.
 *
 * @module
 */

import { openTrace } from "../../../lib/session/trace/open_trace.ts";

function say(...words: unknown[]): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${words.join(" ")}\n`));
}

const [uri, filter, count, promiscuous] = Deno.args;
const trace = openTrace(uri!, {
  filter: filter!,
  promiscuous: promiscuous !== undefined,
});
await trace.start();
say("ready");
let left = Number(count);
for await (const packet of trace) {
  say(
    packet.layers.map(({ kind }) => kind).join(" "),
    packet.captureLength,
    packet.wireLength,
    new TextDecoder().decode(packet.payload),
  );
  if (--left === 0) break;
}
