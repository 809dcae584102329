import assert from "node:assert/strict";
import fc from "fast-check";
import { CaptureRecord } from "../../../../lib/pcap/capture_record.ts";
import {
  type CaptureFormat,
  CaptureStream,
} from "../../../../lib/pcap/capture_stream.ts";
import {
  captureEncoder,
  MixedLinkTypesError,
} from "../../../../lib/pcap/convert.ts";
import { CaptureMerger } from "../../../../lib/pcap/merge.ts";
import { CaptureBlock } from "../../../../lib/pcap/pcapng/block.ts";
import {
  decodeInterfaceStatistics,
  decodeSectionHeader,
} from "../../../../lib/pcap/pcapng/blocks.ts";
import { BlockType } from "../../../../lib/pcap/pcapng/format.ts";
import { encodeFileHeader, encodeRecord } from "../../../../lib/pcap/writer.ts";
import { chunked, readItems, readRecords } from "./chunked.ts";
import { bytes, concat, SampleBlocks, u32 } from "./pcapng/sample_blocks.ts";

const DATA = Uint8Array.of(1, 2, 3, 4, 5);
const END = bytes(new Uint8Array(4));

/** Makes one file of others, of the packets that are wanted. */
async function convert(
  files: readonly Uint8Array[],
  format: CaptureFormat,
  { nanoseconds = false, wanted = (_: CaptureRecord): boolean => true } = {},
): Promise<Uint8Array> {
  const streams = await Promise.all(
    files.map((file) => CaptureStream.open(chunked(file, 50))),
  );
  const encoder = captureEncoder(streams, {
    format,
    application: "test",
    nanoseconds,
  });
  const pieces: Uint8Array[] = [];
  for await (const runs of new CaptureMerger(streams).runs()) {
    for (const { stream, items, start, end } of runs) {
      for (const item of items.slice(start, end)) {
        if (item instanceof CaptureRecord && !wanted(item)) continue;
        pieces.push(encoder.encode(stream, item).slice());
      }
    }
  }
  pieces.push(encoder.finish().slice());
  return concat(pieces);
}

function pcapFile(
  { nanoseconds = false, linkType = 113, snaplen = 262_144 } = {},
  times: readonly bigint[] = [1_700_000_000_123_456_000n, 5_000n],
): Uint8Array {
  const options = { linkType, snaplen, nanoseconds };
  return concat([
    encodeFileHeader(options),
    ...times.map((timestamp, i) =>
      encodeRecord({
        timestamp: timestamp + (nanoseconds ? 7n : 0n),
        originalLength: 100 + i,
        data: DATA.subarray(i),
      }, options)
    ),
  ]);
}

/** All kinds of blocks; `name` and `time` tell it from others. */
function pcapngFile(
  littleEndian: boolean,
  name: string,
  time: bigint,
): Uint8Array {
  const sample = new SampleBlocks(littleEndian);
  const packet = (id: number, at: bigint, event: number): Uint8Array =>
    sample.packet(
      id,
      at,
      DATA,
      9,
      sample.option(1, `of ${name}`),
      sample.option(2, 2),
      sample.option(0x8001, event),
      sample.option(0x7777, "kept"),
      END,
    );
  return concat([
    sample.section(sample.option(1, `section ${name}`), END),
    sample.interface(1, 0, sample.option(2, "lo"), END),
    sample.interface(113, 96, sample.option(2, name), END),
    sample.block(0x8000_0001, [u32(1), sample.option(2, `${name}1`), END]),
    sample.block(0x8000_0001, [u32(2), sample.option(2, `${name}2`), END]),
    packet(1, time, 1),
    sample.block(0x777, [bytes("unknown")]),
    packet(0, time + 2n, 0),
    sample.block(5, [u32(1), u32(0), u32(9), sample.option(4, 5n), END]),
  ]);
}

for (const nanoseconds of [false, true]) {
  const kind = nanoseconds ? "ns" : "µs";
  Deno.test(`captureEncoder() keeps a pcap file through pcapng (${kind})`, async () => {
    await fc.assert(fc.asyncProperty(
      fc.array(fc.bigInt({ min: 0n, max: 0xffff_ffff_000n }), {
        maxLength: 5,
      }),
      fc.constantFrom(64, 262_144),
      async (times, snaplen) => {
        const whole = times.map((time) => time * 1_000_000n);
        const file = pcapFile({ nanoseconds, snaplen }, [1n, ...whole]);
        const pcapng = await convert([file], "pcapng");
        assert.deepEqual(await convert([pcapng], "pcap"), file);
        assert.deepEqual(await convert([pcapng], "pcapng"), pcapng);
        assert.deepEqual(await convert([file], "pcap"), file);
      },
    ));
  });
}

Deno.test("captureEncoder() copies a file without the packets left out", async () => {
  for (const littleEndian of [true, false]) {
    const file = pcapngFile(littleEndian, "eth0", 5n);
    assert.deepEqual(await convert([file], "pcapng"), file);
    const some = await convert([file], "pcapng", {
      wanted: (record) => record.interface.id === 1,
    });
    const items = await readItems(file);
    const raw = items.filter((item) =>
      !(item instanceof CaptureRecord) || item.interface.id === 1
    ).map((item) => item.raw);
    assert.deepEqual(some, concat(raw));
  }
});

Deno.test("captureEncoder() keeps odd pcap files as they are", async () => {
  const file = pcapFile();
  const view = new DataView(file.buffer);
  view.setInt32(8, -3600, true);
  view.setUint32(12, 7, true);
  assert.deepEqual(await convert([file], "pcap"), file);
});

Deno.test("captureEncoder() merges sections of both byte orders into one", async () => {
  const files = [
    pcapngFile(true, "eth0", 5n),
    pcapngFile(false, "eth1", 6n),
    pcapFile({ linkType: 1 }, [5_500n]),
  ];
  const merged = await convert(files, "pcapng");
  const items = await readItems(merged);
  const records = items.filter((item) => item instanceof CaptureRecord);
  assert.deepEqual(
    records.map((record) => [
      record.timestamp,
      record.interface.id,
      record.interface.name,
      record.interface.linkType,
      record.direction,
      record.process?.comm,
      record.comments[0],
      record.originalLength,
    ]),
    [
      [5_000n, 2, "eth0", 113, "out", "eth02", "of eth0", 9],
      [5_000n, 0, undefined, 1, undefined, undefined, undefined, 100],
      [6_000n, 3, "eth1", 113, "out", "eth12", "of eth1", 9],
      [7_000n, 1, "lo", 1, "out", "eth01", "of eth0", 9],
      [8_000n, 1, "lo", 1, "out", "eth11", "of eth1", 9],
    ],
  );
  const blocks = items.filter((item) => item instanceof CaptureBlock);
  assert.deepEqual(decodeSectionHeader(blocks[0]!), {
    application: "test",
    comments: ["section eth0"],
  });
  assert.equal(blocks.filter(({ type }) => type === 0x777).length, 2);
  assert.deepEqual(
    blocks.filter(({ type }) => type === BlockType.INTERFACE_STATISTICS)
      .map((block) => decodeInterfaceStatistics(block)),
    [
      { interface: 2, time: 9n, received: 5n },
      { interface: 3, time: 9n, received: 5n },
    ],
  );
  const kept = new TextEncoder().encode("kept").join();
  assert.equal(merged.join().split(kept).length - 1, 4);
});

Deno.test("captureEncoder() gives simple packets of other files an interface", async () => {
  const sample = new SampleBlocks(false);
  const file = concat([
    sample.section(),
    sample.interface(113, 0),
    sample.block(3, [u32(5), bytes(DATA)]),
  ]);
  const merged = await convert([pcapFile({ linkType: 1 }), file], "pcapng");
  const { records } = await readRecords(merged);
  assert.deepEqual(
    records.map(({ interface: { linkType }, data }) => [linkType, data[0]]),
    [[113, 1], [1, 1], [1, 2]],
  );
});

Deno.test("captureEncoder() takes nanoseconds into pcap where there are some", async () => {
  const sample = new SampleBlocks(true);
  const file = concat([
    sample.section(),
    sample.interface(113, 96, sample.option(9, Uint8Array.of(9))),
    sample.packet(0, 1_000_000_007n, DATA, 9),
  ]);
  const { records } = await readRecords(await convert([file], "pcap"));
  assert.equal(records[0]?.timestamp, 1_000_000_007n);
  const stream = await CaptureStream.open(
    chunked(await convert([pcapFile()], "pcap", { nanoseconds: true }), 99),
  );
  assert.equal(stream.header?.nanoseconds, true);
});

Deno.test("captureEncoder() refuses a pcap file of two link types", async () => {
  await assert.rejects(
    convert([pcapFile(), pcapFile({ linkType: 1 })], "pcap"),
    (error) => {
      assert(error instanceof MixedLinkTypesError);
      assert.equal(
        error.message,
        "Cannot write one pcap file: it has one link type, but there are " +
          "packets of LINUX_SLL and ETHERNET",
      );
      return true;
    },
  );
});

Deno.test("captureEncoder() writes a whole file of no packets", async () => {
  const none = { wanted: (): boolean => false };
  const pcap = await convert([pcapFile(), pcapFile()], "pcap", none);
  assert.deepEqual((await readRecords(pcap)).error, undefined);
  assert.equal(pcap.length, 24);
  const pcapng = await convert([pcapFile(), pcapFile()], "pcapng", none);
  assert.deepEqual((await readRecords(pcapng)).error, undefined);
  assert.equal(pcapng.length, 40 + 32);
});
