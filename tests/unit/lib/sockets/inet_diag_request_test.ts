import assert from "node:assert/strict";
import {
  AF_INET,
  AF_INET6,
  INET_DIAG,
  IPPROTO_TCP,
  IPPROTO_UDP,
  TCP_STATE,
} from "../../../../lib/sockets/inet_diag.ts";
import {
  ALL_STATES,
  encodeDumpRequest,
  encodeLookupRequest,
  extensionBit,
  stateMask,
} from "../../../../lib/sockets/inet_diag_request.ts";
import { ENOENT_ERROR, TCP4_DUMP_REQUEST } from "./sock_diag_golden.ts";

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

Deno.test("encodeDumpRequest() gives the bytes that Linux accepted", () => {
  assert.deepEqual(
    encodeDumpRequest({
      family: AF_INET,
      protocol: IPPROTO_TCP,
      extensions: extensionBit(INET_DIAG.INFO),
      sequence: 7,
    }),
    TCP4_DUMP_REQUEST,
  );
});

Deno.test("encodeDumpRequest() writes the wanted states", () => {
  const request = encodeDumpRequest({
    family: AF_INET6,
    protocol: IPPROTO_UDP,
    states: stateMask(TCP_STATE.ESTABLISHED, TCP_STATE.CLOSE),
  });
  assert.equal(hex(request.subarray(16, 24)), "0a11000082000000");
});

Deno.test("stateMask() sets one bit for each state", () => {
  assert.equal(stateMask(), 0);
  assert.equal(stateMask(1, 10, 13), 0x2402);
  assert.equal(stateMask(31), 0x8000_0000);
  assert.equal(stateMask(...Array(32).keys()), ALL_STATES);
});

Deno.test("encodeLookupRequest() gives the bytes that Linux answered", () => {
  assert.deepEqual(
    encodeLookupRequest({
      protocol: IPPROTO_TCP,
      localAddress: new Uint8Array(4),
      localPort: 1,
      remoteAddress: new Uint8Array(4),
      remotePort: 2,
    }, { sequence: 9 }),
    // The error repeats the request.
    ENOENT_ERROR.slice(20),
  );
});

const TUPLE = {
  localAddress: Uint8Array.of(10, 0, 0, 1),
  localPort: 0x1111,
  remoteAddress: Uint8Array.of(10, 0, 0, 2),
  remotePort: 0x2222,
  interface: 3,
  cookie: 0x0102_0304_0506_0708n,
} as const;
const PADDING = "00".repeat(12);

Deno.test("encodeLookupRequest() writes all of the tuple", () => {
  const request = encodeLookupRequest({ ...TUPLE, protocol: IPPROTO_TCP });
  assert.equal(
    hex(request.subarray(24)),
    `111122220a000001${PADDING}0a000002${PADDING}030000000807060504030201`,
  );
});

Deno.test("encodeLookupRequest() swaps the ends for UDP", () => {
  const request = encodeLookupRequest({ ...TUPLE, protocol: IPPROTO_UDP });
  assert.equal(
    hex(request.subarray(24)),
    `222211110a000002${PADDING}0a000001${PADDING}030000000807060504030201`,
  );
});

Deno.test("encodeLookupRequest() derives the family from the addresses", () => {
  const request = encodeLookupRequest({
    protocol: IPPROTO_TCP,
    localAddress: new Uint8Array(16).fill(0xaa),
    localPort: 1,
    remoteAddress: new Uint8Array(16).fill(0xbb),
    remotePort: 2,
  });
  assert.equal(request[16], AF_INET6);
  assert.equal(
    hex(request.subarray(28, 60)),
    "aa".repeat(16) + "bb".repeat(16),
  );
});

Deno.test("encodeLookupRequest() refuses odd addresses", () => {
  for (const [local, remote] of [[4, 16], [16, 4], [0, 0], [5, 5]] as const) {
    assert.throws(
      () =>
        encodeLookupRequest({
          protocol: IPPROTO_TCP,
          localAddress: new Uint8Array(local),
          localPort: 1,
          remoteAddress: new Uint8Array(remote),
          remotePort: 2,
        }),
      new RangeError(
        `Cannot look up a socket: address lengths are ${local} and ${remote}`,
      ),
    );
  }
});
