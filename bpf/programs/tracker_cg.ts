/**
 * The tracker's variant `cg`: programs at the root of the cgroup2 hierarchy,
 * where every socket of the machine passes.
 *
 * What each hook is for, in the order of a socket's life:
 *
 * ```text
 * hook              socket gets   rule that is added           event
 * sock_create       mark          –                            (CREATED)
 * bind4/6           mark          –                            –
 * post_bind4/6      mark          port                         BOUND, or RIVAL
 * connect4/6        mark          –                            –
 * sendmsg4/6        mark          port (UDP)                   BOUND
 * getsockname4/6    –             port (UDP)                   BOUND
 * sock_ops connect  (mark)        connection, port taken back  CONNECTED
 * sock_ops listen   (mark)        port                         LISTENING, or RIVAL
 * sock_ops passive  its own mark  connection                   ACCEPTED
 * egress            –             port (UDP)                   BOUND, CONNECTED
 * sock_release      –             port taken back              RELEASED
 * inet_sock_set_state (tracepoint)  connection marked as over  CLOSED
 * ```
 *
 * A mark says that the program owns the socket; it is given where a process
 * of the program makes or first uses it, so inherited and passed sockets are
 * found, too. Every rule is in place before the first packet: connections
 * before the SYN leaves, ports before anybody can send to them.
 *
 * A socket without mark that takes over a connection's addresses or an unused
 * port removes the rule; one that gets a port in use is told of.
 *
 * @module
 */

import { bigEndian, mov } from "../extended/alu.ts";
import { loadField, SOCK } from "../extended/context.ts";
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
import { call, jump, jumpIf } from "../extended/jump.ts";
import { load, loadMapValue, store } from "../extended/load_store.ts";
import type { AttachType } from "../extended/program_type.ts";
import {
  ADDR_FLAVOR,
  AF_INET,
  cgroupProgram,
  describeIdentity,
  describeKind,
  describeSocket,
  ensureMark,
  findMark,
  giveMark,
  PORT_FUNCTIONS,
  portKeyOf,
  protocolOf,
  SOCK_FLAVOR,
  storageOf,
  storeAddress,
  TCP,
} from "./cgroup_program.ts";
import { connectProgram, egressProgram, portProgram } from "./cgroup_udp.ts";
import { CONFIG, EVENT, EVENT_TYPE, MAP, MARK } from "./layout.ts";
import type { Program } from "./program.ts";
import {
  beginEvent,
  callFunction,
  describeCurrent,
  endEvent,
  EVENT_PLACE,
} from "./tracker_functions.ts";

/** Builds all programs but the one for sock_ops. */
export function cgroupPrograms(): Program[] {
  return [
    createProgram(),
    bindProgram("bind4", "CGROUP_INET4_BIND"),
    bindProgram("bind6", "CGROUP_INET6_BIND"),
    postBindProgram("post_bind4", "CGROUP_INET4_POST_BIND", AF_INET),
    postBindProgram("post_bind6", "CGROUP_INET6_POST_BIND", undefined),
    connectProgram("connect4", "CGROUP_INET4_CONNECT"),
    connectProgram("connect6", "CGROUP_INET6_CONNECT"),
    portProgram("sendmsg4", "CGROUP_UDP4_SENDMSG", true),
    portProgram("sendmsg6", "CGROUP_UDP6_SENDMSG", true),
    portProgram("getsockname4", "CGROUP_INET4_GETSOCKNAME", false),
    portProgram("getsockname6", "CGROUP_INET6_GETSOCKNAME", false),
    egressProgram(),
    releaseProgram(),
  ];
}

function createProgram(): Program {
  return cgroupProgram(
    "sock_create",
    "CGROUP_SOCK",
    "CGROUP_INET_SOCK_CREATE",
    [
      mov(R6, R1),
      mov(R7, R1),
      giveMark(SOCK_FLAVOR, "permit"),
      // Where packets flow already, the socket itself is no news.
      load("u64", R1, R8, MARK.netns),
      jumpIf(R1, "==", 0, "permit"),
      loadMapValue(R2, MAP.config),
      load("u64", R2, R2, CONFIG.netns),
      jumpIf(R1, "==", R2, "permit"),
      protocolOf(R6, "permit"),
      beginEvent(EVENT_TYPE.CREATED),
      describeSocket(R6),
      endEvent(),
    ],
    ["is_target", "emit"],
  );
}

/** Before bind(2): sockets that the program got from elsewhere. */
function bindProgram(name: string, attachType: AttachType): Program {
  return cgroupProgram(name, "CGROUP_SOCK_ADDR", attachType, [
    mov(R6, R1),
    ensureMark(ADDR_FLAVOR, "permit", "marked"),
  ], ["is_target"]);
}

/** After bind(2), with the port; also what bind(2) to port 0 chose. */
function postBindProgram(
  name: string,
  attachType: AttachType,
  family: number | undefined,
): Program {
  return cgroupProgram(name, "CGROUP_SOCK", attachType, [
    mov(R6, R1),
    protocolOf(R6, "permit"),
    ensureMarkKeepingProtocol("foreign"),
    // The port key goes through the stack: r9 is the protocol.
    portKeyOf(SOCK.srcPort, R6),
    mov(R2, R1),
    mov(R1, R8),
    callFunction("hold_port"),
    jumpIf(R0, "==", 0, "permit"),
    beginEvent(EVENT_TYPE.BOUND),
    describeSocket(R6),
    describeBound(family),
    endEvent(),
    jump("permit"),
    label("foreign"),
    portKeyOf(SOCK.srcPort, R6),
    callFunction("forget_port"),
    jumpIf(R0, "==", 0, "permit"),
    // Of TCP, listening matters.
    jumpIf(R9, "==", TCP, "permit"),
    beginEvent(EVENT_TYPE.RIVAL),
    describeIdentity(true),
    describeKind(R6),
    describeBound(family),
    endEvent(),
  ], [...PORT_FUNCTIONS, "forget_port"]);
}

/** The local end of the socket that is the context. */
function describeBound(family: number | undefined): Code {
  return [
    storeAddress(family, R6, SOCK.srcIp4, SOCK.srcIp6, EVENT.local),
    loadField(R1, R6, SOCK.srcPort),
    store("u16", R10, EVENT_PLACE + EVENT.localPort, R1),
  ];
}

/** {@linkcode ensureMark} for the context as socket; r9 survives. */
function ensureMarkKeepingProtocol(notOurs: string): Code {
  const saved = EVENT_PLACE - 8;
  return [
    store("u64", R10, saved, R9),
    mov(R7, R6),
    storageOf(0),
    mov(R8, R0),
    jumpIf(R8, "!=", 0, "marked"),
    giveMark(SOCK_FLAVOR, "restore"),
    jump("marked"),
    label("restore"),
    load("u64", R9, R10, saved),
    jump(notOurs),
    label("marked"),
    load("u64", R9, R10, saved),
  ];
}

/** The last descriptor is closed. */
function releaseProgram(): Program {
  return cgroupProgram(
    "sock_release",
    "CGROUP_SOCK",
    "CGROUP_INET_SOCK_RELEASE",
    [
      mov(R6, R1),
      findMark(SOCK_FLAVOR, "permit"),
      jumpIf(R8, "==", 0, "permit"),
      // A copy of the listener's mark holds nothing.
      mov(R1, R6),
      call("get_socket_cookie"),
      load("u64", R1, R8, MARK.cookie),
      jumpIf(R0, "!=", R1, "permit"),
      protocolOf(R6, "permit"),
      // The end of a connection is told by its state.
      jumpIf(R9, "!=", TCP, "tell"),
      load("u32", R1, R8, MARK.portKey),
      jumpIf(R1, "!=", 0, "tell"),
      loadField(R1, R6, SOCK.dstPort),
      bigEndian(R1, 16),
      jumpIf(R1, "!=", 0, "permit"),
      label("tell"),
      beginEvent(EVENT_TYPE.RELEASED),
      describeSocket(R6),
      loadField(R1, R6, SOCK.dstPort),
      bigEndian(R1, 16),
      store("u16", R10, EVENT_PLACE + EVENT.remotePort, R1),
      describeCurrent(),
      load("u32", R1, R8, MARK.portKey),
      jumpIf(R1, "==", 0, "released"),
      store("u16", R10, EVENT_PLACE + EVENT.localPort, R1),
      mov(R2, 0),
      store("u32", R8, MARK.portKey, R2),
      callFunction("release_port"),
      label("released"),
      endEvent(),
    ],
    ["emit", "release_port"],
  );
}
