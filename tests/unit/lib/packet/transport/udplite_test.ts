import assert from "node:assert/strict";
import { LinkType } from "../../../../../lib/bytes/link_type.ts";
import { verifyChecksum } from "../../../../../lib/packet/checksums.ts";
import { PacketCursor } from "../../../../../lib/packet/cursor.ts";
import { decodePacket, findLayer } from "../../../../../lib/packet/packet.ts";
import { decodeUdpLite } from "../../../../../lib/packet/transport/udplite.ts";
import { udplite } from "../../text/packet_builder.ts";
import { hex } from "../samples.ts";

Deno.test("decodeUdpLite() reads every field", () => {
  const cursor = new PacketCursor(hex("b749 0009 0008 abcd 6869"));
  assert.deepEqual(decodeUdpLite(cursor), {
    kind: "udplite",
    offset: 0,
    headerLength: 8,
    payloadLength: 2,
    sourcePort: 0xb749,
    destinationPort: 9,
    coverage: 8,
    checksum: 0xabcd,
  });
  assert.equal(cursor.offset, 8);
});

Deno.test("decodeUdpLite() takes the length from the IP header", () => {
  const cursor = new PacketCursor(hex("b749 0009 0000 abcd 6869"), 1000);
  assert.equal(decodeUdpLite(cursor)?.payloadLength, 992);
});

Deno.test("decodeUdpLite() complains about a coverage within the header", () => {
  for (let coverage = 0; coverage < 10; coverage++) {
    const cursor = new PacketCursor(hex(`b749 0009 000${coverage} abcd 6869`));
    assert.equal(decodeUdpLite(cursor)?.coverage, coverage);
    assert.equal(
      cursor.malformed?.reason,
      coverage > 0 && coverage < 8
        ? `coverage ${coverage} is less than 8`
        : undefined,
    );
  }
});

Deno.test("decodeUdpLite() needs 8 bytes", () => {
  for (let length = 0; length < 8; length++) {
    const cut = new PacketCursor(new Uint8Array(length), 8);
    assert.equal(decodeUdpLite(cut), undefined);
    assert.equal(cut.truncated?.reason, `8 bytes needed, ${length} captured`);
  }
});

/** What the checksum of a datagram of 10 bytes says after a byte changed. */
function stateOf(coverage: number, changed: number | undefined): string {
  const data = udplite(1, 2, coverage, "0123456789");
  if (changed !== undefined) data[20 + changed]! ^= 0x40;
  const packet = decodePacket(data, LinkType.RAW);
  return verifyChecksum(packet, findLayer(packet, "udplite")!);
}

Deno.test("verifyChecksum() covers as much of UDP-Lite as the header says", () => {
  for (const coverage of [0, 8, 9, 12, 17, 18]) {
    assert.equal(stateOf(coverage, undefined), "correct");
    for (let at = 8; at < 18; at++) {
      const isCovered = coverage === 0 || at < coverage;
      assert.equal(
        stateOf(coverage, at),
        isCovered ? "incorrect" : "correct",
        `coverage ${coverage}, byte ${at}`,
      );
    }
  }
});

Deno.test("verifyChecksum() accepts neither a coverage beyond the end nor none", () => {
  const data = udplite(1, 2, 18, "0123456789");
  data[25] = 19;
  const beyond = decodePacket(data, LinkType.RAW);
  const layer = findLayer(beyond, "udplite")!;
  assert.equal(verifyChecksum(beyond, layer), "incorrect");
  const none = udplite(1, 2, 8, "0123456789");
  none.set([0, 0], 26);
  const packet = decodePacket(none, LinkType.RAW);
  assert.equal(
    verifyChecksum(packet, findLayer(packet, "udplite")!),
    "incorrect",
  );
});
