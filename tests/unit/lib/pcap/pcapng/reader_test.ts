import assert from "node:assert/strict";
import { CaptureFormatError } from "../../../../../lib/pcap/error.ts";
import { CaptureBlock } from "../../../../../lib/pcap/pcapng/block.ts";
import { readItems, readRecords } from "../chunked.ts";
import { bytes, concat, SampleBlocks, u16, u32, u64 } from "./sample_blocks.ts";

const DATA = Uint8Array.of(1, 2, 3, 4, 5);
const END = bytes(new Uint8Array(4));
/** 1.5 s in microseconds. */
const TIME = 1_500_000n;

for (const littleEndian of [true, false]) {
  const order = littleEndian ? "little" : "big";
  const sample = new SampleBlocks(littleEndian);

  Deno.test(`CaptureStream reads every packet block, ${order}-endian`, async () => {
    const file = concat([
      sample.section(),
      sample.interface(1, 4),
      sample.packet(0, TIME, DATA, 9),
      sample.block(3, [u32(9), bytes(DATA.subarray(0, 4))]),
      sample.block(2, [
        u16(0),
        u16(7),
        u32(0),
        u32(Number(TIME)),
        u32(5),
        u32(6),
        bytes(DATA),
        sample.option(2, 2),
        END,
      ]),
    ]);
    for (const size of [1, 7, 1000]) {
      const { records, error } = await readRecords(file, size);
      assert.equal(error, undefined);
      assert.deepEqual(
        records.map((record) => [
          record.timestamp,
          record.isTimed,
          record.originalLength,
          [...record.data],
          record.details,
        ]),
        [
          [1_500_000_000n, true, 9, [1, 2, 3, 4, 5], { comments: [] }],
          [0n, false, 9, [1, 2, 3, 4], { comments: [] }],
          [1_500_000_000n, true, 6, [1, 2, 3, 4, 5], {
            comments: [],
            direction: "out",
            dropCount: 7n,
          }],
        ],
      );
      const raw = concat([
        ...(await readItems(file, size)).map((item) => item.raw),
      ]);
      assert.deepEqual(raw, file);
    }
  });

  Deno.test(`CaptureStream reads options, ${order}-endian`, async () => {
    const file = concat([
      sample.section(),
      sample.interface(
        113,
        96,
        sample.option(2, "eth0"),
        sample.option(3, "left\0right"),
        sample.option(9, Uint8Array.of(9)),
        sample.option(11, "\0tcp port 80"),
        sample.option(12, "Linux"),
        sample.option(13, Uint8Array.of(4)),
        sample.option(14, 1000n),
        sample.option(15, "virtio"),
        END,
      ),
      sample.block(0x8000_0001, [u32(77), sample.option(2, "sleeper"), END]),
      sample.packet(
        0,
        1_234_567_890_123n,
        DATA,
        5,
        sample.option(2, 1),
        sample.option(1, "first"),
        sample.option(4, 3n),
        sample.option(8, sample.join([u32(42), u32(43)])),
        sample.option(0x8001, 0),
        sample.option(1, "PID: 42\nCmd: /usr/bin/curl\nArgs: curl -s"),
        END,
      ),
      sample.packet(
        0,
        0n,
        DATA,
        5,
        sample.option(8, sample.join([u32(42), u32(0)])),
      ),
      sample.packet(0, 0n, DATA, 5, sample.option(0x8001, 0)),
      sample.packet(
        0,
        0n,
        DATA,
        5,
        sample.option(8, sample.join([u32(0), u32(0)])),
      ),
    ]);
    const { records, error } = await readRecords(file);
    assert.equal(error, undefined);
    assert.deepEqual(records[0]?.interface, {
      id: 0,
      linkType: 113,
      snaplen: 96,
      unitsPerSecond: 1_000_000_000n,
      name: "eth0",
      description: "left",
      filter: "tcp port 80",
      os: "Linux",
      hardware: "virtio",
      fcsLength: 4,
    });
    assert.equal(records[0]?.timestamp, 2_234_567_890_123n);
    assert.deepEqual(records[0]?.details, {
      comments: ["first", "PID: 42\nCmd: /usr/bin/curl\nArgs: curl -s"],
      direction: "in",
      dropCount: 3n,
      process: { pid: 42, tid: 43, comm: "curl", args: "curl -s" },
    });
    assert.deepEqual(records.slice(1).map((record) => record.process), [
      { pid: 42, comm: "curl", args: "curl -s" },
      { pid: 77, comm: "sleeper" },
      undefined,
    ]);
  });
}

Deno.test("CaptureStream reads Wireshark's process block in either order", async () => {
  const little = new SampleBlocks(true);
  const big = new SampleBlocks(false);
  const entry = little.join([
    u32(42),
    little.option(2, "curl"),
    little.option(4, "curl\0-s\0"),
    END,
  ]);
  const file = concat([
    big.section(),
    big.interface(1, 0),
    big.block(0x0bad, [
      u32(32622),
      bytes(little.join([u32(3), u32(entry.length)])),
      bytes(entry),
    ]),
    big.packet(0, 0n, DATA, 5, big.option(8, big.join([u32(42), u32(42)]))),
  ]);
  const { records } = await readRecords(file);
  assert.deepEqual(records[0]?.process, {
    pid: 42,
    tid: 42,
    comm: "curl",
    args: "curl -s",
  });
});

Deno.test("CaptureStream names a process by what was told last", async () => {
  const sample = new SampleBlocks(true);
  const event = (name: string): Uint8Array =>
    sample.block(0x8000_0001, [u32(42), sample.option(2, name), END]);
  const packet = sample.packet(
    0,
    0n,
    DATA,
    5,
    sample.option(8, sample.join([u32(42), u32(42)])),
  );
  const file = concat([
    sample.section(),
    sample.interface(1, 0),
    packet,
    event("sh"),
    packet,
    event("curl"),
    packet,
  ]);
  const { records } = await readRecords(file);
  // Asked after all was read.
  assert.deepEqual(
    records.map(({ process }) => process?.comm),
    [undefined, "sh", "curl"],
  );
});

Deno.test("CaptureStream reads sections of both byte orders in one file", async () => {
  const little = new SampleBlocks(true);
  const big = new SampleBlocks(false);
  const file = concat([
    little.section(),
    little.interface(1, 0),
    little.interface(113, 10, little.option(9, Uint8Array.of(0))),
    little.packet(1, 3n, DATA, 5),
    big.section(),
    big.interface(276, 20, big.option(9, Uint8Array.of(0x8a))),
    big.packet(0, 1024n + 512n, DATA, 5),
  ]);
  const { records, error } = await readRecords(file, 10);
  assert.equal(error, undefined);
  assert.deepEqual(
    records.map(({ timestamp, interface: { id, linkType, snaplen } }) => [
      timestamp,
      id,
      linkType,
      snaplen,
    ]),
    [[3_000_000_000n, 1, 113, 10], [1_500_000_000n, 0, 276, 20]],
  );
});

Deno.test("CaptureStream gives unknown blocks as they are", async () => {
  const sample = new SampleBlocks(false);
  const odd = sample.block(0x1234_5678, [bytes("anything"), u64(5n)]);
  const file = concat([sample.section(), odd]);
  const items = await readItems(file);
  assert(items[1] instanceof CaptureBlock);
  assert.equal(items[1].type, 0x1234_5678);
  assert.equal(items[1].offset, 28);
  assert.deepEqual(items[1].raw, odd);
  assert.deepEqual((await readRecords(file)).records, []);
});

const { section, interface: description, packet } = (() => {
  const sample = new SampleBlocks(true);
  return {
    section: sample.section(),
    interface: sample.interface(1, 0),
    packet: sample.packet(0, TIME, DATA, 5),
  };
})();

function changed(block: Uint8Array, at: number, value: number): Uint8Array {
  const copy = block.slice();
  new DataView(copy.buffer).setUint32(at, value, true);
  return copy;
}

const DAMAGED: [string, Uint8Array, string][] = [
  ["length 10", changed(packet, 4, 10), "length 10 is not a multiple of 4"],
  ["length 8", changed(packet, 4, 8), "length 8 is less than 12"],
  [
    "a mad length",
    changed(packet, 4, 0xffff_fff0),
    "length 4294967280 exceeds 135266304",
  ],
  [
    "two lengths",
    changed(packet, packet.length - 4, 44),
    "its two lengths differ: 40 and 44",
  ],
  [
    "a packet longer than its block",
    changed(packet, 20, 9),
    "a block of 40 bytes cannot hold a packet of 9",
  ],
  [
    "an unknown interface",
    changed(packet, 8, 1),
    "interface 1 is not described before it",
  ],
  [
    "a short packet block",
    new SampleBlocks(true).block(6, [u32(0)]),
    "length 16 is less than 32",
  ],
  [
    "a section of unknown byte order",
    changed(section, 8, 1),
    "byte-order magic 1000000 is unknown",
  ],
  [
    "a future version",
    changed(section, 12, 2),
    "version 2.0 is not supported",
  ],
];

for (const [name, block, reason] of DAMAGED) {
  Deno.test(`CaptureStream stops at ${name}`, async () => {
    const file = concat([section, description, packet, block]);
    const offset = file.length - block.length;
    const { records, error } = await readRecords(file, 13);
    assert.equal(records.length, 1);
    assert(error instanceof CaptureFormatError);
    assert.equal(
      error.message,
      `Cannot read pcapng block at offset ${offset}: ${reason}`,
    );
    assert.equal(error.offset, offset);
  });
}

Deno.test("CaptureStream gives every packet before a cut, then one error", async () => {
  const file = concat([section, description, packet, packet]);
  const borders = [28, 48, 88, 128];
  for (let end = 24; end <= file.length; end++) {
    const { records, error } = await readRecords(file.slice(0, end), 50);
    assert.equal(
      records.length,
      Math.max(0, borders.filter((border) => border <= end).length - 2),
    );
    if (borders.includes(end)) assert.equal(error, undefined);
    else {
      const offset = borders.findLast((border) => border < end) ?? 0;
      assert(error instanceof CaptureFormatError);
      assert.equal(error.offset, offset);
      assert.match(
        error.message,
        /the file ends after \d+ of \d+ bytes$/,
      );
    }
  }
});
