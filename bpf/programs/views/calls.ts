/**
 * Programs at the ends of calls: who accepted a connection, and calls of
 * connect(2) that failed before anything was sent.
 *
 * Where functions have no trampolines, all of it is found out at the end of
 * every system call of the machine (tracepoint sys_exit), and is over after a
 * few instructions for nearly all of them.
 *
 * @module
 */
import { and, mov, neg } from "../../extended/alu.ts";
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
import { exit, jump, jumpIf } from "../../extended/jump.ts";
import { load, store } from "../../extended/load_store.ts";
import { result, storeMapped } from "../macros.ts";
import {
  callNumber,
  fileOfDescriptor,
  isX86,
  socketOfFile,
} from "../probing.ts";
import { type Program, program } from "../program.ts";
import {
  type AcceptHook,
  tracksAttempts,
  tracksSessions,
  type ViewFeatures,
} from "./features.ts";
import { RECORD, RECORD_TYPE, SOCKET, SOCKET_FLAG } from "./layout.ts";
import {
  AF_INET,
  beginRecord,
  describeCaller,
  endRecord,
  findSession,
  jumpUnlessWatched,
  markWatched,
  setFlags,
  TCP,
} from "./pieces.ts";
import { KEY_PLACE, PROBE_PLACE } from "./places.ts";
import {
  copyCommon,
  loadCommon,
  loadMember,
  openSocket,
  type ViewKernel,
  viewTracepoint,
} from "./reading.ts";
import {
  ATTEMPTS,
  findKept,
  forget,
  SESSIONS,
  takeCaller,
} from "./socket_table.ts";

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

/** Whether a view has to look at the end of system calls. */
export function watchesCalls(
  features: ViewFeatures,
  hook: AcceptHook,
): boolean {
  return tracksAttempts(features) && features.hookless !== true ||
    tracksSessions(features) && hook === "call";
}

/** Builds the program; arguments: registers, result. */
export function callProgram(
  kernel: ViewKernel,
  features: ViewFeatures,
  hook: AcceptHook,
): Program {
  const accepts = tracksSessions(features) && hook === "call";
  return viewTracepoint(kernel, "view_call", "sys_exit", [
    mov(R6, R1),
    accepts ? [jumpIfAccepting(kernel, "accepted")] : [],
    tracksAttempts(features) ? attempt(kernel) : [],
    jump("done"),
    accepts ? [label("accepted"), accepted(kernel), takeOver(features)] : [],
    label("done"),
    result(0),
    exit(),
  ]);
}

/** Builds the program at the end of inet_csk_accept(), whose result counts. */
export function acceptProgram(
  kernel: ViewKernel,
  features: ViewFeatures,
): Program {
  const { types } = kernel;
  const place = 8 * types.argumentCount("inet_csk_accept");
  return program("view_accept", "TRACING", {
    kind: "tracing",
    type: "TRACE_FEXIT",
    btfId: types.function("inet_csk_accept"),
  }, [
    load("u64", R7, R1, place),
    jumpIf(R7, "==", 0, "done"),
    findSession(kernel),
    jumpIf(R8, "==", 0, "done"),
    takeOver(features),
    label("done"),
    result(0),
    exit(),
  ]);
}

function jumpIfAccepting(kernel: ViewKernel, target: string): Code {
  const { types } = kernel;
  const numbers = isX86(types) ? ACCEPTING.orig_ax : ACCEPTING.syscallno;
  return [
    load("u64", R1, R6, 0),
    loadMember(kernel, "u32", R1, R1, "pt_regs", callNumber(types)),
    numbers.map((number) => jumpIf(R1, "==", number, target)),
  ];
}

/**
 * r8 = what is kept of the socket behind the descriptor that was returned, by
 * the table of the current process.
 */
function accepted(kernel: ViewKernel): Code {
  const { types, abilities } = kernel;
  return [
    load("u64", R9, R6, 8),
    jumpIf(R9, "s<", 0, "done"),
    // The same kernels have both.
    fileOfDescriptor(types, PROBE_PLACE, abilities.slots),
    socketOfFile(types, PROBE_PLACE),
    store("u64", R10, KEY_PLACE, R3),
    findKept(SESSIONS, abilities),
    jumpIf(R0, "==", 0, "done"),
    mov(R8, R0),
  ];
}

/** The current process accepted the connection in r8. */
function takeOver(features: ViewFeatures): Code {
  return [
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
function attempt(kernel: ViewKernel): Code {
  const { abilities } = kernel;
  return [
    takeCaller("done"),
    findKept(ATTEMPTS, abilities),
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
    abilities.probe ? probeLocal(kernel) : [],
    mov(R7, R9),
    beginRecord(RECORD_TYPE.ATTEMPT, "told"),
    store("u32", R9, RECORD.error, R7),
    endRecord(),
    label("told"),
    forget(ATTEMPTS, abilities),
  ];
}

/** Local end and network namespace of the socket in r8; r7 is lost. */
function probeLocal({ types, abilities }: ViewKernel): Code {
  // Its address is a number here.
  const kernel = { types, abilities: { ...abilities, typed: false } };
  return scope([
    load("u64", R7, R8, SOCKET.socket),
    openSocket(kernel),
    loadCommon(kernel, "u16", R1, "skc_num"),
    store("u16", R8, SOCKET.localPort, R1),
    load("u16", R1, R8, SOCKET.family),
    jumpIf(R1, "==", AF_INET, "ipv4"),
    copyCommon(kernel, R8, SOCKET.local, "skc_v6_rcv_saddr", R1),
    jump("addressed"),
    label("ipv4"),
    loadCommon(kernel, "u32", R2, "skc_rcv_saddr"),
    storeMapped(SOCKET.local, R2, R8),
    label("addressed"),
    loadCommon(kernel, "u64", R1, "skc_net.net"),
    loadMember(kernel, "u32", R1, R1, "net", "ns.inum"),
    store("u32", R8, SOCKET.netns, R1),
  ]);
}
