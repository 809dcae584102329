/**
 * Pieces for programs that get a `struct sock` of the kernel, at tracepoints
 * and functions: reading it, remembering it, and the end of connections.
 *
 * Programs keep the socket in r7 and its mark in r8.
 *
 * @module
 */

import { bigEndian, lsh, mov, or, rsh, sub } from "../extended/alu.ts";
import {
  type Code,
  label,
  R0,
  R1,
  R10,
  R2,
  R3,
  R7,
  R8,
  R9,
  scope,
} from "../extended/instruction.ts";
import { call, exit, jump, jumpIf } from "../extended/jump.ts";
import { load, store } from "../extended/load_store.ts";
import type { KernelTypes } from "./kernel_types.ts";
import {
  COMM_LENGTH,
  CONNECTION,
  CONNECTION_KEY,
  COUNTERS,
  EVENT,
  EVENT_TYPE,
  MAP,
  MARK,
  SOCK_KEY_SIZE,
} from "./layout.ts";
import {
  clearStack,
  copy,
  jumpIfUnusedPort,
  lookup,
  remove,
  result,
  stackAddress,
  storeMapped,
  update,
} from "./macros.ts";
import type { Program } from "./program.ts";
import {
  beginEvent,
  callFunction,
  countLoss,
  endEvent,
  EVENT_PLACE,
  functions,
  MAIN_USED_PORT_PLACE,
} from "./tracker_functions.ts";
import { tracepointProgram } from "./tracker_process.ts";

/** States of TCP sockets, include/net/tcp_states.h. */
export const TCP_STATE = {
  ESTABLISHED: 1,
  SYN_SENT: 2,
  SYN_RECV: 3,
  CLOSE: 7,
  LISTEN: 10,
} as const;

const AF_INET = 2;
/** IPPROTO_TCP. */
export const TCP = 6;

/** Place of a connection's key on the stack, below the event. */
export const KEY_PLACE = EVENT_PLACE - CONNECTION_KEY.size;

/**
 * Writes family, addresses and the remote port of the socket in r7 into key
 * and event; r1 and r2 are lost. The local port is left to the caller: where
 * it stands depends on the state.
 */
export function describeSock(types: KernelTypes): Code {
  const common = (name: string): number =>
    types.offset("sock", `__sk_common.${name}`);
  const local = EVENT_PLACE + EVENT.local;
  const remote = EVENT_PLACE + EVENT.remote;
  return [
    clearStack(KEY_PLACE, CONNECTION_KEY.size),
    load("u16", R1, R7, common("skc_dport")),
    store("u16", R10, KEY_PLACE + CONNECTION_KEY.remotePort, R1),
    bigEndian(R1, 16),
    store("u16", R10, EVENT_PLACE + EVENT.remotePort, R1),
    load("u16", R2, R7, common("skc_family")),
    store("u16", R10, EVENT_PLACE + EVENT.family, R2),
    scope([
      jumpIf(R2, "==", AF_INET, "ipv4"),
      copy(R10, local, R7, common("skc_v6_rcv_saddr"), 16, R1),
      copy(R10, remote, R7, common("skc_v6_daddr"), 16, R1),
      jump("done"),
      label("ipv4"),
      load("u32", R1, R7, common("skc_rcv_saddr")),
      storeMapped(local, R1),
      load("u32", R1, R7, common("skc_daddr")),
      storeMapped(remote, R1),
      label("done"),
    ]),
    copy(R10, KEY_PLACE, R10, local, 32, R1),
  ];
}

/** Writes a local port in r1, in network order, into key and event. */
export function describeLocalPort(): Code {
  return [
    store("u16", R10, KEY_PLACE + CONNECTION_KEY.localPort, R1),
    bigEndian(R1, 16),
    store("u16", R10, EVENT_PLACE + EVENT.localPort, R1),
  ];
}

/** TCP, or UDP and UDP-Lite, of which the socket itself tells one. */
export type SockProtocol = typeof TCP | "datagrams";

/** r2 = protocol of the socket in r7. */
function sockProtocol(types: KernelTypes, protocol: SockProtocol): Code {
  return protocol === TCP
    ? mov(R2, TCP)
    : load("u16", R2, R7, types.offset("sock", "sk_protocol"));
}

/** Writes the protocol into key and event; r2 is lost. */
export function describeProtocol(
  types: KernelTypes,
  protocol: SockProtocol,
): Code {
  return [
    sockProtocol(types, protocol),
    store("u32", R10, KEY_PLACE + CONNECTION_KEY.protocol, R2),
    store("u16", R10, EVENT_PLACE + EVENT.protocol, R2),
  ];
}

/**
 * r1 = local port of the TCP socket in r7, in network order, also when
 * the socket has given it back; `target` is next for other sockets.
 */
export function oldLocalPort(types: KernelTypes, target: string): Code {
  return [
    mov(R1, R7),
    call("skc_to_tcp_sock"),
    jumpIf(R0, "==", 0, target),
    load(
      "u16",
      R1,
      R0,
      types.offset("tcp_sock", "inet_conn.icsk_inet.inet_sport"),
    ),
  ];
}

/**
 * Marks the connection on the stack, of the socket in r7, as over, unless one
 * in another namespace has the same ends, and tells. r9 is lost.
 */
export function endConnection(types: KernelTypes, done: string): Code {
  return [
    lookup(MAP.connections, KEY_PLACE),
    jumpIf(R0, "==", 0, done),
    load("u64", R1, R0, CONNECTION.closed),
    jumpIf(R1, "!=", 0, done),
    mov(R9, R0),
    load("u64", R1, R9, CONNECTION.others),
    scope([
      jumpIf(R1, "==", 0, "last"),
      sub(R1, 1),
      store("u64", R9, CONNECTION.others, R1),
      store("u64", R9, CONNECTION.cookie, 0),
      jump("ended"),
      label("last"),
      call("ktime_get_ns"),
      store("u64", R9, CONNECTION.closed, R0),
      label("ended"),
    ]),
    sockIdentity(types),
    store("u32", R10, EVENT_PLACE + EVENT.type, EVENT_TYPE.CLOSED),
    endEvent(),
  ];
}

/** Arguments of the tracepoint: socket, old state, new state. */
export function closeProgram(types: KernelTypes): Program {
  return tracepointProgram(types, "tcp_close", "inet_sock_set_state", [
    load("u32", R2, R1, 16),
    jumpIf(R2, "!=", TCP_STATE.CLOSE, "done"),
    load("u32", R3, R1, 8),
    load("u64", R7, R1, 0),
    jumpIf(R3, "==", TCP_STATE.LISTEN, "done"),
    oldLocalPort(types, "done"),
    mov(R8, R1),
    bigEndian(R1, 16),
    jumpIfUnusedPort(MAIN_USED_PORT_PLACE, "done"),
    beginEvent(0),
    describeSock(types),
    mov(R1, R8),
    describeLocalPort(),
    describeProtocol(types, TCP),
    endConnection(types, "done"),
    label("done"),
    result(0),
    exit(),
    functions("emit"),
  ]);
}

/** What tracing programs may do; less on older kernels. */
export interface TracingAbilities {
  /** Give a socket its cookie. Requires kernel 5.12. */
  readonly cookie: boolean;
}

/** Abilities to try, best first. */
export const TRACING_ABILITIES: readonly TracingAbilities[] = [
  { cookie: true },
  { cookie: false },
];

const MARK_PLACE = KEY_PLACE - MARK.size;
const SOCK_KEY_PLACE = MARK_PLACE - SOCK_KEY_SIZE;

/** r8 = mark of the socket in r7 or null. */
export function findSock(): Code {
  return [
    store("u64", R10, SOCK_KEY_PLACE, R7),
    lookup(MAP.socks, SOCK_KEY_PLACE),
    mov(R8, R0),
  ];
}

/** Forgets the socket in r7 after {@linkcode findSock}. */
export function forgetSock(): Code {
  return remove(MAP.socks, SOCK_KEY_PLACE);
}

/**
 * Remembers the socket in r7 if the current process is traced: r8 = its mark;
 * otherwise `target` is next. r9 is lost.
 */
export function rememberSock(
  types: KernelTypes,
  abilities: TracingAbilities,
  target: string,
): Code {
  return [
    callFunction("is_target"),
    jumpIf(R0, "==", 0, target),
    mov(R9, R0),
    clearStack(MARK_PLACE, MARK.size),
    store("u32", R10, MARK_PLACE + MARK.tid, R9),
    rsh(R9, 32),
    store("u32", R10, MARK_PLACE + MARK.tgid, R9),
    abilities.cookie
      ? [mov(R1, R7), call("get_socket_cookie")]
      : load("u64", R0, R7, types.offset("sock", "__sk_common.skc_cookie")),
    store("u64", R10, MARK_PLACE + MARK.cookie, R0),
    netnsOf(types),
    store("u64", R10, MARK_PLACE + MARK.netns, R0),
    stackAddress(R1, MARK_PLACE + MARK.comm),
    mov(R2, COMM_LENGTH),
    call("get_current_comm"),
    store("u64", R10, SOCK_KEY_PLACE, R7),
    update(MAP.socks, SOCK_KEY_PLACE, MARK_PLACE),
    findSock(),
    scope([
      jumpIf(R8, "!=", 0, "remembered"),
      countLoss(COUNTERS.lostSockets),
      jump(target),
      label("remembered"),
    ]),
  ];
}

/** r0 = cookie of the network namespace of the socket in r7. */
export function netnsOf(types: KernelTypes): Code {
  const cookie = types.optionalOffset("net", "net_cookie");
  return cookie === undefined ? mov(R0, 0) : [
    load("u64", R0, R7, types.offset("sock", "__sk_common.skc_net.net")),
    load("u64", R0, R0, cookie),
  ];
}

/** r1 = key in `ports` of the local port of the socket in r7; r2 is lost. */
export function sockPortKey(types: KernelTypes, protocol: SockProtocol): Code {
  return [
    load("u16", R1, R7, types.offset("sock", "__sk_common.skc_num")),
    sockProtocol(types, protocol),
    lsh(R2, 16),
    or(R1, R2),
  ];
}

/** r1 = local port of the socket in r7, in network order. */
export function sockLocalPort(types: KernelTypes): Code {
  return [
    load("u16", R1, R7, types.offset("sock", "__sk_common.skc_num")),
    bigEndian(R1, 16),
  ];
}

/** Fills key and event from the socket in r7. */
export function describeWhole(
  types: KernelTypes,
  protocol: SockProtocol,
): Code {
  return [
    describeSock(types),
    sockLocalPort(types),
    describeLocalPort(),
    describeProtocol(types, protocol),
  ];
}

/** Wants the connection on the stack; the event tells its owner already. */
export function wantConnection(): Code {
  return [
    stackAddress(R1, KEY_PLACE),
    stackAddress(R2, EVENT_PLACE),
    callFunction("add_connection"),
  ];
}

/** The connection on the stack is not the program's; r7 is its socket. */
export function forgetConnection(types: KernelTypes): Code {
  return [
    netnsOf(types),
    mov(R2, R0),
    stackAddress(R1, KEY_PLACE),
    callFunction("forget_connection"),
  ];
}

/** The mark in r8 holds the local port; r0 = whether it is new. */
export function holdSockPort(types: KernelTypes, protocol: SockProtocol): Code {
  return [
    sockPortKey(types, protocol),
    mov(R2, R1),
    mov(R1, R8),
    callFunction("hold_port"),
  ];
}

/**
 * The socket in r7 is not the program's: takes over a port that the program
 * does not use any more, or tells that both have it. Ends before `done`.
 */
export function takePortOver(
  types: KernelTypes,
  protocol: SockProtocol,
  done: string,
): Code {
  return [
    sockPortKey(types, protocol),
    callFunction("forget_port"),
    jumpIf(R0, "==", 0, done),
    beginEvent(EVENT_TYPE.RIVAL),
    describeWhole(types, protocol),
    sockIdentity(types),
    endEvent(),
  ];
}

/** Cookies of the socket in r7 into the event; the socket's may be missing. */
export function sockIdentity(types: KernelTypes): Code {
  return [
    load("u64", R1, R7, types.offset("sock", "__sk_common.skc_cookie")),
    store("u64", R10, EVENT_PLACE + EVENT.cookie, R1),
    netnsOf(types),
    store("u64", R10, EVENT_PLACE + EVENT.netns, R0),
  ];
}

/** Sets the type of the event. */
export function setEventType(type: number): Code {
  return store("u32", R10, EVENT_PLACE + EVENT.type, type);
}
