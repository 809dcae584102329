/**
 * Packets with their own link header: what `LINKTYPE_ETHERNET` records hold,
 * made of a packet in the ring of a raw socket.
 *
 * @module
 */
import type { PacketRing } from "../capture/packet_ring.ts";
import { LinkType } from "../pcap/format.ts";
import type { PacketShape } from "./stream/stream_sink.ts";

/** Bytes of the two addresses that precede a VLAN tag. */
const ADDRESSES_LENGTH = 12;
const VLAN_TAG_LENGTH = 4;

/** Ethernet frames. */
export const FRAMED: PacketShape = {
  linkType: LinkType.ETHERNET,
  wireLength: (ring) =>
    ring.wireLength + (ring.vlanProtocol === 0 ? 0 : VLAN_TAG_LENGTH),
};

/**
 * Puts the VLAN tag that the kernel took out of the ring's current packet in
 * its place again, in the memory behind the ring.
 *
 * @param at where the packet shall begin in `ring.bytes`
 * @returns where it ends
 */
export function retagFrame(ring: PacketRing, at: number): number {
  const { bytes, view, frameAt, capturedLength } = ring;
  const payloadAt = frameAt + Math.min(ADDRESSES_LENGTH, capturedLength);
  bytes.copyWithin(at, frameAt, payloadAt);
  at += payloadAt - frameAt;
  view.setUint16(at, ring.vlanProtocol, false);
  view.setUint16(at + 2, ring.vlanTag, false);
  at += VLAN_TAG_LENGTH;
  bytes.copyWithin(at, payloadAt, frameAt + capturedLength);
  return at + frameAt + capturedLength - payloadAt;
}
