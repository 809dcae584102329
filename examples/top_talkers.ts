// deno-lint-ignore-file no-console
/**
 * With whom a process talks, and how much.
 *
 * ```sh
 * sudo deno run -A examples/top_talkers.ts PID [SECONDS]
 * ```
 *
 * @module
 */
import { openTrace } from "../mod.ts";

const [pid, seconds = "10"] = Deno.args;
if (pid === undefined) {
  console.error("Usage: top_talkers.ts PID [SECONDS]");
  Deno.exit(2);
}

/** Bytes by remote end. */
const peers = new Map<string, { sent: number; received: number }>();

await using trace = openTrace(`pid:${pid}`);
await trace.start();
console.error(`Capturing process ${pid} for ${seconds} seconds`);
// The loop ends when the trace is closed, whoever does it.
const timer = setTimeout(() => trace.close(), Number(seconds) * 1000);
for await (const { flow, direction, wireLength } of trace) {
  if (flow === undefined) continue;
  const isOut = direction === "out";
  const address = isOut ? flow.destination : flow.source;
  const port = isOut ? flow.destinationPort : flow.sourcePort;
  const name = `${flow.protocol} ${address} ${port ?? ""}`;
  const peer = peers.get(name) ?? { sent: 0, received: 0 };
  if (isOut) peer.sent += wireLength;
  else peer.received += wireLength;
  peers.set(name, peer);
}
clearTimeout(timer);

const rows = [...peers].sort(([, a], [, b]) =>
  b.sent + b.received - a.sent - a.received
);
for (const [name, { sent, received }] of rows.slice(0, 10)) {
  console.log(`${name}  sent ${sent}  received ${received}`);
}
const { dropped } = trace.stats();
if (dropped) console.error(`${dropped} packets were lost`);
