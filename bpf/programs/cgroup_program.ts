/**
 * What the programs at cgroup hooks have in common: finding and giving marks,
 * and describing sockets in events.
 *
 * Programs keep the context in r6, the socket in r7, its mark in r8, and the
 * protocol in r9.
 *
 * @module
 */

import { add, and, lsh, mov, or, rsh } from "../extended/alu.ts";
import {
  type ContextField,
  loadField,
  SOCK,
  SOCK_ADDR,
} from "../extended/context.ts";
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
  R9,
  type Register,
  scope,
} from "../extended/instruction.ts";
import { call, exit, jump, jumpIf } from "../extended/jump.ts";
import { loadMap, store } from "../extended/load_store.ts";
import type { AttachType, ProgramType } from "../extended/program_type.ts";
import { COMM_LENGTH, COUNTERS, EVENT, MAP, MARK } from "./layout.ts";
import { copyWords, result, storeMapped } from "./macros.ts";
import { type Program, program } from "./program.ts";
import {
  callFunction,
  countLoss,
  describeOwner,
  EVENT_PLACE,
  type FunctionName,
  functions,
} from "./tracker_functions.ts";

/** Address family of IPv4. */
export const AF_INET = 2;

/** IPPROTO_TCP. */
export const TCP = 6;

/** IPPROTO_UDP. */
export const UDP = 17;

/** IPPROTO_UDPLITE, which passes the same functions of the kernel as UDP. */
export const UDP_LITE = 136;

const MPTCP = 262;

/** `BPF_SK_STORAGE_GET_F_CREATE`. */
const CREATE = 1;

/** Result of every cgroup program here: go on. */
const PERMIT = 1;

/** Helpers that sock_ops programs may call; more on newer kernels. */
export interface SockOpsAbilities {
  /** The current process. Requires kernel 6.12 or so. */
  readonly process: boolean;
  /** Its name. Requires kernel 6.18 or so. */
  readonly comm: boolean;
  /** The network namespace. Requires kernel 5.15. */
  readonly netns: boolean;
}

/** A program at the root cgroup; the label `permit` ends it. */
export function cgroupProgram(
  name: string,
  type: ProgramType,
  attachType: AttachType,
  code: Code,
  used: readonly FunctionName[],
): Program {
  return program(name, type, { kind: "cgroup", type: attachType }, [
    code,
    label("permit"),
    result(PERMIT),
    exit(),
    functions(...used),
  ]);
}

/** How a program's context leads to the socket and to helpers. */
export interface Flavor {
  /** Field of the context that holds the socket; the context itself if none. */
  readonly sk?: ContextField;
  /** Helpers that may be called. */
  readonly abilities: SockOpsAbilities;
}

const ALL_ABILITIES: SockOpsAbilities = {
  process: true,
  comm: true,
  netns: true,
};

/** The context is the socket. */
export const SOCK_FLAVOR: Flavor = { abilities: ALL_ABILITIES };

/** The context has an address and the socket. */
export const ADDR_FLAVOR: Flavor = {
  sk: SOCK_ADDR.sk,
  abilities: ALL_ABILITIES,
};

/**
 * r8 = the socket's mark or null; r7 = the socket. r6 holds the context.
 * A socket field may be null; then `target` is next.
 */
export function findMark(flavor: Flavor, target: string): Code {
  return [
    flavor.sk === undefined ? mov(R7, R6) : [
      loadField(R7, R6, flavor.sk),
      jumpIf(R7, "==", 0, target),
    ],
    storageOf(0),
    mov(R8, R0),
  ];
}

/** r0 = storage of the socket in r7. */
export function storageOf(flags: number): Code {
  return [
    loadMap(R1, MAP.marks),
    mov(R2, R7),
    mov(R3, 0),
    mov(R4, flags),
    call("sk_storage_get"),
  ];
}

/**
 * Marks the socket in r7 if the current process is traced: r8 = the new mark;
 * otherwise `target` is next. r9 is lost.
 */
export function giveMark({ abilities }: Flavor, target: string): Code {
  return [
    callFunction("is_target"),
    jumpIf(R0, "==", 0, target),
    mov(R9, R0),
    storageOf(CREATE),
    mov(R8, R0),
    scope([
      jumpIf(R8, "!=", 0, "made"),
      countLoss(COUNTERS.lostSockets),
      jump(target),
      label("made"),
    ]),
    store("u32", R8, MARK.tid, R9),
    rsh(R9, 32),
    store("u32", R8, MARK.tgid, R9),
    ownIdentity(abilities),
    !abilities.comm ? [] : [
      mov(R1, R8),
      add(R1, MARK.comm),
      mov(R2, COMM_LENGTH),
      call("get_current_comm"),
    ],
  ];
}

/** Writes the socket's cookies into the mark in r8. */
export function ownIdentity({ netns }: SockOpsAbilities): Code {
  return [
    mov(R1, R6),
    call("get_socket_cookie"),
    store("u64", R8, MARK.cookie, R0),
    !netns ? [] : [
      mov(R1, R6),
      call("get_netns_cookie"),
      store("u64", R8, MARK.netns, R0),
    ],
  ];
}

/** As {@linkcode findMark}, then {@linkcode giveMark} where there is none. */
export function ensureMark(
  flavor: Flavor,
  notOurs: string,
  name: string,
): Code {
  return [
    findMark(flavor, notOurs),
    jumpIf(R8, "!=", 0, name),
    giveMark(flavor, notOurs),
    label(name),
  ];
}

/** Goes to `target` unless the socket is of TCP, UDP, UDP-Lite; r9 = which. */
export function protocolOf(socket: Register, target: string): Code {
  return [
    loadField(R9, socket, SOCK.protocol),
    jumpIf(R9, "==", UDP, "known protocol"),
    jumpIf(R9, "==", TCP, "known protocol"),
    jumpIf(R9, "==", UDP_LITE, "known protocol"),
    jumpIf(R9, "!=", MPTCP, target),
    mov(R9, TCP),
    label("known protocol"),
  ];
}

/** Goes to `target` unless the protocol in r9 is UDP or UDP-Lite. */
export function jumpUnlessDatagrams(target: string): Code {
  return scope([
    jumpIf(R9, "==", UDP, "datagrams"),
    jumpIf(R9, "!=", UDP_LITE, target),
    label("datagrams"),
  ]);
}

/** Family, protocol (in r9) and owner of the event; r8 is the mark. */
export function describeSocket(socket: Register): Code {
  return [describeOwner(), describeKind(socket)];
}

/** Cookies of the socket of the context in r6. */
export function describeIdentity(netns: boolean): Code {
  return [
    mov(R1, R6),
    call("get_socket_cookie"),
    store("u64", R10, EVENT_PLACE + EVENT.cookie, R0),
    !netns ? [] : [
      mov(R1, R6),
      call("get_netns_cookie"),
      store("u64", R10, EVENT_PLACE + EVENT.netns, R0),
    ],
  ];
}

/** Family, and protocol (in r9) of the event. */
export function describeKind(socket: Register): Code {
  return [
    loadField(R1, socket, SOCK.family),
    store("u16", R10, EVENT_PLACE + EVENT.family, R1),
    store("u16", R10, EVENT_PLACE + EVENT.protocol, R9),
  ];
}

/** Functions of programs that give marks and hold ports. */
export const PORT_FUNCTIONS: readonly FunctionName[] = [
  "is_target",
  "emit",
  "hold_port",
  "release_port",
];

/** r1 = key in `ports`: protocol r9, port in a field in host order. */
export function portKeyOf(port: ContextField, context: Register): Code {
  return [
    mov(R2, R9),
    lsh(R2, 16),
    loadField(R1, context, port),
    and(R1, 0xffff),
    or(R1, R2),
  ];
}

/**
 * Writes an address of the context into the event, v4-mapped. With `family`
 * unset the field of IPv6 is read.
 */
export function storeAddress(
  family: number | undefined,
  context: Register,
  ip4: ContextField,
  ip6: ContextField,
  place: number,
): Code {
  return family === AF_INET
    ? [
      loadField(R1, context, ip4),
      storeMapped(EVENT_PLACE + place, R1),
    ]
    : copyWords(R10, EVENT_PLACE + place, context, ip6.offset, 16, R1);
}
