/**
 * Cooked packets: what `LINKTYPE_LINUX_SLL` records hold, made of a packet in
 * the ring.
 *
 * @module
 */
import { PacketField } from "../../ffi/packet.ts";
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
 * Where the ring's current packet is a cooked one without being moved: its
 * header then takes the place of what the kernel told beside the packet, from
 * the address on. At least 16 bytes are free before it.
 */
export function cookedPlace(ring: PacketRing): number {
  const tag = ring.vlanProtocol === 0 ? 0 : VLAN_TAG_LENGTH;
  return ring.networkAt - tag - SLL_HEADER_LENGTH;
}

/**
 * Puts the link header before the ring's current packet, and the VLAN tag that
 * the kernel took off. Allocates nothing.
 *
 * @param at where it begins in `ring.bytes`: behind the ring, or `cookedPlace`
 * @param length bytes of the packet to take, from the network header on
 * @returns where it ends
 */
export function cookPacket(
  ring: PacketRing,
  at: number,
  length: number,
): number {
  const { vlanProtocol, view } = ring;
  writeLinkHeader(ring, at);
  at += SLL_HEADER_LENGTH;
  if (vlanProtocol !== 0) {
    view.setUint16(at - 2, vlanProtocol, false);
    view.setUint16(at, ring.vlanTag, false);
    view.setUint16(at + 2, ring.etherType, false);
    at += VLAN_TAG_LENGTH;
  }
  if (at !== ring.networkAt) ring.copy(at, ring.networkAt, length);
  return at + length;
}

/**
 * Writes the header of a packet without a VLAN tag, from the `struct
 * sockaddr_ll` of the ring's current packet.
 */
export function writeLinkHeader(ring: PacketRing, to: number): void {
  const { words, view, at } = ring;
  // Hardware type, packet type and address length follow each other.
  const kind = words[at + PacketField.HARDWARE_TYPE >> 2]!;
  const address = at + PacketField.ADDRESS >> 2;
  writeSllHeader(
    view,
    to,
    kind >>> 16 & 0xff,
    kind & 0xffff,
    kind >>> 24,
    words[address]!,
    words[address + 1]!,
    ring.etherType,
  );
}

/** Bytes of the whole cooked packet that is in the ring, however much is kept. */
export function cookedLength(ring: PacketRing): number {
  const tag = ring.vlanProtocol === 0 ? 0 : VLAN_TAG_LENGTH;
  return SLL_HEADER_LENGTH + tag + ring.wireLength;
}
