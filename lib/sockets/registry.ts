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
import type { SocketState } from "../../ffi/socket.ts";
import { endsKey } from "../packet/ends_key.ts";
import { PROTOCOL_UDP_LITE } from "../packet/flow_fields.ts";
import { ClosingPorts } from "./closing_ports.ts";
import type { KernelRules } from "./kernel_rules.ts";
import { ServerPorts } from "./server_ports.ts";
import { connectedSlot, localSlot, type RemoteEnd, shapeOf } from "./slots.ts";
import { type CallUnderWay, PendingCalls } from "./pending_calls.ts";
import { netnsNumber, SlotFlag, SlotKind } from "./table.ts";
import {
  ANY_ADDRESS,
  type Moment,
  type SocketTableWriter,
} from "./table_writer.ts";

const TCP = 6;

interface SocketRecord {
  readonly cookie: bigint;
  readonly netns: bigint;
  readonly protocol: number;
  readonly owner: number;
  /** Since when the socket is known. */
  readonly from: Moment;
  /** Whether all its packets were seen. */
  readonly whole: boolean;
  /** What the current slot says, to notice changes. */
  shape: string;
  slot: number;
  listening: boolean;
  localPort: number;
  /** Of listening sockets; nobody asks for that of others. */
  localAddress: Uint8Array;
  /** Slots for datagrams sent elsewhere from a connected socket, by remote. */
  extra: Map<string, number> | undefined;
}

/** A listening socket that was closed; its connections may live on. */
export interface ClosedListener {
  readonly localPort: number;
  readonly localAddress: Uint8Array;
  readonly owner: number;
  readonly from: Moment;
  /** SO_NETNS_COOKIE. */
  readonly netns: bigint;
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
  readonly #calls: PendingCalls;
  readonly #closing: ClosingPorts;
  readonly #udpLite = new Set<bigint>();
  #seen = 0;

  /** Ports at which anybody may talk to the known sockets. */
  readonly servers: ServerPorts;

  /** Connects the table and the kernel filter. */
  constructor(
    table: SocketTableWriter,
    rules: KernelRules,
    options: RegistryOptions = {},
  ) {
    this.#table = table;
    this.#rules = rules;
    this.#calls = new PendingCalls(table, rules);
    this.#closing = new ClosingPorts(table, rules);
    this.servers = new ServerPorts(table, (cookie) => this.has(cookie));
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

  /** Cookies of the known UDP-Lite sockets. */
  get udpLite(): ReadonlySet<bigint> {
    return this.#udpLite;
  }

  /** Whether a socket is known. */
  has(cookie: bigint): boolean {
    return this.#records.has(cookie);
  }

  /** Whether a socket is known with these very ends. */
  knows(state: SocketState): boolean {
    return this.#records.get(state.cookie)?.shape ===
      shapeOf(state, state.remote);
  }

  /** Cookies of all known sockets. */
  cookies(): IterableIterator<bigint> {
    return this.#records.keys();
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
    return this.#calls.beginSending(state, remotes, owner, now);
  }

  /** A call is about to bind, or to listen on, a local port. */
  beginLocal(
    socket: Pick<SocketState, "protocol" | "netns">,
    port: number,
    owner: number,
    now: Moment,
  ): CallUnderWay {
    return this.#calls.beginLocal(socket, port, owner, now);
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
    this.#calls.end(call);
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
      connectedSlot(state, remote, call.owner, call.from),
    );
    this.#rules.openCoveredPort(call.protocol, state.local.port);
    if (failed) {
      this.#table.destroy(slot, now);
      const { protocol } = call;
      const localPort = state.local.port;
      const time = performance.now();
      this.#closing.add({ protocol, localPort, slot, whole: true }, time);
      if (!known) this.#seen++;
      return;
    }
    const shape = shapeOf(state, remote);
    const { owner, from } = call;
    this.#record({ state, owner, from, slot, shape, whole: true }, known);
  }

  /**
   * A socket as it is found at this moment: existing before, accepted, or
   * changed by a call whose outcome is known. Rules are in force only after
   * the caller's `apply`.
   *
   * @param from since when its packets are the program's
   * @param options.whole whether a connection begins just now
   */
  observe(
    state: SocketState,
    owner: number,
    from: Moment,
    now: Moment,
    { whole = false }: { readonly whole?: boolean } = {},
  ): void {
    const connected = state.remote.port !== 0;
    const shape = shapeOf(state, state.remote);
    const old = this.#records.get(state.cookie);
    if (old?.shape === shape) return;
    if (old !== undefined) this.#forget(state.cookie, now);
    if (shape === "") return;
    const slot = this.#table.add(
      connected
        ? connectedSlot(state, state.remote, owner, from)
        : localSlot(state, owner, from),
    );
    this.#rules.openPort(state.protocol, state.local.port);
    this.#record({ state, owner, from, slot, shape, whole }, old !== undefined);
    if (this.#sendsAnywhere && connected && state.protocol !== TCP) {
      const local = localSlot(state, owner, from);
      const flags = local.flags | SlotFlag.SENT_ONLY;
      const slot = this.#table.add({ ...local, flags });
      const record = this.#records.get(state.cookie);
      if (record !== undefined) record.extra = new Map([["anywhere", slot]]);
    }
  }

  /** A socket was closed for good; tells when it was a listening one. */
  closed(cookie: bigint, now: Moment): ClosedListener | undefined {
    const record = this.#records.get(cookie);
    if (record === undefined) return undefined;
    this.#forget(cookie, now);
    if (!record.listening) return undefined;
    const { localPort, localAddress, owner, from, netns } = record;
    return { localPort, localAddress, owner, from, netns };
  }

  /** A connection that outlived its listening socket. */
  adopt(
    listener: ClosedListener,
    cookie: bigint,
    local: Uint8Array,
    remote: RemoteEnd,
  ): void {
    const { localPort, owner, from, netns } = listener;
    const slot = this.#table.add({
      kind: SlotKind.CONNECTED,
      protocol: TCP,
      localPort,
      localAddress: local,
      remotePort: remote.port,
      remoteAddress: remote.address,
      flags: 0,
      from,
      owner,
      netns: netnsNumber(netns),
    });
    this.#rules.openPort(TCP, localPort);
    this.#records.set(cookie, {
      cookie,
      netns,
      protocol: TCP,
      owner,
      from,
      whole: false,
      shape: endsKey(localPort, remote.port, remote.address),
      slot,
      listening: false,
      localPort,
      localAddress: ANY_ADDRESS,
      extra: undefined,
    });
  }

  /**
   * Whether a TCP connection of the program was closed of late: it may say
   * good-bye yet.
   *
   * @param since seconds since 1970: closed then or later
   */
  wasClosed(
    localPort: number,
    remotePort: number,
    remoteAddress: Uint8Array,
    since: number,
  ): boolean {
    return this.#table.wasClosed(
      TCP,
      localPort,
      remotePort,
      remoteAddress,
      since,
    );
  }

  /**
   * Whether connections that the kernel has forgotten may still say something,
   * as far as their packets tell.
   *
   * @param linger how long a closed connection is waited for at most, ms
   */
  awaitsLast(linger: number, now: Moment): boolean {
    return this.#closing.awaited(linger, now);
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
        const key = endsKey(0, remote.port, remote.address);
        record.extra ??= new Map();
        if (record.extra.has(key)) continue;
        record.extra.set(
          key,
          this.#table.add(connectedSlot(state, remote, owner, now)),
        );
      }
    }
    this.#rules.apply();
  }

  #record(
    { state, owner, from, slot, shape, whole }:
      & { readonly state: SocketState }
      & Pick<SocketRecord, "owner" | "from" | "slot" | "shape" | "whole">,
    known: boolean,
  ): void {
    if (!known) this.#seen++;
    const isServer = state.listening ||
      state.protocol !== TCP && state.remote.port === 0;
    if (isServer) this.servers.add(state, slot);
    if (state.protocol === PROTOCOL_UDP_LITE) this.#udpLite.add(state.cookie);
    this.#records.set(state.cookie, {
      cookie: state.cookie,
      netns: state.netns,
      protocol: state.protocol,
      owner,
      from: { seconds: from.seconds, nanoseconds: from.nanoseconds },
      whole,
      shape,
      slot,
      listening: state.listening,
      localPort: state.local.port,
      localAddress: isServer ? state.local.address.slice() : ANY_ADDRESS,
      extra: undefined,
    });
  }

  #forget(cookie: bigint, now: Moment): void {
    const record = this.#records.get(cookie);
    if (record === undefined) return;
    this.#records.delete(cookie);
    this.#udpLite.delete(cookie);
    this.servers.remove(cookie, record.protocol, record.localPort);
    if (record.protocol === TCP && !record.listening) {
      this.#table.destroy(record.slot, now);
      this.#closing.add(record, performance.now());
      return;
    }
    this.#table.end(record.slot, now);
    for (const slot of record.extra?.values() ?? []) {
      this.#table.end(slot, now);
    }
    this.#rules.closePort(record.protocol, record.localPort);
  }

  /**
   * Closes the ports of connections that have exchanged their last segments;
   * call now and then.
   */
  closePorts(): void {
    this.#closing.tidy();
  }
}
