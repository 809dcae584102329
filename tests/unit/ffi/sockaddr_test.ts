import assert from "node:assert/strict";
import fc from "fast-check";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  AF_UNSPEC,
  emptyEndpoint,
  type Endpoint,
  isAnyAddress,
  isMapped,
  readSockaddr,
  SOCKADDR_IN6_LENGTH,
} from "../../../ffi/sockaddr.ts";
import { address } from "../../property/flows.ts";
import { missing } from "../../support/requires.ts";
import { cValues } from "./c_values.ts";

/** Port 443, as both families have it. */
const PORT = [0x01, 0xbb];
const SIN = [2, 0, ...PORT, 192, 0, 2, 1, ...Array(8).fill(0)];
const SIN6 = [
  ...[10, 0, ...PORT, 0xf1, 0x0f, 0x1a, 0xbe],
  ...address("2001:db8::1"),
  ...[7, 0, 0, 0],
];

/** Fills an endpoint that has been used before. */
function read(
  bytes: readonly number[],
  length = bytes.length,
): Endpoint | undefined {
  const endpoint = {
    family: 99,
    port: 4711,
    address: new Uint8Array(16).fill(0xaa),
  };
  const padded = Uint8Array.from([...bytes, ...Array(40).fill(0xaa)]);
  if (readSockaddr(padded, length, endpoint)) return endpoint;
  assert.equal(endpoint.port, 0);
  assert.ok(endpoint.address.every((byte) => byte === 0));
  return undefined;
}

Deno.test("readSockaddr() reads IPv4 endpoints in v4-mapped form", () => {
  const expected = {
    family: AF_INET,
    port: 443,
    address: address("192.0.2.1"),
  };
  assert.deepEqual(read(SIN), expected);
  assert.deepEqual(read(SIN, 128), expected);
});

Deno.test("readSockaddr() reads IPv6 endpoints, with or without a scope", () => {
  const expected = {
    family: AF_INET6,
    port: 443,
    address: address("2001:db8::1"),
  };
  assert.deepEqual(read(SIN6), expected);
  // SIN6_LEN_RFC2133
  assert.deepEqual(read(SIN6, 24), expected);
});

Deno.test("readSockaddr() refuses what is shorter than the kernel takes", () => {
  for (let length = 0; length < 16; length++) {
    assert.equal(read(SIN, length), undefined, `IPv4, ${length} bytes`);
  }
  for (let length = 0; length < 24; length++) {
    assert.equal(read(SIN6, length), undefined, `IPv6, ${length} bytes`);
  }
});

Deno.test("readSockaddr() tells the family of other addresses", () => {
  const familyOf = (bytes: readonly number[]): number => {
    const endpoint = emptyEndpoint();
    endpoint.family = 99;
    assert.equal(readSockaddr(Uint8Array.from(bytes), 16, endpoint), false);
    return endpoint.family;
  };
  const rest = Array(14).fill(1);
  assert.equal(familyOf([AF_UNIX, 0, ...rest]), AF_UNIX);
  assert.equal(familyOf([AF_UNSPEC, 0, ...rest]), AF_UNSPEC);
  assert.equal(familyOf([16, 1, ...rest]), 0x110);
});

Deno.test("readSockaddr() takes any bytes", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.nat(40),
      (bytes, length) => {
        const endpoint = emptyEndpoint();
        const isRead = readSockaddr(
          bytes,
          Math.min(length, bytes.length),
          endpoint,
        );
        const isInternet = endpoint.family === AF_INET ||
          endpoint.family === AF_INET6;
        assert.equal(isRead, isInternet);
      },
    ),
  );
});

Deno.test("emptyEndpoint() says nothing", () => {
  const first = emptyEndpoint();
  assert.deepEqual(first, {
    family: AF_UNSPEC,
    port: 0,
    address: new Uint8Array(16),
  });
  assert.notEqual(first.address, emptyEndpoint().address);
});

Deno.test("isAnyAddress() and isMapped() know their addresses", () => {
  const cases: [text: string, any: boolean, mapped: boolean][] = [
    ["0.0.0.0", true, true],
    ["::", true, false],
    ["::ffff:0.0.0.0", true, true],
    ["::1", false, false],
    ["1::", false, false],
    ["127.0.0.1", false, true],
    ["0.0.0.1", false, true],
    ["1.0.0.0", false, true],
    ["::fffe:0.0.0.0", false, false],
    ["::fffe:192.0.2.1", false, false],
    ["::ff00:0.0.0.0", false, false],
    ["::1:0:0", false, false],
    ["0:0:0:0:1:ffff:192.0.2.1", false, false],
    ["::192.0.2.1", false, false],
    ["2001:db8::", false, false],
  ];
  for (const [text, any, mapped] of cases) {
    assert.equal(isAnyAddress(address(text)), any, text);
    assert.equal(isMapped(address(text)), mapped, text);
  }
});

const reason = missing(["gcc"]);
Deno.test(
  `Addresses are laid out as in C${reason === undefined ? "" : ` (${reason})`}`,
  {
    ignore: reason !== undefined,
  },
  async () => {
    const values = await cValues({ headers: ["netinet/in.h"] }, [
      "AF_UNSPEC",
      "AF_UNIX",
      "AF_INET",
      "AF_INET6",
      "sizeof(struct sockaddr_in)",
      "sizeof(struct sockaddr_in6)",
      "offsetof(struct sockaddr_in, sin_port)",
      "offsetof(struct sockaddr_in, sin_addr)",
      "offsetof(struct sockaddr_in6, sin6_port)",
      "offsetof(struct sockaddr_in6, sin6_addr)",
      "offsetof(struct sockaddr_in6, sin6_scope_id)",
    ]);
    assert.deepEqual(Object.values(values), [
      AF_UNSPEC,
      AF_UNIX,
      AF_INET,
      AF_INET6,
      SIN.length,
      SOCKADDR_IN6_LENGTH,
      2,
      4,
      2,
      8,
      24,
    ]);
  },
);
