import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import * as zlib from "node:zlib";
import { ZstdDecoder, ZstdError } from "../../../../lib/bytes/zstd/decoder.ts";

/** Decompresses data that come in pieces of the same size. */
function decompress(bytes: Uint8Array, size: number): Uint8Array {
  const decoder = new ZstdDecoder();
  const pieces: number[] = [];
  const take = (): void => {
    for (let piece; (piece = decoder.next()) !== undefined;) {
      for (const byte of piece) pieces.push(byte);
    }
  };
  const chunk = new Uint8Array(size);
  for (let at = 0; at < bytes.length; at += size) {
    const part = bytes.subarray(at, at + size);
    chunk.set(part);
    decoder.push(chunk.subarray(0, part.length));
    take();
    decoder.keep();
    chunk.fill(0xee);
  }
  decoder.complete();
  take();
  return Uint8Array.from(pieces);
}

function hex(text: string): Uint8Array {
  return Uint8Array.from(
    text.replaceAll(/\s/g, "").match(/../g) ?? [],
    (byte) => parseInt(byte, 16),
  );
}

/** Frames that need nothing but RFC 8878 to be understood. */
const FRAMES: Record<string, [string, string]> = {
  "no bytes": ["28b52ffd 20 00 010000", ""],
  "plain bytes": ["28b52ffd 20 05 290000 68656c6c6f", "hello"],
  "a repeated byte": ["28b52ffd 20 06 330000 61", "aaaaaa"],
  "two blocks": ["28b52ffd 00 58 100000 6162 190000 636465", "abcde"],
  "a frame to skip": [
    "5a2a4d18 03000000 010203 28b52ffd 20 02 110000 6869",
    "hi",
  ],
  "two frames and a checksum": [
    "28b52ffd 20 02 110000 6869 28b52ffd 24 01 090000 21 00000000",
    "hi!",
  ],
};

for (const [name, [frame, expected]] of Object.entries(FRAMES)) {
  Deno.test(`ZstdDecoder reads ${name}`, () => {
    for (const size of [1, 3, 100]) {
      const text = new TextDecoder().decode(decompress(hex(frame), size));
      assert.equal(text, expected);
    }
  });
}

const DAMAGED: [string, string, string][] = [
  ["a cut frame", "28b52ffd 20 05 290000 6865", "unexpected end of file"],
  ["a cut magic number", "28b52f", "unexpected end of file"],
  ["other data", "68656c6c6f", "a frame has no magic number"],
  ["a dictionary", "28b52ffd 21 07 05 290000", "a dictionary is needed"],
  [
    "a window of 256 MiB",
    "28b52ffd 00 90 010000",
    "a window of 268435456 bytes is too large",
  ],
  ["an unknown block", "28b52ffd 20 05 2f0000 68656c6c6f", "unknown kind"],
  ["a block of 256 KiB", "28b52ffd 00 58 010020", "a block is too large"],
  [
    "a code that is missing",
    "28b52ffd 20 05 250000 53 010000 00",
    "missing|cut|too long",
  ],
];

for (const [name, frame, reason] of DAMAGED) {
  Deno.test(`ZstdDecoder refuses ${name}`, () => {
    assert.throws(() => decompress(hex(frame), 2), (error) => {
      assert(error instanceof ZstdError);
      assert.match(error.message, new RegExp(`(?:${reason})$`));
      return true;
    });
  });
}

/** Data as they come: text, numbers that count, noise, and repetition. */
function sampleData(seed: number, length: number): Uint8Array {
  let state = seed | 1;
  const next = (): number => {
    state = Math.imul(state, 1_103_515_245) + 12_345 | 0;
    return state >>> 16 & 0x7fff;
  };
  const data = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const run = Math.min(length - at, 1 + next() % 3000);
    const kind = next() % 4;
    for (let i = 0; i < run; i++, at++) {
      data[at] = kind === 0
        ? next()
        : kind === 1
        ? 97 + next() % 7
        : kind === 2
        ? at >> 4
        : data[at - 1 - next() % 3] ?? 0;
    }
  }
  return data;
}

/** `sampleData(7, 5000)` as the reference library compresses it. */
const SAMPLE = Uint8Array.from(
  atob(
    "KLUv/QBY5SEAKl1QDQ4Q8FIHAEApOyUpG0AdATcBrACvANhfu2Pexx+x/d78/PlX+za21hIT" +
      "j8Ui3m+JxReNbi2z7XbrzLu59/OZfnvznedrbW7GbJ7bGRFdF3stD8/Ndtd8/S9bbNj6xGfO" +
      "mjFbpiwZsmPGihEbJiwYsF++evHapSsXrlu2atGaJSsWrFeuWrFapSoVqlOmSpEaJSoUqE+e" +
      "OnHapCkTpkuWKlGaJCkSpEeOGjFapCgRokOGChEaJCgQoD9++vDZoycPnjt26tCZIycOnDdu" +
      "2rBZoyYNmjNmypAZIyZMuxOvYL546cJli5YsWK5YqUJlipQoUJ44acJkiZIkSI4YKUJkiJAg" +
      "QH746MFjh44cOG7YqEFjhowYMF64aMFihYoUKE6YKEFihIgQID546MBhg4YMGC5YqEBhgoQI" +
      "EB44aMBggYIECA4YKEBggIAAAAAEv2fRxbeHaR/b8oj3MdOY/13ivR3dmrFveNfrXV+brd3F" +
      "5rzm1vBa9/Aw8e56V7x7a2YT0e18bZl14nut6d94mL1rT7ybEYtvWSPm7Rfb3q1uiT+2mEXE" +
      "trw7fPsT+9b6w6az3XvEP69v7ep0PlvR7a2JLhazvquzJfbanYnYmvPYjM2239ayvV3b0Hbb" +
      "ZrwenT2fnb/77+zin03sNe+2Z+Jhe43tfs12zdaMLX/DZn/174doPLfWrojY3ox3d07fHV7x" +
      "suHVzWsem5fZWqaxXUvb2dauN9793Hr2L++ceXiHb17+2v7YWhu2OrE1sdjaNP7ZDt8iZpt/" +
      "eV/eG+JlXh4vr714375nZmv+7a358i5rbIl15qVb3jN/zJZ+Gtv6nk23t8zW7ppO/1pn2y57" +
      "fbpha83noo/3dui3xF/RmNjq9xreM90Q2/92/8f7YcNsjdn+PGN7X8tE/wF5iS3boTET761N" +
      "fN/La5fYdplv7f71WubPRre8jZhGt0tsq3tn9m2+5rpd1um7vddeOzy259/a3e2cdiY+27W/" +
      "aJ+bnWi8a4htHra5FfPu1+52t9HNif7dZTvXDZst366X2ebL/rI971hfy/oy7YauW5uL2dB+" +
      "e98yMZ3XxLrNiFhsxWbE34s91z/+Wuvbuf1/Peb9eD/dmg0v7+xsv97XrvWw2I6tx+ev9/eX" +
      "AYEPqCGoIyIiIyIpSEFJIR0xhyIi3QERICxCCBFG/ICTp1+loyIDfnqfuQOIAZhv0d22Tm96" +
      "7uVbOwPNCKLOvpESZiuKZLrpEtUKOMhLJ995mGpv4Pdy0YZtb++lkzZsTytRga+mkD+6ABKd" +
      "FG7bzy8GFI8+ZcWda78eduahTgGfw55ROmyNggBlsuaSjfO6Jyb9V8+cEtlqBtvLYu83QUfI" +
      "+njtOcBG1guSUwNjqFWxkHeV25wqFfFVDMYJGRqiZIiKEjEqwsQIDRMyNETJEBUlYlSEiREa" +
      "JmRoiJIhKkoUbWE4AQ==",
  ),
  (letter) => letter.charCodeAt(0),
);

Deno.test("ZstdDecoder reads what the reference library compressed", () => {
  for (const size of [1, 100, 5000]) {
    assert.deepEqual(decompress(SAMPLE, size), sampleData(7, 5000));
  }
});

// Not every runtime that is supported can compress.
const { zstdCompressSync, constants } = zlib as {
  zstdCompressSync?: (
    data: Uint8Array,
    options: { params: Record<number, number> },
  ) => Uint8Array;
  constants: Record<string, number>;
};

if (zstdCompressSync !== undefined) {
  Deno.test("ZstdDecoder reads what the runtime compresses", () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.nat(200_000),
        fc.constantFrom(1, 3, 9, 19),
        fc.integer({ min: 100, max: 100_000 }),
        (seed, length, level, size) => {
          const data = sampleData(seed, length);
          const compressed = zstdCompressSync(data, {
            params: { [constants["ZSTD_c_compressionLevel"]!]: level },
          });
          assert(
            Buffer.from(decompress(compressed, size)).equals(data),
            `${length} bytes of level ${level}`,
          );
        },
      ),
      { numRuns: 25 },
    );
  });
}

Deno.test("ZstdDecoder refuses damaged data with nothing but its error", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(SAMPLE.length - 1), fc.nat(255)), {
        minLength: 1,
        maxLength: 4,
      }),
      (changes) => {
        const damaged = Uint8Array.from(SAMPLE);
        for (const [at, value] of changes) damaged[at] = value;
        try {
          decompress(damaged, 1000);
        } catch (error) {
          assert(error instanceof ZstdError, String(error));
        }
      },
    ),
    { numRuns: 2000 },
  );
});
