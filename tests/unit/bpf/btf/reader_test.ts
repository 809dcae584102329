import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { encodeBtf } from "../../../../bpf/btf/encode.ts";
import { BtfFormatError, KIND, type Kind } from "../../../../bpf/btf/format.ts";
import { Btf } from "../../../../bpf/btf/reader.ts";

const KFLAG = 0x8000_0000;

/** Writes BTF by hand, independent of the code under test. */
class Blob {
  #words: number[] = [];
  #strings = "\0";
  #count = 0;

  name(text: string): number {
    if (text === "") return 0;
    const offset = this.#strings.length;
    this.#strings += `${text}\0`;
    return offset;
  }

  type(
    kind: Kind,
    name: string,
    third: number,
    rest: readonly number[] = [],
    vlen = 0,
    flags = 0,
  ): number {
    const info = (KIND[kind] << 24 | vlen | flags) >>> 0;
    this.#words.push(this.name(name), info, third, ...rest);
    return ++this.#count;
  }

  struct(
    kind: "STRUCT" | "UNION",
    name: string,
    size: number,
    members: readonly (readonly [name: string, type: number, place: number])[],
    flags = 0,
  ): number {
    const rest = members.flatMap(([member, type, place]) => [
      this.name(member),
      type,
      place,
    ]);
    return this.type(kind, name, size, rest, members.length, flags);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const strings = new TextEncoder().encode(this.#strings);
    const types = Uint32Array.from(this.#words);
    const header = new DataView(new ArrayBuffer(24));
    header.setUint16(0, 0xeb9f, true);
    header.setUint8(2, 1);
    header.setUint32(4, 24, true);
    header.setUint32(12, types.byteLength, true);
    header.setUint32(16, types.byteLength, true);
    header.setUint32(20, strings.length, true);
    return Uint8Array.from([
      ...new Uint8Array(header.buffer),
      ...new Uint8Array(types.buffer),
      ...strings,
    ]);
  }
}

/** struct sock { u8 pad; union { u32 a; struct { u16 b; u16 c } }; in: d, e } */
function sample(): Uint8Array<ArrayBuffer> {
  const blob = new Blob();
  const u16 = blob.type("INT", "u16", 2, [16]);
  const u32 = blob.type("INT", "u32", 4, [32]);
  const alias = blob.type("TYPEDEF", "alias", u32);
  const constant = blob.type("CONST", "", alias);
  const pair = blob.struct("STRUCT", "", 4, [["b", u16, 0], ["c", u16, 16]]);
  const union = blob.struct("UNION", "", 4, [["a", constant, 0], [
    "",
    pair,
    0,
  ]]);
  const common = blob.struct(
    "STRUCT",
    "common",
    8,
    [["flag", u32, 1 << 24 | 3], ["wide", u32, 5 << 24 | 4], ["word", u32, 32]],
    KFLAG,
  );
  const array = blob.type("ARRAY", "", 0, [u16, u32, 5]);
  const pointer = blob.type("PTR", "", common);
  blob.struct("STRUCT", "sock", 64, [
    ["pad", u16, 0],
    ["", union, 32],
    ["in", common, 64],
    ["list", array, 128],
    ["next", pointer, 256],
  ]);
  blob.type("ENUM", "colors", 4, [blob.name("RED"), 0], 1);
  blob.type("VAR", "counter", u32, [0]);
  blob.type("DATASEC", ".data", 4, [1, 0, 4], 1);
  blob.type("DECL_TAG", "tag", u32, [0]);
  blob.type("ENUM64", "big", 8, [blob.name("HUGE"), 0, 1], 1);
  blob.type("FLOAT", "float", 4);
  blob.type("FWD", "later", 0);
  const none = blob.type("FUNC_PROTO", "", 0);
  const two = blob.type("FUNC_PROTO", "", u32, [0, u32, 0, u32], 2);
  blob.type("FUNC", "nothing", none);
  blob.type("FUNC", "accept", two);
  blob.type("TYPEDEF", "accept", u32);
  blob.type("FUNC", "accept", none);
  return blob.bytes();
}

const WANTED = [
  { kind: "STRUCT", name: "sock" },
  { kind: "STRUCT", name: "common" },
  { kind: "STRUCT", name: "absent" },
  { kind: "FUNC", name: "accept" },
  { kind: "FUNC", name: "nothing" },
  { kind: "TYPEDEF", name: "accept" },
] as const;

Deno.test("Btf finds ids by kind and name; the first one counts", () => {
  const btf = new Btf(sample(), WANTED);
  equal(btf.length, 23);
  equal(btf.id("STRUCT", "sock"), 10);
  equal(btf.id("FUNC", "accept"), 21);
  equal(btf.id("TYPEDEF", "accept"), 22);
  equal(btf.id("STRUCT", "absent"), undefined);
  equal(btf.id("STRUCT", "never wanted"), undefined);
});

Deno.test("Btf.member() descends into anonymous and named members", () => {
  const btf = new Btf(sample(), WANTED);
  deepEqual(btf.member("sock", "c"), {
    offset: 6,
    bitOffset: 48,
    bits: 0,
    size: 2,
  });
  deepEqual(btf.member("sock", "a"), {
    offset: 4,
    bitOffset: 32,
    bits: 0,
    size: 4,
  });
  equal(btf.member("sock", "in.word")?.offset, 12);
  equal(btf.member("sock", "list")?.size, 10);
  equal(btf.member("sock", "next")?.size, 8);
  equal(btf.structSize("sock"), 64);
});

Deno.test("Btf.member() tells the place of bitfields", () => {
  const btf = new Btf(sample(), WANTED);
  deepEqual(btf.member("sock", "in.wide"), {
    offset: 8,
    bitOffset: 68,
    bits: 5,
    size: 4,
  });
  equal(btf.member("common", "flag")?.bitOffset, 3);
});

Deno.test("Btf.member() returns undefined for what does not exist", () => {
  const btf = new Btf(sample(), WANTED);
  equal(btf.member("sock", "nope"), undefined);
  equal(btf.member("sock", "in.nope"), undefined);
  equal(btf.member("sock", "pad.x"), undefined);
  equal(btf.member("sock", "next.word"), undefined);
  equal(btf.member("absent", "x"), undefined);
  equal(btf.member("sock", ""), undefined);
});

Deno.test("Btf.argumentCount() reads the prototype", () => {
  const btf = new Btf(sample(), WANTED);
  equal(btf.argumentCount("accept"), 2);
  equal(btf.argumentCount("nothing"), 0);
  equal(btf.argumentCount("absent"), undefined);
});

Deno.test("Btf reads blobs at any alignment", () => {
  const bytes = sample();
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  equal(new Btf(shifted.subarray(3), WANTED).id("STRUCT", "sock"), 10);
});

Deno.test("Btf refuses bytes that are not BTF, naming the place", () => {
  const bytes = sample();
  const patched = (at: number, value: number): Uint8Array => {
    const copy = bytes.slice();
    copy[at] = value;
    return copy;
  };
  throws(() => new Btf(bytes.subarray(0, 10), []), {
    name: "BtfFormatError",
    message: "Cannot read BTF at offset 0: the header is cut off",
  });
  throws(() => new Btf(patched(0, 0), []), { offset: 0 });
  throws(() => new Btf(patched(2, 9), []), { offset: 2 });
  throws(() => new Btf(bytes.subarray(0, bytes.length - 1), []), {
    message: "Cannot read BTF at offset 16: a section is cut off",
  });
  // info of the first type: kind 31
  throws(() => new Btf(patched(24 + 7, 0x1f), []), {
    message: "Cannot read BTF at offset 24: kind 31 is unknown",
  });
});

Deno.test("Btf ends on any bytes behind a good header", () => {
  const good = sample();
  const place = fc.nat(good.length - 25).map((offset) => offset + 24);
  fc.assert(fc.property(
    fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 20 }),
    (changes) => {
      const bytes = good.slice();
      for (const [at, value] of changes) bytes[at] = value;
      let btf: Btf;
      try {
        btf = new Btf(bytes, WANTED);
      } catch (error) {
        equal(error instanceof BtfFormatError, true);
        return;
      }
      btf.member("sock", "in.word");
      btf.member("sock", "nope.nope");
      btf.argumentCount("accept");
    },
  ));
});

Deno.test("encodeBtf() writes types that the reader understands", () => {
  const bytes = encodeBtf([
    { kind: "INT", name: "u32", size: 4 },
    { kind: "INT", name: "s64", size: 8, signed: true },
    { kind: "ARRAY", element: 2, index: 1, count: 9 },
  ]);
  // Header and strings as in include/uapi/linux/btf.h.
  deepEqual([...bytes.subarray(0, 24)], [
    ...[0x9f, 0xeb, 1, 0, 24, 0, 0, 0],
    ...[0, 0, 0, 0, 56, 0, 0, 0, 56, 0, 0, 0, 9, 0, 0, 0],
  ]);
  deepEqual([...bytes.subarray(24, 40)], [
    ...[1, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, 32, 0, 0, 0],
  ]);
  equal(bytes[24 + 16 + 15], 1);
  const btf = new Btf(bytes, [{ kind: "INT", name: "s64" }]);
  equal(btf.length, 3);
  equal(btf.id("INT", "s64"), 2);
});
