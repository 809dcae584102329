/**
 * The tracker's variant `tp`: typed tracepoints alone, for machines where
 * neither cgroups nor trampolines can be used.
 *
 * ```text
 * hook                            rule                      event
 * inet_sock_set_state SYN_SENT    – (socket remembered)     –
 * net_dev_queue, SYN              connection                CONNECTED
 * inet_sock_set_state LISTEN      port                      LISTENING
 * inet_sock_set_state ESTABLISHED connection (accepted)     ACCEPTED
 * inet_sock_set_state CLOSE       marked as over            CLOSED
 *   of a listener                 port taken back           RELEASED
 * net_dev_queue, UDP(-Lite)       port                      BOUND, CONNECTED
 * ```
 *
 * Less exact than the other variants: a UDP socket is found with its first
 * packet that leaves, so requests to a server that has not answered yet are
 * missed, and nothing tells when a UDP socket is closed: its port is wanted
 * until the process has ended and another one uses the port, or until user
 * space takes the rule back. Of an accepted connection only the process that
 * listens is known, without its name.
 *
 * @module
 */

import { bigEndian, mov } from "../extended/alu.ts";
import {
  type Code,
  label,
  R0,
  R1,
  R10,
  R2,
  R6,
  R7,
  R8,
  R9,
} from "../extended/instruction.ts";
import { exit, jump, jumpIf } from "../extended/jump.ts";
import { load, store } from "../extended/load_store.ts";
import type { KernelTypes } from "./kernel_types.ts";
import { CONNECTION, EVENT, EVENT_TYPE, MAP, MARK, PORT } from "./layout.ts";
import { jumpIfUnusedPort, lookup, remove, result } from "./macros.ts";
import type { Program } from "./program.ts";
import {
  beginEvent,
  callFunction,
  describeOwner,
  endEvent,
  EVENT_PLACE,
  functions,
  MAIN_USED_PORT_PLACE,
} from "./tracker_functions.ts";
import { tracepointProgram } from "./tracker_process.ts";
import {
  describeLocalPort,
  describeProtocol,
  describeSock,
  describeWhole,
  endConnection,
  findSock,
  forgetConnection,
  forgetSock,
  holdSockPort,
  KEY_PLACE,
  oldLocalPort,
  rememberSock,
  setEventType,
  sockIdentity,
  sockPortKey,
  type SockProtocol,
  takePortOver,
  TCP,
  TCP_STATE,
  type TracingAbilities,
  wantConnection,
} from "./tracker_sock.ts";

const UDP = 17;
const UDP_LITE = 136;

/** Key of `ports`, below everything else on the stack. */
const PORT_PLACE = -208;
/** Key of `targets`. */
const TARGET_PLACE = -216;

/** A packet's socket is not trusted enough to be given a cookie. */
const QUEUE_ABILITIES: TracingAbilities = { cookie: false };

/** Builds the two programs of this variant. */
export function tracepointPrograms(
  types: KernelTypes,
  abilities: TracingAbilities,
): Program[] {
  return [stateProgram(types, abilities), queueProgram(types)];
}

/** Arguments of the tracepoint: socket, old state, new state. */
function stateProgram(
  types: KernelTypes,
  abilities: TracingAbilities,
): Program {
  return tracepointProgram(types, "tcp_state", "inet_sock_set_state", [
    mov(R6, R1),
    load("u64", R7, R6, 0),
    load("u32", R1, R6, 16),
    jumpIf(R1, "==", TCP_STATE.SYN_SENT, "connect"),
    jumpIf(R1, "==", TCP_STATE.LISTEN, "listen"),
    jumpIf(R1, "==", TCP_STATE.ESTABLISHED, "established"),
    jumpIf(R1, "!=", TCP_STATE.CLOSE, "done"),

    // End of a connection or of a listener.
    findSock(),
    oldLocalPort(types, "forget"),
    mov(R9, R1),
    bigEndian(R1, 16),
    jumpIfUnusedPort(MAIN_USED_PORT_PLACE, "forget"),
    beginEvent(0),
    describeSock(types),
    mov(R1, R9),
    describeLocalPort(),
    describeProtocol(types, TCP),
    load("u32", R1, R6, 8),
    jumpIf(R1, "==", TCP_STATE.LISTEN, "listener ended"),
    endConnection(types, "forget"),
    jump("forget"),
    label("listener ended"),
    jumpIf(R8, "==", 0, "forget"),
    load("u32", R1, R8, MARK.portKey),
    jumpIf(R1, "==", 0, "forget"),
    callFunction("release_port"),
    setEventType(EVENT_TYPE.RELEASED),
    describeOwner(),
    endEvent(),
    label("forget"),
    jumpIf(R8, "==", 0, "done"),
    forgetSock(),
    jump("done"),

    // The current process calls connect(2); the local port is not chosen.
    label("connect"),
    rememberSock(types, abilities, "connect foreign"),
    jump("done"),
    // The memory of a socket may have been another one's before.
    label("connect foreign"),
    findSock(),
    jumpIf(R8, "==", 0, "done"),
    forgetSock(),
    jump("done"),

    // The current process calls listen(2); nobody can connect yet.
    label("listen"),
    rememberSock(types, abilities, "listen foreign"),
    holdSockPort(types, TCP),
    beginEvent(EVENT_TYPE.LISTENING),
    describeWhole(types, TCP),
    describeOwner(),
    endEvent(),
    jump("done"),
    label("listen foreign"),
    takePortOver(types, TCP, "done"),
    jump("done"),

    // Not in the context of a process.
    label("established"),
    load("u32", R1, R6, 8),
    jumpIf(R1, "!=", TCP_STATE.SYN_RECV, "done"),
    sockPortKey(types, TCP),
    jumpIfUnusedPort(MAIN_USED_PORT_PLACE, "done"),
    beginEvent(EVENT_TYPE.ACCEPTED),
    describeWhole(types, TCP),
    lookupPort(types, TCP),
    jumpIf(R0, "==", 0, "accept foreign"),
    load("u32", R1, R0, PORT.sockets),
    jumpIf(R1, "==", 0, "accept foreign"),
    load("u32", R1, R0, PORT.owner),
    store("u32", R10, EVENT_PLACE + EVENT.tgid, R1),
    sockIdentity(types),
    wantConnection(),
    endEvent(),
    jump("done"),
    label("accept foreign"),
    forgetConnection(types),

    label("done"),
    result(0),
    exit(),
    functions(
      ...["is_target", "emit", "hold_port", "release_port"] as const,
      ...["forget_port", "add_connection", "forget_connection"] as const,
    ),
  ]);
}

/** r0 = rule for the local port of the socket in r7 or null. */
function lookupPort(types: KernelTypes, protocol: SockProtocol): Code {
  return [
    sockPortKey(types, protocol),
    store("u32", R10, PORT_PLACE, R1),
    lookup(MAP.ports, PORT_PLACE),
  ];
}

/**
 * A packet is about to leave. Argument: `struct sk_buff`. Its `sk` may be
 * less than a whole socket unless the state says otherwise.
 */
function queueProgram(types: KernelTypes): Program {
  const state = types.offset("sock", "__sk_common.skc_state");
  return tracepointProgram(types, "net_dev_queue", "net_dev_queue", [
    load("u64", R1, R1, 0),
    load("u64", R7, R1, types.offset("sk_buff", "sk")),
    jumpIf(R7, "==", 0, "done"),
    load("u8", R1, R7, state),
    jumpIf(R1, "==", TCP_STATE.SYN_SENT, "syn"),
    jumpIf(R1, "==", TCP_STATE.CLOSE, "datagram"),
    jumpIf(R1, "!=", TCP_STATE.ESTABLISHED, "done"),
    label("datagram"),
    load("u16", R1, R7, types.offset("sock", "sk_protocol")),
    jumpIf(R1, "==", UDP, "found datagram"),
    jumpIf(R1, "!=", UDP_LITE, "done"),
    label("found datagram"),
    findSock(),
    jumpIf(R8, "==", 0, "unknown"),
    sockPortKey(types, "datagrams"),
    load("u32", R2, R8, MARK.portKey),
    jumpIf(R1, "==", R2, "known"),
    // Bound anew, or its memory belongs to another socket by now.
    mov(R1, R2),
    callFunction("release_port"),
    forgetSock(),
    label("unknown"),
    rememberSock(types, QUEUE_ABILITIES, "datagram foreign"),
    jump("held"),
    label("known"),
    lookupPort(types, "datagrams"),
    jumpIf(R0, "!=", 0, "done"),
    // The rule was taken back although the socket is still in use.
    mov(R1, 0),
    store("u32", R8, MARK.portKey, R1),
    label("held"),
    holdSockPort(types, "datagrams"),
    jumpIf(R0, "==", 0, "done"),
    beginEvent(EVENT_TYPE.BOUND),
    describeWhole(types, "datagrams"),
    load("u16", R1, R10, EVENT_PLACE + EVENT.remotePort),
    jumpIf(R1, "==", 0, "not connected"),
    setEventType(EVENT_TYPE.CONNECTED),
    label("not connected"),
    describeOwner(),
    endEvent(),
    jump("done"),
    // Nothing tells when a socket is closed, but its process is gone: the
    // port belongs to this one now.
    label("datagram foreign"),
    sockPortKey(types, "datagrams"),
    jumpIfUnusedPort(MAIN_USED_PORT_PLACE, "done"),
    lookupPort(types, "datagrams"),
    jumpIf(R0, "==", 0, "done"),
    load("u32", R1, R0, PORT.owner),
    store("u32", R10, TARGET_PLACE, R1),
    lookup(MAP.targets, TARGET_PLACE),
    jumpIf(R0, "!=", 0, "done"),
    remove(MAP.ports, PORT_PLACE),
    jump("done"),

    label("syn"),
    findSock(),
    jumpIf(R8, "==", 0, "syn foreign"),
    beginEvent(EVENT_TYPE.CONNECTED),
    describeWhole(types, TCP),
    // A SYN that is sent again tells nothing new.
    lookup(MAP.connections, KEY_PLACE),
    jumpIf(R0, "==", 0, "syn first"),
    load("u64", R9, R0, CONNECTION.closed),
    jumpIf(R9, "!=", 0, "syn first"),
    load("u64", R9, R0, CONNECTION.netns),
    load("u64", R1, R8, MARK.netns),
    jumpIf(R9, "==", R1, "done"),
    label("syn first"),
    describeOwner(),
    wantConnection(),
    endEvent(),
    jump("done"),
    label("syn foreign"),
    sockPortKey(types, TCP),
    jumpIfUnusedPort(MAIN_USED_PORT_PLACE, "done"),
    sockPortKey(types, TCP),
    callFunction("forget_port"),
    beginEvent(0),
    describeWhole(types, TCP),
    forgetConnection(types),

    label("done"),
    result(0),
    exit(),
    functions(
      ...["is_target", "emit", "hold_port", "release_port"] as const,
      ...["forget_port", "add_connection", "forget_connection"] as const,
    ),
  ]);
}
