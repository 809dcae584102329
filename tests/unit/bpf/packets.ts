/**
 * Packets for tests of capture filters: described, then built as bytes.
 *
 * The description knows which ports and addresses the packet has, so that a
 * test can tell what a filter should do without parsing anything.
 *
 * @module
 */
import fc from "fast-check";
import type { PacketView } from "../../../bpf/classic/packet_view.ts";

/** An IPv6 extension header. */
export type ExtensionHeader =
  | {
    /** Hop-by-hop 0, routing 43, destination options 60, 135, 139, 140. */
    readonly type: 0 | 43 | 60 | 135 | 139 | 140;
    /** Length field: units of 8 bytes beyond the first 8. */
    readonly length: number;
  }
  | {
    readonly type: 51;
    /** Length field: units of 4 bytes beyond the first 8. */
    readonly length: number;
  }
  | {
    readonly type: 44;
    /** Fragment offset in units of 8 bytes. */
    readonly offset: number;
    readonly more: boolean;
    readonly reserved: number;
  };

/** A packet in words. */
export interface PacketDescription {
  /** PACKET_* number: 0 to us, 1, 2, 3 to another host, 4 outgoing. */
  readonly packetType: number;
  /** VLAN ethertypes that are still in the packet, outermost first. */
  readonly tags: readonly number[];
  /** 4, 6, or anything else for a packet that is not IP. */
  readonly version: number;
  /** IP protocol number of the payload. */
  readonly protocol: number;
  readonly sourceAddress: Uint8Array;
  readonly destinationAddress: Uint8Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** IPv4: words of options, 0 to 10. */
  readonly optionWords: number;
  /** IPv4: fragment offset in units of 8 bytes. */
  readonly fragmentOffset: number;
  /** IPv4: whether more fragments follow. */
  readonly moreFragments: boolean;
  /** IPv6: extension headers. */
  readonly headers: readonly ExtensionHeader[];
  /** Bytes after the ports. */
  readonly payload: Uint8Array;
  /** Bytes missing at the end. */
  readonly cut: number;
}

/** Ethertype of IPv4. */
export const IPV4_ETHERTYPE = 0x0800;
/** Ethertype of IPv6. */
export const IPV6_ETHERTYPE = 0x86dd;

/** Ethertype of what is under the tags. */
export function innerEthertype({ version }: PacketDescription): number {
  if (version === 4) return IPV4_ETHERTYPE;
  return version === 6 ? IPV6_ETHERTYPE : 0x0806;
}

/** Whether the network header of such a packet is at its first tag. */
export function startsWithTag(packet: PacketDescription): boolean {
  return packet.tags.length > 0 && packet.packetType !== 4;
}

/** Bytes from the network header on, as a SOCK_DGRAM packet socket has them. */
export function buildPacket(
  packet: PacketDescription,
): Uint8Array<ArrayBuffer> {
  const ip = packet.version === 6 ? ipv6(packet) : ipv4(packet);
  const bytes = [...(startsWithTag(packet) ? tagBytes(packet) : []), ...ip];
  return Uint8Array.from(
    bytes.slice(0, Math.max(0, bytes.length - packet.cut)),
  );
}

/** The packet as the interpreter takes it. */
export function viewOf(packet: PacketDescription): PacketView {
  return {
    bytes: buildPacket(packet),
    packetType: packet.packetType,
    protocol: packet.tags[0] ?? innerEthertype(packet),
  };
}

/** Tags after the first ethertype: TCI, next ethertype, and so on. */
export function tagBytes(packet: PacketDescription): number[] {
  const types = [...packet.tags.slice(1), innerEthertype(packet)];
  return types.flatMap((type) => [0x00, 0x64, ...u16(type)]);
}

/** Offset of the transport header from the start of the IP header. */
export function transportOffset(packet: PacketDescription): number {
  if (packet.version !== 6) return 20 + 4 * packet.optionWords;
  return packet.headers.reduce((sum, header) => sum + sizeOf(header), 40);
}

function ipv4(packet: PacketDescription): number[] {
  const fragment = (packet.moreFragments ? 0x2000 : 0) | packet.fragmentOffset;
  const transport = transportBytes(packet);
  const length = transportOffset(packet) + transport.length;
  return [
    ...[packet.version << 4 | 5 + packet.optionWords, 0, ...u16(length)],
    ...[0x12, 0x34, ...u16(fragment)],
    ...[64, packet.protocol, 0, 0],
    ...pad(packet.sourceAddress, 4),
    ...pad(packet.destinationAddress, 4),
    ...Array(4 * packet.optionWords).fill(1),
    ...transport,
  ];
}

function ipv6(packet: PacketDescription): number[] {
  const kinds = [...packet.headers.map(({ type }) => type), packet.protocol];
  const transport = transportBytes(packet);
  const length = transportOffset(packet) - 40 + transport.length;
  return [
    ...[0x60, 0, 0, 0, ...u16(length), kinds[0]!, 64],
    ...pad(packet.sourceAddress, 16),
    ...pad(packet.destinationAddress, 16),
    ...packet.headers.flatMap((header, index) =>
      headerBytes(header, kinds[index + 1]!)
    ),
    ...transport,
  ];
}

function headerBytes(header: ExtensionHeader, next: number): number[] {
  if (header.type === 44) {
    const word = header.offset << 3 | (header.more ? 1 : 0);
    return [next, header.reserved, ...u16(word), 1, 2, 3, 4];
  }
  return [next, header.length, ...Array(sizeOf(header) - 2).fill(0xa5)];
}

function sizeOf(header: ExtensionHeader): number {
  if (header.type === 44) return 8;
  return 8 + header.length * (header.type === 51 ? 4 : 8);
}

function transportBytes(packet: PacketDescription): number[] {
  return [
    ...u16(packet.sourcePort),
    ...u16(packet.destinationPort),
    ...packet.payload,
  ];
}

function u16(value: number): number[] {
  return [value >> 8, value & 0xff];
}

/** Addresses are generated with 16 bytes; IPv4 takes the last 4. */
function pad(address: Uint8Array, length: number): number[] {
  return [...address.subarray(address.length - length)];
}

/** Few addresses, alike in all words but one, so that rules meet packets. */
export const addresses: fc.Arbitrary<Uint8Array> = fc.tuple(
  fc.constantFrom(0, 4, 8, 12),
  fc.constantFrom(1, 2, 0x80),
).map(([word, value]) => {
  const bytes = new Uint8Array(16).fill(9);
  bytes[word] = value;
  return bytes;
});

/** Few ports, at the ends and next to each other. */
export const ports: fc.Arbitrary<number> = fc.constantFrom(
  ...[0, 1, 2, 53, 80, 81, 82, 443, 1024, 8080, 32768, 60999, 65534, 65535],
);

const extensionHeader: fc.Arbitrary<ExtensionHeader> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constantFrom(0 as const, 43, 60, 135, 139, 140),
      length: fc.constantFrom(0, 0, 1, 5),
    }),
  },
  fc.record({
    type: fc.constant(51 as const),
    length: fc.constantFrom(0, 1, 4, 5),
  }),
  fc.record({
    type: fc.constant(44 as const),
    offset: fc.constantFrom(0, 0, 0, 1, 0x1fff),
    more: fc.boolean(),
    reserved: fc.constantFrom(0, 0, 0, 1),
  }),
);

/** Any packet. */
export const packets: fc.Arbitrary<PacketDescription> = fc.record({
  packetType: fc.constantFrom(0, 0, 0, 1, 2, 3, 4, 4, 4),
  tags: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    fc.array(fc.constantFrom(0x8100, 0x88a8), { minLength: 1, maxLength: 2 }),
  ),
  version: fc.constantFrom(4, 4, 4, 6, 6, 6, 1),
  protocol: fc.constantFrom(6, 6, 6, 17, 17, 17, 136, 136, 1, 58, 50, 59),
  sourceAddress: addresses,
  destinationAddress: addresses,
  sourcePort: ports,
  destinationPort: ports,
  optionWords: fc.constantFrom(0, 0, 0, 1, 10),
  fragmentOffset: fc.constantFrom(0, 0, 0, 0, 1, 0x1fff),
  moreFragments: fc.boolean(),
  headers: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    fc.array(extensionHeader, { maxLength: 8 }),
  ),
  payload: fc.uint8Array({ minLength: 8, maxLength: 24 }),
  cut: fc.constantFrom(0, 0, 0, 0, 0, 8, 20, 30, 33, 34, 35, 50, 90),
});
