/**
 * TCP segments that are sent again: tcpretrans.
 *
 * @module
 */
import { RECORD_TYPE } from "../../bpf/programs/views/layout.ts";
import { openWatch } from "./ebpf_watch.ts";
import { retransmitRow } from "./record_rows.ts";
import type { RetransmitRow } from "./rows.ts";
import type { Watch, WatchOptions } from "./watch.ts";

/**
 * What to tell of segments that are sent again.
 * See {@linkcode watchRetransmits}.
 */
export interface RetransmitWatchOptions extends WatchOptions {
  /** Also tail loss probes, which are sent before anything counts as lost. */
  readonly probes?: boolean;
}

/**
 * Watches segments that are sent again; the one that answers a SYN
 * (SYN-ACK) is not among them.
 *
 * @throws {ViewError} when that is not permitted or not possible here
 *
 * @example Print what is sent again
 * ```ts ignore
 * import { watchRetransmits } from "./mod.ts";
 *
 * using watch = watchRetransmits();
 * for await (const row of watch) console.log(row.comm, row.remoteAddress);
 * ```
 */
export function watchRetransmits(
  options: RetransmitWatchOptions = {},
): Watch<RetransmitRow> {
  return openWatch<RetransmitRow>({
    features: { retransmits: true },
    usesDescriptors: true,
    row: (record, context) => {
      if (record.type !== RECORD_TYPE.RETRANSMIT) return undefined;
      const row = retransmitRow(record, context);
      return row.reason === "loss" || options.probes === true ? row : undefined;
    },
  }, options);
}
