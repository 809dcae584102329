/**
 * Functions that the tracker's programs call: rules, targets, events.
 *
 * Calls take their arguments in r1 and r2 and answer in r0; r6 to r9 of the
 * caller survive. A program must contain exactly the functions that it calls,
 * the verifier refuses code that is never reached.
 *
 * @module
 */

import { add, and, bigEndian, mov, rsh } from "../extended/alu.ts";
import { atomicAdd } from "../extended/atomic.ts";
import {
  type Code,
  label,
  R0,
  R1,
  R10,
  R2,
  R3,
  R4,
  R6,
  R7,
  R8,
} from "../extended/instruction.ts";
import { call, callLocal, exit, jumpIf } from "../extended/jump.ts";
import { load, loadMap, loadMapValue, store } from "../extended/load_store.ts";
import {
  CONFIG,
  CONNECTION,
  CONNECTION_KEY,
  COUNTERS,
  EVENT,
  EVENT_TYPE,
  MAP,
  type MapName,
  MARK,
  PORT,
  TARGET_FLAG,
} from "./layout.ts";
import {
  copy,
  jumpIfUnusedPort,
  lookup,
  markPortUsed,
  result,
  stackAddress,
} from "./macros.ts";

/** `BPF_RB_NO_WAKEUP`: readers look at the ring whenever they like. */
export const NO_WAKEUP = 1;
/** `BPF_RB_FORCE_WAKEUP`. */
const FORCE_WAKEUP = 2;
/** `BPF_NOEXIST`. */
const ONLY_ADD = 1;
/** `-EEXIST`. */
const EXISTS = -17;

/** A function that programs may contain. */
export type FunctionName =
  /** r0 = pid and tgid when the current process is traced, else 0 */
  | "is_target"
  /** Writes the event at r1 (on the stack) to the ring, with the time. */
  | "emit"
  /** The mark at r1 begins to hold the port key r2; r0 = whether it is new */
  | "hold_port"
  /** One socket less holds the port key r1. */
  | "release_port"
  /** Removes the port key r1 unless a socket holds it; r0 = whether one does */
  | "forget_port"
  /** Wants the connection at r1; r2 = event about it; both on the stack. */
  | "add_connection"
  /** Wants the connection at r1 no more if it was in the namespace r2. */
  | "forget_connection";

/** Calls one of the functions. */
export function callFunction(name: FunctionName): Code {
  return callLocal(name);
}

/** The code of the functions, to be put behind a program's end. */
export function functions(...names: FunctionName[]): Code {
  return names.map((name) => [label(name), BODIES[name]()]);
}

/** Where functions keep an index of `used_ports`: behind a key of `ports`. */
const USED_PORT_PLACE = -4;

/** The same for the main parts of programs: below everything else. */
export const MAIN_USED_PORT_PLACE = -224;

const BODIES: Readonly<Record<FunctionName, () => Code>> = {
  is_target: isTarget,
  emit,
  hold_port: holdPort,
  release_port: releasePort,
  forget_port: forgetPort,
  add_connection: addConnection,
  forget_connection: forgetConnection,
};

function isTarget(): Code {
  const key = -4;
  return [
    call("get_current_pid_tgid"),
    mov(R6, R0),
    rsh(R0, 32),
    store("u32", R10, key, R0),
    lookup(MAP.targets, key),
    jumpIf(R0, "==", 0, "is_target not"),
    load("u32", R1, R0, 0),
    and(R1, TARGET_FLAG.TRACED),
    jumpIf(R1, "==", 0, "is_target not"),
    mov(R0, R6),
    exit(),
    label("is_target not"),
    result(0),
    exit(),
  ];
}

function emit(): Code {
  return [
    mov(R6, R1),
    call("ktime_get_ns"),
    store("u64", R6, EVENT.time, R0),
    // Another network namespace has to be entered before packets flow there.
    mov(R4, NO_WAKEUP),
    load("u64", R1, R6, EVENT.netns),
    jumpIf(R1, "==", 0, "emit quietly"),
    loadMapValue(R2, MAP.config),
    load("u64", R2, R2, CONFIG.netns),
    jumpIf(R1, "==", R2, "emit quietly"),
    load("u32", R1, R6, EVENT.type),
    jumpIf(R1, "==", EVENT_TYPE.CREATED, "emit loudly"),
    jumpIf(R1, "!=", EVENT_TYPE.EXECUTED, "emit quietly"),
    label("emit loudly"),
    mov(R4, FORCE_WAKEUP),
    label("emit quietly"),
    loadMap(R1, MAP.events),
    mov(R2, R6),
    mov(R3, EVENT.size),
    call("ringbuf_output"),
    jumpIf(R0, "==", 0, "emit done"),
    countLoss(COUNTERS.lostEvents),
    label("emit done"),
    result(0),
    exit(),
  ];
}

function holdPort(): Code {
  const key = -8;
  const value = -8 - PORT.size;
  return [
    mov(R6, R1),
    mov(R7, R2),
    load("u32", R1, R6, MARK.portKey),
    jumpIf(R1, "==", R7, "hold_port already"),
    jumpIf(R1, "==", 0, "hold_port free"),
    callLocal("release_port"),
    label("hold_port free"),
    mov(R1, R7),
    markPortUsed(USED_PORT_PLACE),
    store("u32", R6, MARK.portKey, R7),
    store("u32", R10, key, R7),
    lookup(MAP.ports, key),
    jumpIf(R0, "!=", 0, "hold_port count"),
    store("u32", R10, value + PORT.sockets, 1),
    load("u32", R1, R6, MARK.tgid),
    store("u32", R10, value + PORT.owner, R1),
    store("u64", R10, value + PORT.closed, 0),
    insert(MAP.ports, key, value, ONLY_ADD),
    jumpIf(R0, "==", 0, "hold_port done"),
    jumpIf(R0, "!=", EXISTS, "hold_port lost"),
    // Another processor was faster.
    lookup(MAP.ports, key),
    jumpIf(R0, "==", 0, "hold_port lost"),
    label("hold_port count"),
    mov(R1, 1),
    atomicAdd("u32", R0, PORT.sockets, R1),
    label("hold_port done"),
    result(1),
    exit(),
    label("hold_port lost"),
    countLoss(COUNTERS.lostRules),
    result(1),
    exit(),
    label("hold_port already"),
    result(0),
    exit(),
  ];
}

function releasePort(): Code {
  const key = -8;
  return [
    store("u32", R10, key, R1),
    lookup(MAP.ports, key),
    jumpIf(R0, "==", 0, "release_port done"),
    mov(R6, R0),
    load("u32", R1, R6, PORT.sockets),
    jumpIf(R1, "==", 0, "release_port done"),
    // The time first: nobody may see a port without socket and time.
    call("ktime_get_ns"),
    store("u64", R6, PORT.closed, R0),
    mov(R1, -1),
    atomicAdd("u32", R6, PORT.sockets, R1),
    label("release_port done"),
    result(0),
    exit(),
  ];
}

function forgetPort(): Code {
  const key = -8;
  return [
    store("u32", R10, key, R1),
    jumpIfUnusedPort(USED_PORT_PLACE, "forget_port done"),
    lookup(MAP.ports, key),
    jumpIf(R0, "==", 0, "forget_port done"),
    load("u32", R1, R0, PORT.sockets),
    jumpIf(R1, "!=", 0, "forget_port held"),
    loadMap(R1, MAP.ports),
    stackAddress(R2, key),
    call("map_delete_elem"),
    label("forget_port done"),
    result(0),
    exit(),
    label("forget_port held"),
    result(1),
    exit(),
  ];
}

function addConnection(): Code {
  const value = -CONNECTION.size;
  return [
    store("u64", R10, value + CONNECTION.closed, 0),
    // Enough to find the connection again when the event is lost.
    copy(R10, value + CONNECTION.netns, R2, EVENT.netns, 8, R3),
    copy(R10, value + CONNECTION.cookie, R2, EVENT.cookie, 8, R3),
    load("u32", R3, R2, EVENT.tgid),
    store("u32", R10, value + CONNECTION.tgid, R3),
    load("u32", R3, R2, EVENT.tid),
    store("u32", R10, value + CONNECTION.tid, R3),
    store("u64", R10, value + CONNECTION.others, 0),
    mov(R6, R1),
    // TCP: the index of the port is its number.
    load("u16", R1, R6, CONNECTION_KEY.localPort),
    bigEndian(R1, 16),
    markPortUsed(value - 8),
    mov(R2, R6),
    loadMap(R1, MAP.connections),
    call("map_lookup_elem"),
    jumpIf(R0, "==", 0, "add_connection new"),
    load("u64", R1, R0, CONNECTION.closed),
    jumpIf(R1, "!=", 0, "add_connection new"),
    load("u64", R3, R0, CONNECTION.others),
    load("u64", R1, R0, CONNECTION.netns),
    load("u64", R2, R10, value + CONNECTION.netns),
    jumpIf(R1, "==", R2, "add_connection again"),
    add(R3, 1),
    label("add_connection again"),
    store("u64", R10, value + CONNECTION.others, R3),
    label("add_connection new"),
    mov(R2, R6),
    loadMap(R1, MAP.connections),
    stackAddress(R3, value),
    mov(R4, 0),
    call("map_update_elem"),
    jumpIf(R0, "==", 0, "add_connection done"),
    countLoss(COUNTERS.lostRules),
    label("add_connection done"),
    result(0),
    exit(),
  ];
}

function forgetConnection(): Code {
  return [
    mov(R6, R1),
    mov(R7, R2),
    mov(R2, R1),
    loadMap(R1, MAP.connections),
    call("map_lookup_elem"),
    jumpIf(R0, "==", 0, "forget_connection done"),
    load("u64", R8, R0, CONNECTION.netns),
    // The same addresses may be in use in another namespace, too.
    jumpIf(R7, "==", 0, "forget_connection do"),
    jumpIf(R8, "==", 0, "forget_connection do"),
    jumpIf(R7, "!=", R8, "forget_connection done"),
    label("forget_connection do"),
    load("u64", R1, R0, CONNECTION.others),
    jumpIf(R1, "!=", 0, "forget_connection done"),
    loadMap(R1, MAP.connections),
    mov(R2, R6),
    call("map_delete_elem"),
    label("forget_connection done"),
    result(0),
    exit(),
  ];
}

/** Adds one to a field of `counters`; r1 and r2 are lost. */
export function countLoss(counter: number): Code {
  return [
    loadMapValue(R1, MAP.counters),
    mov(R2, 1),
    atomicAdd("u64", R1, counter, R2),
  ];
}

function insert(
  map: MapName,
  key: number,
  value: number,
  flags: number,
): Code {
  return [
    loadMap(R1, map),
    stackAddress(R2, key),
    stackAddress(R3, value),
    mov(R4, flags),
    call("map_update_elem"),
  ];
}

/** Where programs build the event: the top of the stack. */
export const EVENT_PLACE = -EVENT.size;

/** Clears the event on the stack and sets its type. */
export function beginEvent(type: number): Code {
  const code: Code[] = [];
  for (let at = 0; at < EVENT.size; at += 8) {
    code.push(store("u64", R10, EVENT_PLACE + at, 0));
  }
  return [code, store("u32", R10, EVENT_PLACE + EVENT.type, type)];
}

/** Copies owner and identity from the mark that r8 points to; r1 is lost. */
export function describeOwner(): Code {
  return [
    copy(R10, EVENT_PLACE + EVENT.cookie, R8, MARK.cookie, 16, R1),
    load("u32", R1, R8, MARK.tgid),
    store("u32", R10, EVENT_PLACE + EVENT.tgid, R1),
    load("u32", R1, R8, MARK.tid),
    store("u32", R10, EVENT_PLACE + EVENT.tid, R1),
    copy(R10, EVENT_PLACE + EVENT.comm, R8, MARK.comm, 16, R1),
  ];
}

/** Fills in the current process and thread; r0 to r5 are lost. */
export function describeCurrent(): Code {
  return [
    call("get_current_pid_tgid"),
    store("u32", R10, EVENT_PLACE + EVENT.tid, R0),
    rsh(R0, 32),
    store("u32", R10, EVENT_PLACE + EVENT.tgid, R0),
    stackAddress(R1, EVENT_PLACE + EVENT.comm),
    mov(R2, 16),
    call("get_current_comm"),
  ];
}

/** Sends the event. */
export function endEvent(): Code {
  return [mov(R1, R10), add(R1, EVENT_PLACE), callLocal("emit")];
}
