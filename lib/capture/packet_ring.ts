/**
 * The packet ring: memory that the kernel fills with packets in blocks and
 * that is read in place, without a system call or an object per packet.
 *
 * @module
 */
import type { Fd } from "../../ffi/fd.ts";
import { drainEventFd } from "../../ffi/file.ts";
import { type Mapping, poll } from "../../ffi/memory.ts";
import {
  bindPacketSocket,
  BlockField,
  mapRing,
  openPacketSocket,
  PacketField,
  type RingOptions,
  setUpQueue,
  setUpRing,
  TP_STATUS_KERNEL,
  TP_STATUS_USER,
  TP_STATUS_VLAN_VALID,
} from "../../ffi/packet.ts";
import { EARLY_SIZE, EarlyPackets } from "./early_packets.ts";

const ETHERTYPE_VLAN = 0x8100;
const ETHERTYPE_QINQ = 0x88a8;
/** VLAN identifier in the tag control information (IEEE 802.1Q). */
const VLAN_NUMBER = 0xfff;
const POLLIN = 1;
/** Up to here copying word by word is faster. */
const FEW_BYTES = 256;

/**
 * Bytes of a block. Several of the largest ordinary packets (64 KiB) fit, and
 * there are many blocks: the kernel uses one up whenever the time limit is
 * over, however few packets are in it, so that blocks times time limit is how
 * long this thread may be kept from running without loss.
 */
const BLOCK_SIZE = 1 << 18;
/** How long a packet may wait in a block that is not full, milliseconds. */
const BLOCK_TIMEOUT = 16;

/** Shape of a ring of about `mebibytes` MiB. */
export function ringOptions(mebibytes: number): RingOptions {
  return {
    blockSize: BLOCK_SIZE,
    blockCount: Math.max(2, Math.ceil(mebibytes * (1 << 20) / BLOCK_SIZE)),
    timeout: BLOCK_TIMEOUT,
  };
}

/** What a packet socket sees, if not the packets of every interface. */
export interface SocketView {
  /** Whether packets begin with their link header; default no. */
  readonly raw?: boolean;
  /** Index of the one interface; default 0 for all. */
  readonly interfaceIndex?: number;
}

/**
 * Opens a packet socket.
 *
 * @param attachFilter called before the first packet can arrive
 * @throws {SyscallError}
 */
export function openCaptureSocket(
  options: RingOptions,
  attachFilter: (socket: Fd) => void,
  view: SocketView = {},
): Fd {
  return openSocket(view.raw, (socket) => {
    // The order closes the race: no packet gets in before the filter.
    attachFilter(socket);
    setUpRing(socket, options);
    bindPacketSocket(socket, view.interfaceIndex ?? 0);
  });
}

/**
 * Opens a packet socket that sees packets within a fraction of a millisecond,
 * where a ring takes more than ten: the kernel waits until every processor has
 * forgotten the socket without the ring. It keeps packets until
 * {@linkcode PacketRing.takeOver}.
 *
 * @throws {SyscallError}
 */
export function openEarlySocket(attachFilter: (socket: Fd) => void): Fd {
  return openSocket(false, (socket) => {
    attachFilter(socket);
    // The kernel doubles it, and counts more for a packet than it takes here.
    setUpQueue(socket.number, EARLY_SIZE / 2);
    bindPacketSocket(socket, 0);
  });
}

/**
 * Opens a packet socket with a ring that gets no packets before
 * {@linkcode PacketRing.takeOver}.
 *
 * @throws {SyscallError}
 */
export function openLateSocket(
  options: RingOptions,
  attachFilter: (socket: Fd) => void,
): Fd {
  return openSocket(false, (socket) => {
    attachFilter(socket);
    setUpRing(socket, options);
  });
}

function openSocket(
  raw: boolean | undefined,
  setUp: (socket: Fd) => void,
): Fd {
  const socket = openPacketSocket(raw);
  try {
    setUp(socket);
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket;
}

/** Reader of a mapped ring: a cursor over the packets. */
export class PacketRing implements Disposable {
  readonly #mapping: Mapping;
  readonly #options: RingOptions;
  readonly #halves: Uint16Array<ArrayBuffer>;
  readonly #poll: Int32Array<ArrayBuffer>;
  readonly #lastPoll: Int32Array<ArrayBuffer>;
  #block = 0;
  #left = 0;
  #next = 0;
  #early: EarlyPackets | undefined;

  /** The ring and the tail behind it, as bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same memory, for numbers. */
  readonly view: DataView<ArrayBuffer>;
  /** The same memory, as words in the machine's byte order. */
  readonly words: Int32Array<ArrayBuffer>;
  /** Where the tail begins in {@linkcode PacketRing.bytes}. */
  readonly tailAt: number;
  /** Address of the first byte. */
  readonly address: number;
  /** Number of the packet socket. */
  readonly socket: number;
  /** Where the current packet's descriptor begins. */
  at = 0;

  /**
   * @param socket number of a packet socket with a ring of these `options`
   * @param wake number of an eventfd that ends waiting
   * @param tail bytes of ordinary memory to have behind the ring
   * @throws {SyscallError}
   */
  constructor(
    socket: number,
    wake: number,
    options: RingOptions,
    tail: number,
  ) {
    this.socket = socket;
    this.#mapping = mapRing(socket, options, tail);
    this.#options = options;
    const buffer = this.#mapping.buffer();
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.words = new Int32Array(buffer);
    this.#halves = new Uint16Array(buffer);
    this.tailAt = options.blockSize * options.blockCount;
    this.address = this.#mapping.address;
    // struct pollfd { int fd; short events; short revents; }, twice
    this.#poll = Int32Array.of(socket, POLLIN, wake, POLLIN);
    this.#lastPoll = Int32Array.of(socket, POLLIN);
  }

  /** Whether the kernel has handed the current block over. */
  get ready(): boolean {
    if (this.#early !== undefined && this.#early.count > 0) return true;
    const status = this.#block * this.#options.blockSize + BlockField.STATUS;
    return (Atomics.load(this.words, status >> 2) & TP_STATUS_USER) !== 0;
  }

  /**
   * Goes on where a socket without a ring began: what it has received comes
   * first. See {@linkcode EarlyPackets}.
   *
   * @throws {SyscallError}
   */
  takeOver(early: Fd, own: Fd, at: number): void {
    this.#early = new EarlyPackets(this, early, own, at);
  }

  /** Packets that had no room before the ring was there; told once. */
  takeLost(): number {
    return this.#early?.takeLost() ?? 0;
  }

  /** Waits for a block or for the eventfd, at most `timeout` milliseconds. */
  wait(timeout: number): void {
    if (poll(this.#poll, timeout) > 0) drainEventFd(this.#poll[2]!);
  }

  /**
   * Waits for a block alone: the one that the kernel is filling comes within
   * the ring's own time limit.
   *
   * @returns whether there is one
   */
  waitForLast(): boolean {
    const deadline = performance.now() + 2 * this.#options.timeout;
    do {
      poll(this.#lastPoll, Math.ceil(deadline - performance.now()));
    } while (!this.ready && performance.now() < deadline);
    return this.ready;
  }

  /** Begins the current block; `ready` must be true. */
  openBlock(): void {
    const early = this.#early;
    if (early !== undefined && early.count > 0) {
      this.#left = early.count;
      this.#next = early.at;
      return;
    }
    const start = this.#block * this.#options.blockSize;
    this.#left = this.words[(start + BlockField.PACKETS) >> 2]!;
    this.#next = start + this.words[(start + BlockField.FIRST) >> 2]!;
  }

  /** Moves on to the next packet of the block; false after the last. */
  nextPacket(): boolean {
    if (this.#left === 0) return false;
    this.#left--;
    this.at = this.#next;
    this.#next += this.words[(this.at + PacketField.NEXT) >> 2]!;
    const early = this.#early;
    if (early === undefined || early.count > 0) return true;
    return !early.takeTwin() || this.nextPacket();
  }

  /** Gives the block back to the kernel. */
  closeBlock(): void {
    const early = this.#early;
    if (early !== undefined) {
      if (early.count > 0) {
        early.count = 0;
        return;
      }
      early.closeBlock();
    }
    const { blockSize, blockCount } = this.#options;
    const status = this.#block * blockSize + BlockField.STATUS;
    Atomics.store(this.words, status >> 2, TP_STATUS_KERNEL);
    this.#block = (this.#block + 1) % blockCount;
  }

  /** Seconds of the packet's time stamp. */
  get seconds(): number {
    return this.words[(this.at + PacketField.SECONDS) >> 2]!;
  }

  /** Nanoseconds of the packet's time stamp. */
  get nanoseconds(): number {
    return this.words[(this.at + PacketField.NANOSECONDS) >> 2]!;
  }

  /** Captured bytes, from the network header on. */
  get capturedLength(): number {
    return this.words[(this.at + PacketField.SNAPLEN) >> 2]!;
  }

  /** Length of the packet, from the network header on. */
  get wireLength(): number {
    return this.words[(this.at + PacketField.LENGTH) >> 2]!;
  }

  /** Where the link header begins, on a raw socket. */
  get frameAt(): number {
    return this.at + this.#halves[(this.at + PacketField.FRAME) >> 1]!;
  }

  /** Where the network header begins in {@linkcode PacketRing.bytes}. */
  get networkAt(): number {
    return this.at + this.#halves[(this.at + PacketField.NETWORK) >> 1]!;
  }

  /** EtherType (host order). */
  get etherType(): number {
    const at = this.at + PacketField.PROTOCOL;
    return this.bytes[at]! << 8 | this.bytes[at + 1]!;
  }

  /** Interface index. */
  get interfaceIndex(): number {
    return this.words[(this.at + PacketField.IFINDEX) >> 2]!;
  }

  /** ARPHRD_* type of the interface. */
  get hardwareType(): number {
    return this.#halves[(this.at + PacketField.HARDWARE_TYPE) >> 1]!;
  }

  /** sll_pkttype. */
  get packetType(): number {
    return this.bytes[this.at + PacketField.PACKET_TYPE]!;
  }

  /** Copies packet bytes to `target`; the fastest way for their number. */
  copy(target: number, start: number, length: number): void {
    if (length > FEW_BYTES || (start & 3) !== 0) {
      this.bytes.copyWithin(target, start, start + length);
      return;
    }
    // A call into the runtime takes longer than a few stores.
    const words = this.words;
    const view = this.view;
    const first = start >> 2;
    const count = (length + 3) >> 2;
    for (let i = 0; i < count; i++) {
      view.setInt32(target + 4 * i, words[first + i]!, true);
    }
  }

  /** EtherType of a VLAN tag that the kernel took off the packet, or 0. */
  get vlanProtocol(): number {
    const status = this.words[(this.at + PacketField.STATUS) >> 2]!;
    if ((status & TP_STATUS_VLAN_VALID) === 0) return 0;
    const tpid = this.#halves[(this.at + PacketField.VLAN_TPID) >> 1]!;
    return tpid === 0 ? ETHERTYPE_VLAN : tpid;
  }

  /** Tag control information of that VLAN tag. */
  get vlanTag(): number {
    return this.words[(this.at + PacketField.VLAN_TCI) >> 2]! & 0xffff;
  }

  /** Number of the packet's VLAN; -1 for none. */
  get vlanNumber(): number {
    if (this.vlanProtocol !== 0) return this.vlanTag & VLAN_NUMBER;
    const { etherType } = this;
    if (etherType !== ETHERTYPE_VLAN && etherType !== ETHERTYPE_QINQ) return -1;
    const at = this.networkAt;
    return (this.bytes[at]! << 8 | this.bytes[at + 1]!) & VLAN_NUMBER;
  }

  /** Unmaps the memory. */
  [Symbol.dispose](): void {
    this.#mapping.close();
  }
}
