import assert from "node:assert/strict";
import fc from "fast-check";
import {
  formatAddress,
  formatHardwareAddress,
  formatIpv4,
  formatIpv6,
  isIpv4Mapped,
  parseAddress,
  parseIpv4,
  parseIpv6,
} from "../../../../lib/packet/address.ts";
import { hex } from "./samples.ts";

/** Sixteen bytes and their text after RFC 5952. */
const IPV6: [string, string][] = [
  ["00000000000000000000000000000000", "::"],
  ["00000000000000000000000000000001", "::1"],
  ["00010000000000000000000000000000", "1::"],
  // Section 4.1: no leading zeros.
  ["20010db8000000000000000000000001", "2001:db8::1"],
  // Section 4.2.1: as short as possible.
  ["20010db8000000000000000000020001", "2001:db8::2:1"],
  // Section 4.2.2: a single zero group is not shortened.
  ["20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1"],
  ["20010db8000100010001000100010000", "2001:db8:1:1:1:1:1:0"],
  ["00000db8000100010001000100010001", "0:db8:1:1:1:1:1:1"],
  // Section 4.2.3: the longest run, of equal ones the first.
  ["20010000000000010000000000000001", "2001:0:0:1::1"],
  ["20010db8000000000001000000000001", "2001:db8::1:0:0:1"],
  ["00000000000100010000000000010001", "::1:1:0:0:1:1"],
  ["00000001000100010001000100000000", "0:1:1:1:1:1::"],
  // Section 4.3: lower case.
  [
    "abcdefabcdefabcdefabcdefabcdefab",
    "abcd:efab:cdef:abcd:efab:cdef:abcd:efab",
  ],
  ["fe800000000000000000ffff0000000a", "fe80::ffff:0:a"],
  // Section 5: IPv4-mapped, and what only looks like it.
  ["00000000000000000000ffffc0000201", "::ffff:192.0.2.1"],
  ["00000000000000000000ffff00000000", "::ffff:0.0.0.0"],
  ["000000000000000000000000c0000201", "::c000:201"],
  ["0064ff9b0000000000000000c0000221", "64:ff9b::c000:221"],
  [
    "ffffffffffffffffffffffffffffffff",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  ],
];

Deno.test("formatIpv6() writes the form of RFC 5952", () => {
  for (const [bytes, text] of IPV6) {
    assert.equal(formatIpv6(hex(bytes)), text);
    assert.equal(formatIpv6(hex(`eeee${bytes}ee`), 2), text);
    assert.equal(formatAddress(hex(bytes)), text);
  }
});

Deno.test("parseIpv6() reads what formatIpv6() writes", () => {
  for (const [bytes, text] of IPV6) {
    assert.deepEqual(parseIpv6(text), hex(bytes), text);
    assert.deepEqual(parseAddress(text.toUpperCase()), hex(bytes), text);
  }
});

Deno.test("parseIpv6() reads every form of RFC 4291", () => {
  const forms: [string, string][] = [
    ["2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1"],
    ["2001:db8:0:0:0:0:0:1", "2001:db8::1"],
    ["0:0:0:0:0:0:13.1.68.3", "::d01:4403"],
    ["::13.1.68.3", "::d01:4403"],
    ["0:0:0:0:0:ffff:129.144.52.38", "::ffff:129.144.52.38"],
    ["::FFFF:129.144.52.38", "::ffff:129.144.52.38"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
    ["1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"],
  ];
  for (const [text, canonical] of forms) {
    const bytes = parseIpv6(text);
    assert(bytes, text);
    assert.equal(formatIpv6(bytes), canonical, text);
  }
});

Deno.test("parseIpv6() refuses what is not an address", () => {
  // deno-fmt-ignore
  const wrong = [
    "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3",
    "12345::", "g::", "::g", ":1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:", "1:2:3:4::5:6:7:8",
    "::1%lo", "[::1]", " ::1", "::1 ", "::1/128", "1.2.3.4", "1.2.3.4::", "::1.2.3.4:5",
    "::1.2.3", "::1.2.3.4.5", "::256.1.1.1", "::01.2.3.4", "1:2:3:4:5:6:7:1.2.3.4",
    "::+1", "::-1", "::0x1", "::1\n",
  ];
  for (const text of wrong) assert.equal(parseIpv6(text), undefined, text);
});

Deno.test("parseIpv4() reads four decimal numbers only", () => {
  const right: [string, number[]][] = [
    ["0.0.0.0", [0, 0, 0, 0]],
    ["192.0.2.1", [192, 0, 2, 1]],
    ["255.255.255.255", [255, 255, 255, 255]],
  ];
  for (const [text, bytes] of right) {
    assert.deepEqual(parseIpv4(text), Uint8Array.from(bytes));
    assert.equal(formatIpv4(Uint8Array.from(bytes)), text);
    assert.equal(formatAddress(Uint8Array.from(bytes)), text);
  }
  // deno-fmt-ignore
  const wrong = [
    "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "256.0.0.1", "1.2.3.999",
    "01.2.3.4", "1.2.3.04", "00.0.0.0", "0x1.2.3.4", "1.2.3.4 ", " 1.2.3.4", "+1.2.3.4",
    "-1.2.3.4", "1e1.2.3.4", "1.2.3.4\n", "1.2.3.a", "١.2.3.4",
  ];
  for (const text of wrong) assert.equal(parseIpv4(text), undefined, text);
});

Deno.test("formatHardwareAddress() writes pairs of digits", () => {
  const bytes = hex("0002 42ac 1100 0aff");
  assert.equal(formatHardwareAddress(bytes, 1), "02:42:ac:11:00:0a");
  assert.equal(formatHardwareAddress(bytes, 7, 1), "ff");
  assert.equal(formatHardwareAddress(bytes, 8, 0), "");
});

Deno.test("format functions refuse to read past the end", () => {
  const bytes = new Uint8Array(16);
  assert.throws(() => formatIpv4(bytes, 13), RangeError);
  assert.throws(() => formatIpv4(bytes, -1), RangeError);
  assert.throws(() => formatIpv6(bytes, 1), RangeError);
  assert.throws(() => formatHardwareAddress(bytes, 11), RangeError);
  assert.throws(() => formatAddress(bytes.subarray(0, 5)), RangeError);
});

Deno.test("isIpv4Mapped() looks at the first twelve bytes", () => {
  const mapped = parseIpv6("::ffff:1.2.3.4")!;
  assert(isIpv4Mapped(mapped));
  for (let i = 0; i < 16; i++) {
    const changed = mapped.slice();
    changed[i]! ^= 1;
    assert.equal(isIpv4Mapped(changed), i >= 12);
  }
});

Deno.test("addresses survive formatting and parsing", () => {
  // Many zero bytes, so that runs of zero groups occur.
  const byte = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, {
    weight: 1,
    arbitrary: fc.nat(255),
  });
  const address = fc.oneof(
    fc.array(byte, { minLength: 4, maxLength: 4 }),
    fc.array(byte, { minLength: 16, maxLength: 16 }),
  );
  fc.assert(fc.property(address, (values) => {
    const bytes = Uint8Array.from(values);
    const text = formatAddress(bytes);
    assert.deepEqual(parseAddress(text), bytes);
    assert.doesNotMatch(text, /::.*::|[A-Z]|:::/);
    if (!text.includes("::")) assert.doesNotMatch(text, /\b0:0\b/);
  }));
});

Deno.test("parseAddress() reads no text that is shorter than the canonical one", () => {
  fc.assert(fc.property(
    fc.string({
      unit: fc.constantFrom(..."0123456789abcdef:."),
      maxLength: 24,
    }),
    (text) => {
      const bytes = parseAddress(text);
      if (bytes === undefined) return;
      const canonical = formatAddress(bytes);
      assert.deepEqual(parseAddress(canonical), bytes);
      assert(canonical.length <= text.length || text.includes("."), text);
    },
  ));
});
