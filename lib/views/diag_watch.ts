/**
 * Watching sessions where eBPF cannot be used: sockets are listed again and
 * again, and the kernel tells when one is gone (sock_diag(7)).
 *
 * Less exact: a session that is shorter than the time between two lists has no
 * owner and no duration, and a FIN may count as a byte that was received. Only
 * the network namespace of this process is seen.
 *
 * @module
 */
import { NetlinkSocket } from "../../ffi/netlink.ts";
import { formatAddress } from "../packet/address.ts";
import { readComm } from "../proc/comm.ts";
import { socketFds } from "../proc/fd.ts";
import { ProcPermissionError } from "../proc/read.ts";
import { processIds, processTree } from "../proc/task.ts";
import {
  AF_INET,
  decodeTcpInfo,
  decodeTcpTotals,
  INET_DIAG,
  type InetDiagSocket,
  IPPROTO_TCP,
  TCP_STATE,
} from "../sockets/inet_diag.ts";
import { extensionBit, stateMask } from "../sockets/inet_diag_request.ts";
import {
  DestroyEvents,
  dumpSockets,
  LIVE_STATES,
} from "../sockets/inet_sockets.ts";
import { SKNLGRP } from "../sockets/sock_diag.ts";
import { CgroupTree } from "./cgroups.ts";
import { ViewError } from "./errors.ts";
import type { SessionRow } from "./rows.ts";
import type { SessionWatchOptions } from "./sessions.ts";
import {
  isWanted,
  rowsOf,
  type ViewLosses,
  type Watch,
  WATCH_INTERVAL,
} from "./watch.ts";

/** Milliseconds between two lists. */
const POLL_INTERVAL = 250;

/** Connections: what has both ends. */
const CONNECTED = LIVE_STATES & ~stateMask(TCP_STATE.LISTEN, TCP_STATE.CLOSE);

/** What is known of a socket that was in a list. */
interface Known {
  /** Milliseconds since 1970 when it was seen first. */
  readonly since: number;
  readonly openBefore: boolean;
  pid: number;
  comm: string;
  uid: number;
}

/** Watches the sessions of this network namespace. */
export class DiagWatch implements Watch<SessionRow> {
  readonly notices: readonly string[];
  readonly details: readonly string[];
  readonly #options: SessionWatchOptions;
  readonly #netlink = new NetlinkSocket();
  readonly #events: DestroyEvents;
  readonly #known = new Map<bigint, Known>();
  #pids: ReadonlySet<number> | undefined;
  #pollAt = 0;
  #isFirst = true;
  #launched = false;
  #lost = 0;
  #stopped = false;

  /**
   * Begins to watch.
   *
   * @param reason Why eBPF does not serve, for the notice.
   * @param details More about that.
   * @throws {SyscallError} when the kernel cannot tell of sockets
   * @throws {ViewError} when a process of the scope does not exist
   */
  constructor(
    options: SessionWatchOptions,
    reason: string,
    details: readonly string[],
  ) {
    this.#options = options;
    if (options.filter?.cgroup !== undefined) {
      new CgroupTree(options.filter.cgroup);
      throw new ViewError(
        "unsupported",
        `Cannot watch a cgroup without eBPF: ${reason}`,
      );
    }
    this.#events = new DestroyEvents([
      SKNLGRP.INET_TCP_DESTROY,
      SKNLGRP.INET6_TCP_DESTROY,
    ]);
    this.notices = [
      `sessions are found by polling: ${reason}; owners and times of short ` +
      "ones are not known, and a FIN may count as a byte received",
    ];
    this.details = details;
    this.#poll();
    const { scope } = options;
    if (scope?.kind !== "processes") return;
    const missing = scope.pids.find((pid) => processTree(pid).length === 0);
    if (missing === undefined) return;
    this[Symbol.dispose]();
    throw new ViewError("not-found", `No process ${missing}`, {
      hint: "List processes with ps -e",
    });
  }

  take(): SessionRow[] {
    if (performance.now() >= this.#pollAt) this.#poll();
    const rows: SessionRow[] = [];
    const { sockets, lost } = this.#events.drain();
    if (lost) this.#lost++;
    for (const socket of sockets) {
      if (socket.remotePort !== 0) this.#add(socket, false, rows);
      this.#known.delete(socket.cookie);
    }
    return rows;
  }

  visit(callback: (row: SessionRow) => void): void {
    for (const row of this.take()) callback(row);
  }

  finish(): SessionRow[] {
    const rows: SessionRow[] = [];
    if (this.#options.stillOpen !== true) return rows;
    for (const socket of this.#list()) {
      if (socket.inode !== 0) this.#add(socket, true, rows);
    }
    return rows;
  }

  /** How many rows were lost is not told: at least one for each time. */
  get losses(): ViewLosses {
    return { records: this.#lost, sockets: 0, runs: 0 };
  }

  get over(): boolean {
    const { scope } = this.#options;
    if (scope === undefined || scope.kind === "all") return false;
    if (scope.kind === "children" && !this.#launched) return false;
    return this.#pids?.size === 0;
  }

  launched(): void {
    this.#launched = true;
  }

  stop(): void {
    this.#stopped = true;
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
    this.#events.close();
    this.#netlink.close();
  }

  [Symbol.asyncIterator](): AsyncGenerator<SessionRow, void, void> {
    return rowsOf(
      this,
      () => this.#stopped,
      this.#options.interval ?? WATCH_INTERVAL,
    );
  }

  #list(): InetDiagSocket[] {
    return dumpSockets(this.#netlink, {
      protocols: [IPPROTO_TCP],
      states: CONNECTED,
      extensions: extensionBit(INET_DIAG.INFO),
    });
  }

  /** Notes what is there, and who holds it. */
  #poll(): void {
    this.#pollAt = performance.now() + POLL_INTERVAL;
    this.#pids = this.#watchedPids();
    const unowned = new Map<number, Known>();
    for (const { cookie, inode, uid } of this.#list()) {
      let known = this.#known.get(cookie);
      if (known === undefined) {
        known = {
          since: Date.now(),
          openBefore: this.#isFirst,
          pid: 0,
          comm: "",
          uid,
        };
        this.#known.set(cookie, known);
      }
      if (known.pid === 0 && inode !== 0) unowned.set(inode, known);
    }
    this.#isFirst = false;
    if (unowned.size > 0) findOwners(unowned);
  }

  /** Processes of the scope; unset for all. */
  #watchedPids(): ReadonlySet<number> | undefined {
    const { scope } = this.#options;
    if (scope === undefined || scope.kind === "all") return undefined;
    const pids = scope.kind === "children"
      ? processTree(Deno.pid)
      : scope.pids.flatMap((pid) =>
        processTree(pid).slice(0, scope.tree ? undefined : 1)
      );
    // Those that have ended are still the owners of their sockets.
    const watched = new Set(pids.filter((pid) => pid !== Deno.pid));
    for (const { pid } of this.#known.values()) {
      if (this.#pids?.has(pid) === true) watched.add(pid);
    }
    return watched;
  }

  #add(socket: InetDiagSocket, stillOpen: boolean, rows: SessionRow[]): void {
    const known = this.#known.get(socket.cookie);
    const row = diagRow(socket, known, stillOpen);
    if (row.openBefore && this.#options.openBefore !== true) return;
    if (this.#pids !== undefined && !this.#pids.has(row.pid)) return;
    if (isWanted(row, this.#options.filter ?? {})) rows.push(row);
  }
}

/** Looks through the descriptors of all processes. */
function findOwners(unowned: Map<number, Known>): void {
  for (const pid of processIds()) {
    try {
      for (const { inode } of socketFds(pid)) {
        const known = unowned.get(inode);
        if (known === undefined) continue;
        known.pid = pid;
        known.comm = readComm(pid) ?? "";
        unowned.delete(inode);
      }
    } catch (error) {
      // Another user's process: its sockets have no owner then.
      if (!(error instanceof ProcPermissionError)) throw error;
    }
    if (unowned.size === 0) return;
  }
}

/** The row of a socket that is gone or in a list. */
export function diagRow(
  socket: InetDiagSocket,
  known: Omit<Known, "since"> & { readonly since: number } | undefined,
  stillOpen: boolean,
  now: number = Date.now(),
): SessionRow {
  const bytes = socket.tcpInfo ?? new Uint8Array();
  const info = decodeTcpInfo(bytes);
  const totals = decodeTcpTotals(bytes);
  const acked = Number(info?.bytesAcked ?? 0n);
  return {
    pid: known?.pid ?? 0,
    tid: 0,
    comm: known?.comm ?? "",
    uid: known?.uid ?? 0,
    cgroup: 0,
    netns: 0,
    family: socket.family === AF_INET ? 4 : 6,
    protocol: "tcp",
    localAddress: formatAddress(socket.localAddress),
    localPort: socket.localPort,
    remoteAddress: formatAddress(socket.remoteAddress),
    remotePort: socket.remotePort,
    time: now,
    // SYN and FIN count among the acknowledged bytes, not among the sent ones.
    bytesSent: Math.min(acked, totals?.bytesSentOnce ?? acked),
    bytesReceived: Number(info?.bytesReceived ?? 0n),
    duration: known === undefined ? 0 : now - known.since,
    retransmits: totals?.retransmits ?? 0,
    roundTrip: totals?.roundTrip ?? 0,
    closedBy: stillOpen ? "open" : "unknown",
    error: undefined,
    openBefore: known?.openBefore ?? false,
    stillOpen,
    ownerFrom: known === undefined || known.pid === 0
      ? "unknown"
      : "descriptor",
  };
}
