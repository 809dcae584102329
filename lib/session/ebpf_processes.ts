/**
 * The processes that eBPF follows, and the sockets that they have already: no
 * hook tells of these.
 *
 * @module
 */
import { realTime } from "../../ffi/clock.ts";
import { SyscallError } from "../../ffi/errno.ts";
import { type Fd, isInherited } from "../../ffi/fd.ts";
import { openNamespace } from "../../ffi/namespace.ts";
import { duplicateFd, openPidFd } from "../../ffi/process.ts";
import {
  emptySocketState,
  readSocketState,
  type SocketState,
} from "../../ffi/socket.ts";
import { readComm } from "../proc/comm.ts";
import { readFds } from "../proc/fd.ts";
import { networkNamespace } from "../proc/ns.ts";
import { ProcPermissionError } from "../proc/read.ts";
import { hasEnded, readStatus } from "../proc/status.ts";
import { processTree } from "../proc/task.ts";
import type { SocketRegistry } from "../sockets/registry.ts";
import type { Moment } from "../sockets/table_writer.ts";
import type { EbpfTracker } from "../trace/ebpf_tracker.ts";
import type { Owners } from "../trace/owners.ts";
import { inspectFailure } from "./failures.ts";
import type { CapturedProcess } from "./messages.ts";
import {
  namedNamespaces,
  namespacesOf,
  type NetworkNamespaces,
} from "./network_namespaces.ts";
import { strayWarning } from "./stray_sockets.ts";
import { CaptureError } from "./types.ts";

/** Which processes, and who is told of their sockets. */
export interface EbpfProcessesParts {
  /** Processes to attach to; empty when the main thread launches a command. */
  readonly pids: readonly number[];
  /** Whether children belong to them. */
  readonly follow: boolean;
  /** The command with its arguments, which may name network namespaces. */
  readonly words: readonly string[];
  readonly tracker: EbpfTracker;
  readonly registry: SocketRegistry;
  readonly owners: Owners;
  readonly namespaces: NetworkNamespaces;
  /** Tells the user. */
  readonly warn: (text: string) => void;
}

/** The followed processes. */
export class EbpfProcesses {
  readonly #parts: EbpfProcessesParts;
  readonly #tracker: EbpfTracker;
  readonly #registry: SocketRegistry;
  readonly #owners: Owners;
  readonly #namespaces: NetworkNamespaces;
  readonly #warned = new Set<number>();
  /** Sockets that the command has from the beginning. */
  readonly #inherited: {
    readonly state: SocketState;
    readonly from: Moment;
  }[] = [];
  readonly #state: SocketState = emptySocketState();
  /** What the kernel's list was; reading it takes long. */
  #known: readonly number[] | undefined;

  /** Nothing is followed before `begin`. */
  constructor(parts: EbpfProcessesParts) {
    this.#parts = parts;
    this.#tracker = parts.tracker;
    this.#registry = parts.registry;
    this.#owners = parts.owners;
    this.#namespaces = parts.namespaces;
  }

  /** Their ids; as they were at the last `reread` unless some came or went. */
  list(): readonly number[] {
    return this.#known ??= this.#tracker.targets();
  }

  /** Some came or went. */
  changed(): void {
    this.#known = undefined;
  }

  /** Their ids at this moment. */
  reread(): readonly number[] {
    this.changed();
    return this.list();
  }

  /**
   * Begins to follow: what is there, or what this program will launch.
   *
   * @returns the processes that are there
   * @throws {CaptureError} when a process may not be looked into
   */
  begin(): CapturedProcess[] {
    const { pids, follow } = this.#parts;
    if (pids.length === 0) {
      this.#enterNamed();
      this.#bequeath();
      const children = follow ? "only" : "first";
      this.#tracker.addTarget(Deno.pid, { children });
      return [];
    }
    const seen = new Set<number>();
    let found = true;
    // Processes may appear while their parents are being marked.
    while (found) {
      found = false;
      for (const pid of follow ? pids.flatMap((id) => processTree(id)) : pids) {
        if (seen.has(pid) || pid === Deno.pid) continue;
        seen.add(pid);
        found = true;
        this.#tracker.addTarget(pid, { children: follow });
      }
    }
    for (const pid of seen) this.#enterNamespaceOf(pid);
    // Once more: what was opened while the first scan went on.
    for (let pass = 0; pass < 2; pass++) {
      for (const pid of seen) this.#lookInto(pid);
    }
    this.#dropEnded(seen);
    if (this.#tracker.targets().length === 0) {
      throw new CaptureError("no-process", `No process ${pids.join(", ")}`);
    }
    return [...seen].map((pid) => ({ pid, comm: readComm(pid) ?? "" }));
  }

  /** Wants the packets of sockets that the command will inherit. */
  #bequeath(): void {
    const from = realTime({ seconds: 0, nanoseconds: 0 });
    const comm = readComm(Deno.pid) ?? "";
    const owner = { tgid: Deno.pid, tid: Deno.pid, comm };
    for (const { fd } of readFds(Deno.pid).sockets) {
      const state = emptySocketState();
      if (!isInherited(fd) || !readSocketState(fd, state)) continue;
      this.#tracker.seedSocket(fd, { ...state, owner });
      this.#inherited.push({ state, from });
    }
  }

  /** Enters the namespaces that the command may be about to enter itself. */
  #enterNamed(): void {
    for (const path of namedNamespaces(this.#parts.words)) {
      this.#enterPath(path);
    }
  }

  #enterNamespaceOf(pid: number): void {
    try {
      if (networkNamespace(pid) === networkNamespace(Deno.pid)) return;
    } catch (error) {
      // Looking into the process says what is missing.
      if (error instanceof ProcPermissionError) return;
      throw error;
    }
    this.#enterPath(`/proc/${pid}/ns/net`);
  }

  /** What cannot be entered is told of when it is used. */
  #enterPath(path: string): void {
    try {
      using namespace = openNamespace(path);
      if (namespace !== undefined) this.#namespaces.prepare(namespace);
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
    }
  }

  /**
   * Forgets processes that ended before they were targets: no hook told of
   * their end. One that nobody waits for stays in /proc as a zombie.
   */
  #dropEnded(pids: Iterable<number>): void {
    for (const pid of pids) {
      if (hasEnded(readStatus(pid))) this.#tracker.removeTarget(pid);
    }
  }

  /** The command was launched: other children of ours are not its. */
  launched(command: number | undefined): void {
    this.#tracker.removeTarget(Deno.pid);
    if (command === undefined || this.#inherited.length === 0) return;
    const owner = this.#owners.numberOf(command);
    for (const { state, from } of this.#inherited) {
      this.#registry.observe(state, owner, from, from);
    }
  }

  /** Takes over a socket that no hook told of. */
  foundStray(state: SocketState, pid: number, socket: Fd | undefined): void {
    if (socket === undefined || !this.#isEntered(state, pid, socket)) return;
    const comm = readComm(pid) ?? "";
    const owner = { tgid: pid, tid: pid, comm };
    this.#tracker.seedSocket(socket.number, { ...state, owner });
    const now = realTime({ seconds: 0, nanoseconds: 0 });
    const number = this.#owners.numberOf(pid, pid, comm);
    this.#registry.observe(state, number, now, now);
    if (this.#warned.has(pid)) return;
    this.#warned.add(pid);
    this.#parts.warn(strayWarning(pid, state));
  }

  /** Whether packets of a socket's namespace are seen, from now on at least. */
  #isEntered({ netns }: SocketState, pid: number, socket: Fd): boolean {
    const candidates = namespacesOf(socket.number, pid);
    return this.#namespaces.enter(netns, pid, candidates);
  }

  #lookInto(pid: number): void {
    try {
      this.#scan(pid, realTime({ seconds: 0, nanoseconds: 0 }));
    } catch (error) {
      const isRefused = error instanceof ProcPermissionError ||
        error instanceof SyscallError && error.code === "EPERM";
      throw isRefused ? inspectFailure(pid, error) : error;
    }
  }

  /** Takes over what was missed; returns the cookies of all sockets. */
  scanAgain(from: Moment): Set<bigint> {
    const found = new Set<bigint>();
    this.#known = undefined;
    const pids = this.#tracker.targets().filter((pid) => pid !== Deno.pid)
      .flatMap((pid) => this.#withChildren(pid));
    this.#dropEnded(pids);
    for (const pid of pids) {
      try {
        this.#scan(pid, from, found);
      } catch (error) {
        // It has ended, or it may not be looked into any more.
        const isExpected = error instanceof ProcPermissionError ||
          error instanceof SyscallError;
        if (!isExpected) throw error;
      }
    }
    return found;
  }

  /** A process of the program, and children of it that are no targets yet. */
  #withChildren(pid: number): number[] {
    if (!this.#parts.follow) return [pid];
    return processTree(pid).filter((id) => {
      if (id === pid) return true;
      const isNew = !this.#tracker.hasTarget(id);
      if (isNew) this.#tracker.addTarget(id);
      return isNew;
    });
  }

  /** Takes over the sockets that a process has already. */
  #scan(pid: number, from: Moment, found?: Set<bigint>): void {
    using pidFd = openPidFd(pid, pid);
    if (pidFd === undefined) return;
    const state = this.#state;
    const comm = readComm(pid) ?? "";
    const owner = { tgid: pid, tid: pid, comm };
    for (const { fd } of readFds(pid).sockets) {
      using socket = duplicateFd(pidFd, fd);
      if (socket === undefined) continue;
      if (!readSocketState(socket.number, state)) continue;
      if (!this.#isEntered(state, pid, socket)) continue;
      found?.add(state.cookie);
      if (this.#registry.knows(state)) continue;
      this.#tracker.seedSocket(socket.number, { ...state, owner });
      this.#registry.observe(
        state,
        this.#owners.numberOf(pid, pid, comm),
        from,
        from,
      );
    }
  }
}
