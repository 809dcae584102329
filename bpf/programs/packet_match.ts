/**
 * The part of the packet filter that compares a connection with the rules.
 *
 * @module
 */

import { and, bigEndian, lsh, mov, or, sub } from "../extended/alu.ts";
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
import { call, exit, jumpIf } from "../extended/jump.ts";
import { load, loadMap, loadMapValue, store } from "../extended/load_store.ts";
import {
  CONFIG,
  CONNECTION,
  CONNECTION_KEY,
  FILTER_FLAG,
  MAP,
  PORT,
  REMOTE_KEY,
} from "./layout.ts";
import { copy, jumpIfUnusedPort, lookup, result } from "./macros.ts";

const TCP = 6;
const UDP = 17;
const UDP_LITE = 136;

/**
 * r0 = whether the connection that r1 points to is wanted; its local side is
 * the one that may be the program's.
 */
export function matchFunction(): Code {
  const portKeyPlace = -8;
  const usedPortPlace = -4;
  const remoteKey = -32;
  return [
    label("match"),
    mov(R6, R1),
    load("u16", R1, R6, CONNECTION_KEY.localPort),
    bigEndian(R1, 16),
    load("u32", R2, R6, CONNECTION_KEY.protocol),
    lsh(R2, 16),
    or(R1, R2),
    store("u32", R10, portKeyPlace, R1),
    jumpIfUnusedPort(usedPortPlace, "match remote"),
    mov(R2, R6),
    loadMap(R1, MAP.connections),
    call("map_lookup_elem"),
    jumpIf(R0, "==", 0, "match port"),
    load("u64", R7, R0, CONNECTION.closed),
    jumpIf(R7, "==", 0, "match yes"),
    jumpIfLingering(CONFIG.connectionLinger, "match yes"),

    label("match port"),
    lookup(MAP.ports, portKeyPlace),
    jumpIf(R0, "==", 0, "match remote"),
    load("u32", R1, R0, PORT.sockets),
    jumpIf(R1, "!=", 0, "match yes"),
    load("u64", R7, R0, PORT.closed),
    jumpIfLingering(CONFIG.portLinger, "match yes"),

    label("match remote"),
    loadMapValue(R8, MAP.config),
    load("u32", R8, R8, CONFIG.flags),
    load("u32", R9, R6, CONNECTION_KEY.protocol),
    mov(R1, R8),
    and(R1, FILTER_FLAG.REMOTES),
    jumpIf(R1, "==", 0, "match all"),
    copy(R10, remoteKey, R6, CONNECTION_KEY.remote, 16, R1),
    load("u16", R1, R6, CONNECTION_KEY.remotePort),
    store("u16", R10, remoteKey + REMOTE_KEY.port, R1),
    store("u16", R10, remoteKey + REMOTE_KEY.protocol, R9),
    lookup(MAP.remotes, remoteKey),
    jumpIf(R0, "!=", 0, "match yes"),
    // A call's remote end goes when its port has come: a packet that passed
    // between the two must not be missed.
    load("u32", R1, R10, portKeyPlace),
    jumpIfUnusedPort(usedPortPlace, "match all"),
    lookup(MAP.ports, portKeyPlace),
    jumpIf(R0, "==", 0, "match all"),
    load("u32", R1, R0, PORT.sockets),
    jumpIf(R1, "!=", 0, "match yes"),

    label("match all"),
    mov(R1, R8),
    and(R1, FILTER_FLAG.ALL_TCP),
    jumpIf(R1, "==", 0, "match all udp"),
    jumpIf(R9, "==", TCP, "match yes"),
    label("match all udp"),
    and(R8, FILTER_FLAG.ALL_UDP),
    jumpIf(R8, "==", 0, "match no"),
    jumpIf(R9, "==", UDP, "match yes"),
    jumpIf(R9, "==", UDP_LITE, "match yes"),
    label("match no"),
    result(0),
    exit(),
    label("match yes"),
    result(1),
    exit(),
  ];
}

/** Goes to `target` when less time than configured went by since r7. */
function jumpIfLingering(linger: number, target: string): Code {
  return [
    call("ktime_get_ns"),
    sub(R0, R7),
    loadMapValue(R1, MAP.config),
    load("u64", R1, R1, linger),
    jumpIf(R0, "<", R1, target),
  ];
}
