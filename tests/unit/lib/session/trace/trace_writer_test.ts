import assert from "node:assert/strict";
import { MixedLinkTypesError } from "../../../../../lib/pcap/convert.ts";
import { CaptureFormatError } from "../../../../../lib/pcap/error.ts";
import {
  TraceError,
  TraceUriError,
} from "../../../../../lib/session/trace/errors.ts";
import { openTrace } from "../../../../../lib/session/trace/open_trace.ts";
import { Packet } from "../../../../../lib/session/trace/packet.ts";
import {
  createTraceWriter,
  type TraceWriterOptions,
} from "../../../../../lib/session/trace/trace_writer.ts";
import { SAMPLES } from "../../packet/samples.ts";

const { data, linkType, originalLength } = SAMPLES.sllReset;

const PACKETS = [0, 1, 2].map((number) =>
  new Packet({
    timestamp: 1_700_000_000_123_456_789n + BigInt(number),
    linkType,
    data,
    wireLength: originalLength + number,
    interface: number === 2 ? "eth0" : "lo",
    direction: number === 1 ? "out" : "in",
    process: { pid: 42 + number, tid: 50, comm: "curl", args: "curl -s x" },
    comments: number === 0 ? ["hello"] : [],
  })
);

async function withFile(
  suffix: string,
  body: (path: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(`${folder}/file${suffix}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function write(
  uri: string,
  packets: readonly Packet[],
  options: TraceWriterOptions = {},
): Promise<void> {
  await using writer = await createTraceWriter(uri, options);
  for (const packet of packets) await writer.write(packet);
  assert.equal(writer.packets, packets.length);
}

async function read(uri: string): Promise<Packet[]> {
  const packets = [];
  for await (const packet of openTrace(uri)) packets.push(packet);
  return packets;
}

/** What pcap files keep. */
function plain(packet: Packet): unknown {
  const { timestamp, data, wireLength, linkType } = packet;
  return { timestamp, data: [...data], wireLength, linkType };
}

for (const suffix of [".pcap", ".pcap.gz", ".pcapng", ".pcapng.gz"]) {
  Deno.test(`createTraceWriter() gives packets back from ${suffix}`, async () => {
    await withFile(suffix, async (path) => {
      await write(path, PACKETS);
      assert.deepEqual((await read(path)).map(plain), PACKETS.map(plain));
      const [first, second] = await Deno.readFile(path);
      assert.equal(first === 0x1f && second === 0x8b, suffix.endsWith("gz"));
    });
  });

  Deno.test(`createTraceWriter() appends to ${suffix}`, async () => {
    await withFile(suffix, async (path) => {
      const [one, ...others] = PACKETS;
      await write(path, [one!], { append: true });
      await write(path, others, { append: true });
      await write(path, [], { append: true });
      assert.deepEqual((await read(path)).map(plain), PACKETS.map(plain));
    });
  });

  Deno.test(`createTraceWriter() makes ${suffix} without packets`, async () => {
    await withFile(suffix, async (path) => {
      await write(path, []);
      assert.deepEqual(await read(path), []);
    });
  });
}

Deno.test("createTraceWriter() keeps processes in pcapng files", async () => {
  await withFile("", async (path) => {
    await write(`pcapng:${path}`, PACKETS);
    const packets = await read(path);
    for (const [index, packet] of packets.entries()) {
      const { interface: name, direction, process } = PACKETS[index]!;
      assert.equal(packet.interface, name);
      assert.equal(packet.direction, direction);
      assert.deepEqual(packet.process, process);
    }
    assert.equal(packets[0]!.comments.at(-1), "hello");
    // Written once more, nothing is said twice.
    await write(`pcapng:${path}2`, packets);
    const again = await read(`${path}2`);
    assert.deepEqual(again[0]!.comments, packets[0]!.comments);
  });
});

Deno.test("createTraceWriter() replaces a file unless told otherwise", async () => {
  await withFile(".pcap", async (path) => {
    await write(path, PACKETS);
    await write(path, PACKETS.slice(0, 1), { snaplen: 30, nanoseconds: false });
    const [packet, ...others] = await read(path);
    assert.equal(others.length, 0);
    assert.equal(packet!.captureLength, 30);
    assert.equal(packet!.wireLength, originalLength);
    assert.equal(packet!.timestamp, 1_700_000_000_123_456_000n);
  });
});

Deno.test("createTraceWriter() writes more than its buffer takes", async () => {
  await withFile(".pcap", async (path) => {
    const large = new Packet({
      timestamp: 1n,
      linkType: 1,
      data: new Uint8Array(200_000).map((_, at) => at & 0xff),
    });
    await write(path, [large, large, large]);
    const packets = await read(path);
    assert.deepEqual(packets.map(plain), Array(3).fill(plain(large)));
  });
});

Deno.test("TraceWriter refuses another link type in a pcap file", async () => {
  const other = new Packet({ timestamp: 0n, linkType: 1, data });
  await withFile(".pcap", async (path) => {
    const writer = await createTraceWriter(path);
    await writer.write(PACKETS[0]!);
    await assert.rejects(writer.write(other), MixedLinkTypesError);
    await writer.close();
    await writer.close();
    assert.equal((await read(path)).length, 1);
    await assert.rejects(
      writer.write(PACKETS[0]!),
      (error) => error instanceof TraceError && error.code === "state",
    );
    await assert.rejects(
      write(path, [other], { append: true }),
      MixedLinkTypesError,
    );
  });
  await withFile(".pcapng", async (path) => {
    await write(path, [PACKETS[0]!, other]);
    const types = (await read(path)).map((packet) => packet.linkType);
    assert.deepEqual(types, [linkType, 1]);
  });
});

Deno.test("createTraceWriter() appends only where that makes sense", async () => {
  await withFile(".pcap", async (path) => {
    await write(path, PACKETS);
    const append = (uri: string, options: TraceWriterOptions = {}) =>
      createTraceWriter(uri, { ...options, append: true });
    const refuses = (uri: string, reason: RegExp, options = {}) =>
      assert.rejects(append(uri, options), reason);
    await refuses(`pcapng:${path}`, /Cannot append to .*: it is a pcap file$/);
    await refuses(path, /it is not compressed$/, { compression: "gzip" });
    const bytes = await Deno.readFile(path);
    await Deno.writeFile(path, bytes.subarray(0, bytes.length - 1));
    await assert.rejects(append(path), CaptureFormatError);
    await Deno.writeTextFile(path, "no capture file at all");
    await assert.rejects(append(path), CaptureFormatError);
  });
});

Deno.test("createTraceWriter() says why nothing can be written", async () => {
  for (const uri of ["", "int:eth0", "cmd:true", "pcapng:", "erf:x"]) {
    await assert.rejects(createTraceWriter(uri), TraceUriError, uri);
  }
  for (const path of ["/nowhere/x.pcap", "/tmp"]) {
    await assert.rejects(
      createTraceWriter(path),
      (error) => error instanceof TraceError && error.code === "io",
    );
  }
  const full = await createTraceWriter("pcapfile:/dev/full");
  await full.write(PACKETS[0]!);
  await assert.rejects(
    full.flush(),
    /^TraceError: Cannot write pcapfile:.*No space left/,
  );
  await assert.rejects(full.close(), TraceError);
});
