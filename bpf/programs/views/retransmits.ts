/**
 * The program at segments that are sent again (tracepoint
 * tcp_retransmit_skb).
 *
 * @module
 */
import { mov } from "../../extended/alu.ts";
import {
  label,
  R1,
  R2,
  R6,
  R7,
  R8,
  R9,
  scope,
} from "../../extended/instruction.ts";
import { exit, jumpIf } from "../../extended/jump.ts";
import { load, store } from "../../extended/load_store.ts";
import { result } from "../macros.ts";
import type { Program } from "../program.ts";
import type { ViewFeatures } from "./features.ts";
import { RECORD, RECORD_TYPE, RETRANSMIT } from "./layout.ts";
import {
  beginRecord,
  describeEnds,
  endRecord,
  jumpUnlessWatched,
  recordCounters,
} from "./pieces.ts";
import {
  loadCommon,
  loadMember,
  loadTcp,
  openSocket,
  tcpSock,
  type ViewKernel,
  viewTracepoint,
} from "./reading.ts";
import { findOrDescribe } from "./socket_states.ts";

/** `ICSK_TIME_LOSS_PROBE`: the timer that fired. */
const LOSS_PROBE = 5;

/** Builds the program; arguments: socket, segment. */
export function retransmitProgram(
  kernel: ViewKernel,
  { filtered }: ViewFeatures,
): Program {
  return viewTracepoint(kernel, "view_retransmit", "tcp_retransmit_skb", [
    mov(R6, R1),
    load("u64", R7, R6, 0),
    openSocket(kernel),
    findOrDescribe(kernel),
    filtered ? jumpUnlessWatched(R8, 0, "done") : [],
    // The local port of a connection under way was not known before.
    describeEnds(kernel, R8, 0),
    beginRecord(RECORD_TYPE.RETRANSMIT, "done"),
    loadCommon(kernel, "u8", R1, "skc_state"),
    store("u16", R9, RECORD.oldState, R1),
    store("u16", R9, RECORD.newState, R1),
    recordCounters(kernel),
    // struct tcp_skb_cb begins with the sequence number.
    load("u64", R1, R6, 8),
    loadMember(kernel, "u32", R1, R1, "sk_buff", "cb"),
    store("u32", R9, RECORD.sequence, R1),
    scope([
      tcpSock(kernel, "known"),
      loadTcp(kernel, "u8", R2, "inet_conn.icsk_pending"),
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
