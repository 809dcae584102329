/**
 * Cooked packets: what `LINKTYPE_LINUX_SLL` records hold, made of a packet in
 * the ring.
 *
 * @module
 */
import type { PacketRing } from "../capture/packet_ring.ts";
import { LinkType } from "../pcap/format.ts";
import { SLL_HEADER_LENGTH, writeSllHeader } from "../pcap/sll.ts";
import type { PacketShape } from "./stream/stream_sink.ts";

const VLAN_TAG_LENGTH = 4;
/** Packets are copied in words: up to 3 bytes more than they have. */
const WORD_LENGTH = 4;

/** Most bytes that a cooked packet takes beside the packet's own. */
export const COOKED_ROOM = SLL_HEADER_LENGTH + VLAN_TAG_LENGTH + WORD_LENGTH;

/** Cooked packets. */
export const COOKED: PacketShape = {
  linkType: LinkType.LINUX_SLL,
  wireLength: cookedLength,
};

/**
 * Writes the ring's current packet into the memory behind the ring, with its
 * link header and the VLAN tag that the kernel took off. Allocates nothing.
 *
 * @param at where it begins in `ring.bytes`
 * @param length bytes of the packet to take, from the network header on
 * @returns where it ends
 */
export function cookPacket(
  ring: PacketRing,
  at: number,
  length: number,
): number {
  const { vlanProtocol, view } = ring;
  writeSllHeader(
    ring.bytes,
    at,
    ring.packetType,
    ring.hardwareType,
    ring.addressLength,
    ring.bytes,
    ring.addressAt,
    vlanProtocol === 0 ? ring.etherType : vlanProtocol,
  );
  at += SLL_HEADER_LENGTH;
  if (vlanProtocol !== 0) {
    view.setUint16(at, ring.vlanTag, false);
    view.setUint16(at + 2, ring.etherType, false);
    at += VLAN_TAG_LENGTH;
  }
  ring.copy(at, ring.networkAt, length);
  return at + length;
}

/** Bytes of the whole cooked packet that is in the ring, however much is kept. */
export function cookedLength(ring: PacketRing): number {
  const tag = ring.vlanProtocol === 0 ? 0 : VLAN_TAG_LENGTH;
  return SLL_HEADER_LENGTH + tag + ring.wireLength;
}
