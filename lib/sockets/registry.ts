/**
 * The program's sockets: what the tracker reports is turned into slots of the
 * socket table and into rules of the kernel filter.
 *
 * The order matters: before a call that can send goes on, the rule that lets
 * its packets through is in force, and the table has a slot that makes the
 * sniffer wait for the outcome.
 *
 * @module
 */
import { type Endpoint, isAnyAddress, isMapped } from "../../ffi/sockaddr.ts";
import type { SocketState } from "../../ffi/socket.ts";
import { SlotFlag, SlotKind } from "./table.ts";
import {
  ANY_ADDRESS,
  DESTROYED_SECONDS,
  type Moment,
  type SlotContent,
  type SocketTableWriter,
} from "./table_writer.ts";

const TCP = 6;

/**
 * The kernel's packet filter, as far as sockets need it: a superset of the
 * program's packets is enough. Changes may be put off until `apply`.
 */
export interface KernelRules {
  /** Lets packets of a local port through. */
  openPort(protocol: number, port: number): void;
  /**
   * Lets packets of a local port through that a remote endpoint opened before
   * lets through already.
   */
  openCoveredPort(protocol: number, port: number): void;
  /** Ends one {@linkcode KernelRules.openPort} or covered port. */
  closePort(protocol: number, port: number): void;
  /** Lets packets from and to a remote endpoint through. */
  openRemote(protocol: number, address: Uint8Array, port: number): void;
  /** Ends one {@linkcode KernelRules.openRemote}, at some later time. */
  closeRemote(protocol: number, address: Uint8Array, port: number): void;
  /** Everything opened before is in force when this returns. */
  apply(): void;
}

/** A remote endpoint that a call names. */
export interface RemoteEnd {
  /** 16 bytes, IPv4 v4-mapped. */
  readonly address: Uint8Array;
  readonly port: number;
}

interface SocketRecord {
  readonly cookie: bigint;
  readonly protocol: number;
  readonly owner: number;
  /** Since when the socket is known. */
  readonly from: Moment;
  /** What the current slot says, to notice changes. */
  shape: string;
  slot: number;
  listening: boolean;
  localPort: number;
  localAddress: Uint8Array;
  /** Slots for datagrams sent elsewhere from a connected socket, by remote. */
  readonly extra: Map<string, number>;
}

/** A call under way whose outcome decides which packets are the program's. */
export interface CallUnderWay {
  readonly protocol: number;
  readonly owner: number;
  readonly from: Moment;
  /** What a call that opens a TCP connection connects to. */
  readonly connects: RemoteEnd | undefined;
  readonly remotes: readonly RemoteEnd[];
  readonly slots: number[];
  openPort: number;
  settled: boolean;
}

interface ClosingPort {
  readonly protocol: number;
  readonly port: number;
  readonly slot: number;
  readonly generation: number;
  /** When the socket was closed, by performance.now(). */
  readonly since: number;
}

/** How long the port of a closed connection stays open at least, ms. */
const CLOSING = 2000;

/** A listening socket that was closed; its connections may live on. */
export interface ClosedListener {
  readonly localPort: number;
  readonly localAddress: Uint8Array;
  readonly owner: number;
  readonly from: Moment;
}

/** Settings of a registry. */
export interface RegistryOptions {
  /**
   * Set where nobody tells of each sendto(2): connected UDP sockets may send
   * to other ends than their own.
   */
  readonly sendsAnywhere?: boolean;
}

/** The sockets of the traced program; one writer thread. */
export class SocketRegistry {
  readonly #table: SocketTableWriter;
  readonly #rules: KernelRules;
  readonly #sendsAnywhere: boolean;
  readonly #records = new Map<bigint, SocketRecord>();
  /** Ports of closed connections that may still exchange segments. */
  #closing: ClosingPort[] = [];
  /** Connections closed of late, with the time: they may say good-bye yet. */
  readonly #recent = new Map<string, number>();
  #seen = 0;

  /** Connects the table and the kernel filter. */
  constructor(
    table: SocketTableWriter,
    rules: KernelRules,
    options: RegistryOptions = {},
  ) {
    this.#table = table;
    this.#rules = rules;
    this.#sendsAnywhere = options.sendsAnywhere ?? false;
  }

  /** Sockets seen so far. */
  get seen(): number {
    return this.#seen;
  }

  /** Sockets that are alive, as far as known. */
  get size(): number {
    return this.#records.size;
  }

  /** Whether a socket is known. */
  has(cookie: bigint): boolean {
    return this.#records.has(cookie);
  }

  /** Cookies of all known sockets. */
  cookies(): IterableIterator<bigint> {
    return this.#records.keys();
  }

  /** Local ports of the known sockets, as protocol and port. */
  *localPorts(): Generator<{ protocol: number; port: number }> {
    for (const { protocol, localPort } of this.#records.values()) {
      if (localPort !== 0) yield { protocol, port: localPort };
    }
  }

  /**
   * A call is about to open a TCP connection or to send datagrams to
   * `remotes`. The caller lets it go on afterwards and reports its outcome
   * with `settle`.
   *
   * @returns undefined when the outcome does not matter
   */
  beginSending(
    state: SocketState,
    remotes: readonly RemoteEnd[],
    owner: number,
    now: Moment,
  ): CallUnderWay | undefined {
    const { protocol } = state;
    const isInUse = state.remote.port !== 0 || state.listening;
    if (protocol === TCP && isInUse) return undefined;
    if (protocol !== TCP && state.local.port !== 0) {
      this.#sendElsewhere(state, remotes, owner, now);
      return undefined;
    }
    const call: CallUnderWay = {
      protocol,
      owner,
      from: { ...now },
      connects: protocol === TCP ? remotes[0] : undefined,
      remotes,
      slots: [],
      openPort: 0,
      settled: false,
    };
    // The local port is never taken for granted: after a failed or dissolved
    // connection getsockname(2) still tells the one that was given up.
    for (const remote of remotes) {
      this.#rules.openRemote(protocol, remote.address, remote.port);
      call.slots.push(this.#table.add({
        kind: SlotKind.PENDING_REMOTE,
        protocol,
        localPort: 0,
        localAddress: ANY_ADDRESS,
        remotePort: remote.port,
        remoteAddress: remote.address,
        flags: 0,
        from: now,
        owner,
      }));
    }
    this.#rules.apply();
    return call;
  }

  /** A call is about to bind, or to listen on, a local port. */
  beginLocal(
    protocol: number,
    port: number,
    owner: number,
    now: Moment,
  ): CallUnderWay {
    const call: CallUnderWay = {
      protocol,
      owner,
      from: { ...now },
      connects: undefined,
      remotes: [],
      slots: [],
      openPort: port,
      settled: false,
    };
    if (port !== 0) {
      this.#rules.openPort(protocol, port);
      call.slots.push(this.#table.add({
        kind: SlotKind.PENDING_LOCAL,
        protocol,
        localPort: port,
        localAddress: ANY_ADDRESS,
        remotePort: 0,
        remoteAddress: ANY_ADDRESS,
        flags: 0,
        from: now,
        owner,
      }));
      this.#rules.apply();
    }
    return call;
  }

  /**
   * The outcome of a call: `state` is the socket as it is now, unset when it
   * cannot be looked at any more.
   *
   * @param failed whether the call returned an error other than EINPROGRESS
   */
  settle(
    call: CallUnderWay,
    state: SocketState | undefined,
    failed: boolean,
    now: Moment,
  ): void {
    if (call.settled) return;
    call.settled = true;
    if (state !== undefined && state.local.port !== 0) {
      if (call.connects === undefined) {
        this.observe(state, call.owner, call.from, now);
      } else {
        this.#settleConnection(call, call.connects, state, failed, now);
      }
    }
    for (const slot of call.slots) this.#table.remove(slot);
    if (call.openPort === 0) {
      for (const remote of call.remotes) {
        this.#rules.closeRemote(call.protocol, remote.address, remote.port);
      }
    } else {
      this.#rules.closePort(call.protocol, call.openPort);
    }
  }

  #settleConnection(
    call: CallUnderWay,
    remote: RemoteEnd,
    state: SocketState,
    failed: boolean,
    now: Moment,
  ): void {
    const known = this.#records.has(state.cookie);
    this.#forget(state.cookie, now);
    const slot = this.#table.add(
      this.#connected(state, remote, call.owner, call.from),
    );
    this.#rules.openCoveredPort(call.protocol, state.local.port);
    if (failed) {
      this.#table.destroy(slot, now);
      this.#closeLater(call.protocol, state.local.port, slot);
      if (!known) this.#seen++;
      return;
    }
    const shape = shapeOf(state, remote);
    this.#record(state, call.owner, call.from, slot, shape, known);
  }

  /**
   * A socket as it is found at this moment: existing before, accepted, or
   * changed by a call whose outcome is known. Rules are in force only after
   * the caller's `apply`.
   *
   * @param from since when its packets are the program's
   */
  observe(state: SocketState, owner: number, from: Moment, now: Moment): void {
    const connected = state.remote.port !== 0;
    const shape = shapeOf(state, state.remote);
    const old = this.#records.get(state.cookie);
    if (old?.shape === shape) return;
    if (old !== undefined) this.#forget(state.cookie, now);
    if (shape === "") return;
    const slot = this.#table.add(
      connected
        ? this.#connected(state, state.remote, owner, from)
        : this.#local(state, owner, from),
    );
    this.#rules.openPort(state.protocol, state.local.port);
    this.#record(state, owner, from, slot, shape, old !== undefined);
    if (this.#sendsAnywhere && connected && state.protocol !== TCP) {
      const local = this.#local(state, owner, from);
      const flags = local.flags | SlotFlag.SENT_ONLY;
      this.#records.get(state.cookie)?.extra.set(
        "anywhere",
        this.#table.add({ ...local, flags }),
      );
    }
  }

  /** A socket was closed for good; tells when it was a listening one. */
  closed(cookie: bigint, now: Moment): ClosedListener | undefined {
    const record = this.#records.get(cookie);
    if (record === undefined) return undefined;
    this.#forget(cookie, now);
    if (!record.listening) return undefined;
    const { localPort, localAddress, owner, from } = record;
    return { localPort, localAddress, owner, from };
  }

  /** A connection that outlived its listening socket. */
  adopt(
    listener: ClosedListener,
    local: Uint8Array,
    remote: RemoteEnd,
    now: Moment,
  ): void {
    const slot = this.#table.add({
      kind: SlotKind.CONNECTED,
      protocol: TCP,
      localPort: listener.localPort,
      localAddress: local,
      remotePort: remote.port,
      remoteAddress: remote.address,
      flags: 0,
      from: listener.from,
      owner: listener.owner,
    });
    this.#rules.openPort(TCP, listener.localPort);
    this.#table.destroy(slot, now);
    this.#closeLater(TCP, listener.localPort, slot);
  }

  /** Whether a connection of the program was closed of late. */
  isRecent(
    localPort: number,
    remotePort: number,
    remoteAddress: Uint8Array,
  ): boolean {
    return this.#recent.has(`${localPort} ${remotePort} ${remoteAddress}`);
  }

  /** Forgets what was closed before a time of performance.now(). */
  forgetRecent(before: number): void {
    for (const [shape, time] of this.#recent) {
      if (time > before) return;
      this.#recent.delete(shape);
    }
  }

  /** Brings the rules of observed sockets into force. */
  apply(): void {
    this.#rules.apply();
  }

  /** Datagrams from a socket with a local port to ends that a call names. */
  #sendElsewhere(
    state: SocketState,
    remotes: readonly RemoteEnd[],
    owner: number,
    now: Moment,
  ): void {
    this.observe(state, owner, now, now);
    const record = this.#records.get(state.cookie);
    if (record !== undefined && state.remote.port !== 0) {
      for (const remote of remotes) {
        const key = `${remote.port} ${remote.address}`;
        if (record.extra.has(key)) continue;
        record.extra.set(
          key,
          this.#table.add(this.#connected(state, remote, owner, now)),
        );
      }
    }
    this.#rules.apply();
  }

  #record(
    state: SocketState,
    owner: number,
    from: Moment,
    slot: number,
    shape: string,
    known = false,
  ): void {
    if (!known) this.#seen++;
    this.#records.set(state.cookie, {
      cookie: state.cookie,
      protocol: state.protocol,
      owner,
      from: { ...from },
      shape,
      slot,
      listening: state.listening,
      localPort: state.local.port,
      localAddress: state.local.address.slice(),
      extra: new Map(),
    });
  }

  #forget(cookie: bigint, now: Moment): void {
    const record = this.#records.get(cookie);
    if (record === undefined) return;
    this.#records.delete(cookie);
    if (record.protocol === TCP && !record.listening) {
      this.#table.destroy(record.slot, now);
      this.#recent.delete(record.shape);
      this.#recent.set(record.shape, performance.now());
      this.#closeLater(TCP, record.localPort, record.slot);
      return;
    }
    this.#table.end(record.slot, now);
    for (const slot of record.extra.values()) this.#table.end(slot, now);
    this.#rules.closePort(record.protocol, record.localPort);
  }

  #closeLater(protocol: number, port: number, slot: number): void {
    const generation = this.#table.generation(slot);
    const since = performance.now();
    this.#closing.push({ protocol, port, slot, generation, since });
  }

  /**
   * Closes the ports of connections that have exchanged their last segments;
   * call now and then.
   */
  closePorts(): void {
    const now = performance.now();
    this.#closing = this.#closing.filter((entry) => {
      const age = now - entry.since;
      const over = age > DESTROYED_SECONDS * 1000 ||
        age > CLOSING && this.#table.isOver(entry.slot, entry.generation);
      if (over) this.#rules.closePort(entry.protocol, entry.port);
      return !over;
    });
  }

  #connected(
    state: SocketState,
    remote: RemoteEnd,
    owner: number,
    from: Moment,
  ): SlotContent {
    return {
      kind: SlotKind.CONNECTED,
      protocol: state.protocol,
      localPort: state.local.port,
      localAddress: state.local.address,
      remotePort: remote.port,
      remoteAddress: remote.address,
      flags: localFlags(state),
      from,
      owner,
    };
  }

  #local(state: SocketState, owner: number, from: Moment): SlotContent {
    return {
      kind: SlotKind.LOCAL,
      protocol: state.protocol,
      localPort: state.local.port,
      localAddress: state.local.address,
      remotePort: 0,
      remoteAddress: ANY_ADDRESS,
      flags: localFlags(state),
      from,
      owner,
    };
  }
}

/**
 * What a socket's slot depends on, as a text; empty for a socket whose packets
 * cannot exist yet.
 */
function shapeOf(state: SocketState, remote: RemoteEnd): string {
  const { port, address } = state.local;
  if (port === 0) return "";
  if (remote.port !== 0) return `${port} ${remote.port} ${remote.address}`;
  return state.protocol !== TCP || state.listening ? `${port} ${address}` : "";
}

/**
 * Which local addresses a socket may use besides the one it is bound to.
 * Sockets bound to a group address send from an ordinary one.
 */
function localFlags(state: SocketState): number {
  const { address } = state.local;
  if (isGroupAddress(state.local)) {
    return SlotFlag.ANY_IPV4 | SlotFlag.ANY_IPV6;
  }
  if (!isAnyAddress(address)) return 0;
  if (isMapped(address)) return SlotFlag.ANY_IPV4;
  return state.v6Only
    ? SlotFlag.ANY_IPV6
    : SlotFlag.ANY_IPV4 | SlotFlag.ANY_IPV6;
}

/** Multicast and limited broadcast (RFC 1112, RFC 4291 2.7, RFC 919). */
function isGroupAddress({ address }: Endpoint): boolean {
  if (isMapped(address)) return address[12]! >= 224;
  return address[0] === 0xff;
}
