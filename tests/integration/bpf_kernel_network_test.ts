import assert from "node:assert/strict";
import fc from "fast-check";
import { compileCaptureFilter } from "../../bpf/capture_filter.ts";
import type { PacketView } from "../../bpf/classic/packet_view.ts";
import { formatListing } from "../../bpf/classic/text.ts";
import { acceptedBy } from "../unit/bpf/accepted_by.ts";
import { captureRules } from "../unit/bpf/capture_rules.ts";
import {
  type LoadOffsets,
  validPrograms,
} from "../unit/bpf/classic/random_programs.ts";
import { packets, viewOf } from "../unit/bpf/packets.ts";
import {
  Cables,
  DESTINATIONS,
  frameOf,
  NEAR,
  u16,
} from "./bpf_kernel_cables.ts";
import {
  byteOfA,
  expectedLength,
  fillTo,
  kernelTest,
  PACKET_LENGTH,
  PLAIN_OFFSETS,
} from "./bpf_kernel_support.ts";

kernelTest(
  "Linux takes the packets that a capture filter should take",
  ["root", "network namespaces", "program ip", "program nsenter"],
  async () => {
    await using cables = await Cables.create();
    using near = cables.sockets.sender("near");
    using out = cables.sockets.sender("out");
    // The last one to bind gets packets first: when a packet has come to the
    // observer, the filter has judged it.
    using farObserver = cables.sockets.datagrams("far");
    using outObserver = cables.sockets.datagrams("out");
    using farFiltered = cables.sockets.datagrams("far");
    using outFiltered = cables.sockets.datagrams("out");
    const incoming = [near, farObserver, farFiltered] as const;
    const outgoing = [out, outObserver, outFiltered] as const;
    const snaplen = 50;
    let taken = 0;
    let dropped = 0;
    const batch = fc.array(packets, { minLength: 15, maxLength: 15 });
    fc.assert(
      fc.property(captureRules, batch, (rules, all) => {
        const program = compileCaptureFilter(rules, { snaplen });
        assert.ok(farFiltered.attach(program) && outFiltered.attach(program));
        for (const packet of all) {
          const view = viewOf(packet);
          // Linux drops frames that end in a VLAN tag.
          if (view.bytes.length < 8) continue;
          const [sender, observer, filtered] = packet.packetType === 4
            ? outgoing
            : incoming;
          sender.send(frameOf(packet));
          const bytes = observer.await();
          const length = filtered.receive();
          assert.deepEqual(bytes, view.bytes, JSON.stringify(packet));
          assert.equal(
            length,
            expectedLength(program, view),
            JSON.stringify(packet),
          );
          const expected = acceptedBy(rules, packet);
          if (expected === true) taken++;
          if (expected === false) dropped++;
          if (expected !== undefined) {
            assert.equal(length > 0, expected, JSON.stringify(packet));
          }
        }
      }),
      { numRuns: 200, endOnFailure: true },
    );
    assert.ok(taken > 300 && dropped > 300, `${taken}, ${dropped}`);
  },
);

/** Loads of headers by negative offsets and of metadata. */
const PACKET_OFFSETS: LoadOffsets = {
  direct: fc.oneof(
    PLAIN_OFFSETS.direct,
    fc.nat(310).map((offset) => offset - 0x100000),
    fc.nat(325).map((offset) => offset - 0x200000),
    // Protocol, type, interface, its type, VLAN tag, presence, and protocol.
    fc.constantFrom(0, 4, 8, 28, 40, 44, 48, 60).map((offset) =>
      offset - 0x1000
    ),
  ),
  atX: fc.oneof(
    PLAIN_OFFSETS.atX,
    fc.nat(100).map((offset) => offset - 0x100000),
    fc.nat(100).map((offset) => offset - 0x200000),
    fc.nat(100).map((offset) => -1 - offset),
  ),
};

kernelTest(
  "Linux reads headers and metadata as we do",
  ["root", "network namespaces", "program ip", "program nsenter"],
  async () => {
    await using cables = await Cables.create();
    const ifindex = cables.sockets.indexOf("far");
    using sender = cables.sockets.sender("near");
    using observer = cables.sockets.datagrams("far");
    using filtered = cables.sockets.datagrams("far");
    const frames = fc.record({
      packetType: fc.constantFrom(0, 1, 2, 3),
      tci: fc.constantFrom(undefined, 0, 5, 0xe123),
      protocol: fc.constantFrom(0x0800, 0x86dd, 0x0806, 0x88b5),
      start: fc.uint8Array({ minLength: 60, maxLength: 60 }),
    });
    const programs = validPrograms(PACKET_OFFSETS, 60);
    fc.assert(
      fc.property(programs, frames, (body, frame) => {
        const { packetType, tci, protocol } = frame;
        const payload = fillTo(PACKET_LENGTH, frame.start);
        const addresses = [...DESTINATIONS[packetType]!, ...NEAR];
        const tag = tci === undefined ? [] : [0x88, 0xa8, ...u16(tci)];
        const head = [...addresses, ...u16(protocol)];
        const view: PacketView = {
          bytes: Uint8Array.of(...head, ...payload),
          start: head.length,
          link: 0,
          packetType,
          protocol,
          ifindex,
          arphrd: 1,
          vlanPresent: tci !== undefined,
          vlanTci: tci ?? 0,
          vlanProtocol: tci === undefined ? 0 : 0x88a8,
        };
        for (let byte = 0; byte < 4; byte++) {
          const program = byteOfA(body, byte);
          assert.ok(filtered.attach(program), formatListing(program));
          sender.send(
            Uint8Array.of(...addresses, ...tag, ...u16(protocol), ...payload),
          );
          assert.deepEqual(observer.await(), payload);
          assert.equal(
            filtered.receive(),
            expectedLength(program, view),
            formatListing(program),
          );
        }
      }),
      { numRuns: 600 },
    );
  },
);
