/**
 * Programs at cgroup hooks that follow UDP and UDP-Lite sockets, whose local
 * ports are mostly chosen by the kernel, at one of several places.
 *
 * @module
 */

import { and, bigEndian, mov, or } from "../extended/alu.ts";
import { loadField, SK_BUFF, SOCK, SOCK_ADDR } from "../extended/context.ts";
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
  type Register,
} from "../extended/instruction.ts";
import { call, jump, jumpIf } from "../extended/jump.ts";
import { load, store } from "../extended/load_store.ts";
import type { AttachType } from "../extended/program_type.ts";
import {
  ADDR_FLAVOR,
  AF_INET,
  cgroupProgram,
  describeSocket,
  ensureMark,
  findMark,
  jumpUnlessDatagrams,
  PORT_FUNCTIONS,
  portKeyOf,
  storageOf,
  storeAddress,
} from "./cgroup_program.ts";
import { EVENT, EVENT_TYPE, MARK, MARK_FLAG } from "./layout.ts";
import type { Program } from "./program.ts";
import {
  beginEvent,
  callFunction,
  endEvent,
  EVENT_PLACE,
} from "./tracker_functions.ts";

/** connect(2), before anything is done. */
export function connectProgram(
  name: string,
  attachType: AttachType,
): Program {
  return cgroupProgram(name, "CGROUP_SOCK_ADDR", attachType, [
    mov(R6, R1),
    ensureMark(ADDR_FLAVOR, "permit", "marked"),
    loadField(R9, R6, SOCK_ADDR.protocol),
    jumpUnlessDatagrams("permit"),
    load("u32", R1, R8, MARK.flags),
    or(R1, MARK_FLAG.REMOTE_CHANGED),
    store("u32", R8, MARK.flags, R1),
  ], ["is_target"]);
}

/**
 * Places where the local port of a UDP socket is known that was chosen by the
 * kernel: a datagram to an explicit address, and getsockname(2), which a
 * program calls that tells its port to somebody before it sends.
 */
export function portProgram(
  name: string,
  attachType: AttachType,
  marks: boolean,
): Program {
  return cgroupProgram(name, "CGROUP_SOCK_ADDR", attachType, [
    mov(R6, R1),
    loadField(R9, R6, SOCK_ADDR.protocol),
    jumpUnlessDatagrams("permit"),
    marks
      ? ensureMark(ADDR_FLAVOR, "permit", "marked")
      : [findMark(ADDR_FLAVOR, "permit"), jumpIf(R8, "==", 0, "permit")],
    loadField(R1, R7, SOCK.srcPort),
    jumpIf(R1, "==", 0, "permit"),
    // Giving a mark has overwritten it.
    loadField(R9, R6, SOCK_ADDR.protocol),
    portKeyOf(SOCK.srcPort, R7),
    mov(R2, R1),
    mov(R1, R8),
    callFunction("hold_port"),
    jumpIf(R0, "==", 0, "permit"),
    beginEvent(EVENT_TYPE.BOUND),
    describeSocket(R7),
    storeLocalOf(R7),
    endEvent(),
  ], [...(marks ? PORT_FUNCTIONS : PORT_FUNCTIONS.slice(1))]);
}

/** Writes local address and port of a `struct bpf_sock` into the event. */
function storeLocalOf(socket: Register): Code {
  return [
    loadField(R1, socket, SOCK.srcPort),
    store("u16", R10, EVENT_PLACE + EVENT.localPort, R1),
    loadField(R1, socket, SOCK.family),
    jumpIf(R1, "==", AF_INET, "local ipv4"),
    storeAddress(undefined, socket, SOCK.srcIp4, SOCK.srcIp6, EVENT.local),
    jump("local done"),
    label("local ipv4"),
    storeAddress(AF_INET, socket, SOCK.srcIp4, SOCK.srcIp6, EVENT.local),
    label("local done"),
  ];
}

/** Writes remote address and port, if there is a port. */
function storeRemoteOf(socket: Register): Code {
  return [
    loadField(R1, socket, SOCK.dstPort),
    bigEndian(R1, 16),
    jumpIf(R1, "==", 0, "remote done"),
    store("u16", R10, EVENT_PLACE + EVENT.remotePort, R1),
    store("u32", R10, EVENT_PLACE + EVENT.type, EVENT_TYPE.CONNECTED),
    loadField(R1, socket, SOCK.family),
    jumpIf(R1, "==", AF_INET, "remote ipv4"),
    storeAddress(undefined, socket, SOCK.dstIp4, SOCK.dstIp6, EVENT.remote),
    jump("remote done"),
    label("remote ipv4"),
    storeAddress(AF_INET, socket, SOCK.dstIp4, SOCK.dstIp6, EVENT.remote),
    label("remote done"),
  ];
}

/**
 * Each packet that leaves, before the taps see it: the first place with the
 * port of a UDP socket that was connected. TCP goes by quickly.
 */
export function egressProgram(): Program {
  return cgroupProgram("egress", "CGROUP_SKB", "CGROUP_INET_EGRESS", [
    mov(R6, R1),
    loadField(R1, R6, SK_BUFF.sk),
    jumpIf(R1, "==", 0, "permit"),
    call("sk_fullsock"),
    jumpIf(R0, "==", 0, "permit"),
    mov(R7, R0),
    loadField(R9, R7, SOCK.protocol),
    jumpUnlessDatagrams("permit"),
    storageOf(0),
    mov(R8, R0),
    jumpIf(R8, "==", 0, "foreign"),
    portKeyOf(SOCK.srcPort, R7),
    load("u32", R2, R8, MARK.flags),
    and(R2, MARK_FLAG.REMOTE_CHANGED),
    jumpIf(R2, "!=", 0, "changed"),
    load("u32", R2, R8, MARK.portKey),
    jumpIf(R1, "==", R2, "permit"),
    label("changed"),
    mov(R2, R1),
    mov(R1, R8),
    callFunction("hold_port"),
    load("u32", R1, R8, MARK.flags),
    and(R1, ~MARK_FLAG.REMOTE_CHANGED),
    store("u32", R8, MARK.flags, R1),
    beginEvent(EVENT_TYPE.BOUND),
    describeSocket(R7),
    storeLocalOf(R7),
    storeRemoteOf(R7),
    endEvent(),
    jump("permit"),
    label("foreign"),
    portKeyOf(SOCK.srcPort, R7),
    callFunction("forget_port"),
  ], ["emit", "hold_port", "release_port", "forget_port"]);
}
