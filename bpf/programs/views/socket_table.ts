/**
 * What is kept of sockets, by their addresses.
 *
 * An address finds a slot of an array that is seldom taken: keeping and
 * forgetting takes a fraction of what it takes in a hash map. What finds its
 * slot taken goes into a hash map.
 *
 * @module
 */
import { add, and, mov, mul, rsh } from "../../extended/alu.ts";
import { atomicCompareExchange } from "../../extended/atomic.ts";
import {
  type Code,
  label,
  R0,
  R1,
  R10,
  R2,
  R3,
  scope,
} from "../../extended/instruction.ts";
import { call, jump, jumpIf, jumpIf32 } from "../../extended/jump.ts";
import { load, loadMapValue, store } from "../../extended/load_store.ts";
import { copy, lookup, remove, update } from "../macros.ts";
import type { ViewAbilities } from "./features.ts";
import {
  CALLER,
  COUNTS,
  SLOT,
  SLOTS,
  SOCKET,
  VIEW_MAP,
  type ViewMapName,
} from "./layout.ts";
import {
  CALLER_PLACE,
  count,
  ID_PLACE,
  KEY_PLACE,
  SOCKET_PLACE,
} from "./places.ts";

/** What sockets are kept for. */
export interface SocketTable {
  readonly slots: ViewMapName;
  /** The hash map. */
  readonly others: ViewMapName;
  /** Where it is counted what is in the hash map. */
  readonly counter: number;
}

/** TCP sockets from birth to end. */
export const SESSIONS: SocketTable = {
  slots: VIEW_MAP.sessionSlots,
  others: VIEW_MAP.sessions,
  counter: COUNTS.sessions,
};

/** Calls of connect(2) whose outcome is open. */
export const ATTEMPTS: SocketTable = {
  slots: VIEW_MAP.attemptSlots,
  others: VIEW_MAP.attempts,
  counter: COUNTS.attempts,
};

/** r0 = what is kept under the key on the stack, or null. */
export function findKept(
  table: SocketTable,
  { slots }: ViewAbilities,
): Code {
  const { others, counter } = table;
  if (!slots) return lookup(others, KEY_PLACE);
  return scope([
    findSlot(table),
    jumpIf(R0, "==", 0, "found"),
    load("u64", R1, R0, SLOT.key),
    load("u64", R2, R10, KEY_PLACE),
    jumpIf(R1, "!=", R2, "elsewhere"),
    add(R0, SLOT.socket),
    jump("found"),
    label("elsewhere"),
    loadMapValue(R1, VIEW_MAP.counts),
    load("u64", R1, R1, counter),
    mov(R0, 0),
    jumpIf(R1, "==", 0, "found"),
    lookup(others, KEY_PLACE),
    label("found"),
  ]);
}

/** The socket on the stack is kept under the key there. */
export function keep(
  table: SocketTable,
  { slots }: ViewAbilities,
): Code {
  const { others, counter } = table;
  return scope([
    !slots ? [] : [
      findSlot(table),
      jumpIf(R0, "==", 0, "elsewhere"),
      mov(R2, R0),
      mov(R0, 0),
      load("u64", R1, R10, KEY_PLACE),
      atomicCompareExchange("u64", R2, SLOT.key, R1),
      jumpIf(R0, "==", 0, "claimed"),
      jumpIf(R0, "!=", R1, "elsewhere"),
      label("claimed"),
      copy(R2, SLOT.socket, R10, SOCKET_PLACE, SOCKET.size, R1),
      jump("kept"),
      label("elsewhere"),
    ],
    update(others, KEY_PLACE, SOCKET_PLACE),
    jumpIf(R0, "==", 0, "added"),
    count(COUNTS.lostSockets, 1),
    jump("kept"),
    label("added"),
    slots ? count(counter, 1) : [],
    label("kept"),
  ]);
}

/** Nothing is kept under the key on the stack any more. */
export function forget(
  table: SocketTable,
  { slots }: ViewAbilities,
): Code {
  const { others, counter } = table;
  if (!slots) return remove(others, KEY_PLACE);
  return scope([
    findSlot(table),
    jumpIf(R0, "==", 0, "gone"),
    load("u64", R1, R0, SLOT.key),
    load("u64", R2, R10, KEY_PLACE),
    jumpIf(R1, "!=", R2, "elsewhere"),
    store("u64", R0, SLOT.key, 0),
    jump("gone"),
    label("elsewhere"),
    loadMapValue(R1, VIEW_MAP.counts),
    load("u64", R1, R1, counter),
    jumpIf(R1, "==", 0, "gone"),
    remove(others, KEY_PLACE),
    jumpIf(R0, "!=", 0, "gone"),
    count(counter, -1),
    label("gone"),
  ]);
}

/** r0 = slot of the key on the stack; null is for the verifier. */
function findSlot({ slots }: SocketTable): Code {
  return [
    // Sockets lie some 40 cache lines apart.
    load("u64", R1, R10, KEY_PLACE),
    rsh(R1, LINE_BITS),
    mul(R1, SPREAD),
    rsh(R1, SPREAD_BITS),
    and(R1, SLOTS - 1),
    store("u32", R10, ID_PLACE, R1),
    lookup(slots, ID_PLACE),
  ];
}

/** Bits of an address that are the same for all sockets. */
const LINE_BITS = 6;
/** An odd number without a pattern, and where its product is well mixed. */
const SPREAD = 0x61c8_8647;
const SPREAD_BITS = 20;

/**
 * The current thread is in a call about the socket whose key is on the stack.
 * Requires kernel 5.12.
 */
export function rememberCaller(): Code {
  return scope([
    findCallerSlot(),
    jumpIf(R0, "==", 0, "elsewhere"),
    mov(R2, R0),
    load("u64", R3, R10, KEY_PLACE),
    mov(R0, 0),
    load("u32", R1, R10, CALLER_PLACE),
    atomicCompareExchange("u32", R2, CALLER.tid, R1),
    jumpIf32(R0, "==", 0, "claimed"),
    // A thread of the kernel never returns from a call.
    jumpIf32(R0, "!=", R1, "elsewhere"),
    store("u64", R2, CALLER.key, R3),
    jump("done"),
    label("claimed"),
    store("u64", R2, CALLER.key, R3),
    jump("counted"),
    label("elsewhere"),
    update(VIEW_MAP.callers, CALLER_PLACE, KEY_PLACE, ONLY_ADD),
    jumpIf(R0, "==", 0, "counted"),
    update(VIEW_MAP.callers, CALLER_PLACE, KEY_PLACE),
    jumpIf(R0, "==", 0, "done"),
    count(COUNTS.lostSockets, 1),
    jump("done"),
    label("counted"),
    count(COUNTS.callers, 1),
    label("done"),
  ]);
}

/**
 * The call of the current thread ends: writes the key of its socket to the
 * stack, or goes to `target` when there was none.
 */
export function takeCaller(target: string): Code {
  return scope([
    loadMapValue(R1, VIEW_MAP.counts),
    load("u64", R1, R1, COUNTS.callers),
    jumpIf(R1, "==", 0, target),
    findCallerSlot(),
    jumpIf(R0, "==", 0, target),
    load("u32", R1, R0, CALLER.tid),
    jumpIf(R1, "==", 0, "elsewhere"),
    load("u32", R2, R10, CALLER_PLACE),
    jumpIf(R1, "!=", R2, "elsewhere"),
    load("u64", R3, R0, CALLER.key),
    store("u64", R10, KEY_PLACE, R3),
    store("u32", R0, CALLER.tid, 0),
    jump("taken"),
    label("elsewhere"),
    lookup(VIEW_MAP.callers, CALLER_PLACE),
    jumpIf(R0, "==", 0, target),
    load("u64", R3, R0, 0),
    store("u64", R10, KEY_PLACE, R3),
    remove(VIEW_MAP.callers, CALLER_PLACE),
    label("taken"),
    count(COUNTS.callers, -1),
  ]);
}

/** r0 = slot of the current thread, whose id is on the stack then. */
function findCallerSlot(): Code {
  return [
    call("get_current_pid_tgid"),
    store("u32", R10, CALLER_PLACE, R0),
    and(R0, SLOTS - 1),
    store("u32", R10, ID_PLACE, R0),
    lookup(VIEW_MAP.callerSlots, ID_PLACE),
  ];
}

/** `BPF_NOEXIST`. */
const ONLY_ADD = 1;
