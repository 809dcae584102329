/**
 * Where packets come from: a packet ring in each network namespace that the
 * program uses.
 *
 * @module
 */
import { drainEventFd } from "../../ffi/file.ts";
import { Fd } from "../../ffi/fd.ts";
import { poll } from "../../ffi/memory.ts";
import { NetlinkSocket } from "../../ffi/netlink.ts";
import { readStatistics, type RingOptions } from "../../ffi/packet.ts";
import { EARLY_SIZE } from "../capture/early_packets.ts";
import { HeldPackets } from "../capture/held_packets.ts";
import { PacketRing } from "../capture/packet_ring.ts";
import { VerdictCache } from "../capture/verdict_cache.ts";
import { listLinks } from "../sockets/inet_sockets.ts";
import { StackedDevices } from "../sockets/links.ts";
import { Matcher } from "../sockets/matcher.ts";

/** A packet socket with a ring; plain data. */
export interface TapSource {
  /** Descriptor of the packet socket, with ring and filter. */
  readonly socket: number;
  /**
   * Descriptor of one that has received packets while the ring was made; the
   * other one is not bound then.
   */
  readonly early?: number;
  readonly ring: RingOptions;
  /** Descriptor of a NETLINK_ROUTE socket of its network namespace. */
  readonly links: number;
  /** Its network namespace, see `netnsNumber`. */
  readonly netns: number;
  /** Interface indexes to take packets from; unset for all. */
  readonly interfaces?: readonly number[];
}

/** Room for fragments that came before their first one. */
const HELD_SIZE = 4 << 20;
/** How often to look for new network devices, ms. */
const DEVICES_INTERVAL = 1000;
const POLLIN = 1;

/** A ring with what judges its packets. */
export class Tap implements Disposable {
  readonly ring: PacketRing;
  readonly matcher: Matcher;
  readonly held: HeldPackets;
  readonly verdicts: VerdictCache;
  readonly #interfaces: ReadonlySet<number> | undefined;
  readonly #links: NetlinkSocket;
  #devices = new StackedDevices([]);
  /** When they were looked at, by performance.now(). */
  #devicesAt = -Infinity;
  readonly #owned: Fd | undefined;
  /** Set when the packets of the time that matters have been taken. */
  over = false;
  /** Time of the packet that was taken last, seconds since 1970. */
  progress = 0;

  /**
   * Maps the ring.
   *
   * @param table memory of the socket table
   * @param tail bytes of memory to have behind the ring
   * @param owns whether the packet socket is closed with the tap
   * @throws {SyscallError}
   */
  constructor(
    source: TapSource,
    wake: number,
    table: SharedArrayBuffer,
    tail: number,
    owns: boolean,
  ) {
    const { socket, early, ring, netns, interfaces } = source;
    const held = tail + HELD_SIZE;
    const room = early === undefined ? held : held + EARLY_SIZE;
    this.ring = new PacketRing(socket, wake, ring, room);
    this.held = new HeldPackets(this.ring, this.ring.tailAt + tail, HELD_SIZE);
    this.verdicts = new VerdictCache(this.ring);
    this.matcher = new Matcher(table, netns);
    this.#owned = owns ? new Fd(socket) : undefined;
    if (early !== undefined) {
      const at = this.ring.tailAt + held;
      this.ring.takeOver(new Fd(early), new Fd(socket), at);
    }
    this.#links = new NetlinkSocket(new Fd(source.links));
    this.#interfaces = interfaces === undefined
      ? undefined
      : new Set(interfaces);
  }

  /**
   * Whether the current packet is wanted, as far as its interface goes: it is
   * one of those that were asked for, or else the uppermost one that shows the
   * packet.
   */
  get isWanted(): boolean {
    const { ring } = this;
    const index = ring.interfaceIndex;
    if (this.#interfaces !== undefined) return this.#interfaces.has(index);
    return this.#devices.isEmpty ||
      !this.#devices.isShownAbove(index, ring.vlanNumber);
  }

  /** Looks at the network devices now and then. */
  lookAtDevices(): void {
    const now = performance.now();
    if (now - this.#devicesAt < DEVICES_INTERVAL) return;
    this.#devicesAt = now;
    this.#devices = new StackedDevices(listLinks(this.#links));
    // They are about what is shown by none of these, too.
    this.verdicts.clear();
  }

  /** Unmaps the ring. */
  [Symbol.dispose](): void {
    this.#links.close();
    this.ring[Symbol.dispose]();
    this.#owned?.close();
  }
}

/** All taps of a capture, the first one in its own network namespace. */
export class Taps implements Disposable {
  readonly #wake: number;
  readonly #events: number;
  readonly #taps: Tap[] = [];
  #poll = new Int32Array(0);
  #turn = 0;

  /**
   * @param wake descriptor of an eventfd that ends waiting
   * @param events another descriptor that ends waiting; -1 for none
   */
  constructor(wake: number, events: number) {
    this.#wake = wake;
    this.#events = events;
  }

  /** Adds one. */
  add(tap: Tap): void {
    this.#taps.push(tap);
    const fds = [...this.#taps.map(({ ring }) => ring.socket), this.#events];
    // struct pollfd { int fd; short events; short revents; }
    this.#poll = Int32Array.from(
      [this.#wake, ...fds].flatMap((fd) => [fd, POLLIN]),
    );
  }

  /** Each tap. */
  get all(): readonly Tap[] {
    return this.#taps;
  }

  /** A tap that has a block, each in its turn. */
  next(): Tap | undefined {
    const taps = this.#taps;
    for (let i = 0; i < taps.length; i++) {
      this.#turn = (this.#turn + 1) % taps.length;
      const tap = taps[this.#turn]!;
      if (!tap.over && tap.ring.ready) return tap;
    }
    return undefined;
  }

  /**
   * The time up to which the packets of each one have been taken, seconds since
   * 1970: while blocks wait in one, others may be far ahead of it.
   *
   * @param latest time of the packet that was taken last
   */
  progress(latest: number): number {
    let least = latest;
    for (const { over, ring, progress } of this.#taps) {
      if (!over && ring.ready) least = Math.min(least, progress);
    }
    return least;
  }

  /** Waits for a block or another event, at most `timeout` milliseconds. */
  wait(timeout: number): void {
    if (poll(this.#poll, timeout) <= 0) return;
    // The first one's revents, in the upper half of the word.
    if (this.#poll[1]! >> 16 !== 0) drainEventFd(this.#wake);
  }

  /**
   * Waits for a block alone: those that the kernel is filling come within the
   * rings' own time limit.
   *
   * @returns whether there is one
   */
  waitForLast(): boolean {
    // Those of the others come while the first one is waited for.
    for (const { ring, over } of this.#taps) {
      if (!over && ring.waitForLast()) return true;
    }
    return this.#taps.some(({ ring, over }) => !over && ring.ready);
  }

  /** Packets that the kernel dropped since the last time. */
  takeDrops(): number {
    let drops = 0;
    for (const { ring } of this.#taps) {
      drops += readStatistics(ring.socket).drops + ring.takeLost();
    }
    return drops;
  }

  /** Unmaps all rings. */
  [Symbol.dispose](): void {
    for (const tap of this.#taps) tap[Symbol.dispose]();
  }
}
