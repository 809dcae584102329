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
import { result, stackAddress, update } from "../macros.ts";
import type { Program } from "../program.ts";
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
  listenerKey,
  markWatched,
  recordCounters,
  recordError,
  recordStates,
  setFlags,
  SOURCE_PORT,
  STATE,
  TCP,
} from "./pieces.ts";
import { LISTENER_PLACE, SOCKET_PLACE } from "./places.ts";
import {
  loadMember,
  loadTcp,
  openSocket,
  tcpSock,
  type ViewKernel,
  viewTracepoint,
  writeKey,
} from "./reading.ts";
import { ATTEMPTS, findKept, forget, keep, SESSIONS } from "./socket_table.ts";

/** Builds the program; arguments: socket, old state, new state. */
export function stateProgram(
  kernel: ViewKernel,
  features: ViewFeatures,
): Program {
  return viewTracepoint(kernel, "view_state", "inet_sock_set_state", [
    mov(R6, R1),
    load("u64", R7, R6, 0),
    loadMember(kernel, "u16", R1, R7, "sock", "sk_protocol"),
    jumpIf(R1, "!=", TCP, "done"),
    openSocket(kernel),
    tracksAttempts(features) ? attempts(kernel, features) : [],
    tracksSessions(features) ? sessions(kernel, features) : [],
    label("done"),
    result(0),
    exit(),
  ]);
}

/** The outcome of connect(2), wherever it comes from. */
function attempts(kernel: ViewKernel, features: ViewFeatures): Code {
  const { hookless, filtered } = features;
  return scope([
    load("u32", R2, R6, 16),
    hookless !== true ? [] : scope([
      jumpIf(R2, "!=", STATE.SYN_SENT, "not begun"),
      // The call cannot tell more; a missing error means that it gave up.
      ownSocket(kernel, SOCKET_FLAG.ACTIVE | SOCKET_FLAG.RETURNED, filtered),
      filtered ? jumpUnlessWatched(R10, SOCKET_PLACE, "no attempt") : [],
      writeKey(kernel.abilities),
      keep(ATTEMPTS, kernel.abilities),
      jump("no attempt"),
      label("not begun"),
    ]),
    jumpIf(R2, "==", STATE.ESTABLISHED, "look"),
    jumpIf(R2, "!=", STATE.CLOSE, "no attempt"),
    load("u32", R1, R6, 8),
    jumpIf(R1, "==", STATE.SYN_SENT, "look"),
    jumpIf(R1, "!=", STATE.SYN_RECV, "no attempt"),
    label("look"),
    writeKey(kernel.abilities),
    findKept(ATTEMPTS, kernel.abilities),
    mov(R8, R0),
    jumpIf(R8, "==", 0, "no attempt"),
    load("u32", R1, R6, 16),
    jumpIf(R1, "==", STATE.ESTABLISHED, "tell"),
    // Without an error, the call itself will tell, or has returned already:
    // then the program gave up.
    loadMember(kernel, "u32", R1, R7, "sock", "sk_err"),
    jumpIf(R1, "!=", 0, "tell"),
    load("u32", R1, R8, SOCKET.flags),
    jumpIf(R1, "&", SOCKET_FLAG.RETURNED, "tell"),
    jump("no attempt"),
    label("tell"),
    describeEnds(kernel, R8, 0),
    beginRecord(RECORD_TYPE.ATTEMPT, "told"),
    recordStates(),
    load("u32", R1, R6, 16),
    jumpIf(R1, "==", STATE.ESTABLISHED, "succeeded"),
    loadMember(kernel, "u32", R1, R7, "sock", "sk_err"),
    jumpIf(R1, "!=", 0, "failed"),
    mov(R1, CLOSED_EARLY),
    label("failed"),
    store("u32", R9, RECORD.error, R1),
    label("succeeded"),
    recordCounters(kernel),
    endRecord(),
    label("told"),
    forget(ATTEMPTS, kernel.abilities),
    label("no attempt"),
  ]);
}

function sessions(kernel: ViewKernel, features: ViewFeatures): Code {
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
    ownSocket(kernel, SOCKET_FLAG.ACTIVE, features.filtered),
    keepSocket(kernel),
    jump(next),

    label("listening"),
    ownSocket(kernel, 0, features.filtered),
    listenerKey(R10, SOCKET_PLACE),
    update(VIEW_MAP.listeners, LISTENER_PLACE, SOCKET_PLACE),
    !states ? [] : [keepSocket(kernel)],
    jump(next),

    label("born"),
    load("u32", R1, R6, 8),
    jumpIf(R1, "!=", STATE.LISTEN, next),
    beginSocket(0),
    describeEnds(kernel, R10, SOCKET_PLACE),
    keepSocket(kernel),
    jump(next),

    label("established"),
    findSession(kernel),
    jumpIf(R8, "==", 0, next),
    describeEnds(kernel, R8, 0),
    call("ktime_get_ns"),
    store("u64", R8, SOCKET.start, R0),
    setFlags(R8, 0, SOCKET_FLAG.ESTABLISHED),
    connects ? tellConnected(next, features.filtered) : [],
    jump(next),

    label("closing"),
    findSession(kernel),
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
      ? [label("change"), tellChange(kernel, features)]
      : [label("session ended"), tellEnd(kernel, features, closes === true)],
  ];
}

/** Describes the socket in r7 of the current process on the stack. */
function ownSocket(
  kernel: ViewKernel,
  flags: number,
  filtered: boolean,
): Code {
  return [
    beginSocket(flags),
    describeCaller(R10, SOCKET_PLACE),
    describeEnds(kernel, R10, SOCKET_PLACE),
    filtered ? markWatched(R10, SOCKET_PLACE) : [],
  ];
}

/** The port of the socket on the stack, which may have given it back. */
function oldPort(kernel: ViewKernel): Code {
  return scope([
    tcpSock(kernel, "no tcp"),
    loadTcp(kernel, "u16", R1, SOURCE_PORT),
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
export function findOrDescribe(kernel: ViewKernel): Code {
  return [
    findSession(kernel),
    scope([
      jumpIf(R8, "!=", 0, "kept"),
      beginSocket(SOCKET_FLAG.OPEN_BEFORE),
      describeEnds(kernel, R10, SOCKET_PLACE),
      store("u64", R10, SOCKET_PLACE + SOCKET.start, 0),
      oldPort(kernel),
      stackAddress(R8, SOCKET_PLACE),
      label("kept"),
    ]),
    blameListener(),
  ];
}

function tellEnd(
  kernel: ViewKernel,
  { filtered }: ViewFeatures,
  tells: boolean,
): Code {
  return [
    !tells ? writeKey(kernel.abilities) : [
      findOrDescribe(kernel),
      filtered ? jumpUnlessWatched(R8, 0, "forget") : [],
      beginRecord(RECORD_TYPE.CLOSED, "forget"),
      recordStates(),
      recordError(kernel),
      recordCounters(kernel),
      endRecord(),
      label("forget"),
    ],
    forget(SESSIONS, kernel.abilities),
  ];
}

function tellChange(kernel: ViewKernel, { filtered }: ViewFeatures): Code {
  return [
    findOrDescribe(kernel),
    filtered ? jumpUnlessWatched(R8, 0, "changed") : [],
    beginRecord(RECORD_TYPE.STATE, "changed"),
    recordStates(),
    recordError(kernel),
    recordCounters(kernel),
    load("u64", R1, R9, RECORD.now),
    store("u64", R8, SOCKET.time, R1),
    endRecord(),
    label("changed"),
    load("u32", R1, R6, 16),
    jumpIf(R1, "!=", STATE.CLOSE, "done"),
    forget(SESSIONS, kernel.abilities),
  ];
}
