import assert from "node:assert/strict";
import fc from "fast-check";
import { CaptureRecord } from "../../../../../lib/pcap/capture_record.ts";
import { CaptureBlock } from "../../../../../lib/pcap/pcapng/block.ts";
import {
  decodeDecryptionSecrets,
  decodeInterfaceStatistics,
  decodeNameResolution,
  decodeProcessBlock,
  decodeProcessEvent,
  decodeSectionHeader,
} from "../../../../../lib/pcap/pcapng/blocks.ts";
import {
  directionFlag,
  encodeDecryptionSecrets,
  encodeInterface,
  encodeInterfaceStatistics,
  encodeNameResolution,
  encodePacket,
  encodeProcessBlock,
  encodeProcessEvent,
  encodeSectionHeader,
} from "../../../../../lib/pcap/pcapng/encode.ts";
import {
  BlockType,
  SecretsType,
} from "../../../../../lib/pcap/pcapng/format.ts";
import {
  completeBlocksLength,
  encodeComment,
  NO_EVENT,
  PACKET_HEAD_LENGTH,
  PACKET_TAIL_LENGTH,
  writePacketHead,
  writePacketTail,
} from "../../../../../lib/pcap/pcapng/packet_writer.ts";
import { readItems } from "../chunked.ts";
import { bytes, concat, SampleBlocks, u32, u64 } from "./sample_blocks.ts";

const SAMPLE = new SampleBlocks(true);
const END = bytes(new Uint8Array(4));

/** A block as a reader gets it. */
function blockOf(raw: Uint8Array): CaptureBlock {
  const type = new DataView(raw.buffer).getUint32(0, true);
  return new CaptureBlock(type, 0, raw, true);
}

Deno.test("encodeSectionHeader() writes the draft's bytes", () => {
  const header = {
    hardware: "x86_64",
    os: "Linux 6.1",
    application: "tracedump",
    comments: ["curl -s", "ü"],
  };
  const block = encodeSectionHeader(header);
  assert.deepEqual(
    block,
    SAMPLE.section(
      SAMPLE.option(2, "x86_64"),
      SAMPLE.option(3, "Linux 6.1"),
      SAMPLE.option(4, "tracedump"),
      SAMPLE.option(1, "curl -s"),
      SAMPLE.option(1, "ü"),
      END,
    ),
  );
  assert.deepEqual(decodeSectionHeader(blockOf(block)), header);
  assert.deepEqual(encodeSectionHeader({}), SAMPLE.section());
});

Deno.test("encodeInterface() writes the draft's bytes", () => {
  assert.deepEqual(
    encodeInterface({
      linkType: 113,
      snaplen: 80,
      name: "eth0",
      description: "left",
      filter: "port 80",
      os: "Linux",
      hardware: "virtio",
      fcsLength: 4,
    }),
    SAMPLE.interface(
      113,
      80,
      SAMPLE.option(2, "eth0"),
      SAMPLE.option(3, "left"),
      SAMPLE.option(9, Uint8Array.of(9)),
      SAMPLE.option(11, "\0port 80"),
      SAMPLE.option(12, "Linux"),
      SAMPLE.option(13, Uint8Array.of(4)),
      SAMPLE.option(15, "virtio"),
      END,
    ),
  );
});

Deno.test("encodeProcessEvent() and encodeProcessBlock() name a process", () => {
  const event = encodeProcessEvent({ pid: 42, comm: "curl" });
  assert.deepEqual(
    event,
    SAMPLE.block(0x8000_0001, [u32(42), SAMPLE.option(2, "curl"), END]),
  );
  assert.deepEqual(decodeProcessEvent(blockOf(event)), {
    pid: 42,
    comm: "curl",
  });
  assert.deepEqual(
    decodeProcessEvent(blockOf(encodeProcessEvent({ pid: 7 }))),
    { pid: 7 },
  );
  const block = encodeProcessBlock({
    pid: 42,
    comm: "curl",
    path: "/usr/bin/curl",
    args: ["curl", "-s"],
    parent: 7,
    startTime: 5n,
  });
  const entry = SAMPLE.join([
    u32(42),
    SAMPLE.option(2, "curl"),
    SAMPLE.option(3, "/usr/bin/curl"),
    SAMPLE.option(4, "curl\0-s\0"),
    SAMPLE.option(5, 7),
    SAMPLE.option(9, 5n),
    END,
  ]);
  assert.deepEqual(
    block,
    SAMPLE.block(0x0bad, [
      u32(32622),
      u32(3),
      u32(entry.length),
      bytes(entry),
    ]),
  );
  assert.deepEqual(decodeProcessBlock(blockOf(block)), {
    pid: 42,
    comm: "curl",
    args: "curl -s",
  });
});

Deno.test("encodeNameResolution() writes what decodeNameResolution() reads", () => {
  const resolved = [
    { address: Uint8Array.of(127, 0, 0, 1), names: ["localhost", "me"] },
    { address: new Uint8Array(16).fill(7), names: ["seven.example"] },
  ];
  const block = encodeNameResolution(resolved);
  assert.deepEqual(
    block,
    SAMPLE.block(4, [
      SAMPLE.option(1, "\x7f\0\0\x01localhost\0me\0"),
      SAMPLE.option(2, `${"\x07".repeat(16)}seven.example\0`),
      END,
    ]),
  );
  assert.deepEqual(decodeNameResolution(blockOf(block)), resolved);
});

Deno.test("encodeNameResolution() leaves out what no record holds", () => {
  const name = "x".repeat(30_000);
  const block = encodeNameResolution([
    { address: Uint8Array.of(1, 2, 3, 4), names: [name, name, name] },
  ]);
  assert.deepEqual(decodeNameResolution(blockOf(block))[0]?.names, [
    name,
    name,
  ]);
});

Deno.test("encodeInterfaceStatistics() puts the upper half of times first", () => {
  const statistics = {
    interface: 1,
    time: 0x1_0000_0002n,
    startTime: 0x3_0000_0004n,
    endTime: 0x5_0000_0006n,
    received: 7n,
    interfaceDrops: 8n,
    filterAccepted: 9n,
    systemDrops: 10n,
    delivered: 0x0102_0304_0506_0708n,
  };
  const block = encodeInterfaceStatistics(statistics);
  assert.deepEqual(
    block,
    SAMPLE.block(5, [
      u32(1),
      u32(1),
      u32(2),
      SAMPLE.option(2, SAMPLE.join([u32(3), u32(4)])),
      SAMPLE.option(3, SAMPLE.join([u32(5), u32(6)])),
      SAMPLE.option(4, 7n),
      SAMPLE.option(5, 8n),
      SAMPLE.option(6, 9n),
      SAMPLE.option(7, 10n),
      SAMPLE.option(8, SAMPLE.join([u64(0x0102_0304_0506_0708n)])),
      END,
    ]),
  );
  assert.deepEqual(decodeInterfaceStatistics(blockOf(block)), statistics);
});

Deno.test("encodeDecryptionSecrets() keeps secrets of any length", () => {
  const secrets = {
    type: SecretsType.TLS_KEY_LOG,
    data: new TextEncoder().encode("CLIENT_RANDOM 01 02\n"),
  };
  const block = encodeDecryptionSecrets(secrets);
  assert.deepEqual(
    block,
    SAMPLE.block(10, [u32(0x544c534b), u32(20), bytes(secrets.data)]),
  );
  assert.deepEqual(decodeDecryptionSecrets(blockOf(block)), secrets);
});

const UINT32 = fc.nat(0xffff_ffff);
const PACKET = fc.record({
  seconds: UINT32,
  nanoseconds: fc.nat(999_999_999),
  originalLength: UINT32,
  data: fc.uint8Array({ maxLength: 40 }),
  direction: fc.option(fc.constantFrom("in" as const, "out" as const), {
    nil: undefined,
  }),
  process: fc.option(
    fc.record({
      pid: fc.integer({ min: 1, max: 0xffff_ffff }),
      tid: UINT32,
    }),
    { nil: undefined },
  ),
  event: fc.option(fc.constant(0), { nil: undefined }),
  comment: fc.option(fc.string({ unit: "grapheme", maxLength: 20 }), {
    nil: undefined,
  }),
});

Deno.test("writePacketHead() and writePacketTail() write what encodePacket() does", () => {
  fc.assert(fc.property(PACKET, fc.nat(9), fc.nat(9), (packet, id, at) => {
    const { data, direction, process, event, comment } = packet;
    const encoded = encodePacket({
      interface: id,
      time: BigInt(packet.seconds) * 1_000_000_000n +
        BigInt(packet.nanoseconds),
      originalLength: packet.originalLength,
      data,
      direction,
      process,
      event,
      comments: comment === undefined ? undefined : [comment],
    });
    const option = comment === undefined ? undefined : encodeComment(comment);
    const room = PACKET_HEAD_LENGTH + data.length + PACKET_TAIL_LENGTH +
      (option?.length ?? 0);
    // What stood there before must not shine through.
    const memory = new Uint8Array(at + room).fill(0xcc);
    const view = new DataView(memory.buffer);
    writePacketHead(
      view,
      at,
      id,
      packet.seconds,
      packet.nanoseconds,
      data.length,
      packet.originalLength,
    );
    memory.set(data, at + PACKET_HEAD_LENGTH);
    const end = writePacketTail(
      view,
      at,
      data.length,
      direction === undefined ? 0 : directionFlag(direction),
      process?.pid ?? 0,
      process?.tid ?? 0,
      event ?? NO_EVENT,
      option,
    );
    assert.deepEqual(memory.slice(at, end), encoded);
  }));
});

Deno.test("CaptureStream gives back what encodePacket() took", async () => {
  await fc.assert(fc.asyncProperty(
    fc.array(PACKET, { maxLength: 5 }),
    fc.integer({ min: 1, max: 200 }),
    async (packets, size) => {
      const file = concat([
        encodeSectionHeader({}),
        encodeInterface({ linkType: 113, snaplen: 262144, name: "lo" }),
        encodeProcessEvent({ pid: 9, comm: "nine" }),
        ...packets.map((packet) =>
          encodePacket({
            ...packet,
            interface: 0,
            time: BigInt(packet.seconds) * 1_000_000_000n +
              BigInt(packet.nanoseconds),
            comments: packet.comment === undefined ? [] : [packet.comment],
          })
        ),
      ]);
      const items = await readItems(file, size);
      assert.deepEqual(concat(items.map(({ raw }) => raw)), file);
      const records = items.filter((item) => item instanceof CaptureRecord);
      assert.equal(records.length, packets.length);
      for (const [i, record] of records.entries()) {
        const packet = packets[i]!;
        assert.equal(record.seconds, packet.seconds);
        assert.equal(record.nanoseconds, packet.nanoseconds);
        assert.equal(record.originalLength, packet.originalLength);
        assert.deepEqual([...record.data], [...packet.data]);
        assert.equal(record.direction, packet.direction);
        const pid = packet.process?.pid ??
          (packet.event === undefined ? undefined : 9);
        assert.equal(record.process?.pid, pid);
        assert.equal(record.process?.tid, packet.process?.tid || undefined);
        assert.equal(record.process?.comm, pid === 9 ? "nine" : undefined);
        // A NUL ends text.
        const comment = packet.comment?.split("\0")[0];
        assert.deepEqual(
          record.comments,
          comment === undefined ? [] : [comment],
        );
      }
    },
  ));
});

Deno.test("encodePacket() cuts a comment between characters", async () => {
  const file = concat([
    encodeSectionHeader({}),
    encodeInterface({ linkType: 1, snaplen: 0 }),
    encodePacket({
      interface: 0,
      time: 0n,
      originalLength: 0,
      data: new Uint8Array(0),
      comments: ["x" + "ü".repeat(40_000)],
    }),
  ]);
  const record = (await readItems(file)).at(-1);
  assert(record instanceof CaptureRecord);
  assert.deepEqual(record.comments, ["x" + "ü".repeat(32_767)]);
});

Deno.test("completeBlocksLength() ends at the last whole block", () => {
  const first = encodeSectionHeader({});
  const second = encodeInterface({ linkType: 1, snaplen: 0 });
  const file = concat([first, second]);
  for (let end = 0; end <= file.length; end++) {
    assert.equal(
      completeBlocksLength(file.subarray(0, end)),
      end === file.length ? end : end >= first.length ? first.length : 0,
    );
  }
  assert.equal(completeBlocksLength(new Uint8Array(20)), 0);
  assert.equal(blockOf(first).type, BlockType.SECTION_HEADER);
});
