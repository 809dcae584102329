/**
 * packet(7): the AF_PACKET socket and its TPACKET_V3 ring.
 *
 * Layouts: linux/if_packet.h, Documentation/networking/packet_mmap.rst.
 *
 * @module
 */
import { check, Errno, errno, SyscallError } from "./errno.ts";
import type { Fd } from "./fd.ts";
import { libc } from "./libc.ts";
import { cString, Mapping } from "./memory.ts";
import {
  bindSocket,
  openSocket,
  setIntOption,
  SOCK_DGRAM,
  SOCK_RAW,
  SOL_SOCKET,
} from "./socket.ts";

const AF_PACKET = 17;
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_DROP_MEMBERSHIP = 2;
const PACKET_RX_RING = 5;
const PACKET_STATISTICS = 6;
const PACKET_AUXDATA = 8;
const PACKET_VERSION = 10;
const TPACKET_V3 = 2;
const PACKET_MR_PROMISC = 1;
const ETH_P_ALL = 3;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
/** Also the type of the control message; struct timespec. */
const SO_TIMESTAMPNS = 35;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const ENETDOWN = 100;
/** struct sockaddr_ll. */
const LINK_ADDRESS_LENGTH = 20;
const HARDWARE_TYPE_OFFSET = 8;

/** sll_pkttype values. */
export const PacketType = {
  HOST: 0,
  BROADCAST: 1,
  MULTICAST: 2,
  OTHERHOST: 3,
  OUTGOING: 4,
} as const;

/** ARPHRD_ETHER, linux/if_arp.h. */
export const ARPHRD_ETHER = 1;
/** ARPHRD_LOOPBACK, linux/if_arp.h. */
export const ARPHRD_LOOPBACK = 772;

/**
 * struct tpacket_block_desc, the parts used: 32-bit words from the start of a
 * block.
 *
 *     0 version   4 offset_to_priv   8 block_status   12 num_pkts
 *     16 offset_to_first_pkt   20 blk_len   24 seq_num
 */
export const BlockField = {
  STATUS: 8,
  PACKETS: 12,
  FIRST: 16,
} as const;

/** block_status: the block belongs to the kernel. */
export const TP_STATUS_KERNEL = 0;
/** block_status: the block belongs to us. */
export const TP_STATUS_USER = 1;

/**
 * struct tpacket3_hdr, offsets in bytes from the start of a packet:
 *
 *     0 tp_next_offset  4 tp_sec  8 tp_nsec  12 tp_snaplen  16 tp_len
 *     20 tp_status  24 u16 tp_mac  26 u16 tp_net
 *     28 tp_rxhash  32 tp_vlan_tci  36 u16 tp_vlan_tpid  38 padding
 *     48 struct sockaddr_ll: 48 u16 family  50 be16 protocol  52 int ifindex
 *     56 u16 hatype  58 u8 pkttype  59 u8 halen  60 u8 addr[8]
 */
export const PacketField = {
  NEXT: 0,
  SECONDS: 4,
  NANOSECONDS: 8,
  SNAPLEN: 12,
  LENGTH: 16,
  STATUS: 20,
  FRAME: 24,
  NETWORK: 26,
  VLAN_TCI: 32,
  VLAN_TPID: 36,
  FAMILY: 48,
  PROTOCOL: 50,
  IFINDEX: 52,
  HARDWARE_TYPE: 56,
  PACKET_TYPE: 58,
  ADDRESS_LENGTH: 59,
  ADDRESS: 60,
} as const;

/** tp_status: tp_vlan_tci holds a tag that was taken off the packet. */
export const TP_STATUS_VLAN_VALID = 0x10;

/** Shape of the ring. */
export interface RingOptions {
  /** Bytes of a block: a power of two, at least 64 KiB and one page. */
  readonly blockSize: number;
  readonly blockCount: number;
  /** Milliseconds after which a block with packets is handed over unfilled. */
  readonly timeout: number;
}

/**
 * A packet socket that is not bound yet: it receives nothing.
 *
 * @param raw whether packets begin with their link header instead of the
 *   network header
 */
export function openPacketSocket(raw = false): Fd {
  // Protocol 0: with a protocol, packets would arrive before the filter does.
  const type = raw ? SOCK_RAW : SOCK_DGRAM;
  return openSocket(AF_PACKET, type, 0, "socket(AF_PACKET)");
}

/**
 * Gives the socket a TPACKET_V3 ring.
 *
 * @throws {SyscallError} ENOMEM when the memory cannot be had
 */
export function setUpRing(fd: Fd, options: RingOptions): void {
  setIntOption(
    fd.number,
    SOL_PACKET,
    PACKET_VERSION,
    TPACKET_V3,
    "PACKET_VERSION",
  );
  // struct tpacket_req3: block_size, block_nr, frame_size, frame_nr,
  // retire_blk_tov (ms), sizeof_priv, feature_req_word. The frame size only
  // has to divide the block: packets are packed tightly.
  const frameSize = 1 << 16;
  const request = Uint32Array.of(
    options.blockSize,
    options.blockCount,
    frameSize,
    (options.blockSize / frameSize) * options.blockCount,
    options.timeout,
    0,
    0,
  );
  check(
    "PACKET_RX_RING",
    libc().setsockopt(
      fd.number,
      SOL_PACKET,
      PACKET_RX_RING,
      request,
      request.byteLength,
    ),
  );
}

/** Maps the ring with `tail` bytes of ordinary memory behind it. */
export function mapRing(
  fd: number,
  options: RingOptions,
  tail: number,
): Mapping {
  return Mapping.ofFdWithTail(
    fd,
    options.blockSize * options.blockCount,
    tail,
  );
}

/**
 * Binds to all protocols on one interface, or on all (index 0): packets flow
 * from now on.
 *
 * @throws {SyscallError}
 */
export function bindPacketSocket(fd: Fd, interfaceIndex: number): void {
  bindSocket(fd.number, linkAddress(ETH_P_ALL, interfaceIndex));
}

/**
 * Takes one packet without waiting; for sockets without a ring.
 *
 * @param buffer Where the packet goes; what does not fit is cut off.
 * @returns its bytes; unset when there is none
 */
export function receivePacket(
  fd: Fd,
  buffer: Uint8Array<ArrayBuffer>,
): number | undefined {
  const length = libc().recv(
    fd.number,
    buffer,
    BigInt(buffer.length),
    MSG_DONTWAIT,
  );
  return length < 0 ? undefined : length;
}

/**
 * Prepares a packet socket that has no ring for
 * {@linkcode receiveAsInRing}.
 *
 * @param size bytes of packets that may wait in the kernel; less without
 *   CAP_NET_ADMIN
 * @throws {SyscallError}
 */
export function setUpQueue(fd: number, size: number): void {
  const value = Int32Array.of(size);
  const { setsockopt } = libc();
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, value, 4) < 0) {
    setIntOption(fd, SOL_SOCKET, SO_RCVBUF, size, "SO_RCVBUF");
  }
  setIntOption(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1, "SO_TIMESTAMPNS");
  setIntOption(fd, SOL_PACKET, PACKET_AUXDATA, 1, "PACKET_AUXDATA");
}

/** Memory that a ring's packets are read from. */
export interface RingMemory {
  /** Address of the first byte. */
  readonly address: number;
  /** All of it. */
  readonly view: DataView;
}

/** Packets begin at multiples of this. */
const PACKET_ALIGNMENT = 16;
/** Where the network header begins: TPACKET_ALIGN(header and address). */
const NETWORK_OFFSET = 80;

/** struct msghdr: 0 name, 8 namelen, 16 iov, 24 iovlen, 32 control, … */
const message = new BigUint64Array(7);
/** struct iovec. */
const vector = new BigUint64Array(2);
const control = new Uint8Array(256);
const controlView = new DataView(control.buffer);
/** struct cmsghdr: 0 length, 8 level, 12 type, 16 data. */
const CONTROL = { level: 8, type: 12, data: 16 } as const;
/** struct tpacket_auxdata. */
const AUXDATA = { status: 0, length: 4, vlanTci: 16, vlanTpid: 18 } as const;

/**
 * Takes one packet without waiting from a socket without a ring, and puts it
 * into memory as it would be in a ring.
 *
 * @param at where it goes, a multiple of 16
 * @param room bytes that it may take
 * @returns bytes that it took; 0 when there is none, -1 when it was longer
 *   than the room and is lost
 */
export function receiveAsInRing(
  fd: number,
  { address, view }: RingMemory,
  at: number,
  room: number,
): number {
  const pointer = (array: BufferSource): bigint =>
    Deno.UnsafePointer.value(Deno.UnsafePointer.of(array));
  vector[0] = BigInt(address + at + NETWORK_OFFSET);
  vector[1] = BigInt(Math.max(0, room - NETWORK_OFFSET));
  message[0] = BigInt(address + at + PacketField.FAMILY);
  message[1] = BigInt(LINK_ADDRESS_LENGTH);
  message[2] = pointer(vector);
  message[3] = 1n;
  message[4] = pointer(control);
  message[5] = BigInt(control.length);
  message[6] = 0n;
  let length: number;
  do {
    length = libc().recvmsg(fd, message, MSG_DONTWAIT | MSG_TRUNC);
    // ENETDOWN comes once for an interface that goes.
  } while (length < 0 && errno() === ENETDOWN);
  if (length < 0) {
    if (errno() === Errno.EAGAIN) return 0;
    throw new SyscallError("recvmsg(AF_PACKET)", errno());
  }
  if (length > room - NETWORK_OFFSET) return -1;
  const size = (NETWORK_OFFSET + length + PACKET_ALIGNMENT - 1) &
    -PACKET_ALIGNMENT;
  view.setUint32(at + PacketField.NEXT, size, true);
  view.setUint32(at + PacketField.SNAPLEN, length, true);
  view.setUint32(at + PacketField.LENGTH, length, true);
  view.setUint32(at + PacketField.STATUS, 0, true);
  view.setUint16(at + PacketField.FRAME, NETWORK_OFFSET, true);
  view.setUint16(at + PacketField.NETWORK, NETWORK_OFFSET, true);
  readControl(view, at, Number(message[5]));
  return size;
}

/** Time stamp, original length, and VLAN tag of a packet. */
function readControl(view: DataView, at: number, end: number): void {
  for (let from = 0; from + CONTROL.data <= end;) {
    const data = from + CONTROL.data;
    const kind = controlView.getInt32(from + CONTROL.type, true);
    if (controlView.getInt32(from + CONTROL.level, true) === SOL_PACKET) {
      const status = controlView.getUint32(data + AUXDATA.status, true);
      view.setUint32(
        at + PacketField.STATUS,
        status & TP_STATUS_VLAN_VALID,
        true,
      );
      view.setUint32(
        at + PacketField.LENGTH,
        controlView.getUint32(data + AUXDATA.length, true),
        true,
      );
      view.setUint32(
        at + PacketField.VLAN_TCI,
        controlView.getUint16(data + AUXDATA.vlanTci, true),
        true,
      );
      view.setUint16(
        at + PacketField.VLAN_TPID,
        controlView.getUint16(data + AUXDATA.vlanTpid, true),
        true,
      );
    } else if (kind === SO_TIMESTAMPNS) {
      view.setUint32(
        at + PacketField.SECONDS,
        controlView.getUint32(data, true),
        true,
      );
      view.setUint32(
        at + PacketField.NANOSECONDS,
        controlView.getUint32(data + 8, true),
        true,
      );
    }
    from += (Number(controlView.getBigUint64(from, true)) + 7) & -8;
  }
}

/** struct sockaddr_ll: u16 family, be16 protocol, int ifindex, u16 hatype … */
function linkAddress(
  protocol: number,
  interfaceIndex: number,
): Uint8Array<ArrayBuffer> {
  const address = new Uint8Array(LINK_ADDRESS_LENGTH);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, protocol, false);
  view.setInt32(4, interfaceIndex, true);
  return address;
}

/**
 * ARPHRD_* type of an interface.
 *
 * @throws {SyscallError} ENODEV when it is gone, EPERM without CAP_NET_RAW
 */
export function interfaceHardwareType(interfaceIndex: number): number {
  // Without a protocol nothing is received.
  using socket = openPacketSocket();
  const address = linkAddress(0, interfaceIndex);
  bindSocket(socket.number, address);
  const length = Uint32Array.of(LINK_ADDRESS_LENGTH);
  check("getsockname", libc().getsockname(socket.number, address, length));
  return new DataView(address.buffer).getUint16(HARDWARE_TYPE_OFFSET, true);
}

/** Counters of a packet socket since they were last read. */
export interface PacketStatistics {
  /** Packets that passed the filter, including dropped ones. */
  packets: number;
  /** Packets dropped because the ring was full. */
  drops: number;
}

const statistics = new Uint32Array(3);
const statisticsLength = Uint32Array.of(12);

/** Reads and resets the counters (struct tpacket_stats_v3). */
export function readStatistics(fd: number): PacketStatistics {
  statisticsLength[0] = 12;
  check(
    "PACKET_STATISTICS",
    libc().getsockopt(
      fd,
      SOL_PACKET,
      PACKET_STATISTICS,
      statistics,
      statisticsLength,
    ),
  );
  return { packets: statistics[0]!, drops: statistics[1]! };
}

const IF_NAMESIZE = 16;

/** linux/sockios.h */
const SIOCGIFNAME = 0x8910;
/** struct ifreq: 0 name, 16 int index, and room for other requests. */
const IFREQ = { name: 0, index: IF_NAMESIZE, length: 40 } as const;

/**
 * Name of a network interface; undefined when there is none any more.
 *
 * @param socket any socket of the interface's network namespace
 */
export function interfaceName(
  socket: number,
  index: number,
): string | undefined {
  const request = new Uint8Array(IFREQ.length);
  new DataView(request.buffer).setInt32(IFREQ.index, index, true);
  if (libc().ioctl(socket, BigInt(SIOCGIFNAME), request) < 0) return undefined;
  const end = request.indexOf(0);
  return new TextDecoder().decode(request.subarray(IFREQ.name, end));
}

/**
 * Has an interface take packets that are addressed to others, as long as the
 * socket wants them.
 *
 * @throws {SyscallError}
 */
export function setPromiscuous(
  fd: number,
  interfaceIndex: number,
  wanted: boolean,
): void {
  // struct packet_mreq: int ifindex, u16 type, u16 alen, u8 address[8]
  const request = Int32Array.of(interfaceIndex, PACKET_MR_PROMISC, 0, 0);
  check(
    "PACKET_ADD_MEMBERSHIP",
    libc().setsockopt(
      fd,
      SOL_PACKET,
      wanted ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP,
      request,
      request.byteLength,
    ),
  );
}

/** Index of a network interface; 0 when there is none of that name. */
export function interfaceIndex(name: string): number {
  return libc().if_nametoindex(cString(name));
}
