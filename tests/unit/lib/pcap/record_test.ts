import assert from "node:assert/strict";
import fc from "fast-check";
import type { CaptureRecord } from "../../../../lib/pcap/capture_record.ts";
import { CaptureStream } from "../../../../lib/pcap/capture_stream.ts";
import { CaptureFormatError } from "../../../../lib/pcap/error.ts";
import { Magic } from "../../../../lib/pcap/format.ts";
import { isPcap } from "../../../../lib/pcap/header.ts";
import { PcapReader } from "../../../support/pcap_reader.ts";
import { chunked, readRecords } from "./chunked.ts";
import { encodeFileHeader, encodeRecord } from "../../../../lib/pcap/writer.ts";

interface Sample {
  readonly littleEndian: boolean;
  readonly magic: number;
  readonly version?: [number, number];
  readonly snaplen?: number;
  readonly link?: number;
  /** Bytes between the record header and the data. */
  readonly extra?: number;
}

/** Seconds, fraction, first length, second length, data. */
type Row = [number, number, number, number, number[]];

const ROWS: Row[] = [
  [0x6553_f100, 123_456, 3, 1500, [1, 2, 3]],
  [0xffff_ffff, 999_999, 0, 0, []],
  [1, 0, 2, 2, [4, 5]],
];

/** A file as any machine might have written it. */
function sampleFile(sample: Sample, rows = ROWS): Uint8Array {
  const { littleEndian, extra = 0, version: [major, minor] = [2, 4] } = sample;
  const length = rows.reduce(
    (sum, row) => sum + 16 + extra + row[4].length,
    24,
  );
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, sample.magic, littleEndian);
  view.setUint16(4, major, littleEndian);
  view.setUint16(6, minor, littleEndian);
  view.setUint32(16, sample.snaplen ?? 65535, littleEndian);
  view.setUint32(20, sample.link ?? 113, littleEndian);
  let at = 24;
  for (const row of rows) {
    for (const value of row.slice(0, 4)) {
      view.setUint32(at, Number(value), littleEndian);
      at += 4;
    }
    bytes.fill(0xcc, at, at + extra);
    bytes.set(row[4], at + extra);
    at += extra + row[4].length;
  }
  return bytes;
}

function plain(record: CaptureRecord): unknown[] {
  return [
    record.timestamp,
    record.capturedLength,
    record.originalLength,
    [...record.data],
  ];
}

function expected(unit: bigint): unknown[] {
  return ROWS.map(([seconds, fraction, , original, data]) => [
    BigInt(seconds) * 1_000_000_000n + BigInt(fraction) * unit,
    data.length,
    original,
    data,
  ]);
}

const KINDS: [string, number, boolean, number][] = [
  ["microseconds", Magic.MICROSECONDS, false, 0],
  ["nanoseconds", Magic.NANOSECONDS, true, 0],
  ["Navtel nanoseconds", Magic.NAVTEL, true, 0],
  ["Kuznetzov, 24-byte record headers", Magic.KUZNETZOV, false, 8],
  ["Kuznetzov, 28-byte record headers", Magic.KUZNETZOV, false, 12],
];

for (const [name, magic, nanoseconds, extra] of KINDS) {
  for (const littleEndian of [true, false]) {
    const order = littleEndian ? "little" : "big";
    Deno.test(`PcapReader reads ${name}, ${order}-endian`, async () => {
      const bytes = sampleFile({ littleEndian, magic, extra });
      assert(isPcap(bytes));
      const reader = new PcapReader(bytes);
      assert.deepEqual(reader.header, {
        byteOrder: order,
        magic,
        version: { major: 2, minor: 4 },
        nanoseconds,
        snaplen: 65535,
        linkType: 113,
        fcsLength: undefined,
      });
      const want = expected(nanoseconds ? 1n : 1000n);
      assert.deepEqual([...reader].map(plain), want);
      assert.equal(reader.next(), undefined);
      for (const size of [1, 7, 1000]) {
        const { records, error } = await readRecords(bytes, size);
        assert.equal(error, undefined);
        assert.deepEqual(records.map(plain), want);
      }
    });
  }
}

Deno.test("PcapReader doubts a layout that captures more than there was", () => {
  // With 24-byte headers the second record would have 10 of 2 bytes, and both
  // records would fill the file exactly.
  const rows: Row[] = [[1, 0, 4, 4, [1, 2, 3, 4]], [2, 10, 2, 2, [5, 6]]];
  const bytes = sampleFile(
    { littleEndian: true, magic: Magic.KUZNETZOV, extra: 12 },
    rows,
  );
  assert.deepEqual(
    [...new PcapReader(bytes)].map(({ data }) => [...data]),
    [[1, 2, 3, 4], [5, 6]],
  );
});

Deno.test("PcapReader gives the offset of each record", () => {
  const bytes = sampleFile({ littleEndian: true, magic: Magic.MICROSECONDS });
  const offsets = [...new PcapReader(bytes)].map((record) => record.offset);
  assert.deepEqual(offsets, [24, 24 + 19, 24 + 19 + 16]);
});

Deno.test("PcapReader splits the link type word", () => {
  const { header } = new PcapReader(sampleFile({
    littleEndian: false,
    magic: Magic.MICROSECONDS,
    link: 0x2400_0001,
  }));
  assert.equal(header.linkType, 1);
  assert.equal(header.fcsLength, 4);
});

Deno.test("PcapReader swaps the lengths of old versions", () => {
  const rows: Row[] = [[1, 0, 90, 2, [6, 7]], [2, 0, 1, 1, [8]]];
  for (const version of [[2, 2], [543, 0]] as [number, number][]) {
    const bytes = sampleFile(
      { littleEndian: true, magic: Magic.MICROSECONDS, version },
      rows,
    );
    assert.deepEqual(
      [...new PcapReader(bytes)].map((r) => [...r.data, r.originalLength]),
      [[6, 7, 90], [8, 1]],
    );
  }
});

Deno.test("PcapReader takes the smaller length of version 2.3 as captured", () => {
  const rows: Row[] = [[1, 0, 90, 2, [6, 7]], [2, 0, 1, 50, [8]]];
  const bytes = sampleFile(
    { littleEndian: true, magic: Magic.MICROSECONDS, version: [2, 3] },
    rows,
  );
  assert.deepEqual(
    [...new PcapReader(bytes)].map((r) => [...r.data, r.originalLength]),
    [[6, 7, 90], [8, 50]],
  );
});

Deno.test("PcapReader keeps records that exceed the stated snaplen", () => {
  const bytes = sampleFile({
    littleEndian: true,
    magic: Magic.MICROSECONDS,
    snaplen: 1,
  });
  assert.deepEqual([...new PcapReader(bytes)].map(plain), expected(1000n));
});

const UNREADABLE: [string, Uint8Array, RegExp][] = [
  ["an empty file", new Uint8Array(0), /ends after 0 of 24 header bytes$/],
  ["three bytes", new Uint8Array(3), /ends after 3 of 24 header bytes$/],
  [
    "half a header",
    sampleFile({ littleEndian: true, magic: Magic.NANOSECONDS }).slice(0, 23),
    /ends after 23 of 24 header bytes$/,
  ],
  [
    "another format",
    new TextEncoder().encode("GIF89a".padEnd(40)),
    /magic number 47494638 is unknown$/,
  ],
  [
    "the unpublished format",
    sampleFile({ littleEndian: false, magic: Magic.MESQUITA }),
    /magic a1b234cd is not published$/,
  ],
  [
    "a future version",
    sampleFile({
      littleEndian: true,
      magic: Magic.MICROSECONDS,
      version: [3, 1],
    }),
    /version 3\.1 is not supported$/,
  ],
];

for (const [name, bytes, reason] of UNREADABLE) {
  Deno.test(`PcapReader refuses ${name}`, async () => {
    const check = (error: unknown): boolean => {
      assert(error instanceof CaptureFormatError);
      assert(error instanceof SyntaxError);
      assert.equal(error.name, "CaptureFormatError");
      assert.equal(error.offset, 0);
      assert.match(error.message, /^Cannot read pcap header: /);
      assert.match(error.message, reason);
      return true;
    };
    assert.throws(() => new PcapReader(bytes), check);
    await assert.rejects(CaptureStream.open(chunked(bytes, 5)), check);
  });
}

Deno.test("PcapReader refuses pcapng", () => {
  assert.throws(
    () => new PcapReader(Uint8Array.of(0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0)),
    { message: "Cannot read pcap header: this is a pcapng file" },
  );
});

Deno.test("PcapReader gives everything before a cut, then one error", async () => {
  const bytes = sampleFile({ littleEndian: true, magic: Magic.NANOSECONDS });
  const borders = [24, 43, 59, 77];
  for (let end = 24; end <= bytes.length; end++) {
    const cut = bytes.slice(0, end);
    const whole = borders.findLastIndex((border) => border <= end);
    const isBorder = borders.includes(end);
    const reader = new PcapReader(cut);
    for (let i = 0; i < whole; i++) {
      assert.deepEqual(plain(reader.next()!), expected(1n)[i]);
    }
    const check = (error: unknown): true => {
      assert(error instanceof CaptureFormatError);
      assert.equal(error.offset, borders[whole]);
      assert.match(error.message, /the file ends after \d+ of \d+ \w+ bytes$/);
      return true;
    };
    if (!isBorder) assert.throws(() => reader.next(), check);
    assert.equal(reader.next(), undefined);
    const { records, error } = await readRecords(cut, 11);
    assert.deepEqual(records.map(plain), expected(1n).slice(0, whole));
    assert(isBorder ? error === undefined : check(error));
  }
});

Deno.test("PcapReader stops at an impossible length", async () => {
  const rows: Row[] = [ROWS[0]!, [5, 0, 262_145, 262_145, [1, 2]], ROWS[2]!];
  const bytes = sampleFile(
    { littleEndian: false, magic: Magic.MICROSECONDS },
    rows,
  );
  const message =
    "Cannot read pcap record at offset 43: captured length 262145 exceeds 262144";
  const reader = new PcapReader(bytes);
  assert(reader.next());
  assert.throws(() => reader.next(), { message, offset: 43 });
  assert.equal(reader.next(), undefined);
  const { records, error } = await readRecords(bytes, 1000);
  assert.equal(records.length, 1);
  assert(error instanceof CaptureFormatError);
  assert.equal(error.message, message);
});

Deno.test("PcapReader believes no length above 128 MiB", () => {
  const bytes = sampleFile(
    { littleEndian: true, magic: Magic.MICROSECONDS, snaplen: 0xffff_ffff },
    [[1, 0, 0x0800_0001, 0x0800_0001, []]],
  );
  assert.throws(() => new PcapReader(bytes).next(), /exceeds 134217728$/);
});

Deno.test("CaptureStream releases its source when iteration stops", async () => {
  const bytes = sampleFile({ littleEndian: true, magic: Magic.MICROSECONDS });
  let isReleased = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield* chunked(bytes, 50);
    } finally {
      isReleased = true;
    }
  }
  for await (const record of await CaptureStream.open(source())) {
    assert.equal(record.offset, 24);
    break;
  }
  assert(isReleased);
});

Deno.test("CaptureStream releases its source when disposed", async () => {
  const bytes = sampleFile({ littleEndian: true, magic: Magic.MICROSECONDS });
  let isReleased = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield* chunked(bytes, 50);
    } finally {
      isReleased = true;
    }
  }
  {
    await using stream = await CaptureStream.open(source());
    assert.equal(stream.header?.linkType, 113);
  }
  assert(isReleased);
});

Deno.test("CaptureStream passes on the error of its source", async () => {
  const bytes = sampleFile({ littleEndian: true, magic: Magic.MICROSECONDS });
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* chunked(bytes.slice(0, 60), 60);
    throw new Error("disk on fire");
  }
  const seen: number[] = [];
  await assert.rejects(async () => {
    for await (const record of await CaptureStream.open(source())) {
      seen.push(record.offset);
    }
  }, /disk on fire/);
  assert.deepEqual(seen, [24, 43]);
});

const RECORD = fc.record({
  timestamp: fc.bigInt({ min: 0n, max: 0xffff_ffffn * 1_000_000_000n }),
  originalLength: fc.nat(0xffff_ffff),
  data: fc.uint8Array({ maxLength: 40 }),
});

Deno.test("PcapReader gives back what the writer wrote, byte for byte", async () => {
  await fc.assert(fc.asyncProperty(
    fc.array(RECORD, { maxLength: 8 }),
    fc.boolean(),
    fc.integer({ min: 1, max: 60 }),
    async (inputs, nanoseconds, size) => {
      const options = { linkType: 276, snaplen: 262_144, nanoseconds };
      const file = Uint8Array.from([
        ...encodeFileHeader(options),
        ...inputs.flatMap((input) => [...encodeRecord(input, options)]),
      ]);
      const reader = new PcapReader(file);
      const records = [...reader];
      assert.deepEqual(
        records.map(plain),
        inputs.map(({ timestamp, originalLength, data }) => [
          nanoseconds ? timestamp : timestamp - timestamp % 1000n,
          data.length,
          originalLength,
          [...data],
        ]),
      );
      const again = [
        ...encodeFileHeader(reader.header),
        ...records.flatMap((record) => [
          ...encodeRecord(record, reader.header),
        ]),
      ];
      assert.deepEqual(Uint8Array.from(again), file);
      const streamed = await readRecords(file, size);
      assert.equal(streamed.error, undefined);
      assert.deepEqual(streamed.records.map(plain), records.map(plain));
    },
  ));
});

Deno.test("PcapReader and CaptureStream agree on any damaged file", async () => {
  const bytes = sampleFile({ littleEndian: true, magic: Magic.MICROSECONDS });
  const modified = sampleFile({
    littleEndian: true,
    magic: Magic.KUZNETZOV,
    extra: 12,
  });
  await fc.assert(fc.asyncProperty(
    fc.constantFrom(bytes, modified),
    fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 6 }),
    fc.integer({ min: 1, max: 40 }),
    async (original, changes, size) => {
      const damaged = original.slice();
      for (const [at, value] of changes) damaged[at] = value;
      const records: CaptureRecord[] = [];
      let error: unknown;
      try {
        for (const record of new PcapReader(damaged)) records.push(record);
      } catch (caught) {
        assert(caught instanceof CaptureFormatError);
        error = caught;
      }
      const streamed = await readRecords(damaged, size);
      assert.deepEqual(streamed.records.map(plain), records.map(plain));
      assert.equal(
        streamed.error instanceof Error ? streamed.error.message : undefined,
        error instanceof Error ? error.message : undefined,
      );
    },
  ));
});
