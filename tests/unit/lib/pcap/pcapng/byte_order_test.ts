import assert from "node:assert/strict";
import { toLittleEndian } from "../../../../../lib/pcap/pcapng/byte_order.ts";
import {
  bytes,
  type Part,
  SampleBlocks,
  u16,
  u32,
  u64,
} from "./sample_blocks.ts";

const DATA = Uint8Array.of(1, 2, 3, 4, 5);
const END = bytes(new Uint8Array(4));

/** One block of each kind, with all options that hold numbers. */
const BLOCKS: Record<string, (sample: SampleBlocks) => Uint8Array> = {
  "an interface": (sample) =>
    sample.interface(
      113,
      96,
      sample.option(1, "remark"),
      sample.option(2, "eth0"),
      sample.option(4, Uint8Array.of(10, 0, 0, 1, 255, 0, 0, 0)),
      sample.option(8, 1_000_000_000n),
      sample.option(9, Uint8Array.of(9)),
      sample.option(10, 7),
      sample.option(14, 0xffff_ffff_ffff_ff00n),
      sample.option(16, 5n),
      sample.option(17, 6n),
      sample.option(2988, custom(sample)),
      END,
    ),
  "an enhanced packet": (sample) =>
    sample.packet(
      3,
      0x1_0000_0002n,
      DATA,
      9,
      sample.option(2, 1),
      sample.option(3, Uint8Array.of(2, 1, 2, 3, 4)),
      sample.option(4, 4n),
      sample.option(5, 5n),
      sample.option(6, 6),
      sample.option(7, Uint8Array.of(0, 9)),
      sample.option(8, sample.join([u32(8), u32(9)])),
      sample.option(0x8001, 10),
      sample.option(0x8002, 11),
      sample.option(0x8003, 12),
      sample.option(0x7777, Uint8Array.of(1, 2, 3, 4)),
      END,
    ),
  "a simple packet": (sample) => sample.block(3, [u32(5), bytes(DATA)]),
  "an obsolete packet": (sample) =>
    sample.block(2, [
      u16(1),
      u16(2),
      u32(3),
      u32(4),
      u32(5),
      u32(6),
      bytes(DATA),
      sample.option(2, 3),
      END,
    ]),
  "name resolution": (sample) =>
    sample.block(4, [
      sample.option(1, Uint8Array.of(127, 0, 0, 1, 97, 0)),
      END,
      sample.option(2, "resolver"),
      END,
    ]),
  "statistics": (sample) =>
    sample.block(5, [
      u32(1),
      u32(2),
      u32(3),
      sample.option(2, sample.join([u32(4), u32(5)])),
      sample.option(4, 6n),
      END,
    ]),
  "secrets": (sample) => sample.block(10, [u32(1), u32(5), bytes(DATA)]),
  "a process event": (sample) =>
    sample.block(0x8000_0001, [u32(42), sample.option(2, "curl"), END]),
  "a custom block": (sample) => sample.block(0x0bad, [u32(32622), bytes(DATA)]),
  "an unknown block": (sample) => sample.block(0x777, [bytes("unknown")]),
};

function custom(sample: SampleBlocks): Uint8Array {
  const parts: Part[] = [u32(32622), bytes("text")];
  return sample.join(parts);
}

for (const [name, make] of Object.entries(BLOCKS)) {
  Deno.test(`toLittleEndian() turns ${name}`, () => {
    const little = make(new SampleBlocks(true));
    const big = make(new SampleBlocks(false));
    const copy = big.slice();
    assert.deepEqual(toLittleEndian(big), little);
    assert.deepEqual(big, copy);
  });
}

Deno.test("toLittleEndian() keeps to the block when its options are damaged", () => {
  const sample = new SampleBlocks(false);
  const block = sample.block(1, [
    u16(1),
    u16(0),
    u32(0),
    u16(8),
    u16(0xffff),
    u64(1n),
  ]);
  assert.equal(toLittleEndian(block).length, block.length);
});
