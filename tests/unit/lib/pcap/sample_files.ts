/**
 * Capture files of every kind, with everything in them that is read.
 *
 * @module
 */

import {
  bytes,
  concat,
  SampleBlocks,
  u16,
  u32,
} from "./pcapng/sample_blocks.ts";

const DATA = Uint8Array.from({ length: 30 }, (_, i) => i);
const END = bytes(new Uint8Array(4));

/** A pcap file with three packets. */
function pcapFile(
  littleEndian: boolean,
  magic: number,
  extra = 0,
): Uint8Array {
  const sample = new SampleBlocks(littleEndian);
  const record = (length: number): Uint8Array =>
    sample.join([
      u32(1_700_000_000),
      u32(123_456),
      u32(length),
      u32(40),
      ...Array.from({ length: extra / 4 }, () => u32(7)),
    ]);
  const header = sample.join([
    u32(magic),
    u16(2),
    u16(4),
    u32(0),
    u32(0),
    u32(65_535),
    u32(113),
  ]);
  return concat([
    header,
    ...[30, 0, 9].flatMap((length) => [
      record(length),
      DATA.subarray(0, length),
    ]),
  ]);
}

/** A pcapng file with every kind of block and option. */
function pcapngFile(littleEndian: boolean): Uint8Array {
  const sample = new SampleBlocks(littleEndian);
  const little = new SampleBlocks(true);
  const entry = little.join([u32(42), little.option(2, "curl"), END]);
  return concat([
    sample.section(sample.option(1, "remark"), sample.option(3, "Linux"), END),
    sample.interface(
      113,
      96,
      sample.option(2, "eth0"),
      sample.option(9, Uint8Array.of(9)),
      sample.option(11, "\0port 80"),
      sample.option(14, 5n),
      END,
    ),
    sample.interface(1, 0, sample.option(9, Uint8Array.of(0x94))),
    sample.block(10, [u32(0x544c_534b), u32(5), bytes("keys\n")]),
    sample.block(0x8000_0001, [u32(42), sample.option(2, "curl"), END]),
    sample.block(4, [
      sample.option(1, Uint8Array.of(127, 0, 0, 1, 97, 0)),
      END,
    ]),
    sample.block(0x0bad, [
      u32(32622),
      bytes(little.join([u32(3), u32(entry.length)])),
      bytes(entry),
    ]),
    sample.packet(
      0,
      0x1_7000_0002n,
      DATA,
      40,
      sample.option(1, "PID: 42\nCmd: /usr/bin/curl\nArgs: curl"),
      sample.option(2, 1),
      sample.option(4, 3n),
      sample.option(8, sample.join([u32(42), u32(43)])),
      sample.option(0x8001, 0),
      sample.option(2988, sample.join([u32(1), bytes("custom")])),
      END,
    ),
    sample.packet(1, 1n, DATA.subarray(0, 7), 7),
    sample.block(3, [u32(9), bytes(DATA.subarray(0, 9))]),
    sample.block(2, [
      u16(1),
      u16(0xffff),
      u32(0),
      u32(5),
      u32(3),
      u32(3),
      bytes(DATA.subarray(0, 3)),
    ]),
    sample.block(5, [u32(0), u32(0), u32(9), sample.option(4, 5n), END]),
    sample.block(0x4000_0bad, [u32(9), bytes("private")]),
    sample.block(0x777, [bytes("unknown")]),
  ]);
}

/** One of each kind. */
export const SAMPLE_FILES: readonly Uint8Array[] = [
  pcapngFile(true),
  pcapngFile(false),
  concat([pcapngFile(true), pcapngFile(false)]),
  pcapFile(true, 0xa1b2_c3d4),
  pcapFile(false, 0xa1b2_3c4d),
  pcapFile(true, 0xa1b2_cd34, 8),
  pcapFile(false, 0xa1b2_cd34, 12),
];
