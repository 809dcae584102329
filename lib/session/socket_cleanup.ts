/**
 * Retires sockets that ended: by the kernel's destroy events, and by asking
 * for the list of sockets where events are not to be had or were lost.
 *
 * @module
 */
import { realTime, type Timestamp } from "../../ffi/clock.ts";
import { pollInBackground } from "../../ffi/memory.ts";
import { NetlinkSocket } from "../../ffi/netlink.ts";
import {
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
  ownNetnsCookie,
} from "../../ffi/socket.ts";
import { type InetDiagSocket, TCP_STATE } from "../sockets/inet_diag.ts";
import { ALL_STATES, stateMask } from "../sockets/inet_diag_request.ts";
import {
  DestroyEvents,
  type DumpOptions,
  dumpSockets,
} from "../sockets/inet_sockets.ts";
import type { ClosedListener, SocketRegistry } from "../sockets/registry.ts";

/** How often to ask for all sockets where there are no events, ms. */
const POLL_INTERVAL = 1000;

/** How often to ask for UDP-Lite sockets, of which no events tell, ms. */
const UDP_LITE_INTERVAL = 20;

/** How long to wait for the next event, ms. */
const EVENT_PATIENCE = 1000;

/** States in which a closed connection still exchanges segments. */
const CLOSING_STATES: number = stateMask(
  TCP_STATE.FIN_WAIT1,
  TCP_STATE.FIN_WAIT2,
  TCP_STATE.CLOSING,
  TCP_STATE.LAST_ACK,
);

/** A socket, and where it is. */
export interface NamespacedSocket {
  readonly socket: InetDiagSocket;
  /** SO_NETNS_COOKIE. */
  readonly netns: bigint;
}

/** What there is in one network namespace. */
interface Watch {
  /** SO_NETNS_COOKIE. */
  readonly netns: bigint;
  readonly netlink: NetlinkSocket;
  readonly events: DestroyEvents | undefined;
}

/** Watches the end of sockets. */
export class SocketCleanup implements Disposable {
  readonly #registry: SocketRegistry;
  readonly #withEvents: boolean;
  readonly #ended: ((cookie: bigint) => void) | undefined;
  readonly #watches: Watch[] = [];
  readonly #now: Timestamp = { seconds: 0, nanoseconds: 0 };
  /** Sockets known at the last poll: only they can be missing in the next. */
  #polled = new Set<bigint>();
  #pollAt = 0;
  #pollUdpLiteAt = 0;
  /** Whether another poll has to follow. */
  #isPollUnfinished = false;

  /**
   * Begins to watch.
   *
   * @param options.events false when somebody else tells which sockets ended
   * @param options.ended told of sockets that ended, other programs' too
   */
  constructor(
    registry: SocketRegistry,
    options: { events?: boolean; ended?: (cookie: bigint) => void } = {},
  ) {
    this.#registry = registry;
    this.#ended = options.ended;
    this.#withEvents = options.events ?? true;
    this.watchNamespace();
  }

  /** Watches the network namespace that this thread is in, too. */
  watchNamespace(): void {
    let events: DestroyEvents | undefined;
    try {
      if (this.#withEvents) events = new DestroyEvents();
    } catch {
      // Before Linux 4.3: polling does.
    }
    const netns = ownNetnsCookie();
    this.#watches.push({ netns, netlink: new NetlinkSocket(), events });
  }

  /** Settles when some socket ended, or after some time. */
  async ended(): Promise<void> {
    // struct pollfd { int fd; short events; short revents; }
    const POLLIN = 1;
    const fds = this.#watches.flatMap(({ events }) =>
      events === undefined ? [] : [events.number, POLLIN]
    );
    await pollInBackground(Int32Array.from(fds), EVENT_PATIENCE);
  }

  /** Retires what ended since the last time; cheap, call often. */
  run(): void {
    this.#pollUdpLite();
    let isPollDue = false;
    for (const { events } of this.#watches) {
      if (events === undefined) {
        isPollDue ||= performance.now() > this.#pollAt;
        continue;
      }
      const { sockets, lost } = events.drain();
      for (const { cookie } of sockets) this.#retire(cookie);
      isPollDue ||= lost;
    }
    // What was not known at the last poll yet is missed by the next one only.
    const isSecondDue = this.#isPollUnfinished &&
      performance.now() > this.#pollAt;
    if (!isPollDue && !isSecondDue) return;
    this.#isPollUnfinished = isPollDue;
    this.#poll();
  }

  /**
   * Connections of the program that still have segments to exchange, though
   * nobody holds them any more.
   *
   * @param wasOurs whether a connection was the program's
   */
  closing(wasOurs: (socket: InetDiagSocket) => boolean): number {
    return this.#dump({
      protocols: [IPPROTO_TCP],
      states: CLOSING_STATES,
    }).filter(wasOurs).length;
  }

  /** Connections under way: the remote end that a socket is connecting to. */
  connecting(): InetDiagSocket[] {
    return this.#dump({
      protocols: [IPPROTO_TCP],
      states: stateMask(TCP_STATE.SYN_SENT),
    });
  }

  /** Sockets of all namespaces that anybody may talk to. */
  servers(): NamespacedSocket[] {
    // Without a peer, sockets of datagrams are in the state CLOSE.
    const { LISTEN, CLOSE } = TCP_STATE;
    const states = new Map([[IPPROTO_TCP, LISTEN], [IPPROTO_UDP, CLOSE]]);
    if (this.#registry.udpLite.size > 0) states.set(IPPROTO_UDPLITE, CLOSE);
    return this.#watches.flatMap(({ netlink, netns }) =>
      [...states].flatMap(([protocol, state]) =>
        dumpSockets(netlink, {
          protocols: [protocol],
          states: stateMask(state),
        }).map((socket) => ({ socket, netns }))
      )
    );
  }

  /** Cookies of all sockets there are. */
  alive(): Set<bigint> {
    const sockets = this.#dump({});
    if (this.#registry.udpLite.size > 0) {
      sockets.push(...this.#dump({ protocols: [IPPROTO_UDPLITE] }));
    }
    return new Set(sockets.map(({ cookie }) => cookie));
  }

  /** Sockets of all namespaces by their inodes. */
  byInode(inodes: ReadonlySet<number>): NamespacedSocket[] {
    return this.#watches.flatMap(({ netlink, netns }) =>
      dumpSockets(netlink, { inodes }).map((socket) => ({ socket, netns }))
    );
  }

  /** Sockets of all namespaces, or of one. */
  #dump(options: DumpOptions, only?: bigint): InetDiagSocket[] {
    return this.#watches
      .filter(({ netns }) => only === undefined || netns === only)
      .flatMap(({ netlink }) => dumpSockets(netlink, options));
  }

  #retire(cookie: bigint): void {
    this.#ended?.(cookie);
    const listener = this.#registry.closed(cookie, realTime(this.#now));
    if (listener !== undefined) this.#adoptConnections(listener);
  }

  /** What a closed listening socket accepted lives on. */
  #adoptConnections(listener: ClosedListener): void {
    const found = this.#dump({
      protocols: [IPPROTO_TCP],
      states: ALL_STATES & ~stateMask(TCP_STATE.LISTEN, TCP_STATE.CLOSE),
    }, listener.netns);
    for (const socket of found) {
      if (socket.localPort !== listener.localPort || socket.remotePort === 0) {
        continue;
      }
      if (this.#registry.has(socket.cookie)) continue;
      this.#registry.adopt(
        listener,
        socket.cookie,
        mapped(socket.localAddress),
        { address: mapped(socket.remoteAddress), port: socket.remotePort },
      );
      // Here too the last segments may come, but nobody will tell of the end.
      if (isRemnant(socket)) {
        this.#registry.closed(socket.cookie, realTime(this.#now));
      }
    }
    this.#registry.apply();
  }

  #pollUdpLite(): void {
    const { udpLite } = this.#registry;
    if (udpLite.size === 0 || performance.now() < this.#pollUdpLiteAt) return;
    const alive = this.#dump({ protocols: [IPPROTO_UDPLITE] });
    this.#retireMissing([...udpLite], alive);
    this.#pollUdpLiteAt = performance.now() + UDP_LITE_INTERVAL;
  }

  #retireMissing(
    known: Iterable<bigint>,
    sockets: readonly InetDiagSocket[],
  ): void {
    const alive = new Set(sockets.map(({ cookie }) => cookie));
    for (const cookie of known) if (!alive.has(cookie)) this.#retire(cookie);
  }

  #poll(): void {
    const { udpLite } = this.#registry;
    const known = [...this.#polled].filter((cookie) => !udpLite.has(cookie));
    this.#retireMissing(known, this.#dump({}));
    this.#polled = new Set(this.#registry.cookies());
    this.#pollAt = performance.now() + POLL_INTERVAL;
  }

  /** Closes the sockets. */
  [Symbol.dispose](): void {
    for (const { netlink, events } of this.#watches) {
      netlink.close();
      events?.close();
    }
  }
}

/**
 * Whether the kernel has freed the socket and keeps but a few facts about the
 * connection (struct tcp_timewait_sock): those end without an event.
 */
function isRemnant({ state, inode }: InetDiagSocket): boolean {
  return state === TCP_STATE.TIME_WAIT ||
    state === TCP_STATE.FIN_WAIT2 && inode === 0;
}

/** An address of 4 or 16 bytes as 16 bytes, IPv4 v4-mapped. */
export function mapped(address: Uint8Array): Uint8Array {
  if (address.length === 16) return address;
  const bytes = new Uint8Array(16);
  bytes[10] = bytes[11] = 0xff;
  bytes.set(address, 12);
  return bytes;
}

/**
 * Says what is left at the end, for people who look for leaks.
 *
 * @param sockets that are taken for open
 * @param places of the socket table in use: those sockets, and closed ones
 *   that may still have said something
 */
export function remainsText(sockets: number, places: number): string {
  return `at the end ${sockets} sockets are known and ${places} places of ` +
    "the socket table in use";
}
