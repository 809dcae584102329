/**
 * The kernel filter as one fixed eBPF program over maps (SO_ATTACH_BPF): a
 * rule is one map update, whatever their number.
 *
 * Requires CAP_BPF and CAP_NET_RAW (CAP_SYS_ADMIN before kernel 5.8).
 *
 * @module
 */
import { relocate } from "../../bpf/extended/assemble.ts";
import { PROGRAM_TYPE } from "../../bpf/extended/program_type.ts";
import {
  type AddressAndPort,
  CONFIG,
  CONNECTION,
  CONNECTION_KEY,
  FILTER_FLAG,
  FRAGMENT_KEY,
  FRAGMENT_VERDICT,
  MAP,
  PORT,
  PORT_KEY_SIZE,
  portIndex,
  REMOTE_KEY,
  REMOTE_VALUE_SIZE,
  USED_PORT_SIZE,
  USED_PORTS,
  writeConnectionKey,
  writePortKey,
  writeRemoteKey,
} from "../../bpf/programs/layout.ts";
import {
  packetFilter,
  type PacketFilterOptions,
} from "../../bpf/programs/packet_filter.ts";
import {
  BPF_F_MMAPABLE,
  BPF_F_NO_PREALLOC,
  BpfMap,
  MapType,
} from "../../ffi/bpf_map.ts";
import { BpfProgram } from "../../ffi/bpf_program.ts";

/** Bytes of a packet that are kept when nothing else is said: all of them. */
const WHOLE_PACKET = 0x4_0000;

/** Time that packets of a closed TCP connection still pass: TIME_WAIT + 5 s. */
const CONNECTION_LINGER_MS = 65_000;
/** Time that packets of a port still pass after its last socket. */
const PORT_LINGER_MS = 2_000;

/** Connections that fit by default. */
const MAX_CONNECTIONS = 1 << 18;
/** All ports of three protocols. */
const MAX_PORTS = 3 << 16;
const MAX_REMOTES = 1 << 16;
const MAX_FRAGMENTS = 1 << 12;

/** Index of `lo` in every network namespace. */
const LOOPBACK_INDEX = 1;

/** How the filter is made. */
export interface KernelFilterOptions extends PacketFilterOptions {
  /** Connections that fit: 16 bytes each, and 150 more when it is in use. */
  readonly maxConnections?: number;
  /** Fragmented packets under way. */
  readonly maxFragments?: number;
  /** Index of the loopback interface, 1 unless told. */
  readonly loopbackIndex?: number;
  /** Milliseconds that packets of a closed connection still pass. */
  readonly connectionLinger?: number;
  /** Milliseconds that packets of a port without sockets still pass. */
  readonly portLinger?: number;
}

/** The filter program with its maps. It lets nothing through at first. */
export class KernelFilter implements Disposable {
  /** Maps by the names that programs use. */
  readonly maps: {
    readonly conns: BpfMap;
    readonly ports: BpfMap;
    readonly used_ports: BpfMap;
    readonly remotes: BpfMap;
    readonly fragments: BpfMap;
    readonly config: BpfMap;
  };
  /** Connections that fit. */
  readonly maxConnections: number;
  /** Nanoseconds that packets of a closed connection still pass. */
  readonly connectionLinger: number;
  /** Nanoseconds that packets of a port without sockets still pass. */
  readonly portLinger: number;
  readonly #stack = new DisposableStack();
  readonly #program: BpfProgram;
  readonly #config: DataView;
  readonly #usedPorts: Uint8Array;
  readonly #connectionKey = new Uint8Array(CONNECTION_KEY.size);
  readonly #connection = new Uint8Array(CONNECTION.size);
  readonly #portKey = new Uint8Array(PORT_KEY_SIZE);
  readonly #port = new Uint8Array(PORT.size);
  readonly #portView = new DataView(this.#port.buffer);
  readonly #remoteKey = new Uint8Array(REMOTE_KEY.size);
  readonly #remote = new Uint8Array(REMOTE_VALUE_SIZE);

  /**
   * Makes the maps and loads the program.
   *
   * @throws {SyscallError} when a map is refused
   * @throws {ProgramLoadError} when the program is refused
   */
  constructor(options: KernelFilterOptions = {}) {
    using stack = new DisposableStack();
    const hash = (
      name: string,
      keySize: number,
      valueSize: number,
      maxEntries: number,
    ): BpfMap =>
      stack.use(
        new BpfMap({
          name,
          type: MapType.HASH,
          keySize,
          valueSize,
          maxEntries,
          flags: BPF_F_NO_PREALLOC,
        }),
      );
    const memory = (
      name: string,
      valueSize: number,
      maxEntries: number,
    ): BpfMap =>
      stack.use(
        new BpfMap({
          name,
          type: MapType.ARRAY,
          keySize: 4,
          valueSize,
          maxEntries,
          flags: BPF_F_MMAPABLE,
        }),
      );
    this.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
    this.maps = {
      conns: hash(
        MAP.connections,
        CONNECTION_KEY.size,
        CONNECTION.size,
        this.maxConnections,
      ),
      ports: hash(MAP.ports, PORT_KEY_SIZE, PORT.size, MAX_PORTS),
      remotes: hash(
        MAP.remotes,
        REMOTE_KEY.size,
        REMOTE_VALUE_SIZE,
        MAX_REMOTES,
      ),
      fragments: stack.use(
        new BpfMap({
          name: MAP.fragments,
          type: MapType.LRU_HASH,
          keySize: FRAGMENT_KEY.size,
          valueSize: FRAGMENT_VERDICT.size,
          maxEntries: options.maxFragments ?? MAX_FRAGMENTS,
        }),
      ),
      used_ports: memory(MAP.usedPorts, USED_PORT_SIZE, USED_PORTS),
      config: memory(MAP.config, CONFIG.size, 1),
    };
    const { config, used_ports: usedPorts } = this.maps;
    this.#config = new DataView(
      stack.use(config.mapMemory(CONFIG.size)).buffer(),
    );
    this.#usedPorts = new Uint8Array(
      stack.use(usedPorts.mapMemory(USED_PORTS * USED_PORT_SIZE)).buffer(),
    );
    this.#config.setUint32(
      CONFIG.loopback,
      options.loopbackIndex ?? LOOPBACK_INDEX,
      true,
    );
    this.connectionLinger = 1e6 *
      (options.connectionLinger ?? CONNECTION_LINGER_MS);
    this.portLinger = 1e6 * (options.portLinger ?? PORT_LINGER_MS);
    this.#setDuration(CONFIG.connectionLinger, this.connectionLinger);
    this.#setDuration(CONFIG.portLinger, this.portLinger);
    const { name, type, code } = packetFilter(options);
    this.#program = stack.use(
      new BpfProgram({
        name,
        type: PROGRAM_TYPE[type],
        instructions: relocate(code, this.descriptors()),
      }),
    );
    this.#stack.use(stack.move());
  }

  /** The loaded program, to be attached to a packet socket. */
  get program(): BpfProgram {
    return this.#program;
  }

  /** Descriptors of the maps, for programs that add rules by themselves. */
  descriptors(): Record<string, number> {
    return Object.fromEntries(
      Object.entries(this.maps).map(([name, map]) => [name, map.fd]),
    );
  }

  /** Lets wanted packets through; 0 keeps all of their bytes. */
  open(snaplen = 0): void {
    this.#config.setUint32(CONFIG.snaplen, snaplen || WHOLE_PACKET, true);
  }

  /** Lets nothing through. */
  shut(): void {
    this.#config.setUint32(CONFIG.snaplen, 0, true);
  }

  /** Names the network namespace that needs not be entered first. */
  setNamespace(cookie: bigint): void {
    this.#config.setBigUint64(CONFIG.netns, cookie, true);
  }

  /** Turns {@linkcode FILTER_FLAG} bits on or off. */
  setFlags(bits: number, on: boolean): void {
    const flags = this.#config.getUint32(CONFIG.flags, true);
    this.#config.setUint32(
      CONFIG.flags,
      on ? flags | bits : flags & ~bits,
      true,
    );
  }

  /**
   * Wants the packets of a connection; has no effect when they are wanted
   * already.
   *
   * @throws {SyscallError} E2BIG when no more rules fit
   */
  addConnection(
    protocol: number,
    local: AddressAndPort,
    remote: AddressAndPort,
    netns = 0n,
  ): void {
    writeConnectionKey(this.#connectionKey, protocol, local, remote);
    const view = new DataView(this.#connection.buffer);
    const isWanted =
      this.maps.conns.lookup(this.#connectionKey, this.#connection) &&
      view.getBigUint64(CONNECTION.closed, true) === 0n;
    if (isWanted && view.getBigUint64(CONNECTION.netns, true) === netns) return;
    const others = isWanted
      ? view.getBigUint64(CONNECTION.others, true) + 1n
      : 0n;
    this.#connection.fill(0);
    view.setBigUint64(CONNECTION.netns, netns, true);
    view.setBigUint64(CONNECTION.others, others, true);
    this.#markUsed(protocol, local.port);
    this.maps.conns.update(this.#connectionKey, this.#connection);
  }

  /** Ends what {@linkcode KernelFilter.addConnection} began. */
  removeConnection(
    protocol: number,
    local: AddressAndPort,
    remote: AddressAndPort,
  ): boolean {
    writeConnectionKey(this.#connectionKey, protocol, local, remote);
    return this.maps.conns.delete(this.#connectionKey);
  }

  /**
   * Wants the packets of a local port.
   *
   * @param sockets how many sockets hold it
   * @throws {SyscallError} E2BIG when no more rules fit
   */
  setPort(protocol: number, port: number, sockets = 1): void {
    writePortKey(this.#portKey, protocol, port);
    this.#portView.setUint32(PORT.sockets, sockets, true);
    this.#markUsed(protocol, port);
    this.maps.ports.update(this.#portKey, this.#port);
  }

  /** Sockets that hold a port; 0 when the port is not wanted. */
  socketsOfPort(protocol: number, port: number): number {
    writePortKey(this.#portKey, protocol, port);
    return this.maps.ports.lookup(this.#portKey, this.#port)
      ? this.#portView.getUint32(PORT.sockets, true)
      : 0;
  }

  /** Ends what {@linkcode KernelFilter.setPort} began. */
  removePort(protocol: number, port: number): boolean {
    writePortKey(this.#portKey, protocol, port);
    return this.maps.ports.delete(this.#portKey);
  }

  /**
   * Wants packets from and to a remote end, whatever the local port.
   *
   * @throws {SyscallError} E2BIG when no more rules fit
   */
  addRemote(protocol: number, remote: AddressAndPort): void {
    this.setFlags(FILTER_FLAG.REMOTES, true);
    writeRemoteKey(this.#remoteKey, protocol, remote);
    this.#remote[0] = 1;
    this.maps.remotes.update(this.#remoteKey, this.#remote);
  }

  /** Ends what {@linkcode KernelFilter.addRemote} began. */
  removeRemote(protocol: number, remote: AddressAndPort): boolean {
    writeRemoteKey(this.#remoteKey, protocol, remote);
    return this.maps.remotes.delete(this.#remoteKey);
  }

  /**
   * Closes program and maps. A socket that the program is attached to keeps
   * it, and the maps, until it is closed itself.
   */
  close(): void {
    this.#stack.dispose();
  }

  /** Same as {@linkcode KernelFilter.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #markUsed(protocol: number, port: number): void {
    this.#usedPorts[portIndex(protocol, port) * USED_PORT_SIZE] = 1;
  }

  #setDuration(offset: number, nanoseconds: number): void {
    this.#config.setBigUint64(offset, BigInt(Math.round(nanoseconds)), true);
  }
}
