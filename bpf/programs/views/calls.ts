/**
 * The program at the end of system calls (tracepoint sys_exit): who accepted a
 * connection, and calls of connect(2) that failed before anything was sent.
 *
 * It runs at the end of every system call of the machine, and is over after a
 * few instructions for nearly all of them.
 *
 * @module
 */
import { add, and, mov, neg } from "../../extended/alu.ts";
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
import { load, loadMapValue, store } from "../../extended/load_store.ts";
import type { KernelTypes } from "../kernel_types.ts";
import { lookup, remove, result, storeMapped } from "../macros.ts";
import {
  fileOfDescriptor,
  isX86,
  loadCallNumber,
  probe,
  socketOfFile,
} from "../probing.ts";
import type { Program } from "../program.ts";
import { tracepointProgram } from "../tracker_process.ts";
import {
  tracksAttempts,
  tracksSessions,
  type ViewAbilities,
  type ViewFeatures,
} from "./features.ts";
import {
  COUNTS,
  RECORD,
  RECORD_TYPE,
  SOCKET,
  SOCKET_FLAG,
  VIEW_MAP,
} from "./layout.ts";
import {
  AF_INET,
  beginRecord,
  count,
  describeCaller,
  endRecord,
  FREE_PLACE,
  ID_PLACE,
  jumpUnlessWatched,
  KEY_PLACE,
  markWatched,
  setFlags,
  TCP,
} from "./pieces.ts";

/**
 * Numbers of accept(2), accept4(2) and of the 32-bit call that socketcall(2)
 * is, by the member of `struct pt_regs` that holds them. What another call of
 * the same number returns is no descriptor of a socket that waits for its
 * owner.
 */
const ACCEPTING = {
  /** x86-64: 43, 288; i386: 102, 364. */
  orig_ax: [43, 288, 364, 102],
  /** aarch64: 202, 242; arm: 285, 366. */
  syscallno: [202, 242, 285, 366],
} as const;

/** Results of connect(2) after which the attempt goes on. */
const GOES_ON = [
  ...[4, 114, 115], // EINTR, EALREADY, EINPROGRESS
  ...[512, 513, 514, 516], // ERESTART…: a signal came
] as const;

/** MAX_ERRNO: results from -4095 to -1 are errors. */
const MAX_ERRNO = 4095;

const ADDRESS_PLACE = FREE_PLACE - 16;

/** Whether a view has to look at system calls. */
export function watchesCalls(
  features: ViewFeatures,
  { probe }: ViewAbilities,
): boolean {
  return tracksAttempts(features) || tracksSessions(features) && probe;
}

/** Builds the program; arguments: registers, result. */
export function callProgram(
  types: KernelTypes,
  features: ViewFeatures,
  abilities: ViewAbilities,
): Program {
  const accepts = tracksSessions(features) && abilities.probe;
  return tracepointProgram(types, "view_call", "sys_exit", [
    mov(R6, R1),
    accepts ? [jumpIfAccepting(types, "accepted")] : [],
    tracksAttempts(features) ? attempt(types, abilities) : [],
    jump("done"),
    accepts ? [label("accepted"), accepted(types, features)] : [],
    label("done"),
    result(0),
    exit(),
  ]);
}

function jumpIfAccepting(types: KernelTypes, target: string): Code {
  const numbers = isX86(types) ? ACCEPTING.orig_ax : ACCEPTING.syscallno;
  return [
    loadCallNumber(types),
    numbers.map((number) => jumpIf(R1, "==", number, target)),
  ];
}

/**
 * The descriptor that was returned leads to the socket, by the table of the
 * current process.
 */
function accepted(types: KernelTypes, features: ViewFeatures): Code {
  return [
    load("u64", R9, R6, 8),
    jumpIf(R9, "s<", 0, "done"),
    fileOfDescriptor(types, KEY_PLACE),
    socketOfFile(types, KEY_PLACE),
    mov(R7, R3),
    // The key stands where the address was read to.
    lookup(VIEW_MAP.sessions, KEY_PLACE),
    jumpIf(R0, "==", 0, "done"),
    mov(R8, R0),
    scope([
      load("u32", R1, R8, SOCKET.tgid),
      jumpIf(R1, "==", 0, "unowned"),
      // Until now it was the listener's.
      load("u32", R1, R8, SOCKET.flags),
      jumpIf(R1, "&", SOCKET_FLAG.LISTENER, "unowned"),
      jump("done"),
      label("unowned"),
    ]),
    describeCaller(R8, 0),
    load("u32", R1, R8, SOCKET.flags),
    and(R1, ~(SOCKET_FLAG.LISTENER | SOCKET_FLAG.WATCHED)),
    store("u32", R8, SOCKET.flags, R1),
    features.filtered ? markWatched(R8, 0) : [],
    features.accepts !== true ? [] : [
      features.filtered ? jumpUnlessWatched(R8, 0, "done") : [],
      beginRecord(RECORD_TYPE.ACCEPTED, "done"),
      endRecord(),
    ],
  ];
}

/** The call in which an attempt was made has ended. */
function attempt(
  types: KernelTypes,
  abilities: ViewAbilities,
): Code {
  return [
    loadMapValue(R1, VIEW_MAP.counts),
    load("u64", R1, R1, COUNTS.callers),
    jumpIf(R1, "==", 0, "done"),
    call("get_current_pid_tgid"),
    store("u32", R10, ID_PLACE, R0),
    lookup(VIEW_MAP.callers, ID_PLACE),
    jumpIf(R0, "==", 0, "done"),
    load("u64", R7, R0, 0),
    store("u64", R10, KEY_PLACE, R7),
    remove(VIEW_MAP.callers, ID_PLACE),
    count(COUNTS.callers, -1),
    lookup(VIEW_MAP.attempts, KEY_PLACE),
    jumpIf(R0, "==", 0, "done"),
    mov(R8, R0),
    load("u64", R1, R6, 8),
    jumpIf(R1, "s>=", 0, "no error"),
    neg(R1),
    jumpIf(R1, ">", MAX_ERRNO, "no error"),
    GOES_ON.map((errno) => jumpIf(R1, "==", errno, "goes on")),
    jump("tell"),
    label("no error"),
    mov(R1, 0),
    // A datagram was sent, and that is all.
    label("goes on"),
    load("u16", R2, R8, SOCKET.protocol),
    jumpIf(R2, "!=", TCP, "tell"),
    setFlags(R8, 0, SOCKET_FLAG.RETURNED),
    jump("done"),

    label("tell"),
    mov(R9, R1),
    abilities.probe ? probeLocal(types) : [],
    store("u64", R10, ADDRESS_PLACE, R9),
    beginRecord(RECORD_TYPE.ATTEMPT, "told"),
    load("u64", R1, R10, ADDRESS_PLACE),
    store("u32", R9, RECORD.error, R1),
    endRecord(),
    label("told"),
    remove(VIEW_MAP.attempts, KEY_PLACE),
  ];
}

/** Local end and network namespace of the socket whose address is in r7. */
function probeLocal(types: KernelTypes): Code {
  const common = (name: string): number =>
    types.offset("sock", `__sk_common.${name}`);
  const read = (name: string, size: number): Code => [
    mov(R3, R7),
    add(R3, common(name)),
    probe(ADDRESS_PLACE, size),
  ];
  return scope([
    store("u64", R10, ADDRESS_PLACE, 0),
    read("skc_num", 2),
    load("u16", R1, R10, ADDRESS_PLACE),
    store("u16", R8, SOCKET.localPort, R1),
    load("u16", R1, R8, SOCKET.family),
    jumpIf(R1, "==", AF_INET, "ipv4"),
    read("skc_v6_rcv_saddr", 16),
    load("u64", R1, R10, ADDRESS_PLACE),
    store("u64", R8, SOCKET.local, R1),
    load("u64", R1, R10, ADDRESS_PLACE + 8),
    store("u64", R8, SOCKET.local + 8, R1),
    jump("addressed"),
    label("ipv4"),
    read("skc_rcv_saddr", 4),
    load("u32", R2, R10, ADDRESS_PLACE),
    storeMapped(SOCKET.local, R2, R8),
    label("addressed"),
    read("skc_net.net", 8),
    load("u64", R3, R10, ADDRESS_PLACE),
    add(R3, types.offset("net", "ns.inum")),
    store("u64", R10, ADDRESS_PLACE, 0),
    probe(ADDRESS_PLACE, 4),
    load("u32", R1, R10, ADDRESS_PLACE),
    store("u32", R8, SOCKET.netns, R1),
  ]);
}
