import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteReader, Truncated } from "../../../../../lib/bytes/reader.ts";
import {
  escapeLabel,
  MalformedDns,
  readName,
} from "../../../../../lib/packet/app/dns_name.ts";
import { hex } from "../samples.ts";

const WWW = "03777777 07 6578616d706c65 03636f6d 00";

Deno.test("readName() joins labels with dots", () => {
  const reader = new ByteReader(hex(`${WWW} ff`));
  assert.equal(readName(reader, 0), "www.example.com");
  assert.equal(reader.offset, 17);
  assert.equal(readName(new ByteReader(hex("00")), 0), ".");
});

Deno.test("readName() follows pointers and returns after the first", () => {
  // At 2: www.example.com; at 19: mail + pointer to example; at 26: pointer.
  const bytes = hex(`eeee ${WWW} 046d61696c c004 c011 ff`);
  const reader = new ByteReader(bytes, 19);
  assert.equal(readName(reader, 2), "mail.www.example.com".replace("www.", ""));
  assert.equal(reader.offset, 26);
  assert.equal(readName(reader, 2), "mail.example.com");
  assert.equal(reader.offset, 28);
});

Deno.test("readName() escapes what is not plain text", () => {
  const label = hex("0a 612e625c 20c3a9 00 7f 41 00");
  assert.equal(
    readName(new ByteReader(label), 0),
    "a\\.b\\\\\\032\\195\\169\\000\\127A",
  );
  assert.equal(escapeLabel(new Uint8Array(0)), "");
});

Deno.test("readName() cannot be made to loop or to look ahead", () => {
  const rows: [string, number][] = [
    ["c000", 0], // itself
    ["0161 c000", 0], // its own first label
    ["0161 c002", 0], // itself after a label
    ["c004 0000 c000", 0], // forward
    ["0161 c004 c000", 4], // back to a name that points forward again
    ["c002 c000", 2], // two pointers at each other
  ];
  for (const [bytes, start] of rows) {
    assert.throws(
      () => readName(new ByteReader(hex(bytes), start), 0),
      MalformedDns,
      bytes,
    );
  }
});

Deno.test("readName() refuses label types that are not in use", () => {
  for (const [bytes, type] of [["4161", 1], ["8061", 2], ["be", 2]]) {
    assert.throws(() => readName(new ByteReader(hex(String(bytes))), 0), {
      message: `label type ${type} is unknown`,
      offset: 0,
    });
  }
});

Deno.test("readName() allows 255 bytes and no more", () => {
  const label = `3f${"61".repeat(63)}`;
  const longest = hex(`${label.repeat(3)} 3d${"61".repeat(61)} 00`);
  assert.equal(longest.length, 255);
  assert.equal(readName(new ByteReader(longest), 0).length, 253);
  const longer = hex(`${label.repeat(3)} 3e${"61".repeat(62)} 00`);
  assert.throws(
    () => readName(new ByteReader(longer), 0),
    /name is longer than 255/,
  );
});

Deno.test("readName() runs out wherever the bytes end", () => {
  const bytes = hex(`${WWW}`);
  for (let length = 0; length < bytes.length; length++) {
    const reader = new ByteReader(bytes, 0, length);
    assert.throws(() => readName(reader, 0), Truncated);
  }
  assert.throws(() => readName(new ByteReader(hex("c0")), 0), Truncated);
});

Deno.test("readName() ends on any bytes", () => {
  const byte = fc.constantFrom(0, 1, 2, 3, 0xc0, 0xc1, 0x40, 0x61);
  fc.assert(fc.property(
    fc.array(byte, { maxLength: 64 }),
    fc.nat(64),
    (values, start) => {
      try {
        const name = readName(
          new ByteReader(Uint8Array.from(values), start),
          0,
        );
        assert(name.length > 0);
      } catch (error) {
        assert(error instanceof Truncated || error instanceof MalformedDns);
      }
    },
  ));
});
