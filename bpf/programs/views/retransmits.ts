/**
 * The program at segments that are sent again (tracepoint
 * tcp_retransmit_skb).
 *
 * @module
 */
import { mov } from "../../extended/alu.ts";
import {
  label,
  R0,
  R1,
  R2,
  R6,
  R7,
  R8,
  R9,
  scope,
} from "../../extended/instruction.ts";
import { call, exit, jumpIf } from "../../extended/jump.ts";
import { load, store } from "../../extended/load_store.ts";
import type { KernelTypes } from "../kernel_types.ts";
import { result } from "../macros.ts";
import type { Program } from "../program.ts";
import { tracepointProgram } from "../tracker_process.ts";
import type { ViewFeatures } from "./features.ts";
import { RECORD, RECORD_TYPE, RETRANSMIT } from "./layout.ts";
import {
  beginRecord,
  describeEnds,
  endRecord,
  jumpUnlessWatched,
  recordCounters,
} from "./pieces.ts";
import { findOrDescribe } from "./socket_states.ts";

/** `ICSK_TIME_LOSS_PROBE`: the timer that fired. */
const LOSS_PROBE = 5;

/** Builds the program; arguments: socket, segment. */
export function retransmitProgram(
  types: KernelTypes,
  { filtered }: ViewFeatures,
): Program {
  const state = types.offset("sock", "__sk_common.skc_state");
  return tracepointProgram(types, "view_retransmit", "tcp_retransmit_skb", [
    mov(R6, R1),
    load("u64", R7, R6, 0),
    findOrDescribe(types),
    filtered ? jumpUnlessWatched(R8, 0, "done") : [],
    // The local port of a connection under way was not known before.
    describeEnds(types, R8, 0),
    beginRecord(RECORD_TYPE.RETRANSMIT, "done"),
    load("u8", R1, R7, state),
    store("u16", R9, RECORD.oldState, R1),
    store("u16", R9, RECORD.newState, R1),
    recordCounters(types),
    // struct tcp_skb_cb begins with the sequence number.
    load("u64", R1, R6, 8),
    load("u32", R1, R1, types.offset("sk_buff", "cb")),
    store("u32", R9, RECORD.sequence, R1),
    mov(R1, R7),
    call("skc_to_tcp_sock"),
    scope([
      jumpIf(R0, "==", 0, "known"),
      load("u8", R2, R0, types.offset("tcp_sock", "inet_conn.icsk_pending")),
      jumpIf(R2, "!=", LOSS_PROBE, "known"),
      store("u32", R9, RECORD.retransmit, RETRANSMIT.PROBE),
      label("known"),
    ]),
    endRecord(),
    label("done"),
    result(0),
    exit(),
  ]);
}
