/**
 * The program at every change of a TCP socket's state (tracepoint
 * inet_sock_set_state). It keeps sockets from birth to end, with the process
 * that owns them:
 *
 * ```text
 * change                   current process   what is done
 * CLOSE → SYN_SENT         connects          socket kept, owner known
 * CLOSE → LISTEN           listens           listener kept
 * LISTEN → SYN_RECV        any               socket kept, owner unknown
 * … → ESTABLISHED          any               ends and time noted
 * ESTABLISHED → FIN_WAIT1  closes            owner, if still unknown
 * CLOSE_WAIT → LAST_ACK    closes            owner, if still unknown
 * … → CLOSE                any               told, forgotten
 * ```
 *
 * Who accepts a connection is found out elsewhere (`calls.ts`).
 *
 * @module
 */
import { bigEndian, mov } from "../../extended/alu.ts";
import {
  type Code,
  label,
  R0,
  R1,
  R10,
  R2,
  R3,
  R6,
  R7,
  R8,
  R9,
  scope,
} from "../../extended/instruction.ts";
import { call, exit, jump, jumpIf } from "../../extended/jump.ts";
import { load, store } from "../../extended/load_store.ts";
import type { KernelTypes } from "../kernel_types.ts";
import { lookup, remove, result, stackAddress, update } from "../macros.ts";
import type { Program } from "../program.ts";
import { tracepointProgram } from "../tracker_process.ts";
import {
  tracksAttempts,
  tracksSessions,
  type ViewFeatures,
} from "./features.ts";
import {
  CLOSED_EARLY,
  RECORD,
  RECORD_TYPE,
  SOCKET,
  SOCKET_FLAG,
  VIEW_MAP,
} from "./layout.ts";
import {
  beginRecord,
  beginSocket,
  blameListener,
  describeCaller,
  describeEnds,
  endRecord,
  findSession,
  jumpUnlessWatched,
  keepSocket,
  KEY_PLACE,
  LISTENER_PLACE,
  listenerKey,
  markWatched,
  recordCounters,
  recordError,
  recordStates,
  setFlags,
  SOCKET_PLACE,
  STATE,
  TCP,
} from "./pieces.ts";

/** Builds the program; arguments: socket, old state, new state. */
export function stateProgram(
  types: KernelTypes,
  features: ViewFeatures,
): Program {
  return tracepointProgram(types, "view_state", "inet_sock_set_state", [
    mov(R6, R1),
    load("u64", R7, R6, 0),
    load("u16", R1, R7, types.offset("sock", "sk_protocol")),
    jumpIf(R1, "!=", TCP, "done"),
    tracksAttempts(features) ? attempts(types, features) : [],
    tracksSessions(features) ? sessions(types, features) : [],
    label("done"),
    result(0),
    exit(),
  ]);
}

/** The outcome of connect(2), wherever it comes from. */
function attempts(types: KernelTypes, features: ViewFeatures): Code {
  const { hookless, filtered } = features;
  return scope([
    load("u32", R2, R6, 16),
    hookless !== true ? [] : scope([
      jumpIf(R2, "!=", STATE.SYN_SENT, "not begun"),
      // The call cannot tell more; a missing error means that it gave up.
      ownSocket(types, SOCKET_FLAG.ACTIVE | SOCKET_FLAG.RETURNED, filtered),
      filtered ? jumpUnlessWatched(R10, SOCKET_PLACE, "no attempt") : [],
      store("u64", R10, KEY_PLACE, R7),
      update(VIEW_MAP.attempts, KEY_PLACE, SOCKET_PLACE),
      jump("no attempt"),
      label("not begun"),
    ]),
    jumpIf(R2, "==", STATE.ESTABLISHED, "look"),
    jumpIf(R2, "!=", STATE.CLOSE, "no attempt"),
    load("u32", R1, R6, 8),
    jumpIf(R1, "==", STATE.SYN_SENT, "look"),
    jumpIf(R1, "!=", STATE.SYN_RECV, "no attempt"),
    label("look"),
    store("u64", R10, KEY_PLACE, R7),
    lookup(VIEW_MAP.attempts, KEY_PLACE),
    mov(R8, R0),
    jumpIf(R8, "==", 0, "no attempt"),
    load("u32", R1, R6, 16),
    jumpIf(R1, "==", STATE.ESTABLISHED, "tell"),
    // Without an error, the call itself will tell, or has returned already:
    // then the program gave up.
    load("u32", R1, R7, types.offset("sock", "sk_err")),
    jumpIf(R1, "!=", 0, "tell"),
    load("u32", R1, R8, SOCKET.flags),
    jumpIf(R1, "&", SOCKET_FLAG.RETURNED, "tell"),
    jump("no attempt"),
    label("tell"),
    describeEnds(types, R8, 0),
    beginRecord(RECORD_TYPE.ATTEMPT, "told"),
    recordStates(),
    load("u32", R1, R6, 16),
    jumpIf(R1, "==", STATE.ESTABLISHED, "succeeded"),
    load("u32", R1, R7, types.offset("sock", "sk_err")),
    jumpIf(R1, "!=", 0, "failed"),
    mov(R1, CLOSED_EARLY),
    label("failed"),
    store("u32", R9, RECORD.error, R1),
    label("succeeded"),
    recordCounters(types),
    endRecord(),
    label("told"),
    remove(VIEW_MAP.attempts, KEY_PLACE),
    label("no attempt"),
  ]);
}

function sessions(types: KernelTypes, features: ViewFeatures): Code {
  const { connects, closes, states } = features;
  const next = states ? "change" : "done";
  return [
    load("u32", R2, R6, 16),
    jumpIf(R2, "==", STATE.ESTABLISHED, "established"),
    jumpIf(R2, "==", STATE.CLOSE, "ended"),
    jumpIf(R2, "==", STATE.FIN_WAIT1, "closing"),
    jumpIf(R2, "==", STATE.LAST_ACK, "closing"),
    jumpIf(R2, "==", STATE.SYN_SENT, "connecting"),
    jumpIf(R2, "==", STATE.SYN_RECV, "born"),
    jumpIf(R2, "==", STATE.LISTEN, "listening"),
    jump(next),

    label("connecting"),
    ownSocket(types, SOCKET_FLAG.ACTIVE, features.filtered),
    store("u64", R10, KEY_PLACE, R7),
    keepSocket(),
    jump(next),

    label("listening"),
    ownSocket(types, 0, features.filtered),
    listenerKey(R10, SOCKET_PLACE),
    update(VIEW_MAP.listeners, LISTENER_PLACE, SOCKET_PLACE),
    !states ? [] : [store("u64", R10, KEY_PLACE, R7), keepSocket()],
    jump(next),

    label("born"),
    load("u32", R1, R6, 8),
    jumpIf(R1, "!=", STATE.LISTEN, next),
    beginSocket(0),
    describeEnds(types, R10, SOCKET_PLACE),
    store("u64", R10, KEY_PLACE, R7),
    keepSocket(),
    jump(next),

    label("established"),
    findSession(),
    jumpIf(R8, "==", 0, next),
    describeEnds(types, R8, 0),
    call("ktime_get_ns"),
    store("u64", R8, SOCKET.start, R0),
    setFlags(R8, 0, SOCKET_FLAG.ESTABLISHED),
    connects ? tellConnected(next, features.filtered) : [],
    jump(next),

    label("closing"),
    findSession(),
    jumpIf(R8, "==", 0, next),
    load("u32", R1, R8, SOCKET.tgid),
    jumpIf(R1, "!=", 0, next),
    describeCaller(R8, 0),
    features.filtered ? markWatched(R8, 0) : [],
    setFlags(R8, 0, SOCKET_FLAG.CLOSER),
    jump(next),

    label("ended"),
    load("u32", R3, R6, 8),
    jumpIf(R3, "==", STATE.CLOSE, "done"),
    states ? jump("change") : jumpIf(R3, "==", STATE.LISTEN, "done"),

    states
      ? [label("change"), tellChange(types, features)]
      : [label("session ended"), tellEnd(types, features, closes === true)],
  ];
}

/** Describes the socket in r7 of the current process on the stack. */
function ownSocket(
  types: KernelTypes,
  flags: number,
  filtered: boolean,
): Code {
  return [
    beginSocket(flags),
    describeCaller(R10, SOCKET_PLACE),
    describeEnds(types, R10, SOCKET_PLACE),
    filtered ? markWatched(R10, SOCKET_PLACE) : [],
  ];
}

/** The port of the socket on the stack, which may have given it back. */
function oldPort(types: KernelTypes): Code {
  return scope([
    mov(R1, R7),
    call("skc_to_tcp_sock"),
    jumpIf(R0, "==", 0, "no tcp"),
    load(
      "u16",
      R1,
      R0,
      types.offset("tcp_sock", "inet_conn.icsk_inet.inet_sport"),
    ),
    bigEndian(R1, 16),
    store("u16", R10, SOCKET_PLACE + SOCKET.localPort, R1),
    label("no tcp"),
  ]);
}

function tellConnected(next: string, filtered: boolean): Code {
  return [
    load("u32", R1, R8, SOCKET.flags),
    scope([
      jumpIf(R1, "&", SOCKET_FLAG.ACTIVE, "active"),
      jump(next),
      label("active"),
    ]),
    filtered ? jumpUnlessWatched(R8, 0, next) : [],
    beginRecord(RECORD_TYPE.CONNECTED, next),
    recordStates(),
    endRecord(),
  ];
}

/** r8 = what is kept of the socket in r7, or what can be said about it. */
export function findOrDescribe(types: KernelTypes): Code {
  return [
    findSession(),
    scope([
      jumpIf(R8, "!=", 0, "kept"),
      beginSocket(SOCKET_FLAG.OPEN_BEFORE),
      describeEnds(types, R10, SOCKET_PLACE),
      store("u64", R10, SOCKET_PLACE + SOCKET.start, 0),
      oldPort(types),
      stackAddress(R8, SOCKET_PLACE),
      label("kept"),
    ]),
    blameListener(),
  ];
}

function tellEnd(
  types: KernelTypes,
  { filtered }: ViewFeatures,
  tells: boolean,
): Code {
  return [
    !tells ? [store("u64", R10, KEY_PLACE, R7)] : [
      findOrDescribe(types),
      filtered ? jumpUnlessWatched(R8, 0, "forget") : [],
      beginRecord(RECORD_TYPE.CLOSED, "forget"),
      recordStates(),
      recordError(types),
      recordCounters(types),
      endRecord(),
      label("forget"),
    ],
    remove(VIEW_MAP.sessions, KEY_PLACE),
  ];
}

function tellChange(types: KernelTypes, { filtered }: ViewFeatures): Code {
  return [
    findOrDescribe(types),
    filtered ? jumpUnlessWatched(R8, 0, "changed") : [],
    beginRecord(RECORD_TYPE.STATE, "changed"),
    recordStates(),
    recordError(types),
    recordCounters(types),
    load("u64", R1, R9, RECORD.now),
    store("u64", R8, SOCKET.time, R1),
    endRecord(),
    label("changed"),
    load("u32", R1, R6, 16),
    jumpIf(R1, "!=", STATE.CLOSE, "done"),
    remove(VIEW_MAP.sessions, KEY_PLACE),
  ];
}
