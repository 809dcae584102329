/**
 * The loaded eBPF tracker: which processes are traced, what exists already,
 * and what the kernel tells.
 *
 * @module
 */
import {
  type AddressAndPort,
  COMM_LENGTH,
  CONNECTION,
  CONNECTION_KEY,
  COUNTERS,
  MARK,
  portKey,
} from "../../bpf/programs/layout.ts";
import { monotonicTime } from "../../ffi/clock.ts";
import { UpdateFlag } from "../../ffi/bpf_map.ts";
import type { BpfLink } from "../../ffi/bpf_link.ts";
import type { BpfRingBuffer } from "../../ffi/bpf_ring_buffer.ts";
import { readTime, RuleCollector } from "./ebpf_collector.ts";
import { EventRing } from "./ebpf_events.ts";
import type { KernelFilter } from "./ebpf_filter.ts";
import type { ProcessIds } from "./ebpf_process_ids.ts";
import { type TargetOptions, TargetSet } from "./ebpf_targets.ts";
import type { TrackerMaps, Variant, VariantProbe } from "./ebpf_loader.ts";

/** Parts of a tracker. */
export interface TrackerParts {
  /** The packet filter with its maps. */
  readonly filter: KernelFilter;
  /** The tracker's own maps. */
  readonly maps: TrackerMaps;
  /** The variant that is attached. */
  readonly variant: Variant;
  /** Its programs where they are attached. */
  readonly links: readonly BpfLink[];
  /** How each variant fared that was tried. */
  readonly probes: readonly VariantProbe[];
  /** Why results of calls are not told although they were asked for. */
  readonly callResultsError: Error | undefined;
  /** Reading end of the event ring. */
  readonly ring: BpfRingBuffer;
  /** Translates process ids. */
  readonly ids: ProcessIds;
  /** Memory of the counters. */
  readonly counters: DataView;
  /** Everything that ends with the tracker. */
  readonly owned: DisposableStack;
}

/** Process that owns a socket. */
export interface SocketOwner {
  /** Process id; appears in events as it is given here. */
  readonly tgid: number;
  /** Thread id, alike. */
  readonly tid: number;
  /** Name of the process. */
  readonly comm: string;
}

/** A socket that existed before the tracker. */
export interface ExistingSocket {
  /** IPPROTO_TCP or IPPROTO_UDP. */
  readonly protocol: number;
  /** Port 0 when not bound. */
  readonly local: AddressAndPort;
  /** Port 0 when not connected. */
  readonly remote: AddressAndPort;
  /** SO_COOKIE. */
  readonly cookie: bigint;
  /** SO_NETNS_COOKIE, 0 where it is not known. */
  readonly netns: bigint;
  /** Process that uses it. */
  readonly owner: SocketOwner;
}

/** A connection that the kernel has a rule for. */
export interface RuledConnection {
  /** SO_COOKIE. */
  readonly cookie: bigint;
  /** SO_NETNS_COOKIE, 0 where it is not known. */
  readonly netns: bigint;
  /** Process and thread that own the socket. */
  readonly tgid: number;
  /** See `tgid`. */
  readonly tid: number;
  /** This side. */
  readonly local: AddressAndPort;
  /** The other side. */
  readonly remote: AddressAndPort;
  /** When it ended: nanoseconds of CLOCK_MONOTONIC; 0 while it is open. */
  readonly closed: number;
  /** Key of the rule; only for now. */
  readonly key: Uint8Array;
}

/** What the kernel had no room for, and so could not tell or keep. */
export interface Losses {
  /** Events that the ring had no space for, or that came too late. */
  readonly events: number;
  /** Rules that a map had no space for: packets are missing. */
  readonly rules: number;
  /** Sockets that were not taken for the program's. */
  readonly sockets: number;
  /** Children that were not taken for the program's. */
  readonly processes: number;
  /** Calls of hooks that the kernel left out. */
  readonly calls: number;
}

/** Follows the sockets of processes inside the kernel. */
export class EbpfTracker implements Disposable {
  /** The packet filter that the kernel keeps up to date. */
  readonly filter: KernelFilter;
  /** The variant in use. */
  readonly variant: Variant;
  /** How each variant fared that was tried. */
  readonly probes: readonly VariantProbe[];
  /** Why results of calls are not told although they were asked for. */
  readonly callResultsError: Error | undefined;
  /** What the kernel tells. */
  readonly events: EventRing;
  /** Translates the process ids of events. */
  readonly ids: ProcessIds;
  readonly #parts: TrackerParts;
  readonly #collector: RuleCollector;
  readonly #targets: TargetSet;
  readonly #mark = new Uint8Array(MARK.size);
  readonly #fdKey = new Uint8Array(4);
  #missedCalls = 0;

  /** Takes ownership of the parts. */
  constructor(parts: TrackerParts) {
    const { filter, ring } = parts;
    this.#parts = parts;
    this.filter = filter;
    this.variant = parts.variant;
    this.probes = parts.probes;
    this.callResultsError = parts.callResultsError;
    this.ids = parts.ids;
    this.#targets = new TargetSet(parts.maps.targets, parts.ids);
    this.#collector = new RuleCollector({
      conns: filter.maps.conns,
      ports: filter.maps.ports,
      connectionLinger: filter.connectionLinger,
      portLinger: filter.portLinger,
      // Room for as many connections that are alive.
      maxWaiting: filter.maxConnections >> 1,
    });
    this.events = new EventRing(
      ring,
      (event) => this.#collector.observe(event),
    );
  }

  /** Descriptor that becomes readable when an event must not wait. */
  get eventsFd(): number {
    return this.#parts.maps.events.fd;
  }

  /** Whether there is an event when a socket begins to listen. */
  get tellsListening(): boolean {
    return this.variant !== "fe";
  }

  /** Descriptor of the filter program, for SO_ATTACH_BPF. */
  get filterProgram(): number {
    return this.filter.program.fd;
  }

  /**
   * Traces a process from now on: every socket that it makes, binds,
   * connects or sends from. Sockets that exist have to be seeded.
   *
   * @param pid process id as this process sees it
   * @returns whether there is such a process
   * @throws {SyscallError} E2BIG when there are too many
   */
  addTarget(pid: number, options: TargetOptions = {}): boolean {
    return this.#targets.add(pid, options);
  }

  /**
   * Ends tracing of a process; its sockets stay the program's.
   *
   * @returns whether it was traced
   */
  removeTarget(pid: number): boolean {
    return this.#targets.remove(pid);
  }

  /** Whether a process is in the set of targets. */
  hasTarget(pid: number): boolean {
    return this.#targets.has(pid);
  }

  /** Ids of all processes in the set of targets, as this process sees them. */
  targets(): number[] {
    return this.#targets.list();
  }

  /** Wants the packets of a connection that exists already. */
  seedConnection(
    protocol: number,
    local: AddressAndPort,
    remote: AddressAndPort,
    netns = 0n,
  ): void {
    this.filter.addConnection(protocol, local, remote, netns);
  }

  /** Wants the packets of a local port that a socket holds already. */
  seedPort(protocol: number, port: number): void {
    const sockets = this.filter.socketsOfPort(protocol, port);
    this.filter.setPort(protocol, port, sockets + 1);
  }

  /**
   * Takes over a socket that exists already, by a descriptor of ours for it
   * (pidfd_getfd(2)): its rule is added, and in variant `cg` it is marked as
   * if it had been made under the tracker's eyes. Close the descriptor soon,
   * the connection cannot end before.
   *
   * @returns whether it was new to the tracker
   * @throws {SyscallError}
   */
  seedSocket(fd: number, socket: ExistingSocket): boolean {
    const { protocol, local, remote } = socket;
    const isConnected = protocol === IPPROTO_TCP && remote.port !== 0;
    const holdsPort = !isConnected && local.port !== 0;
    const key = holdsPort ? portKey(protocol, local.port) : 0;
    const isNew = this.variant !== "cg" || this.#markSocket(fd, socket, key);
    if (isConnected) {
      this.seedConnection(protocol, local, remote, socket.netns);
    } else if (holdsPort && isNew) {
      this.seedPort(protocol, local.port);
    }
    return isNew;
  }

  /** What did not fit so far. */
  get losses(): Losses {
    const { counters } = this.#parts;
    const read = (field: number): number =>
      Number(counters.getBigUint64(field, true));
    return {
      events: read(COUNTERS.lostEvents) + this.events.heldUp,
      rules: read(COUNTERS.lostRules),
      sockets: read(COUNTERS.lostSockets),
      processes: read(COUNTERS.lostProcesses),
      calls: this.#missedCalls,
    };
  }

  /** Asks the kernel for the calls that it left out. */
  countCalls(): void {
    let sum = 0;
    for (const link of this.#parts.links) sum += link.missedRuns();
    this.#missedCalls = sum;
  }

  /** A number that changes with each loss; costs a few loads. */
  get lossCount(): number {
    const { counters } = this.#parts;
    return counters.getUint32(COUNTERS.lostEvents, true) +
      counters.getUint32(COUNTERS.lostRules, true) +
      counters.getUint32(COUNTERS.lostSockets, true) +
      counters.getUint32(COUNTERS.lostProcesses, true) + this.#missedCalls +
      this.events.heldUp;
  }

  /**
   * Visits the TCP connections that are open or ended after a time, for when
   * events were lost, without those that user space seeded; and sees to it
   * that rules that ended are taken back.
   *
   * @param since nanoseconds of CLOCK_MONOTONIC
   */
  catchUp(
    since: number,
    visitor: (connection: RuledConnection) => void,
  ): void {
    this.#collector.catchUpPorts(since);
    this.#connections(since, (connection) => {
      const { key, closed } = connection;
      if (closed > 0) this.#collector.connectionEnded(key, closed);
      visitor(connection);
    });
  }

  /** Ends the rules of open connections that are none any more. */
  endConnections(cookies: ReadonlySet<bigint>): void {
    this.#connections(Infinity, (connection) => {
      if (cookies.has(connection.cookie)) this.#endConnection(connection);
    });
  }

  #connections(
    since: number,
    visitor: (connection: RuledConnection) => void,
  ): void {
    this.filter.maps.conns.visit((keys, keyAt, values, valueAt) => {
      const closed = readTime(values, valueAt + CONNECTION.closed);
      if (closed > 0 && closed < since) return;
      const cookie = values.getBigUint64(valueAt + CONNECTION.cookie, true);
      if (cookie === 0n) return;
      const key = keys.subarray(keyAt, keyAt + CONNECTION_KEY.size);
      const ports = new DataView(key.buffer, key.byteOffset);
      const { local, remote, localPort, remotePort } = CONNECTION_KEY;
      visitor({
        cookie,
        netns: values.getBigUint64(valueAt + CONNECTION.netns, true),
        tgid: values.getUint32(valueAt + CONNECTION.tgid, true),
        tid: values.getUint32(valueAt + CONNECTION.tid, true),
        local: {
          address: key.subarray(local, local + 16),
          port: ports.getUint16(localPort),
        },
        remote: {
          address: key.subarray(remote, remote + 16),
          port: ports.getUint16(remotePort),
        },
        closed,
        key,
      });
    });
  }

  #endConnection({ key, cookie }: RuledConnection): void {
    const { conns } = this.filter.maps;
    const value = new Uint8Array(CONNECTION.size);
    const view = new DataView(value.buffer);
    const isOpen = conns.lookup(key, value) &&
      view.getBigUint64(CONNECTION.cookie, true) === cookie &&
      view.getBigUint64(CONNECTION.closed, true) === 0n;
    if (!isOpen) return;
    const now = monotonicTime();
    const others = view.getBigUint64(CONNECTION.others, true);
    if (others > 0n) {
      view.setBigUint64(CONNECTION.others, others - 1n, true);
      view.setBigUint64(CONNECTION.cookie, 0n, true);
    } else {
      view.setBigUint64(CONNECTION.closed, BigInt(now), true);
    }
    conns.update(key, value, UpdateFlag.EXIST);
    this.#collector.connectionEnded(key, now);
  }

  /**
   * Removes rules of what ended long enough ago; call it every few seconds.
   *
   * @param now nanoseconds of CLOCK_MONOTONIC
   * @returns the number of rules removed
   */
  collect(now: number): number {
    return this.#collector.collect(now);
  }

  /** Detaches and closes everything; nothing is left in the kernel. */
  close(): void {
    this.#parts.owned.dispose();
  }

  /** Same as {@linkcode EbpfTracker.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Marks a socket; false when it has a mark that holds the port already. */
  #markSocket(fd: number, socket: ExistingSocket, key: number): boolean {
    const { marks } = this.#parts.maps;
    const { owner, cookie, netns } = socket;
    writeU32(this.#fdKey, fd);
    const view = new DataView(this.#mark.buffer);
    if (marks.lookup(this.#fdKey, this.#mark)) {
      const held = view.getUint32(MARK.portKey, true);
      if (key === 0 || held === key) return false;
    }
    this.#mark.fill(0);
    view.setBigUint64(MARK.cookie, cookie, true);
    view.setBigUint64(MARK.netns, netns, true);
    view.setUint32(MARK.tgid, owner.tgid, true);
    view.setUint32(MARK.tid, owner.tid, true);
    view.setUint32(MARK.portKey, key, true);
    const comm = new TextEncoder().encode(owner.comm);
    this.#mark.set(comm.subarray(0, COMM_LENGTH - 1), MARK.comm);
    marks.update(this.#fdKey, this.#mark, UpdateFlag.ANY);
    return true;
  }
}

const IPPROTO_TCP = 6;

function writeU32(target: Uint8Array, value: number): void {
  target[0] = value;
  target[1] = value >> 8;
  target[2] = value >> 16;
  target[3] = value >> 24;
}
