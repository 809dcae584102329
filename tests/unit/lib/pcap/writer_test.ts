import assert from "node:assert/strict";
import {
  completeRecordsLength,
  encodeFileHeader,
  encodeRecord,
  RECORD_HEADER_LENGTH,
  writeRecordHeader,
} from "../../../../lib/pcap/writer.ts";
import { LinkType } from "../../../../lib/pcap/format.ts";

Deno.test("encodeFileHeader() writes the 24 bytes little-endian", () => {
  assert.deepEqual(
    encodeFileHeader({ linkType: 276, snaplen: 0x40010, nanoseconds: false }),
    // deno-fmt-ignore
    Uint8Array.of(
      0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0x10, 0, 4, 0, 0x14, 1, 0, 0,
    ),
  );
  const nanoseconds = encodeFileHeader({
    linkType: LinkType.LINUX_SLL,
    snaplen: 0xffff_ffff,
    nanoseconds: true,
  });
  assert.deepEqual(
    nanoseconds.subarray(0, 4),
    Uint8Array.of(0x4d, 0x3c, 0xb2, 0xa1),
  );
  assert.deepEqual(
    nanoseconds.subarray(16),
    Uint8Array.of(0xff, 0xff, 0xff, 0xff, 113, 0, 0, 0),
  );
});

Deno.test("encodeFileHeader() refuses what the fields cannot hold", () => {
  const good = { linkType: 113, snaplen: 1, nanoseconds: false };
  for (const snaplen of [0, -1, 1.5, NaN, 2 ** 32]) {
    assert.throws(() => encodeFileHeader({ ...good, snaplen }), RangeError);
  }
  for (const linkType of [-1, 0.5, NaN, 0x1_0000]) {
    assert.throws(() => encodeFileHeader({ ...good, linkType }), RangeError);
  }
});

Deno.test("writeRecordHeader() writes 16 bytes little-endian", () => {
  const bytes = new Uint8Array(20).fill(0xee);
  writeRecordHeader(
    new DataView(bytes.buffer),
    2,
    0xfedc_ba98,
    999_999_999,
    0x0102,
    0x0003_0405,
  );
  // deno-fmt-ignore
  assert.deepEqual(bytes, Uint8Array.of(
    0xee, 0xee,
    0x98, 0xba, 0xdc, 0xfe, 0xff, 0xc9, 0x9a, 0x3b,
    0x02, 0x01, 0x00, 0x00, 0x05, 0x04, 0x03, 0x00,
    0xee, 0xee,
  ));
});

Deno.test("encodeRecord() keeps nanoseconds or cuts to microseconds", () => {
  const record = {
    timestamp: 1_700_000_000_123_456_789n,
    originalLength: 1500,
    data: Uint8Array.of(7, 8),
  };
  for (const [nanoseconds, fraction] of [[true, 123456789], [false, 123456]]) {
    const bytes = encodeRecord(record, { nanoseconds: nanoseconds === true });
    const view = new DataView(bytes.buffer);
    assert.equal(view.getUint32(0, true), 1_700_000_000);
    assert.equal(view.getUint32(4, true), fraction);
    assert.equal(view.getUint32(8, true), 2);
    assert.equal(view.getUint32(12, true), 1500);
    assert.deepEqual(bytes.subarray(16), record.data);
  }
});

Deno.test("completeRecordsLength() ends at the last whole record", () => {
  const lengths = [0, 5, 1];
  const parts = lengths.map((length) =>
    encodeRecord({
      timestamp: 0n,
      originalLength: length,
      data: new Uint8Array(length),
    }, { nanoseconds: false })
  );
  const bytes = Uint8Array.from(parts.flatMap((part) => [...part]));
  const borders = [0];
  for (const length of lengths) {
    borders.push(borders.at(-1)! + RECORD_HEADER_LENGTH + length);
  }
  for (let end = 0; end <= bytes.length; end++) {
    assert.equal(
      completeRecordsLength(bytes.subarray(0, end)),
      borders.findLast((border) => border <= end),
    );
  }
});

Deno.test("completeRecordsLength() heeds byte order and header length", () => {
  const bytes = new Uint8Array(2 * 24 + 3);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, 3);
  assert.equal(completeRecordsLength(bytes, false, 24), 24 + 3 + 24);
  assert.equal(completeRecordsLength(bytes, true, 24), 0);
});
