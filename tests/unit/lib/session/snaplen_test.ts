import assert from "node:assert/strict";
import { MAXIMUM_SNAPLEN } from "../../../../lib/pcap/format.ts";
import { SLL_HEADER_LENGTH } from "../../../../lib/pcap/sll.ts";
import { fileSnaplen, kernelSnaplen } from "../../../../lib/session/snaplen.ts";

Deno.test("kernelSnaplen() leaves enough to tell whose a packet is", () => {
  // An IPv6 header, 64 bytes of extension headers, a TCP header with options.
  const needed = 40 + 64 + 60;
  for (const snaplen of [1, 20, 64, 200]) {
    assert.ok(kernelSnaplen(snaplen) >= needed);
  }
  assert.equal(kernelSnaplen(10_000), 10_000);
});

Deno.test("kernelSnaplen() asks for whole packets where they are wanted", () => {
  assert.equal(kernelSnaplen(0), 0);
});

Deno.test("fileSnaplen() adds the cooked header to what is kept of packets", () => {
  assert.equal(fileSnaplen(96), 96 + SLL_HEADER_LENGTH);
  assert.equal(fileSnaplen(0), MAXIMUM_SNAPLEN);
  assert.equal(fileSnaplen(MAXIMUM_SNAPLEN), MAXIMUM_SNAPLEN);
});
