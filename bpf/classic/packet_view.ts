/**
 * A packet as a classic BPF program sees it: bytes, headers and metadata.
 *
 * Sources: bpf_internal_load_pointer_neg_helper(), convert_bpf_extensions()
 * and the bpf_skb_get_*() helpers in net/core/filter.c.
 *
 * @module
 */
import { Extension, SKF_AD_OFF, SKF_LL_OFF, SKF_NET_OFF } from "./opcodes.ts";

/**
 * A packet; all but the bytes may be left out.
 * See {@linkcode ClassicMachine}.
 */
export interface PacketView {
  /** Bytes of the packet, from any header on. */
  readonly bytes: Uint8Array;
  /**
   * Index in `bytes` of a load's offset 0: the network header for a packet
   * socket of type SOCK_DGRAM, the link-layer header for SOCK_RAW, the UDP
   * header for a UDP socket. 0 if left out.
   */
  readonly start?: number;
  /** Index in `bytes` of the network header; `start` if left out. */
  readonly network?: number;
  /** Index in `bytes` of the link-layer header; none if left out. */
  readonly link?: number;
  /** Bytes from `start` on the wire; as many as there are if left out. */
  readonly wireLength?: number;
  /** Link-layer protocol (ethertype), host order. */
  readonly protocol?: number;
  /** `PACKET_*` number of packet(7). */
  readonly packetType?: number;
  /** Index of the interface; without one a load of it ends with verdict A. */
  readonly ifindex?: number;
  /** ARPHRD_* type of the interface; like `ifindex` if left out. */
  readonly arphrd?: number;
  /** The packet's mark. */
  readonly mark?: number;
  /** The packet's queue number. */
  readonly queue?: number;
  /** The packet's flow hash. */
  readonly hash?: number;
  /** Whether a VLAN tag was taken out of the bytes. */
  readonly vlanPresent?: boolean;
  /** Tag control information of that VLAN tag. */
  readonly vlanTci?: number;
  /** Ethertype of that VLAN tag, host order. */
  readonly vlanProtocol?: number;
  /** Offset of the transport payload from `start`. */
  readonly payloadOffset?: number;
  /** Number of the processor. */
  readonly cpu?: number;
  /** The "random" number. */
  readonly random?: number;
}

/** Answer to a load that cannot be done: the verdict is 0. */
export const OUTSIDE: number = -1;
/** Answer to a load of the interface when there is none: the verdict is A. */
export const NO_DEVICE: number = -2;

/** Bytes of `struct nlattr`: length (16 bits), type (16 bits), host order. */
const NLATTR_LENGTH = 4;
const NLATTR_TYPE_OFFSET = 2;
/** Bits of the attribute type that are flags (NLA_F_NESTED and one more). */
const NLATTR_TYPE_MASK = 0x3fff;

/**
 * Loads from a packet.
 *
 * @param offset Signed offset; negative ones count from a header.
 * @param size 1, 2 or 4 bytes.
 * @returns The number, or {@linkcode OUTSIDE}.
 */
export function loadBytes(
  packet: PacketView,
  offset: number,
  size: number,
): number {
  const { bytes, start = 0 } = packet;
  let at: number;
  if (offset >= 0) at = start + offset;
  else if (offset >= SKF_NET_OFF) {
    at = (packet.network ?? start) + offset - SKF_NET_OFF;
  } else if (offset >= SKF_LL_OFF && packet.link !== undefined) {
    at = packet.link + offset - SKF_LL_OFF;
  } else return OUTSIDE;
  if (at + size > bytes.length) return OUTSIDE;
  let value = 0;
  for (let index = 0; index < size; index++) {
    value = value << 8 | bytes[at + index]!;
  }
  return value >>> 0;
}

/**
 * Loads metadata of a packet.
 *
 * @param offset Offset from SKF_AD_OFF, one of {@linkcode Extension}.
 * @param a Register A.
 * @param x Register X.
 * @returns The number, or {@linkcode NO_DEVICE}, or {@linkcode OUTSIDE} when
 * there is no such metadata.
 */
export function loadMetadata(
  packet: PacketView,
  offset: number,
  a: number,
  x: number,
): number {
  switch (offset) {
    case Extension.SKF_AD_PROTOCOL:
      return packet.protocol ?? 0;
    case Extension.SKF_AD_PKTTYPE:
      return packet.packetType ?? 0;
    case Extension.SKF_AD_IFINDEX:
      return packet.ifindex ?? NO_DEVICE;
    case Extension.SKF_AD_NLATTR:
      return findAttribute(packetData(packet), a, x);
    case Extension.SKF_AD_NLATTR_NEST:
      return findNestedAttribute(packetData(packet), a, x);
    case Extension.SKF_AD_MARK:
      return packet.mark ?? 0;
    case Extension.SKF_AD_QUEUE:
      return packet.queue ?? 0;
    case Extension.SKF_AD_HATYPE:
      return packet.arphrd ?? NO_DEVICE;
    case Extension.SKF_AD_RXHASH:
      return packet.hash ?? 0;
    case Extension.SKF_AD_CPU:
      return packet.cpu ?? 0;
    case Extension.SKF_AD_ALU_XOR_X:
      return (a ^ x) >>> 0;
    case Extension.SKF_AD_VLAN_TAG:
      return packet.vlanTci ?? 0;
    case Extension.SKF_AD_VLAN_TAG_PRESENT:
      return packet.vlanPresent ? 1 : 0;
    case Extension.SKF_AD_PAY_OFFSET:
      return packet.payloadOffset ?? 0;
    case Extension.SKF_AD_RANDOM:
      return packet.random ?? 0;
    case Extension.SKF_AD_VLAN_TPID:
      return packet.vlanProtocol ?? 0;
  }
  return OUTSIDE;
}

/** Offset of a load from SKF_AD_OFF; negative when it is not of metadata. */
export function metadataOffset(k: number): number {
  const offset = (k | 0) - SKF_AD_OFF;
  return (k | 0) < 0 ? offset : OUTSIDE;
}

function packetData({ bytes, start = 0 }: PacketView): DataView {
  return new DataView(
    bytes.buffer,
    bytes.byteOffset + start,
    Math.max(0, bytes.length - start),
  );
}

/** Offset of the attribute of a type, searched from `from` on; else 0. */
function findAttribute(data: DataView, from: number, type: number): number {
  return search(data, from, data.byteLength, type);
}

/** Offset of the attribute of a type inside the one at `from`; else 0. */
function findNestedAttribute(
  data: DataView,
  from: number,
  type: number,
): number {
  if (from + NLATTR_LENGTH > data.byteLength) return 0;
  const end = from + data.getUint16(from, true);
  if (end > data.byteLength) return 0;
  return search(data, from + NLATTR_LENGTH, end, type);
}

/** nla_find() in lib/nlattr.c. */
function search(
  data: DataView,
  from: number,
  end: number,
  type: number,
): number {
  let at = from;
  while (end - at >= NLATTR_LENGTH) {
    const length = data.getUint16(at, true);
    if (length < NLATTR_LENGTH || length > end - at) return 0;
    const found = data.getUint16(at + NLATTR_TYPE_OFFSET, true) &
      NLATTR_TYPE_MASK;
    if (found === type) return at;
    at += length + 3 & ~3;
  }
  return 0;
}
