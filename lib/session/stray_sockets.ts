/**
 * Finds sockets that no call and no hook told of: received over a Unix socket
 * (SCM_RIGHTS) or taken by pidfd_getfd(2), opened by io_uring. Processes that
 * can have such are looked at again and again.
 *
 * @module
 */
import { SyscallError } from "../../ffi/errno.ts";
import type { Fd } from "../../ffi/fd.ts";
import type { Endpoint } from "../../ffi/sockaddr.ts";
import { duplicateFd, openPidFd } from "../../ffi/process.ts";
import {
  emptySocketState,
  IPPROTO_TCP,
  readSocketState,
  socketProtocolName,
  type SocketState,
} from "../../ffi/socket.ts";
import { transportName } from "../packet/protocol_port.ts";
import { readComm } from "../proc/comm.ts";
import { readFds, ringSocketInodes } from "../proc/fd.ts";
import { ProcPermissionError } from "../proc/read.ts";
import { TCP_STATE } from "../sockets/inet_diag.ts";
import { mapped, type NamespacedSocket } from "./socket_cleanup.ts";
import { addressText } from "./summary.ts";

/** How often to look at most, ms. */
const INTERVAL = 50;
/** How much longer than a look the time between two is. */
const RATIO = 50;

/** Who knows the other sockets, and wants to know of these. */
export interface StrayListener {
  /** Whether a socket is known, or is none that could have packets. */
  isKnown(state: SocketState): boolean;
  /**
   * A socket came from elsewhere.
   *
   * @param socket a descriptor of ours of it, where it can be had
   */
  found(state: SocketState, pid: number, socket: Fd | undefined): void;
  /** Whether every process is looked at, whatever it can get. */
  readonly wantsAll: boolean;
  /** Sockets by their inodes. */
  byInode(inodes: ReadonlySet<number>): readonly NamespacedSocket[];
}

interface ProcessLook {
  /** Inodes of sockets that need not be looked at any more. */
  seen: Set<number>;
  /** Inodes of sockets that were unknown the last time. */
  unknown: Set<number>;
  /** Whether it can get sockets from elsewhere. */
  receives: boolean;
}

/** Looks for sockets from elsewhere. */
export class StraySockets {
  readonly #listener: StrayListener;
  readonly #state = emptySocketState();
  #looks = new Map<number, ProcessLook>();
  #nextAt = 0;

  /** Nothing is looked at before `look`. */
  constructor(listener: StrayListener) {
    this.#listener = listener;
  }

  /** Looks at every socket once more. */
  reset(): void {
    this.#looks.clear();
  }

  /**
   * Looks at processes, unless that was done a short time ago.
   *
   * @param pids lists them; that may take long in itself
   */
  look(pids: () => Iterable<number>): void {
    const began = performance.now();
    if (began < this.#nextAt) return;
    const looks = new Map<number, ProcessLook>();
    for (const pid of pids()) {
      const look = this.#looks.get(pid) ??
        { seen: new Set(), unknown: new Set(), receives: false };
      looks.set(pid, look);
      try {
        this.#lookAt(pid, look);
      } catch (error) {
        // It has ended, or it may not be looked into any more.
        const isExpected = error instanceof ProcPermissionError ||
          error instanceof SyscallError;
        if (!isExpected) throw error;
      }
    }
    this.#looks = looks;
    const end = performance.now();
    this.#nextAt = end + Math.max(INTERVAL, RATIO * (end - began));
  }

  #lookAt(pid: number, look: ProcessLook): void {
    const { sockets, rings, hasPidfds } = readFds(pid);
    look.receives ||= hasPidfds || rings.length > 0;
    const seen = new Set<number>();
    const suspects: { readonly fd: number; readonly inode: number }[] = [];
    for (const socket of sockets) {
      if (look.seen.has(socket.inode)) {
        seen.add(socket.inode);
        continue;
      }
      const name = socketProtocolName(`/proc/${pid}/fd/${socket.fd}`) ?? "";
      if (name.startsWith("UNIX")) look.receives = true;
      if (/^(TCP|UDP|MPTCP)/.test(name)) suspects.push(socket);
      else seen.add(socket.inode);
    }
    const unknown = new Set<number>();
    const isOpen = look.receives || this.#listener.wantsAll;
    if (isOpen && suspects.length > 0) {
      using pidFd = openPidFd(pid, pid);
      for (const { fd, inode } of pidFd === undefined ? [] : suspects) {
        using socket = duplicateFd(pidFd!, fd);
        const state = this.#state;
        if (
          socket === undefined || !readSocketState(socket.number, state) ||
          this.#isPremature(state, inode, look, unknown)
        ) {
          continue;
        }
        seen.add(inode);
        if (!this.#listener.isKnown(state)) {
          this.#listener.found(state, pid, socket);
        }
      }
    }
    for (const ring of rings) this.#lookAtRing(pid, ring, look, seen, unknown);
    look.seen = seen;
    look.unknown = unknown;
  }

  /**
   * Whether to look again later: at a socket without addresses, and once more
   * at an unknown one, whose call may be under way.
   */
  #isPremature(
    state: SocketState,
    inode: number,
    look: ProcessLook,
    unknown: Set<number>,
  ): boolean {
    const { protocol, listening, local, remote } = state;
    if (local.port === 0) return true;
    if (protocol === IPPROTO_TCP && !listening && remote.port === 0) {
      return true;
    }
    if (this.#listener.isKnown(state) || look.unknown.has(inode)) return false;
    unknown.add(inode);
    return true;
  }

  /** Sockets of a ring that are no descriptors. */
  #lookAtRing(
    pid: number,
    ring: number,
    look: ProcessLook,
    seen: Set<number>,
    unknown: Set<number>,
  ): void {
    const inodes = new Set(
      ringSocketInodes(pid, ring).filter((inode) => !look.seen.has(inode)),
    );
    for (const inode of ringSocketInodes(pid, ring)) {
      if (look.seen.has(inode)) seen.add(inode);
    }
    if (inodes.size === 0) return;
    for (const found of this.#listener.byInode(inodes)) {
      const state = this.#state;
      const { inode } = found.socket;
      describe(found, state);
      if (this.#isPremature(state, inode, look, unknown)) continue;
      seen.add(inode);
      if (!this.#listener.isKnown(state)) {
        this.#listener.found(state, pid, undefined);
      }
    }
  }
}

/** What sock_diag tells of a socket, as if it had been asked itself. */
function describe(
  { socket, netns }: NamespacedSocket,
  state: SocketState,
): void {
  state.cookie = socket.cookie;
  state.netns = netns;
  state.protocol = socket.protocol;
  state.family = socket.family;
  state.v6Only = false;
  state.listening = socket.protocol === IPPROTO_TCP &&
    socket.state === TCP_STATE.LISTEN;
  for (
    const [end, address, port] of [
      [state.local, socket.localAddress, socket.localPort],
      [state.remote, socket.remoteAddress, socket.remotePort],
    ] as const
  ) {
    end.family = socket.family;
    end.port = port;
    end.address.set(mapped(address));
  }
}

/** One line about packets that may be missed. */
export function strayWarning(pid: number, state: SocketState): string {
  const protocol = transportName(state.protocol);
  const { local, remote } = state;
  const peer = remote.port === 0 ? "" : ` to ${endText(remote)}`;
  return `process ${pid} (${readComm(pid) ?? "ended"}) uses sockets from ` +
    `elsewhere, such as ${protocol} ${
      endText(local)
    }${peer}: they are looked ` +
    "for, and packets before are missed";
}

function endText({ address, port }: Endpoint): string {
  return addressText(address) + `:${port}`;
}
