/**
 * One test for each method of python-libtrace's Trace: its member here does
 * what the page of that library promises. The last test holds the table in the
 * documentation to this list.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  openTrace,
  Packet,
  type PacketSource,
  Trace,
  TraceError,
  type TraceSettings,
  TraceStateError,
  TraceTimeoutError,
  TraceUriError,
} from "../../mod.ts";

const FILE = new URL("../golden/data/filter_linktype_1.pcap", import.meta.url)
  .pathname;

const rows: string[] = [];

/** Registers the test of a row. */
function row(method: string, body: () => Promise<void>): void {
  rows.push(method);
  Deno.test(`python-libtrace's ${method}`, body);
}

async function count(trace: Trace): Promise<number> {
  let packets = 0;
  for await (const _ of trace) packets++;
  return packets;
}

/** A live source on which nothing ever comes. */
class SilentSource implements PacketSource {
  readonly selectsByItself = true;
  readonly settings: TraceSettings[] = [];
  start(settings: TraceSettings): Promise<void> {
    this.settings.push(settings);
    return Promise.resolve();
  }
  pause(): Promise<void> {
    return Promise.resolve();
  }
  read(): Promise<undefined> {
    return new Promise(() => {});
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
  counts(): { captured: number; dropped: number } {
    return { captured: 10, dropped: 4 };
  }
}

function openSilent(): { source: SilentSource; trace: Trace } {
  const source = new SilentSource();
  const settings = { filter: undefined, snaplen: 0, promiscuous: false };
  const trace = new Trace({
    uri: "int:silent0",
    kind: "interface",
    source,
    settings: { ...settings, timeout: 0 },
  });
  return { source, trace };
}

row("trace(uri)", async () => {
  const trace = openTrace(`pcapfile:${FILE}`);
  assert(trace instanceof Trace);
  assert.equal(trace.state, "created");
  assert.equal(trace.uri, `pcapfile:${FILE}`);
  assert.equal(openTrace("int:eth0").state, "created");
  assert.throws(() => openTrace("xyz:eth0"), TraceUriError);
  await trace.close();
});

row("conf_filter(filter)", async () => {
  const all = await count(openTrace(FILE));
  const trace = openTrace(FILE);
  trace.configure({ filter: "udp" });
  const some = await count(trace);
  assert(some > 0 && some < all, `${some} of ${all}`);
  const other = openTrace(FILE);
  assert.throws(() => other.configure({ filter: "(" }), SyntaxError);
});

row("conf_snaplen(n)", async () => {
  const trace = openTrace(FILE);
  trace.configure({ snaplen: 20 });
  let cut = 0;
  for await (const { captureLength, wireLength } of trace) {
    assert(captureLength <= 20);
    if (wireLength > captureLength) cut++;
  }
  assert(cut > 0);
});

row("conf_promisc(flag)", async () => {
  const { trace, source } = openSilent();
  trace.configure({ promiscuous: true });
  await trace.start();
  assert.equal(source.settings[0]?.promiscuous, true);
  await trace.close();
  assert.throws(
    () => openTrace(FILE).configure({ promiscuous: true }),
    (error) => error instanceof TraceError && error.code === "setting",
  );
});

row("conf_timeout(n)", async () => {
  const { trace } = openSilent();
  trace.configure({ timeout: 1 });
  await trace.start();
  await assert.rejects(trace.read(), TraceTimeoutError);
  await assert.rejects(count(trace), TraceTimeoutError);
});

row("start()", async () => {
  const trace = openTrace(FILE);
  await assert.rejects(trace.read(), TraceStateError);
  await trace.start();
  assert.equal(trace.state, "running");
  assert.throws(() => trace.configure({ snaplen: 1 }), TraceStateError);
  await trace.close();
  await assert.rejects(trace.start(), TraceStateError);
  await assert.rejects(openTrace("/nowhere/x.pcap").start(), TraceError);
});

row("pause()", async () => {
  const all = await count(openTrace(FILE));
  const trace = openTrace(FILE);
  await assert.rejects(trace.pause(), TraceStateError);
  await trace.start();
  const first = await trace.read();
  await trace.pause();
  assert.equal(trace.state, "paused");
  await assert.rejects(trace.read(), TraceStateError);
  trace.configure({ snaplen: 10 });
  await trace.start();
  let rest = 0;
  for await (const { captureLength } of trace) {
    assert(captureLength <= 10);
    rest++;
  }
  assert.equal(rest, all - 1);
  assert(first!.captureLength > 10);
});

row("close()", async () => {
  const trace = openTrace(FILE);
  await trace.start();
  await trace.close();
  await trace.close();
  assert.equal(trace.state, "closed");
  await assert.rejects(trace.read(), TraceStateError);
});

row("read_packet(packet)", async () => {
  await using trace = openTrace(FILE);
  await trace.start();
  const first = await trace.read();
  assert(first instanceof Packet);
  const bytes = first.data.slice();
  while (await trace.read() !== null);
  assert.equal(await trace.read(), null);
  assert.deepEqual(first.data, bytes);
});

row("for packet in trace", async () => {
  const packets: Packet[] = [];
  const trace = openTrace(FILE);
  for await (const packet of trace) packets.push(packet);
  assert.equal(new Set(packets).size, packets.length);
  const again = openTrace(FILE);
  await again.start();
  for (const { timestamp, data } of packets) {
    const packet = await again.read();
    assert.equal(packet?.timestamp, timestamp);
    assert.deepEqual(packet.data, data);
  }
  assert.equal(await again.read(), null);
  await again.close();
});

row("pkt_drops()", async () => {
  assert.equal(openSilent().trace.stats().dropped, 4);
  assert.equal(openTrace(FILE).stats().dropped, undefined);
  await Promise.resolve();
});

row("pkt_accepts()", async () => {
  const trace = openTrace(FILE, { filter: "udp" });
  assert.equal(trace.stats().accepted, 0);
  const packets = await count(trace);
  assert.equal(trace.stats().accepted, packets);
  assert.equal(trace.stats().captured, packets + trace.stats().filtered!);
});

Deno.test("docs/library.md maps every row of the method table", async () => {
  const text = await Deno.readTextFile(
    new URL("../../docs/library.md", import.meta.url),
  );
  const table = text.slice(text.indexOf("| python-libtrace "));
  const methods = [...table.matchAll(/^\| `([^`]+)` +\| `[^`]+` +\|/gm)]
    .map(([, method]) => method);
  assert.deepEqual(methods, rows);
});
