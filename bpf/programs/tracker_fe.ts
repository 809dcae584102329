/**
 * The tracker's variant `fe`: trampolines at five functions of the kernel, for
 * machines where cgroups cannot be used.
 *
 * ```text
 * hook                      rule               event
 * fentry tcp_connect        connection         CONNECTED
 * fexit inet_csk_accept     connection         ACCEPTED
 * fexit inet_csk_get_port   port               BOUND
 * fexit udp_lib_get_port    port               BOUND
 * fentry inet_release       port taken back    RELEASED
 * inet_sock_set_state       marked as over     CLOSED
 * ```
 *
 * Sockets are remembered by address. Each trampoline may take hundreds of
 * milliseconds to attach and to detach.
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
  R6,
  R7,
  R8,
} from "../extended/instruction.ts";
import { exit, jump, jumpIf } from "../extended/jump.ts";
import { load, store } from "../extended/load_store.ts";
import type { KernelFunction, KernelTypes } from "./kernel_types.ts";
import { EVENT, EVENT_TYPE, MARK } from "./layout.ts";
import { jumpIfUnusedPort, result } from "./macros.ts";
import { type Program, program } from "./program.ts";
import {
  beginEvent,
  callFunction,
  describeCurrent,
  describeOwner,
  endEvent,
  EVENT_PLACE,
  type FunctionName,
  functions,
  MAIN_USED_PORT_PLACE,
} from "./tracker_functions.ts";
import {
  closeProgram,
  describeWhole,
  findSock,
  forgetConnection,
  forgetSock,
  holdSockPort,
  rememberSock,
  sockPortKey,
  type SockProtocol,
  takePortOver,
  TCP,
  type TracingAbilities,
  wantConnection,
} from "./tracker_sock.ts";

/** Builds the programs of this variant. */
export function trampolinePrograms(
  types: KernelTypes,
  abilities: TracingAbilities,
): Program[] {
  return [
    connectProgram(types, abilities),
    acceptProgram(types, abilities),
    portProgram(types, abilities, "tcp_port", "inet_csk_get_port", TCP),
    portProgram(types, abilities, "udp_port", "udp_lib_get_port", "datagrams"),
    releaseProgram(types),
    closeProgram(types),
  ];
}

function functionProgram(
  types: KernelTypes,
  name: string,
  place: "TRACE_FENTRY" | "TRACE_FEXIT",
  target: KernelFunction,
  code: Code,
  used: readonly FunctionName[],
): Program {
  return program(name, "TRACING", {
    kind: "tracing",
    type: place,
    btfId: types.function(target),
  }, [
    mov(R6, R1),
    code,
    label("done"),
    result(0),
    exit(),
    functions(...used),
  ]);
}

/** tcp_connect(sk): addresses and ports are set, the SYN is not sent. */
function connectProgram(
  types: KernelTypes,
  abilities: TracingAbilities,
): Program {
  return functionProgram(types, "tcp_connect", "TRACE_FENTRY", "tcp_connect", [
    load("u64", R7, R6, 0),
    rememberSock(types, abilities, "foreign"),
    beginEvent(EVENT_TYPE.CONNECTED),
    describeWhole(types, TCP),
    describeOwner(),
    wantConnection(),
    endEvent(),
    jump("done"),
    label("foreign"),
    sockPortKey(types, TCP),
    jumpIfUnusedPort(MAIN_USED_PORT_PLACE, "done"),
    sockPortKey(types, TCP),
    callFunction("forget_port"),
    beginEvent(0),
    describeWhole(types, TCP),
    forgetConnection(types),
  ], [
    "is_target",
    "emit",
    "forget_port",
    "add_connection",
    "forget_connection",
  ]);
}

/** inet_csk_accept() returns the connection's socket or null. */
function acceptProgram(
  types: KernelTypes,
  abilities: TracingAbilities,
): Program {
  const result = types.argumentCount("inet_csk_accept") * 8;
  return functionProgram(
    types,
    "tcp_accept",
    "TRACE_FEXIT",
    "inet_csk_accept",
    [
      load("u64", R7, R6, result),
      jumpIf(R7, "==", 0, "done"),
      rememberSock(types, abilities, "foreign"),
      beginEvent(EVENT_TYPE.ACCEPTED),
      describeWhole(types, TCP),
      describeOwner(),
      wantConnection(),
      endEvent(),
      jump("done"),
      label("foreign"),
      sockPortKey(types, TCP),
      jumpIfUnusedPort(MAIN_USED_PORT_PLACE, "done"),
      beginEvent(0),
      describeWhole(types, TCP),
      forgetConnection(types),
    ],
    ["is_target", "emit", "add_connection", "forget_connection"],
  );
}

/** A socket got its local port: by bind(2), listen(2), or with a datagram. */
function portProgram(
  types: KernelTypes,
  abilities: TracingAbilities,
  name: string,
  target: "inet_csk_get_port" | "udp_lib_get_port",
  protocol: SockProtocol,
): Program {
  const result = types.argumentCount(target) * 8;
  return functionProgram(types, name, "TRACE_FEXIT", target, [
    load("u32", R1, R6, result),
    jumpIf(R1, "!=", 0, "done"),
    load("u64", R7, R6, 0),
    rememberSock(types, abilities, "foreign"),
    holdSockPort(types, protocol),
    jumpIf(R0, "==", 0, "done"),
    beginEvent(EVENT_TYPE.BOUND),
    describeWhole(types, protocol),
    describeOwner(),
    endEvent(),
    jump("done"),
    label("foreign"),
    takePortOver(types, protocol, "done"),
  ], ["is_target", "emit", "hold_port", "release_port", "forget_port"]);
}

/** inet_release(socket): the last descriptor is closed. */
function releaseProgram(types: KernelTypes): Program {
  return functionProgram(
    types,
    "sock_release",
    "TRACE_FENTRY",
    "inet_release",
    [
      load("u64", R7, R6, 0),
      load("u64", R7, R7, types.offset("socket", "sk")),
      jumpIf(R7, "==", 0, "done"),
      findSock(),
      jumpIf(R8, "==", 0, "done"),
      beginEvent(EVENT_TYPE.RELEASED),
      load("u16", R1, R7, types.offset("sock", "sk_protocol")),
      store("u16", R10, EVENT_PLACE + EVENT.protocol, R1),
      load("u16", R1, R7, types.offset("sock", "__sk_common.skc_family")),
      store("u16", R10, EVENT_PLACE + EVENT.family, R1),
      load("u16", R1, R7, types.offset("sock", "__sk_common.skc_dport")),
      bigEndian(R1, 16),
      store("u16", R10, EVENT_PLACE + EVENT.remotePort, R1),
      describeOwner(),
      describeCurrent(),
      load("u32", R1, R8, MARK.portKey),
      jumpIf(R1, "==", 0, "released"),
      store("u16", R10, EVENT_PLACE + EVENT.localPort, R1),
      callFunction("release_port"),
      label("released"),
      endEvent(),
      forgetSock(),
    ],
    ["emit", "release_port"],
  );
}
