/**
 * The program at the end of system calls (tracepoint sys_exit) that tells how
 * connect(2) ended, and which calls of bind(2) and listen(2) failed. It is
 * loaded where that is asked for, beside any variant of the tracker.
 *
 * All calls of the machine pass here; those that do not matter leave after a
 * few comparisons. Calls of 32-bit programs have other numbers and are not
 * told of.
 *
 * @module
 */
import { add, and, bigEndian, lsh, mov, neg, or } from "../extended/alu.ts";
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
} from "../extended/instruction.ts";
import { call, exit, jump, jumpIf } from "../extended/jump.ts";
import { load, store } from "../extended/load_store.ts";
import type { KernelTypes } from "./kernel_types.ts";
import { CALL, CALL_SHIFT, EVENT, EVENT_TYPE } from "./layout.ts";
import {
  clearStack,
  copy,
  result,
  stackAddress,
  storeMapped,
} from "./macros.ts";
import {
  fileOfDescriptor,
  follow,
  isX86,
  loadCallNumber,
  probe,
  socketOfFile,
} from "./probing.ts";
import type { Program } from "./program.ts";
import {
  beginEvent,
  callFunction,
  describeCurrent,
  endEvent,
  EVENT_PLACE,
  functions,
} from "./tracker_functions.ts";
import { tracepointProgram } from "./tracker_process.ts";

/** What differs between machines. */
interface Machine {
  readonly connect: number;
  readonly bind: number;
  readonly listen: number;
  /** Members of `struct pt_regs`: first argument, and second one. */
  readonly descriptor: string;
  readonly address: string;
  /** Bytes from that member to the second argument. */
  readonly addressAt: number;
}

const X86: Machine = {
  connect: 42,
  bind: 49,
  listen: 50,
  descriptor: "di",
  address: "si",
  addressAt: 0,
};
/** The result has taken the place of the first argument; a copy is kept. */
const AARCH64: Machine = {
  connect: 203,
  bind: 200,
  listen: 201,
  descriptor: "orig_x0",
  address: "regs",
  addressAt: 8,
};

/** `TS_COMPAT` of x86: in a call of a 32-bit program. */
const COMPATIBLE = 2;
/** `PSR_MODE32_BIT` of aarch64. */
const MODE32 = 0x10;

/**
 * Results of connect(2) that leave open how it goes on, or say that it is over
 * already: EINTR, EISCONN, EALREADY, EINPROGRESS, and the kernel's own codes
 * for calls that begin again.
 */
const UNDECIDED = [4, 106, 114, 115, 512, 513, 514, 516] as const;
/** No descriptor, no address, no socket: EBADF, EFAULT, ENOTSOCK. */
const POINTLESS = [9, 14, 88] as const;
/** MAX_ERRNO: results from -4095 to -1 are errors. */
const MAX_ERRNO = 4095;

const S_IFMT = 0xf000;
const S_IFSOCK = 0xc000;
const AF_INET = 2;
const AF_INET6 = 10;
const TCP = 6;
const UDP = 17;
const UDP_LITE = 136;
const MPTCP = 262;

/** struct sockaddr_in and sockaddr_in6: family, port, address. */
const SOCKADDR = { port: 2, ip4: 4, ip6: 8, length4: 16, length6: 28 } as const;

const PROBE_PLACE = EVENT_PLACE - 8;
const CALL_PLACE = PROBE_PLACE - 8;
/** A sockaddr_in6, rounded up. */
const ADDRESS_PLACE = CALL_PLACE - 32;

/** Builds the program; arguments: registers, result. */
export function callResultProgram(types: KernelTypes): Program {
  const machine = isX86(types) ? X86 : AARCH64;
  return tracepointProgram(types, "call_result", "sys_exit", [
    mov(R6, R1),
    loadCallNumber(types),
    jumpIf(R1, "==", machine.connect, "connect"),
    jumpIf(R1, "==", machine.bind, "bind"),
    jumpIf(R1, "!=", machine.listen, "leave"),
    mov(R8, CALL.LISTEN),
    jump("failing"),
    label("bind"),
    mov(R8, CALL.BIND),
    label("failing"),
    load("u64", R9, R6, 8),
    jumpIf(R9, "s>=", 0, "leave"),
    neg(R9),
    jump("ended"),
    label("connect"),
    mov(R8, CALL.CONNECT),
    load("u64", R9, R6, 8),
    jumpIf(R9, "==", 0, "ended"),
    neg(R9),
    UNDECIDED.map((error) => jumpIf(R9, "==", error, "leave")),
    label("ended"),
    jumpIf(R9, ">", MAX_ERRNO, "leave"),
    POINTLESS.map((error) => jumpIf(R9, "==", error, "leave")),
    callFunction("is_target"),
    jumpIf(R0, "==", 0, "leave"),
    jumpIfCompatible(types, "leave"),
    beginEvent(EVENT_TYPE.RETURNED),
    describeCurrent(),
    store("u64", R10, CALL_PLACE, R8),
    lsh(R8, CALL_SHIFT),
    or(R8, R9),
    store("u32", R10, EVENT_PLACE + EVENT.extra, R8),
    load("u64", R1, R6, 0),
    load("u32", R9, R1, types.offset("pt_regs", machine.descriptor)),
    load(
      "u64",
      R8,
      R1,
      types.offset("pt_regs", machine.address) + machine.addressAt,
    ),
    socketOf(types, "leave"),
    describeSock(types, "leave"),
    load("u64", R1, R10, CALL_PLACE),
    jumpIf(R1, "==", CALL.LISTEN, "tell"),
    readAddress("leave"),
    load("u64", R1, R10, CALL_PLACE),
    jumpIf(R1, "==", CALL.BIND, "local"),
    describeNamed(EVENT.remote, EVENT.remotePort, "leave"),
    jump("tell"),
    label("local"),
    describeNamed(EVENT.local, EVENT.localPort, "leave"),
    label("tell"),
    endEvent(),
    label("leave"),
    result(0),
    exit(),
    functions("is_target", "emit"),
  ]);
}

/** Goes to `target` in a call of a 32-bit program. */
function jumpIfCompatible(types: KernelTypes, target: string): Code {
  return isX86(types)
    ? [
      call("get_current_task"),
      mov(R3, R0),
      add(R3, types.offset("task_struct", "thread_info.status")),
      probe(PROBE_PLACE, 4),
      load("u32", R1, R10, PROBE_PLACE),
      jumpIf(R1, "&", COMPATIBLE, target),
    ]
    : [
      load("u64", R1, R6, 0),
      load("u64", R1, R1, types.offset("pt_regs", "pstate")),
      jumpIf(R1, "&", MODE32, target),
    ];
}

/** r7 = socket of the descriptor in r9; `target` is next if it is none. */
function socketOf(types: KernelTypes, target: string): Code {
  return [
    fileOfDescriptor(types, PROBE_PLACE),
    mov(R7, R3),
    follow(PROBE_PLACE, types.offset("file", "f_inode")),
    add(R3, types.offset("inode", "i_mode")),
    probe(PROBE_PLACE, 2),
    load("u16", R1, R10, PROBE_PLACE),
    and(R1, S_IFMT),
    jumpIf(R1, "!=", S_IFSOCK, target),
    mov(R3, R7),
    socketOfFile(types, PROBE_PLACE),
    mov(R7, R3),
  ];
}

/** Fills the event from the socket in r7; only of TCP, UDP and UDP-Lite. */
function describeSock(types: KernelTypes, target: string): Code {
  const read = (member: string, place: number, size: number): Code => [
    mov(R3, R7),
    add(R3, types.offset("sock", member)),
    probe(place, size),
  ];
  const local = EVENT_PLACE + EVENT.local;
  return scope([
    read("sk_protocol", PROBE_PLACE, 2),
    load("u16", R1, R10, PROBE_PLACE),
    jumpIf(R1, "==", UDP, "known"),
    jumpIf(R1, "==", UDP_LITE, "known"),
    jumpIf(R1, "==", TCP, "known"),
    jumpIf(R1, "!=", MPTCP, target),
    mov(R1, TCP),
    label("known"),
    store("u16", R10, EVENT_PLACE + EVENT.protocol, R1),
    read("__sk_common.skc_cookie", EVENT_PLACE + EVENT.cookie, 8),
    read("__sk_common.skc_num", EVENT_PLACE + EVENT.localPort, 2),
    read("__sk_common.skc_family", EVENT_PLACE + EVENT.family, 2),
    load("u16", R1, R10, EVENT_PLACE + EVENT.family),
    jumpIf(R1, "==", AF_INET, "ipv4"),
    jumpIf(R1, "!=", AF_INET6, target),
    read("__sk_common.skc_v6_rcv_saddr", local, 16),
    jump("done"),
    label("ipv4"),
    read("__sk_common.skc_rcv_saddr", PROBE_PLACE, 4),
    load("u32", R2, R10, PROBE_PLACE),
    storeMapped(local, R2),
    label("done"),
  ]);
}

/** Copies the address that r8 points to, in memory of the program. */
function readAddress(target: string): Code {
  const read = (length: number): Code => [
    stackAddress(R1, ADDRESS_PLACE),
    mov(R2, length),
    mov(R3, R8),
    call("probe_read_user"),
  ];
  return scope([
    clearStack(ADDRESS_PLACE, 32),
    read(SOCKADDR.length6),
    jumpIf(R0, "==", 0, "read"),
    // It may stand at the end of what there is.
    read(SOCKADDR.length4),
    jumpIf(R0, "!=", 0, target),
    label("read"),
  ]);
}

/** Writes the address that the call named into the event. */
function describeNamed(place: number, port: number, target: string): Code {
  return scope([
    load("u16", R1, R10, ADDRESS_PLACE + SOCKADDR.port),
    bigEndian(R1, 16),
    store("u16", R10, EVENT_PLACE + port, R1),
    load("u16", R1, R10, ADDRESS_PLACE),
    jumpIf(R1, "==", AF_INET, "ipv4"),
    jumpIf(R1, "!=", AF_INET6, target),
    copy(
      R10,
      EVENT_PLACE + place,
      R10,
      ADDRESS_PLACE + SOCKADDR.ip6,
      16,
      R1,
    ),
    jump("done"),
    label("ipv4"),
    load("u32", R2, R10, ADDRESS_PLACE + SOCKADDR.ip4),
    storeMapped(EVENT_PLACE + place, R2),
    label("done"),
  ]);
}
