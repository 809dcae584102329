/**
 * Connections that processes of the machine accept: tcpaccept.
 *
 * @module
 */
import { RECORD_TYPE } from "../../bpf/programs/views/layout.ts";
import { openWatch } from "./ebpf_watch.ts";
import { acceptRow } from "./record_rows.ts";
import type { AcceptRow } from "./rows.ts";
import type { Watch, WatchOptions } from "./watch.ts";

/**
 * Watches accepted connections.
 *
 * @throws {ViewError} when that is not permitted or not possible here
 *
 * @example Print who accepts connections
 * ```ts ignore
 * import { watchAccepts } from "./mod.ts";
 *
 * using watch = watchAccepts({ filter: { localPorts: new Set([80]) } });
 * for await (const row of watch) console.log(row.comm, row.remoteAddress);
 * ```
 */
export function watchAccepts(options: WatchOptions = {}): Watch<AcceptRow> {
  return openWatch<AcceptRow>({
    features: { accepts: true },
    row: (record, context) =>
      record.type === RECORD_TYPE.ACCEPTED
        ? acceptRow(record, context)
        : undefined,
  }, options);
}
