/**
 * The network namespaces that the program uses: a packet socket is opened in
 * each of them, so that packets are seen once and as the program sees them.
 *
 * @module
 */
import { SyscallError } from "../../ffi/errno.ts";
import { monotonicTime } from "../../ffi/clock.ts";
import type { Fd } from "../../ffi/fd.ts";
import {
  inNetworkNamespace,
  namespaceOfSocket,
  openNamespace,
} from "../../ffi/namespace.ts";
import { NETLINK_ROUTE, openNetlink } from "../../ffi/netlink.ts";
import { interfaceIndex, type RingOptions } from "../../ffi/packet.ts";
import { ownNetnsCookie } from "../../ffi/socket.ts";
import {
  openCaptureSocket,
  openEarlySocket,
  openLateSocket,
} from "../capture/packet_ring.ts";
import { readComm } from "../proc/comm.ts";
import { netnsNumber } from "../sockets/table.ts";
import type { TapSource } from "./taps.ts";

/** What is done in a namespace that is entered. */
export interface NamespaceOptions {
  readonly ring: RingOptions;
  /** Names of the interfaces to take packets from; empty for all. */
  readonly interfaces: readonly string[];
  /** Whether the program goes on while a namespace is entered. */
  readonly isHurried: boolean;
  /** Called before the first packet can arrive. */
  attachFilter(socket: Fd): void;
  /** Called in the namespace; takes the socket over. */
  opened(socket: Fd, source: TapSource): void;
  /** Called once for each namespace whose packets are missed. */
  refused(pid: number, reason: string): void;
}

/** Enters namespaces, each once. */
export class NetworkNamespaces {
  readonly #options: NamespaceOptions;
  /** Cookies of namespaces, with whether their packets are captured. */
  readonly #known = new Map<bigint, boolean>();
  readonly #since = new Map<bigint, number>();
  /** SO_NETNS_COOKIE of this process; 0 where the kernel does not tell. */
  readonly own: bigint;

  /** Nothing is entered yet but the namespace of this process. */
  constructor(options: NamespaceOptions, own: bigint = ownNetnsCookie()) {
    this.#options = options;
    this.own = own;
  }

  /**
   * The cookie by which sockets in a namespace are known here. Where a hook
   * tells none it is ours; and Linux 5.7 to 5.13 tell hooks, but not us: there
   * namespaces cannot be told apart.
   */
  cookieOf(told: bigint): bigint {
    return told === 0n || this.own === 0n ? this.own : told;
  }

  /** When a namespace was entered: CLOCK_MONOTONIC, ns; 0 if it was not. */
  since(cookie: bigint): number {
    return this.#since.get(cookie) ?? 0;
  }

  /** Namespaces that are captured beside that of this process. */
  get size(): number {
    return this.#known.size;
  }

  /** Whether it is not known yet if a namespace can be captured. */
  isNew(cookie: bigint): boolean {
    return cookie !== 0n && this.own !== 0n && cookie !== this.own &&
      !this.#known.has(cookie);
  }

  /** Whether the packets of a namespace are captured already. */
  isSeen(cookie: bigint): boolean {
    return !this.isNew(cookie) && (this.#known.get(cookie) ?? true);
  }

  /**
   * Makes sure that the packets of a namespace are captured from now on.
   *
   * @param cookie SO_NETNS_COOKIE of a socket there
   * @param pid process that uses it
   * @param candidates namespaces, one of which may be the one; not asked for
   *   where it is known already whether they are
   * @returns whether they are
   */
  enter(cookie: bigint, pid: number, candidates: Iterable<Fd>): boolean {
    if (!this.isNew(cookie)) return this.isSeen(cookie);
    let reason = "it was gone before it could be entered";
    try {
      for (const candidate of candidates) {
        using namespace = candidate;
        const entered = inNetworkNamespace(
          namespace,
          () => this.#open(ownNetnsCookie(), cookie, this.#options.isHurried),
        );
        if (entered) return true;
      }
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      reason = error.code === "EPERM"
        ? "CAP_SYS_ADMIN is missing"
        : error.message;
    }
    this.#known.set(cookie, false);
    this.#options.refused(pid, reason);
    return false;
  }

  /**
   * Captures in a namespace before there is a socket of the program.
   *
   * @throws {SyscallError}
   */
  prepare(namespace: Fd): void {
    inNetworkNamespace(namespace, () => {
      const cookie = ownNetnsCookie();
      if (this.isNew(cookie)) this.#open(cookie, cookie, false);
    });
  }

  /** Opens a packet socket if this is the namespace that is meant. */
  #open(here: bigint, wanted: bigint, hurried: boolean): boolean {
    if (here !== wanted) return false;
    const { ring, interfaces, attachFilter } = this.#options;
    const early = hurried ? openEarlySocket(attachFilter) : undefined;
    this.#since.set(here, monotonicTime());
    let socket: Fd;
    try {
      socket = early === undefined
        ? openCaptureSocket(ring, attachFilter)
        : openLateSocket(ring, attachFilter);
    } catch (error) {
      early?.close();
      throw error;
    }
    const indexes = interfaces.map(interfaceIndex).filter((index) => index > 0);
    this.#options.opened(socket, {
      socket: socket.number,
      ...(early === undefined ? {} : { early: early.disown() }),
      links: openNetlink(NETLINK_ROUTE).disown(),
      ring,
      netns: netnsNumber(here),
      ...(interfaces.length === 0 ? {} : { interfaces: indexes }),
    });
    this.#known.set(wanted, true);
    return true;
  }
}

/** One line about packets that are missed. */
export function namespaceWarning(pid: number, reason: string): string {
  return `process ${pid} (${readComm(pid) ?? "ended"}) uses another network ` +
    `namespace, where its packets are missed: ${reason}`;
}

/**
 * Candidates for a socket's namespace: its own where the rights permit to ask,
 * else the one that its process is in.
 */
export function* namespacesOf(socket: number, pid: number): Generator<Fd> {
  try {
    yield namespaceOfSocket(socket);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    yield* openAll([`/proc/${pid}/ns/net`]);
  }
}

/** Opens one namespace after the other, as far as there are any. */
export function* openAll(paths: Iterable<string>): Generator<Fd> {
  for (const path of paths) {
    const namespace = openNamespace(path);
    if (namespace !== undefined) yield namespace;
  }
}

/** Where ip-netns(8) keeps namespaces. */
const NAMED = "/run/netns";

/**
 * Paths of the namespaces that a command line names, as in `ip netns exec
 * NAME`, `nsenter -t PID`, or `sh -c "… nsenter --net=/run/netns/NAME …"`.
 */
export function namedNamespaces(words: readonly string[]): string[] {
  const names = new Set(words.flatMap((word) => word.split(/[^\w.@:-]+/)));
  const paths = [...names].filter((name) => /^[0-9]{1,7}$/.test(name))
    .map((pid) => `/proc/${pid}/ns/net`);
  try {
    for (const { name } of Deno.readDirSync(NAMED)) {
      if (names.has(name)) paths.push(`${NAMED}/${name}`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return paths;
}
