import assert from "node:assert/strict";
import {
  decodeQuicHeader,
  formatQuicType,
  formatQuicVersion,
  type QuicPacketType,
} from "../../../../../lib/packet/app/quic.ts";
import { be32, bytes, type Part } from "../../text/packet_builder.ts";
import { QUIC_INITIAL } from "../../text/samples.ts";
import { decodeUdp, fieldsOf } from "./decode.ts";

function header(
  ...parts: readonly Part[]
): ReturnType<typeof decodeQuicHeader> {
  const data = bytes(...parts);
  return decodeQuicHeader(data, 0, data.length);
}

Deno.test("decodeQuic() reads an initial packet on any port", () => {
  assert.deepEqual(fieldsOf(decodeUdp(QUIC_INITIAL, 8443), "quic"), {
    kind: "quic",
    version: 1,
    destinationId: bytes(0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08),
    sourceId: new Uint8Array(0),
    type: 0,
    token: new Uint8Array(0),
    length: 0x049e,
    versions: [],
  });
});

Deno.test("decodeQuicHeader() numbers the types of version 2 alike", () => {
  const v2 = be32(0x6b33_43cf);
  const types = [0xd0, 0xe0, 0xf0, 0xc0].map((first) =>
    header(first, v2, 1, 7, 1, 8, 0, 9)?.type
  );
  assert.deepEqual(types, [0, 1, 2, 3]);
});

Deno.test("decodeQuicHeader() reads retries and version negotiations", () => {
  const retry = header(0xf0, be32(1), 0, 1, 9, "token", new Uint8Array(16));
  assert.equal(formatQuicType(retry!.type), "retry");
  assert.equal(retry!.token?.length, 21);
  const negotiation = header(0x8a, be32(0), 0, 1, 9, be32(1), be32(0xff00001d));
  assert.equal(formatQuicType(negotiation!.type), "version negotiation");
  assert.deepEqual(negotiation!.versions, [1, 0xff00001d]);
});

Deno.test("decodeQuicHeader() leaves other datagrams alone", () => {
  assert.equal(header(0x43, new Uint8Array(30)), undefined, "short header");
  assert.equal(header(0xc0, be32(99), new Uint8Array(30)), undefined);
  assert.equal(header(0x83, be32(1), new Uint8Array(30)), undefined);
  assert.equal(header(0x80, new Uint8Array(40)), undefined, "zeros");
  assert.equal(header(0xc0, be32(1), 21, new Uint8Array(60)), undefined);
  assert.equal(header(0xc0, be32(1), 8, 1, 2), undefined, "cut");
});

Deno.test("formatQuicVersion() names versions", () => {
  assert.equal(formatQuicVersion(1), "v1");
  assert.equal(formatQuicVersion(0x6b33_43cf), "v2");
  assert.equal(formatQuicVersion(0xff00_001d), "draft-29");
  assert.equal(formatQuicVersion(0x1a2a_3a4a), "0x1a2a3a4a");
});

Deno.test("formatQuicType() names every type", () => {
  const names = [0, 1, 2].map((type) => formatQuicType(type as QuicPacketType));
  assert.deepEqual(names, ["initial", "0-rtt", "handshake"]);
});
