import assert from "node:assert/strict";
import fc from "fast-check";
import type { PacketRing } from "../../../../../lib/capture/packet_ring.ts";
import {
  BatchWriter,
  readBatch,
  recordLength,
} from "../../../../../lib/session/stream/batch.ts";
import { PacketStream } from "../../../../../lib/session/stream/packet_stream.ts";
import { StreamSink } from "../../../../../lib/session/stream/stream_sink.ts";

const RAW = 101;
const MEBIBYTE = 1 << 20;

/** The parts of a ring that a sink looks at. */
function ringOf(length: number): PacketRing {
  const bytes = new Uint8Array(length).map((_, at) => at & 0xff);
  return {
    bytes,
    tailAt: 0,
    seconds: 7,
    nanoseconds: 8,
    interfaceIndex: 1,
    packetType: 4,
  } as unknown as PacketRing;
}

function connect(room: number): { sink: StreamSink; stream: PacketStream } {
  const stream = new PacketStream(room);
  stream.begin({
    get: (number) => ({
      pid: 1000 + number,
      tid: 1,
      comm: "me",
      args: ["a", "b c"],
    }),
  });
  const shape = { linkType: RAW, wireLength: () => 5000 };
  const sink = new StreamSink(
    stream.setup,
    shape,
    (bytes, interfaces) => stream.push(bytes, interfaces),
    (_, index) => `if${index}`,
  );
  return { sink, stream };
}

Deno.test("BatchWriter gives packets back as they were", () => {
  const arbitrary = fc.array(
    fc.record({
      seconds: fc.nat({ max: 0xffff_ffff }),
      nanoseconds: fc.nat({ max: 999_999_999 }),
      wireLength: fc.nat(),
      linkType: fc.nat({ max: 65535 }),
      interface: fc.nat(),
      owner: fc.integer({ min: -1, max: 0x7fff_ffff }),
      packetType: fc.nat({ max: 7 }),
      data: fc.uint8Array({ maxLength: 3000 }),
    }),
  );
  fc.assert(fc.property(arbitrary, (packets) => {
    const writer = new BatchWriter();
    const buffers = [];
    for (const { data, ...packet } of packets) {
      if (!writer.hasRoom(data.length)) buffers.push(writer.take());
      writer.append(packet, data, 0, data.length);
    }
    buffers.push(writer.take());
    const read = buffers.flatMap((buffer) =>
      readBatch(buffer, (packet, data) => ({ ...packet, data: data.slice() }))
    );
    assert.deepEqual(read, packets.map((packet) => ({ ...packet })));
  }));
});

Deno.test("BatchWriter takes packets larger than a batch", () => {
  const writer = new BatchWriter();
  const data = new Uint8Array(300_000).fill(9);
  const packet = {
    seconds: 1,
    nanoseconds: 2,
    wireLength: 3,
    linkType: 4,
    interface: 5,
    owner: 6,
    packetType: 0,
  };
  assert(writer.hasRoom(data.length));
  writer.append(packet, data, 0, data.length);
  assert(!writer.hasRoom(1));
  assert.equal(writer.length, recordLength(data.length));
  const [read] = readBatch(writer.take(), (_, bytes) => bytes);
  assert.deepEqual(read, data);
  assert.equal(writer.length, 0);
  assert(writer.hasRoom(data.length));
});

Deno.test("PacketStream says whose packets came where", async () => {
  const { sink, stream } = connect(MEBIBYTE);
  const ring = ringOf(100);
  sink.take(ring, sink.place(ring), 61, 42);
  sink.take(ring, 0, 10, -1);
  sink.flush();
  const [first, second] = (await stream.read())!;
  assert.equal(first!.timestamp, 7_000_000_008n);
  assert.deepEqual(first!.data, ring.bytes.subarray(0, 61));
  assert.equal(first!.wireLength, 5000);
  assert.equal(first!.linkType, RAW);
  assert.equal(first!.interface, "if1");
  assert.equal(first!.direction, "out");
  assert.deepEqual(first!.process, {
    pid: 1042,
    tid: 1,
    comm: "me",
    args: "a b c",
  });
  assert.equal(second!.process, undefined);
  assert.equal(second!.captureLength, 10);
});

Deno.test("PacketStream waits, and ends after the last packet", async () => {
  const { sink, stream } = connect(MEBIBYTE);
  const ring = ringOf(10);
  const read = stream.read();
  sink.take(ring, 0, 10, 0);
  sink.finish();
  stream.finish(new Error("It broke off"));
  assert.equal((await read)?.length, 1);
  await assert.rejects(stream.read(), /It broke off/);
  const other = connect(MEBIBYTE);
  const waiting = other.stream.read();
  other.stream.finish();
  assert.equal(await waiting, undefined);
  other.sink.take(ring, 0, 10, 0);
  other.sink.finish();
  assert.equal(await other.stream.read(), undefined);
});

Deno.test("StreamSink drops and counts what has no room", async () => {
  const { sink, stream } = connect(MEBIBYTE);
  const ring = ringOf(2000);
  const most = Math.floor(MEBIBYTE / recordLength(2000));
  for (let i = 0; i < most + 100; i++) sink.take(ring, 0, 2000, 0);
  sink.flush();
  assert.deepEqual(stream.counts(), { captured: most, dropped: 100 });
  let count = 0;
  while (count < most) count += (await stream.read())!.length;
  assert.equal(count, most);
  sink.take(ring, 0, 2000, 0);
  sink.flush();
  assert.equal((await stream.read())?.length, 1);
  assert.deepEqual(stream.counts(), { captured: most + 1, dropped: 100 });
});

Deno.test("StreamSink sends only what is wanted", async () => {
  const { sink, stream } = connect(MEBIBYTE);
  const ring = ringOf(100);
  const take = (seconds: number, end: number): void =>
    sink.take({ ...ring, seconds } as PacketRing, 10, end, 0);
  stream.resume(5, 40);
  take(4, 99);
  take(6, 100);
  stream.pause(20);
  take(21, 61);
  take(19, 62);
  take(20, 63);
  stream.resume(30, 0);
  take(30, 64);
  take(29, 65);
  take(31, 66);
  sink.flush();
  const packets = (await stream.read())!;
  assert.deepEqual(
    packets.map((packet) => packet.captureLength),
    [40, 40, 54, 56],
  );
  assert.deepEqual(packets[0]!.data, ring.bytes.subarray(10, 50));
  assert.equal(stream.counts().captured, 4);
});

Deno.test("PacketStream copies little batches, and moves large ones", () => {
  const { sink, stream } = connect(MEBIBYTE);
  const sizes: number[] = [];
  stream.push = (bytes) => void sizes.push(bytes.byteLength);
  const ring = ringOf(150_000);
  sink.take(ring, 0, 100, 0);
  sink.flush();
  sink.take(ring, 0, 150_000, 0);
  sink.flush();
  sink.flush();
  assert.deepEqual(sizes, [recordLength(100), recordLength(150_000)]);
});
