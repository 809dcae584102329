/**
 * What happens when the kernel had no room for what it had to tell or keep:
 * the user is told, and the program's sockets are compared with those that
 * there are.
 *
 * Events come before the packets that they explain. A loss is noticed before
 * those packets are judged, and the connections of the meantime are found in
 * the rules of the packet filter, which do not go through the ring: no packet
 * of theirs is missed. Of other sockets those are found that are still open,
 * and later.
 *
 * @module
 */
import { monotonicTime, realTime } from "../../ffi/clock.ts";
import { emptySocketState, IPPROTO_TCP } from "../../ffi/socket.ts";
import type { SocketRegistry } from "../sockets/registry.ts";
import type { Moment } from "../sockets/table_writer.ts";
import type {
  EbpfTracker,
  Losses,
  RuledConnection,
} from "../trace/ebpf_tracker.ts";
import type { Owners } from "../trace/owners.ts";
import type { SocketCleanup } from "./socket_cleanup.ts";

/** Events and packets have different clocks, nanoseconds. */
const CLOCK_TOLERANCE = 100_000;
/** How much longer than a comparison the time between two is. */
const RATIO = 4;

const AF_INET = 2;
const AF_INET6 = 10;

/** Whose sockets are compared, and who can tell of them. */
export interface LostEventsParts {
  readonly tracker: Pick<
    EbpfTracker,
    | "catchUp"
    | "countCalls"
    | "endConnections"
    | "lossCount"
    | "losses"
  >;
  readonly registry: SocketRegistry;
  readonly owners: Pick<Owners, "numberOf">;
  readonly cleanup: Pick<SocketCleanup, "alive">;
  /**
   * Takes over the sockets that the program's processes have now; children
   * that were missed belong to them.
   *
   * @param from since when packets are the program's
   * @returns their cookies
   */
  readonly scan: (from: Moment) => Set<bigint>;
  /** The cookie by which a namespace that the kernel tells is known. */
  readonly netnsOf: (told: bigint) => bigint;
  /** Whether packets of a network namespace are seen. */
  readonly isSeen: (netns: bigint) => boolean;
  /** The clock of packets at a time of CLOCK_MONOTONIC, shifted by some ns. */
  readonly moment: (time: number, shift: number) => Moment;
  /** Tells the user. */
  readonly warn: (text: string) => void;
}

/** Notices losses and makes them good. */
export class LostEvents {
  readonly #parts: LostEventsParts;
  readonly #state = emptySocketState();
  /** Losses that were dealt with. */
  #count = 0;
  /** Losses that the user was told of. */
  #told = 0;
  /** Since when sockets may have been missed that have not been looked for. */
  #lostFrom: Moment | undefined;
  /** Until when everything was told, by performance.now(). */
  #soundAt = performance.now();
  #nextAt = 0;

  /** Nothing is done before `check`. */
  constructor(parts: LostEventsParts) {
    this.#parts = parts;
  }

  /**
   * Call it after events were read and before packets are judged.
   *
   * @param began when reading them began, by performance.now()
   */
  check(began: number): void {
    const count = this.#parts.tracker.lossCount;
    if (count === this.#count) {
      this.#soundAt = began;
      return;
    }
    if (this.#told === 0) this.#tell(count);
    this.#count = count;
    const time = monotonicTime();
    const since = time - (performance.now() - this.#soundAt) * 1e6;
    const from = this.#parts.moment(since, -CLOCK_TOLERANCE);
    this.#parts.tracker.catchUp(
      since,
      (connection) => this.#catchUp(connection, from),
    );
    this.#soundAt = began;
    this.#lostFrom ??= from;
  }

  /**
   * Looks at all sockets when there were losses; call it now and then.
   *
   * @param isLast set when all processes have ended: nobody waits any more
   */
  tend(isLast: boolean): void {
    const began = performance.now();
    if (this.#lostFrom === undefined) return;
    if (began < this.#nextAt && !isLast) return;
    const from = this.#lostFrom;
    this.#lostFrom = undefined;
    this.#compare(from);
    const end = performance.now();
    this.#nextAt = end + RATIO * (end - began);
  }

  /** Tells the user of all losses, at the end. */
  report(): void {
    this.#parts.tracker.countCalls();
    const count = this.#parts.tracker.lossCount;
    if (count !== this.#told) this.#tell(count);
  }

  #tell(count: number): void {
    this.#told = count;
    this.#parts.warn(lossText(this.#parts.tracker.losses));
  }

  #compare(from: Moment): void {
    const { tracker, registry, cleanup, scan } = this.#parts;
    const found = scan(from);
    const known = new Set(registry.cookies());
    // Lists are no snapshots: a socket that is not in two of them has gone.
    for (let list = 0; list < 2 && known.size > 0; list++) {
      for (const cookie of cleanup.alive()) known.delete(cookie);
      for (const cookie of found) known.delete(cookie);
    }
    if (known.size === 0) return;
    const now = realTime({ seconds: 0, nanoseconds: 0 });
    tracker.endConnections(known);
    for (const cookie of known) registry.closed(cookie, now);
  }

  /** Takes a connection that may have been missed. */
  #catchUp(connection: RuledConnection, from: Moment): void {
    const { owners, registry, netnsOf, isSeen, moment } = this.#parts;
    const { cookie, closed, tgid, tid, local, remote } = connection;
    const netns = netnsOf(connection.netns);
    if (!isSeen(netns)) return;
    const state = this.#state;
    state.cookie = cookie;
    state.netns = netns;
    state.protocol = IPPROTO_TCP;
    state.listening = false;
    for (
      const [end, { address, port }] of [
        [state.local, local],
        [state.remote, remote],
      ] as const
    ) {
      end.address.set(address);
      end.port = port;
      end.family = address.subarray(0, 10).every((byte) => byte === 0) &&
          address[10] === 0xff
        ? AF_INET
        : AF_INET6;
    }
    state.family = state.local.family;
    const owner = owners.numberOf(tgid, tid);
    if (closed === 0) {
      if (!registry.knows(state)) registry.observe(state, owner, from, from);
      return;
    }
    const end = moment(closed, 0);
    if (registry.knows(state)) {
      registry.closed(cookie, end);
      return;
    }
    // Exactly: the same ends may have been another connection's just before.
    const wasTold = registry.wasClosed(
      local.port,
      remote.port,
      remote.address,
      from.seconds + from.nanoseconds / 1e9,
    );
    if (!wasTold) {
      // The socket may have another connection by now.
      state.cookie = -cookie;
      registry.observe(state, owner, from, from);
      registry.closed(state.cookie, end);
    }
  }
}

/** Says what the kernel lost. */
export function lossText(
  { events, rules, sockets, processes, calls }: Losses,
): string {
  const parts = [
    count(
      events,
      "event of sockets and processes",
      "events of sockets and processes",
    ),
    count(rules, "rule of the packet filter", "rules of the packet filter"),
    count(sockets, "socket", "sockets"),
    count(processes, "process", "processes"),
    count(calls, "call of a hook", "calls of hooks"),
  ].filter((part) => part !== "");
  return `lost in the kernel: ${parts.join(", ")}; the program's sockets are ` +
    "looked up, but packets may be missing";
}

function count(number: number, one: string, many: string): string {
  if (number === 0) return "";
  return `${number.toLocaleString("en-US")} ${number === 1 ? one : many}`;
}
