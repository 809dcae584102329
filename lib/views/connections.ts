/**
 * Attempts to connect, of every process of the machine: tcpconnect.
 *
 * @module
 */
import { RECORD_TYPE } from "../../bpf/programs/views/layout.ts";
import { DnsAnswers } from "./dns_answers.ts";
import { openWatch } from "./ebpf_watch.ts";
import { ConnectionWindow, keepConnection } from "./record_rows.ts";
import type { ConnectionRow } from "./rows.ts";
import type { Watch, WatchOptions } from "./watch.ts";

/** What to tell of attempts. See {@linkcode watchConnections}. */
export interface ConnectionWatchOptions extends WatchOptions {
  /**
   * Also UDP: sockets that are connected, and the first datagram of others to
   * each destination.
   */
  readonly udp?: boolean;
  /** Adds the names that answers of DNS gave the remote addresses for. */
  readonly dns?: boolean;
}

/**
 * Watches attempts to connect. Each one is a row, when its outcome is known;
 * those without an outcome come at the end.
 *
 * @throws {ViewError} when that is not permitted or not possible here
 *
 * @example Wait for the first attempt to reach a web server
 * ```ts ignore
 * using watch = watchConnections({ filter: { remotePorts: new Set([443]) } });
 * for await (const { comm, remoteAddress, result } of watch) {
 *   console.log(comm, remoteAddress, result);
 *   break;
 * }
 * ```
 */
export function watchConnections(
  options: ConnectionWatchOptions = {},
): Watch<ConnectionRow> {
  const answers = options.dns === true ? new DnsAnswers() : undefined;
  const named = (row: ConnectionRow): ConnectionRow => {
    if (answers === undefined) return row;
    answers.learn();
    const name = answers.nameOf(row.remoteAddress);
    return name === undefined ? row : { ...keepConnection(row), name };
  };
  return openWatch<ConnectionRow>({
    features: { attempts: true, datagrams: options.udp === true },
    row: (record, context) =>
      record.type === RECORD_TYPE.ATTEMPT
        ? named(new ConnectionWindow(record, context))
        : undefined,
    keep: (row) => row instanceof ConnectionWindow ? keepConnection(row) : row,
    last: (source, context) => {
      const rows: ConnectionRow[] = [];
      source.readAttempts((record) =>
        rows.push(
          named(keepConnection(new ConnectionWindow(record, context, true))),
        )
      );
      return rows;
    },
    close: () => answers?.[Symbol.dispose](),
  }, options);
}
