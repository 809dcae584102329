/**
 * Attaching to running processes with ptrace: everybody is stopped, and the
 * sockets that there are are known, before anybody runs on.
 *
 * @module
 */
import { realTime } from "../../ffi/clock.ts";
import { SyscallError } from "../../ffi/errno.ts";
import { readComm } from "../proc/comm.ts";
import { ProcPermissionError } from "../proc/read.ts";
import { readStatus } from "../proc/status.ts";
import { processTree, threadIds } from "../proc/task.ts";
import type { CallUnderWay } from "../sockets/pending_calls.ts";
import type { SocketRegistry } from "../sockets/registry.ts";
import type { CallTracker } from "../trace/call_tracker.ts";
import type { Tracer } from "../trace/tracer.ts";
import { inspectFailure, seizeFailure } from "./failures.ts";
import type { CapturedProcess } from "./messages.ts";
import { mapped, type SocketCleanup } from "./socket_cleanup.ts";
import { CaptureError } from "./types.ts";

/** How long attaching may take until all threads have stopped, ms. */
const STOP_PATIENCE = 2000;

/** Who takes part in attaching. */
export interface AttachParts {
  readonly tracer: Tracer<CallUnderWay>;
  readonly calls: CallTracker<CallUnderWay>;
  readonly registry: SocketRegistry;
  /** Knows connections under way. */
  readonly cleanup: Pick<SocketCleanup, "connecting">;
}

/**
 * Attaches to the processes; they are held until the tracer releases them.
 * Rules for their sockets are in force when this returns.
 *
 * @param follow whether to attach to their descendants, too
 * @throws {CaptureError} when one of them cannot be attached to
 */
export function attachTo(
  pids: readonly number[],
  follow: boolean,
  parts: AttachParts,
): CapturedProcess[] {
  const { tracer, calls, registry } = parts;
  seizeAll(pids, follow, tracer);
  for (const pid of pids) {
    if (!tracer.processIds.includes(pid)) {
      throw new CaptureError("no-process", `No process ${pid}`);
    }
  }
  for (const leader of tracer.leaders()) {
    try {
      calls.scan(leader);
    } catch (error) {
      if (!(error instanceof ProcPermissionError)) throw error;
      throw inspectFailure(leader.process.pid, error);
    }
  }
  observeConnecting(parts);
  registry.apply();
  return tracer.processIds.map((pid) => ({
    pid,
    comm: readComm(pid) ?? "",
  }));
}

/** Threads and children appear until everybody is stopped. */
function seizeAll(
  pids: readonly number[],
  follow: boolean,
  tracer: Tracer<CallUnderWay>,
): void {
  let found = true;
  while (found) {
    found = false;
    for (const pid of wantedProcesses(pids, follow)) {
      for (const tid of threadIds(pid)) {
        try {
          if (tracer.seize(tid, pid)) found = true;
        } catch (error) {
          if (!(error instanceof SyscallError)) throw error;
          // A thread that has ended cannot be attached to (EPERM), and
          // need not be.
          const state = readStatus(tid)?.state;
          if (state === undefined || state === "Z" || state === "X") {
            continue;
          }
          throw seizeFailure(pid, error);
        }
      }
    }
    if (found) tracer.holdAll(STOP_PATIENCE);
  }
}

function wantedProcesses(
  pids: readonly number[],
  follow: boolean,
): Set<number> {
  const wanted = new Set(
    follow ? pids.flatMap((pid) => processTree(pid)) : pids,
  );
  // A shell that is watched may have started us.
  wanted.delete(Deno.pid);
  return wanted;
}

/** Sockets that were connecting when we came have no peer name yet. */
function observeConnecting({ calls, registry, cleanup }: AttachParts): void {
  const waiting = calls.takeUnconnected();
  if (waiting.length === 0) return;
  const sockets = new Map(
    cleanup.connecting().map((socket) => [socket.cookie, socket]),
  );
  const now = realTime({ seconds: 0, nanoseconds: 0 });
  for (const { state, owner } of waiting) {
    const socket = sockets.get(state.cookie);
    if (socket === undefined) continue;
    state.remote.family = state.family;
    state.remote.port = socket.remotePort;
    state.remote.address.set(mapped(socket.remoteAddress));
    registry.observe(state, owner, now, now);
  }
}
