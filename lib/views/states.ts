/**
 * Changes of the states of TCP sockets: tcpstates.
 *
 * @module
 */
import { RECORD_TYPE } from "../../bpf/programs/views/layout.ts";
import { openWatch } from "./ebpf_watch.ts";
import { stateRow } from "./record_rows.ts";
import type { StateRow } from "./rows.ts";
import type { Watch, WatchOptions } from "./watch.ts";

/**
 * Watches every change of a TCP socket's state.
 *
 * @throws {ViewError} when that is not permitted or not possible here
 *
 * @example Print how connections go
 * ```ts ignore
 * import { watchStates } from "./mod.ts";
 *
 * using watch = watchStates();
 * for await (const { comm, oldState, newState } of watch) {
 *   console.log(comm, oldState, newState);
 * }
 * ```
 */
export function watchStates(options: WatchOptions = {}): Watch<StateRow> {
  return openWatch<StateRow>({
    features: { states: true },
    usesDescriptors: true,
    row: (record, context) =>
      record.type === RECORD_TYPE.STATE ? stateRow(record, context) : undefined,
  }, options);
}
