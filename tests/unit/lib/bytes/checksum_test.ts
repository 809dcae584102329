import assert from "node:assert/strict";
import fc from "fast-check";
import {
  finishChecksum,
  internetChecksum,
  sumPseudoHeader,
  sumWords,
} from "../../../../lib/bytes/checksum.ts";

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(
    hex.replaceAll(/\s/g, "").match(/../g) ?? [],
    (byte) => parseInt(byte, 16),
  );
}

Deno.test("internetChecksum() gives the example of RFC 1071 section 3", () => {
  const data = bytes("00 01 f2 03 f4 f5 f6 f7");
  assert.equal(internetChecksum(data), ~0xddf2 & 0xffff);
});

Deno.test("internetChecksum() pads an odd byte on the right", () => {
  assert.equal(internetChecksum(bytes("12 34 56")), ~0x6834 & 0xffff);
  assert.equal(internetChecksum(new Uint8Array(0)), 0xffff);
});

Deno.test("internetChecksum() finds a known IPv4 header correct", () => {
  const header = bytes("4500003c1c4640004006b1e6ac100a63ac100a0c");
  assert.equal(internetChecksum(header), 0);
  header.set([0, 0], 10);
  assert.equal(internetChecksum(header), 0xb1e6);
});

Deno.test("sumPseudoHeader() covers UDP over IPv4", () => {
  const source = Uint8Array.of(127, 0, 0, 1);
  const udp = bytes("8f0c 3039 000b 0000 6869 0a");
  const sum = sumPseudoHeader(source, source, 17, udp.length);
  // 7f00+0001 twice, protocol 11, length b, then the words above.
  const expected = 2 * (0x7f00 + 0x0001) + 0x11 + 0xb + 0x8f0c + 0x3039 + 0xb +
    0x6869 + 0x0a00;
  assert.equal(
    internetChecksum(udp, 0, udp.length, sum),
    ~((expected & 0xffff) + (expected >>> 16)) & 0xffff,
  );
});

Deno.test("sumPseudoHeader() covers a length above 16 bits", () => {
  const none = new Uint8Array(16);
  assert.equal(sumPseudoHeader(none, none, 0, 0x0001_0002), 3);
});

Deno.test("internetChecksum() over data with its checksum is 0", () => {
  fc.assert(fc.property(
    fc.uint8Array({ minLength: 2, maxLength: 99 }),
    (data) => {
      data.set([0, 0]);
      const checksum = internetChecksum(data);
      data.set([checksum >>> 8, checksum & 0xff]);
      assert.equal(internetChecksum(data), 0);
    },
  ));
});

Deno.test("sumWords() goes on from a sum", () => {
  fc.assert(fc.property(
    fc.uint8Array({ maxLength: 40 }),
    fc.nat(20),
    (data, half) => {
      const cut = Math.min(2 * half, data.length & ~1);
      const first = sumWords(data, 0, cut);
      assert.equal(
        finishChecksum(sumWords(data, cut, data.length, first)),
        internetChecksum(data),
      );
    },
  ));
});
