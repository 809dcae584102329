/**
 * The program for operations of TCP sockets (sock_ops).
 *
 * @module
 */

import { and, bigEndian, mov, or } from "../extended/alu.ts";
import { loadField, SOCK_OPS, SOCK_OPS_OP } from "../extended/context.ts";
import {
  type Code,
  label,
  R0,
  R1,
  R10,
  R2,
  R6,
  R8,
  R9,
  scope,
} from "../extended/instruction.ts";
import { call, jump, jumpIf } from "../extended/jump.ts";
import { load, store } from "../extended/load_store.ts";
import {
  AF_INET,
  cgroupProgram,
  describeIdentity,
  findMark,
  type Flavor,
  giveMark,
  ownIdentity,
  type SockOpsAbilities,
  storeAddress,
  TCP,
} from "./cgroup_program.ts";
import { CONNECTION_KEY, EVENT, EVENT_TYPE, MARK } from "./layout.ts";
import { copy, jumpIfUnusedPort, stackAddress } from "./macros.ts";
import type { Program } from "./program.ts";
import {
  beginEvent,
  callFunction,
  describeOwner,
  endEvent,
  EVENT_PLACE,
  type FunctionName,
  MAIN_USED_PORT_PLACE,
} from "./tracker_functions.ts";

/** Key of `conns`, below the event. */
const KEY = EVENT_PLACE - CONNECTION_KEY.size;

/** Abilities to try, best first. */
export const SOCK_OPS_ABILITIES: readonly SockOpsAbilities[] = [
  { process: true, comm: true, netns: true },
  { process: true, comm: false, netns: true },
  { process: false, comm: false, netns: true },
  { process: false, comm: false, netns: false },
];

/**
 * Builds the program for TCP sockets' operations. The connection is complete
 * at each of them, and for connect no packet was sent yet.
 */
export function sockOpsProgram(abilities: SockOpsAbilities): Program {
  const flavor: Flavor = { sk: SOCK_OPS.sk, abilities };
  const { process, netns } = abilities;
  const giveMarkIfPossible = (foreign: string): Code =>
    process ? giveMark(flavor, foreign) : jump(foreign);
  const used: FunctionName[] = [
    ...(process ? ["is_target" as const] : []),
    ...["emit", "hold_port", "release_port", "forget_port"] as const,
    ...["add_connection", "forget_connection"] as const,
  ];
  return cgroupProgram("sock_ops", "SOCK_OPS", "CGROUP_SOCK_OPS", [
    mov(R6, R1),
    loadField(R9, R6, SOCK_OPS.op),
    jumpIf(R9, "==", SOCK_OPS_OP.TCP_CONNECT_CB, "find"),
    jumpIf(R9, "==", SOCK_OPS_OP.PASSIVE_ESTABLISHED_CB, "find"),
    jumpIf(R9, "!=", SOCK_OPS_OP.TCP_LISTEN_CB, "permit"),
    label("find"),
    findMark(flavor, "permit"),
    jumpIf(R8, "!=", 0, "ours"),
    jumpIf(R9, "==", SOCK_OPS_OP.PASSIVE_ESTABLISHED_CB, "foreign"),
    // The program may use a socket that it got from elsewhere.
    giveMarkIfPossible("foreign"),
    label("ours"),
    beginEvent(0),
    describeConnection(),
    connectionKey(),
    loadField(R9, R6, SOCK_OPS.op),
    jumpIf(R9, "==", SOCK_OPS_OP.PASSIVE_ESTABLISHED_CB, "passive"),
    jumpIf(R9, "==", SOCK_OPS_OP.TCP_LISTEN_CB, "listen"),
    wantConnection(),
    // bind(2) came before: the connection is the narrower rule.
    load("u32", R1, R8, MARK.portKey),
    jumpIf(R1, "==", 0, "connected"),
    mov(R2, 0),
    store("u32", R8, MARK.portKey, R2),
    callFunction("release_port"),
    label("connected"),
    setEventType(EVENT_TYPE.CONNECTED),
    jump("send event"),

    label("passive"),
    ownIdentity({ ...abilities, netns: false }),
    mov(R1, 0),
    store("u32", R8, MARK.portKey, R1),
    wantConnection(),
    setEventType(EVENT_TYPE.ACCEPTED),
    jump("send event"),

    label("listen"),
    tcpPortKey(),
    mov(R2, R1),
    mov(R1, R8),
    callFunction("hold_port"),
    describeOwner(),
    setEventType(EVENT_TYPE.LISTENING),

    label("send event"),
    endEvent(),
    jump("permit"),

    // Takes over what the program does not use any more.
    label("foreign"),
    tcpPortKey(),
    jumpIfUnusedPort(MAIN_USED_PORT_PLACE, "permit"),
    loadField(R9, R6, SOCK_OPS.op),
    jumpIf(R9, "==", SOCK_OPS_OP.PASSIVE_ESTABLISHED_CB, "connection"),
    tcpPortKey(),
    callFunction("forget_port"),
    jumpIf(R9, "!=", SOCK_OPS_OP.TCP_LISTEN_CB, "connection"),
    jumpIf(R0, "==", 0, "permit"),
    beginEvent(EVENT_TYPE.RIVAL),
    describeConnection(),
    describeIdentity(netns),
    endEvent(),
    jump("permit"),
    label("connection"),
    beginEvent(0),
    describeConnection(),
    connectionKey(),
    netns ? [mov(R1, R6), call("get_netns_cookie")] : mov(R0, 0),
    mov(R2, R0),
    stackAddress(R1, KEY),
    callFunction("forget_connection"),
  ], [...used]);
}

function setEventType(type: number): Code {
  return store("u32", R10, EVENT_PLACE + EVENT.type, type);
}

/** r1 = key in `ports` of the local port. */
function tcpPortKey(): Code {
  return [
    loadField(R1, R6, SOCK_OPS.localPort),
    and(R1, 0xffff),
    or(R1, TCP << 16),
  ];
}

function wantConnection(): Code {
  return [
    describeOwner(),
    stackAddress(R1, KEY),
    stackAddress(R2, EVENT_PLACE),
    callFunction("add_connection"),
  ];
}

/** Family, addresses and ports of a TCP socket into the event. */
function describeConnection(): Code {
  const { localIp4, localIp6, remoteIp4, remoteIp6 } = SOCK_OPS;
  return [
    store("u16", R10, EVENT_PLACE + EVENT.protocol, TCP),
    loadField(R1, R6, SOCK_OPS.localPort),
    store("u16", R10, EVENT_PLACE + EVENT.localPort, R1),
    loadField(R1, R6, SOCK_OPS.remotePort),
    bigEndian(R1, 32),
    and(R1, 0xffff),
    store("u16", R10, EVENT_PLACE + EVENT.remotePort, R1),
    loadField(R1, R6, SOCK_OPS.family),
    store("u16", R10, EVENT_PLACE + EVENT.family, R1),
    scope([
      jumpIf(R1, "==", AF_INET, "ipv4"),
      storeAddress(undefined, R6, localIp4, localIp6, EVENT.local),
      storeAddress(undefined, R6, remoteIp4, remoteIp6, EVENT.remote),
      jump("stored"),
      label("ipv4"),
      storeAddress(AF_INET, R6, localIp4, localIp6, EVENT.local),
      storeAddress(AF_INET, R6, remoteIp4, remoteIp6, EVENT.remote),
      label("stored"),
    ]),
  ];
}

/** Builds the key of `conns` from the event. */
function connectionKey(): Code {
  return [
    copy(R10, KEY, R10, EVENT_PLACE + EVENT.local, 32, R1),
    load("u16", R1, R10, EVENT_PLACE + EVENT.localPort),
    bigEndian(R1, 16),
    store("u16", R10, KEY + CONNECTION_KEY.localPort, R1),
    load("u16", R1, R10, EVENT_PLACE + EVENT.remotePort),
    bigEndian(R1, 16),
    store("u16", R10, KEY + CONNECTION_KEY.remotePort, R1),
    store("u32", R10, KEY + CONNECTION_KEY.protocol, TCP),
  ];
}
