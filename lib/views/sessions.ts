/**
 * TCP sessions of the machine from beginning to end: tcplife.
 *
 * @module
 */
import { RECORD_TYPE, SOCKET_FLAG } from "../../bpf/programs/views/layout.ts";
import { DiagWatch } from "./diag_watch.ts";
import { openWatch, type RowMaker } from "./ebpf_watch.ts";
import { ViewError } from "./errors.ts";
import { keepSession, SessionWindow } from "./record_rows.ts";
import type { SessionRow } from "./rows.ts";
import type { Watch, WatchOptions } from "./watch.ts";

/** What to tell of sessions. See {@linkcode watchSessions}. */
export interface SessionWatchOptions extends WatchOptions {
  /** Also sessions that were open before the watch began. */
  readonly openBefore?: boolean;
  /** At the end also sessions that are still open. */
  readonly stillOpen?: boolean;
}

/**
 * Watches TCP sessions. Each end of a session on this machine is a row, when
 * it is closed; those that are still open come at the end, if wanted. Where
 * eBPF cannot be used, sockets are listed again and again instead, and a notice
 * says what is lost.
 *
 * @throws {ViewError} when that is not permitted or not possible here
 *
 * @example Print who sent how much, session by session
 * ```ts ignore
 * for await (const { comm, remoteAddress, bytesSent } of watchSessions()) {
 *   console.log(comm, remoteAddress, bytesSent);
 * }
 * ```
 */
export function watchSessions(
  options: SessionWatchOptions = {},
): Watch<SessionRow> {
  const { openBefore = false, stillOpen = false, scope } = options;
  const isWanted = (flags: number): boolean =>
    openBefore || (flags & SOCKET_FLAG.OPEN_BEFORE) === 0;
  const maker: RowMaker<SessionRow> = {
    features: { closes: true },
    usesDescriptors: openBefore || stillOpen,
    row: (record, context) =>
      record.type === RECORD_TYPE.CLOSED && isWanted(record.flags)
        ? new SessionWindow(record, context)
        : undefined,
    keep: keepSession,
    last: (source, context) => {
      const rows: SessionRow[] = [];
      if (!stillOpen) return rows;
      const all = scope === undefined || scope.kind === "all";
      source.readSockets((record) => {
        const { flags } = record;
        if (!isWanted(flags)) return;
        if (!all && (flags & SOCKET_FLAG.WATCHED) === 0) return;
        rows.push(keepSession(new SessionWindow(record, context, true)));
      });
      return rows;
    },
  };
  try {
    return openWatch(maker, options);
  } catch (error) {
    if (!(error instanceof ViewError) || error.code === "not-found") {
      throw error;
    }
    return new DiagWatch(options, reasonOf(error), [
      error.message,
      ...error.detail,
    ]);
  }
}

/** The part of the message behind "Cannot watch the machine: ". */
function reasonOf({ message }: ViewError): string {
  const colon = message.indexOf(": ");
  return colon < 0 ? message : message.slice(colon + 2);
}
