import assert from "node:assert/strict";
import { FilterSyntaxError } from "../../../../../bpf/filter/errors.ts";
import {
  TraceError,
  TraceStateError,
  TraceTimeoutError,
} from "../../../../../lib/session/trace/errors.ts";
import { Packet } from "../../../../../lib/session/trace/packet.ts";
import {
  changeSettings,
  DEFAULT_SETTINGS,
  type TraceConfiguration,
  type TraceSettings,
} from "../../../../../lib/session/trace/settings.ts";
import type {
  PacketSource,
  SourceCounts,
} from "../../../../../lib/session/trace/source.ts";
import { Trace } from "../../../../../lib/session/trace/trace.ts";

/** A source whose packets the test hands in. */
class FakeSource implements PacketSource {
  readonly calls: string[] = [];
  selectsByItself = false;
  dropped: number | undefined = 3;
  #captured = 0;
  readonly #batches: (readonly Packet[] | Error | undefined)[] = [];
  #wanted: PromiseWithResolvers<readonly Packet[] | undefined> | undefined;

  give(...batches: (readonly Packet[] | Error | undefined)[]): void {
    this.#batches.push(...batches);
    this.#serve();
  }

  async start(settings: TraceSettings): Promise<void> {
    this.calls.push(`start ${settings.filter?.text ?? ""}`);
  }

  async pause(): Promise<void> {
    this.calls.push("pause");
  }

  read(): Promise<readonly Packet[] | undefined> {
    assert.equal(this.#wanted, undefined, "one read at a time");
    this.#wanted = Promise.withResolvers();
    const { promise } = this.#wanted;
    this.#serve();
    return promise;
  }

  async close(): Promise<void> {
    this.calls.push("close");
  }

  counts(): SourceCounts {
    return { captured: this.#captured, dropped: this.dropped };
  }

  #serve(): void {
    const wanted = this.#wanted;
    if (wanted === undefined || this.#batches.length === 0) return;
    this.#wanted = undefined;
    const batch = this.#batches.shift();
    if (batch instanceof Error) wanted.reject(batch);
    else {
      this.#captured += batch?.length ?? 0;
      wanted.resolve(batch);
    }
  }
}

function packet(number: number, protocol = 17): Packet {
  const data = new Uint8Array(40);
  data.set([0x45, 0, 0, 40, 0, 0, 0, 0, 64, protocol]);
  return new Packet({ timestamp: BigInt(number), linkType: 101, data });
}

function open(
  options: TraceConfiguration & { signal?: AbortSignal } = {},
): { source: FakeSource; trace: Trace } {
  const source = new FakeSource();
  const trace = new Trace({
    uri: "fake:1",
    kind: "file",
    source,
    settings: changeSettings(DEFAULT_SETTINGS, options, "fake:1", "file"),
    signal: options.signal,
  });
  return { source, trace };
}

async function numbers(trace: Trace): Promise<number[]> {
  const list = [];
  for await (const { timestamp } of trace) list.push(Number(timestamp));
  return list;
}

Deno.test("Trace goes through its states", async () => {
  const { trace, source } = open();
  assert.equal(trace.state, "created");
  await trace.start();
  assert.equal(trace.state, "running");
  await trace.start();
  await trace.pause();
  assert.equal(trace.state, "paused");
  await trace.pause();
  await trace.start();
  await trace.close();
  await trace.close();
  assert.equal(trace.state, "closed");
  assert.deepEqual(source.calls, ["start ", "pause", "start ", "close"]);
});

Deno.test("Trace refuses what its state does not permit", async () => {
  const { trace } = open();
  const refuses = async (
    action: () => unknown,
    message: RegExp,
  ): Promise<void> => {
    await assert.rejects(async () => await action(), (error) => {
      assert(error instanceof TraceStateError);
      assert.equal(error.code, "state");
      assert.match(error.message, message);
      return true;
    });
  };
  await refuses(() => trace.read(), /^Cannot read from fake:1: it is not star/);
  await refuses(() => trace.pause(), /^Cannot pause fake:1: it is not started/);
  await trace.start();
  await refuses(() => trace.configure({}), /it runs; pause it before$/);
  await trace.pause();
  await refuses(() => trace.read(), /it is paused$/);
  await trace.close();
  await refuses(() => trace.read(), /it is closed$/);
  await refuses(() => trace.start(), /it is closed$/);
  await refuses(() => trace.pause(), /it is closed$/);
  await refuses(() => trace.configure({}), /it is closed$/);
});

Deno.test("Trace reads packets in order, then null for ever", async () => {
  const { trace, source } = open();
  source.give([packet(1), packet(2)], [], [packet(3)], undefined);
  await trace.start();
  const first = await trace.read();
  assert.deepEqual(
    [first, await trace.read(), await trace.read()].map((it) => it?.timestamp),
    [1n, 2n, 3n],
  );
  assert.equal(first?.timestamp, 1n, "it is no other packet now");
  assert.equal(await trace.read(), null);
  assert.equal(await trace.read(), null);
  assert.equal(trace.state, "running");
});

Deno.test("Trace serves overlapping reads in their order", async () => {
  const { trace, source } = open();
  await trace.start();
  const reads = [trace.read(), trace.read(), trace.read(), trace.read()];
  source.give([packet(1)], [packet(2), packet(3)], undefined);
  const found = await Promise.all(reads);
  assert.deepEqual(found.map((it) => it?.timestamp), [1n, 2n, 3n, undefined]);
});

Deno.test("Trace is iterated from start to close", async () => {
  const { trace, source } = open();
  source.give([packet(1), packet(2)], [packet(3)], undefined);
  assert.deepEqual(await numbers(trace), [1, 2, 3]);
  assert.equal(trace.state, "closed");
  assert.deepEqual(source.calls, ["start ", "close"]);
  assert.deepEqual(await numbers(trace), [], "there is nothing more");
});

Deno.test("Trace is closed when its loop is left", async () => {
  const { trace, source } = open();
  source.give([packet(1), packet(2)]);
  for await (const { timestamp } of trace) {
    assert.equal(timestamp, 1n);
    break;
  }
  assert.equal(trace.state, "closed");
  assert.deepEqual(source.calls, ["start ", "close"]);
});

Deno.test("Trace ends its loop when it is closed from outside", async () => {
  const { trace, source } = open();
  source.give([packet(1), packet(2)]);
  const seen = [];
  for await (const { timestamp } of trace) {
    seen.push(timestamp);
    await trace.close();
  }
  assert.deepEqual(seen, [1n]);
  const other = open();
  const list = numbers(other.trace);
  const waiting = other.trace.start().then(() => other.trace.read());
  await other.trace.start();
  await other.trace.close();
  assert.equal(await waiting, null);
  assert.deepEqual(await list, []);
});

Deno.test("Trace passes errors on after the packets before them", async () => {
  const { trace, source } = open();
  source.give([packet(1)], new SyntaxError("Damaged here"));
  await trace.start();
  assert.equal((await trace.read())?.timestamp, 1n);
  await assert.rejects(trace.read(), /Damaged here/);
  assert.equal(await trace.read(), null);
  const other = open();
  other.source.give([packet(1)], new SyntaxError("Damaged here"));
  await assert.rejects(numbers(other.trace), /Damaged here/);
  assert.equal(other.trace.state, "closed");
});

Deno.test("Trace applies filter and snapshot length itself", async () => {
  const { trace, source } = open({ filter: "udp", snaplen: 28 });
  source.give([packet(1), packet(2, 6), packet(3)], undefined);
  await trace.start();
  const found = [await trace.read(), await trace.read()];
  assert.deepEqual(found.map((it) => it?.timestamp), [1n, 3n]);
  assert.deepEqual(found.map((it) => it?.captureLength), [28, 28]);
  assert.deepEqual(found.map((it) => it?.wireLength), [40, 40]);
  assert.equal(await trace.read(), null);
  assert.deepEqual(trace.stats(), {
    accepted: 2,
    filtered: 1,
    received: 6,
    dropped: 3,
    captured: 3,
  });
});

Deno.test("Trace says undefined for what it cannot know", () => {
  const { trace, source } = open();
  source.dropped = undefined;
  assert.deepEqual(trace.stats(), {
    accepted: 0,
    filtered: 0,
    received: 0,
    dropped: undefined,
    captured: 0,
  });
});

Deno.test("Trace does not know what a source filtered by itself", async () => {
  const { trace, source } = open();
  source.selectsByItself = true;
  await trace.start();
  assert.equal(trace.stats().filtered, 0);
  await trace.pause();
  trace.configure({ filter: "udp" });
  assert.equal(trace.stats().filtered, 0);
  await trace.start();
  assert.equal(trace.stats().filtered, undefined);
});

Deno.test("Trace goes on with other settings after a pause", async () => {
  const { trace, source } = open({ filter: "tcp" });
  source.give([packet(1, 6), packet(2, 6), packet(3)], undefined);
  const seen = [];
  for await (const { timestamp } of trace) {
    seen.push(timestamp);
    if (timestamp !== 1n) continue;
    await trace.pause();
    trace.configure({ filter: "udp" });
    await trace.start();
  }
  assert.deepEqual(seen, [1n, 3n]);
  assert.deepEqual(source.calls, ["start tcp", "pause", "start udp", "close"]);
});

Deno.test("Trace lets a read that waits wait through a pause", async () => {
  const { trace, source } = open();
  await trace.start();
  const read = trace.read();
  await trace.pause();
  await trace.start();
  source.give([packet(7)]);
  assert.equal((await read)?.timestamp, 7n);
});

Deno.test("Trace stops waiting in time, and loses nothing", async () => {
  const { trace, source } = open({ timeout: 1 });
  await trace.start();
  for (let i = 0; i < 2; i++) {
    await assert.rejects(trace.read(), (error) => {
      assert(error instanceof TraceTimeoutError);
      assert.equal(error.timeout, 1);
      assert.equal(
        error.message,
        "Cannot read from fake:1: no packet came within 1 ms",
      );
      return true;
    });
  }
  assert.equal(trace.state, "running");
  await trace.pause();
  trace.configure({ timeout: 0 });
  await trace.start();
  const read = trace.read();
  source.give([packet(1)]);
  assert.equal((await read)?.timestamp, 1n);
});

Deno.test("Trace counts packets that the filter rejects as silence", async () => {
  const { trace, source } = open({ timeout: 5, filter: "udp" });
  await trace.start();
  const read = trace.read();
  const timer = setInterval(() => source.give([packet(1, 6)]), 1);
  try {
    await assert.rejects(read, TraceTimeoutError);
  } finally {
    clearInterval(timer);
  }
});

Deno.test("Trace ends with its AbortSignal", async () => {
  const controller = new AbortController();
  const { trace, source } = open({ signal: controller.signal });
  source.give([packet(1)]);
  const list = numbers(trace);
  const outcome = assert.rejects(list, /no more/);
  await trace.start();
  controller.abort(new Error("no more"));
  await outcome;
  assert.equal(trace.state, "closed");
  assert.deepEqual(source.calls, ["start ", "close"]);
  await assert.rejects(trace.read(), /no more/);
  await assert.rejects(trace.start(), /no more/);
});

Deno.test("Trace with an aborted signal does not start", async () => {
  const signal = AbortSignal.abort(new Error("too late"));
  const { trace, source } = open({ signal });
  await assert.rejects(numbers(trace), /too late/);
  assert.deepEqual(source.calls, ["close"]);
});

Deno.test("Trace that is closed while it starts stays closed", async () => {
  const { trace, source } = open();
  const start = trace.start();
  await trace.close();
  await start.catch(() => {});
  assert.equal(trace.state, "closed");
  assert.equal(source.calls.at(-1), "close");
});

Deno.test("Trace is closed by `await using`", async () => {
  const { trace, source } = open();
  {
    await using used = trace;
    await used.start();
  }
  assert.deepEqual(source.calls, ["start ", "close"]);
});

Deno.test("changeSettings() refuses what makes no sense", () => {
  const change = (
    settings: TraceConfiguration,
    kind: "file" | "interface" | "processes" | "command" = "file",
  ) => changeSettings(DEFAULT_SETTINGS, settings, "x", kind);
  for (const snaplen of [-1, 1.5, NaN, 2 ** 32]) {
    assert.throws(() => change({ snaplen }), RangeError);
  }
  for (const timeout of [-1, NaN, 2 ** 31]) {
    assert.throws(() => change({ timeout }), RangeError);
  }
  assert.throws(() => change({ filter: "tpc" }), FilterSyntaxError);
  for (const kind of ["file", "processes", "command"] as const) {
    assert.throws(
      () => change({ promiscuous: true }, kind),
      (error) => error instanceof TraceError && error.code === "setting",
    );
    assert.equal(change({ promiscuous: false }, kind).promiscuous, false);
    assert.equal(change({ filter: "pid 1" }, kind).filter?.usesProcess, true);
  }
  assert.equal(change({ promiscuous: true }, "interface").promiscuous, true);
  assert.throws(
    () => change({ filter: "pid 1" }, "interface"),
    /the packets of an interface have no process; use pid: or cmd:$/,
  );
});

Deno.test("changeSettings() keeps what is left out", () => {
  const first = changeSettings(
    DEFAULT_SETTINGS,
    { filter: "udp", snaplen: 9, timeout: 8 },
    "x",
    "file",
  );
  assert.deepEqual(changeSettings(first, {}, "x", "file"), first);
  const second = changeSettings(first, { filter: " " }, "x", "file");
  assert.deepEqual(second, { ...first, filter: undefined });
});
