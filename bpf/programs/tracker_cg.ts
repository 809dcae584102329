/**
 * The tracker's variant `cg`: programs at the root of the cgroup2 hierarchy,
 * where every socket of the machine passes.
 *
 * What each hook is for, in the order of a socket's life:
 *
 * ```text
 * hook              socket gets   rule that is added           event
 * sock_create       mark          –                            CREATED
 * bind4/6           mark          –                            –
 * post_bind4/6      mark          port                         BOUND
 * connect4/6        mark          –                            CONNECTING (UDP)
 * sendmsg4/6        mark          port (UDP)                   BOUND
 * getsockname4/6    –             port (UDP)                   BOUND
 * sock_ops connect  (mark)        connection, port taken back  CONNECTED
 * sock_ops listen   (mark)        port                         LISTENING
 * sock_ops passive  its own mark  connection                   ACCEPTED
 * egress            –             port (UDP)                   BOUND, CONNECTED
 * sock_release      –             port taken back              RELEASED
 * inet_sock_set_state (tracepoint)  connection marked as over  CLOSED
 * ```
 *
 * A mark says that the program owns the socket; it is given where a process
 * of the program makes or first uses it, so inherited and passed sockets are
 * found, too. Every rule is in place before the first packet: connections
 * before the SYN leaves, ports before anybody can send to them.
 *
 * A socket without mark that takes over a connection's addresses or an unused
 * port removes the rule.
 *
 * @module
 */

import { add, and, bigEndian, lsh, mov, or, rsh } from "../extended/alu.ts";
import {
  type ContextField,
  loadField,
  SK_BUFF,
  SOCK,
  SOCK_ADDR,
  SOCK_OPS,
  SOCK_OPS_OP,
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
  scope,
} from "../extended/instruction.ts";
import { call, exit, jump, jumpIf } from "../extended/jump.ts";
import { load, loadMap, store } from "../extended/load_store.ts";
import type { AttachType, ProgramType } from "../extended/program_type.ts";
import {
  COMM_LENGTH,
  CONNECTION_KEY,
  EVENT,
  EVENT_TYPE,
  MAP,
  MARK,
  MARK_FLAG,
} from "./layout.ts";
import {
  copy,
  copyWords,
  jumpIfUnusedPort,
  result,
  stackAddress,
  storeMapped,
} from "./macros.ts";
import { type Program, program } from "./program.ts";
import {
  beginEvent,
  callFunction,
  describeCurrent,
  describeOwner,
  endEvent,
  EVENT_PLACE,
  type FunctionName,
  functions,
  MAIN_USED_PORT_PLACE,
} from "./tracker_functions.ts";

const AF_INET = 2;
const TCP = 6;
const UDP = 17;
const MPTCP = 262;

/** `BPF_SK_STORAGE_GET_F_CREATE`. */
const CREATE = 1;

/** Result of every cgroup program here: go on. */
const PERMIT = 1;

const KEY = EVENT_PLACE - CONNECTION_KEY.size;

/** Helpers that sock_ops programs may call; more on newer kernels. */
export interface SockOpsAbilities {
  /** The current process. Requires kernel 6.12 or so. */
  readonly process: boolean;
  /** Its name. Requires kernel 6.18 or so. */
  readonly comm: boolean;
  /** The network namespace. Requires kernel 5.15. */
  readonly netns: boolean;
}

/** Abilities to try, best first. */
export const SOCK_OPS_ABILITIES: readonly SockOpsAbilities[] = [
  { process: true, comm: true, netns: true },
  { process: true, comm: false, netns: true },
  { process: false, comm: false, netns: true },
  { process: false, comm: false, netns: false },
];

/** Builds all programs but the one for sock_ops. */
export function cgroupPrograms(): Program[] {
  return [
    createProgram(),
    bindProgram("bind4", "CGROUP_INET4_BIND"),
    bindProgram("bind6", "CGROUP_INET6_BIND"),
    postBindProgram("post_bind4", "CGROUP_INET4_POST_BIND", AF_INET),
    postBindProgram("post_bind6", "CGROUP_INET6_POST_BIND", undefined),
    connectProgram("connect4", "CGROUP_INET4_CONNECT", AF_INET),
    connectProgram("connect6", "CGROUP_INET6_CONNECT", undefined),
    portProgram("sendmsg4", "CGROUP_UDP4_SENDMSG", true),
    portProgram("sendmsg6", "CGROUP_UDP6_SENDMSG", true),
    portProgram("getsockname4", "CGROUP_INET4_GETSOCKNAME", false),
    portProgram("getsockname6", "CGROUP_INET6_GETSOCKNAME", false),
    egressProgram(),
    releaseProgram(),
  ];
}

function cgroupProgram(
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
interface Flavor {
  /** Field of the context that holds the socket; the context itself if none. */
  readonly sk?: ContextField;
  readonly abilities: SockOpsAbilities;
}

const ALL_ABILITIES: SockOpsAbilities = {
  process: true,
  comm: true,
  netns: true,
};
const SOCK_FLAVOR: Flavor = { abilities: ALL_ABILITIES };
const ADDR_FLAVOR: Flavor = { sk: SOCK_ADDR.sk, abilities: ALL_ABILITIES };

/**
 * r8 = the socket's mark or null; r7 = the socket. r6 holds the context.
 * A socket field may be null; then `target` is next.
 */
function findMark(flavor: Flavor, target: string): Code {
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
function storageOf(flags: number): Code {
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
function giveMark({ abilities }: Flavor, target: string): Code {
  return [
    callFunction("is_target"),
    jumpIf(R0, "==", 0, target),
    mov(R9, R0),
    storageOf(CREATE),
    jumpIf(R0, "==", 0, target),
    mov(R8, R0),
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
function ownIdentity({ netns }: SockOpsAbilities): Code {
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
function ensureMark(flavor: Flavor, notOurs: string, name: string): Code {
  return [
    findMark(flavor, notOurs),
    jumpIf(R8, "!=", 0, name),
    giveMark(flavor, notOurs),
    label(name),
  ];
}

/** Goes to `target` unless the socket in r7 is of TCP or UDP; r9 = which. */
function protocolOf(socket: typeof R6, target: string): Code {
  return [
    loadField(R9, socket, SOCK.protocol),
    jumpIf(R9, "==", UDP, "known protocol"),
    jumpIf(R9, "==", TCP, "known protocol"),
    jumpIf(R9, "!=", MPTCP, target),
    mov(R9, TCP),
    label("known protocol"),
  ];
}

/** Family, protocol (in r9) and owner of the event; r7 is the socket. */
function describeSocket(socket: typeof R6): Code {
  return [
    describeOwner(),
    loadField(R1, socket, SOCK.family),
    store("u16", R10, EVENT_PLACE + EVENT.family, R1),
    store("u16", R10, EVENT_PLACE + EVENT.protocol, R9),
  ];
}

function createProgram(): Program {
  return cgroupProgram(
    "sock_create",
    "CGROUP_SOCK",
    "CGROUP_INET_SOCK_CREATE",
    [
      mov(R6, R1),
      mov(R7, R1),
      giveMark(SOCK_FLAVOR, "permit"),
      protocolOf(R6, "permit"),
      beginEvent(EVENT_TYPE.CREATED),
      describeSocket(R6),
      endEvent(),
    ],
    ["is_target", "emit"],
  );
}

/** Before bind(2): sockets that the program got from elsewhere. */
function bindProgram(name: string, attachType: AttachType): Program {
  return cgroupProgram(name, "CGROUP_SOCK_ADDR", attachType, [
    mov(R6, R1),
    ensureMark(ADDR_FLAVOR, "permit", "marked"),
  ], ["is_target"]);
}

/** After bind(2), with the port; also what bind(2) to port 0 chose. */
function postBindProgram(
  name: string,
  attachType: AttachType,
  family: number | undefined,
): Program {
  return cgroupProgram(name, "CGROUP_SOCK", attachType, [
    mov(R6, R1),
    protocolOf(R6, "permit"),
    ensureMarkKeepingProtocol("foreign"),
    // The port key goes through the stack: r9 is the protocol.
    portKeyOf(SOCK.srcPort, R6),
    mov(R2, R1),
    mov(R1, R8),
    callFunction("hold_port"),
    jumpIf(R0, "==", 0, "permit"),
    beginEvent(EVENT_TYPE.BOUND),
    describeSocket(R6),
    storeAddress(family, R6, SOCK.srcIp4, SOCK.srcIp6, EVENT.local),
    loadField(R1, R6, SOCK.srcPort),
    store("u16", R10, EVENT_PLACE + EVENT.localPort, R1),
    endEvent(),
    jump("permit"),
    label("foreign"),
    portKeyOf(SOCK.srcPort, R6),
    callFunction("forget_port"),
  ], [...PORT_FUNCTIONS, "forget_port"]);
}

const PORT_FUNCTIONS: readonly FunctionName[] = [
  "is_target",
  "emit",
  "hold_port",
  "release_port",
];

/** {@linkcode ensureMark} for the context as socket; r9 survives. */
function ensureMarkKeepingProtocol(notOurs: string): Code {
  const saved = KEY;
  return [
    store("u64", R10, saved, R9),
    mov(R7, R6),
    storageOf(0),
    mov(R8, R0),
    jumpIf(R8, "!=", 0, "marked"),
    giveMark(SOCK_FLAVOR, "restore"),
    jump("marked"),
    label("restore"),
    load("u64", R9, R10, saved),
    jump(notOurs),
    label("marked"),
    load("u64", R9, R10, saved),
  ];
}

/** r1 = key in `ports`: protocol r9, port in a field in host order. */
function portKeyOf(port: ContextField, context: typeof R6): Code {
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
function storeAddress(
  family: number | undefined,
  context: typeof R6,
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

/** connect(2), before anything is done. */
function connectProgram(
  name: string,
  attachType: AttachType,
  family: number | undefined,
): Program {
  return cgroupProgram(name, "CGROUP_SOCK_ADDR", attachType, [
    mov(R6, R1),
    ensureMark(ADDR_FLAVOR, "permit", "marked"),
    loadField(R9, R6, SOCK_ADDR.protocol),
    jumpIf(R9, "!=", UDP, "permit"),
    load("u32", R1, R8, MARK.flags),
    or(R1, MARK_FLAG.REMOTE_CHANGED),
    store("u32", R8, MARK.flags, R1),
    beginEvent(EVENT_TYPE.CONNECTING),
    describeOwner(),
    loadField(R1, R6, SOCK_ADDR.family),
    store("u16", R10, EVENT_PLACE + EVENT.family, R1),
    store("u16", R10, EVENT_PLACE + EVENT.protocol, R9),
    storeAddress(
      family,
      R6,
      SOCK_ADDR.userIp4,
      SOCK_ADDR.userIp6,
      EVENT.remote,
    ),
    loadField(R1, R6, SOCK_ADDR.userPort),
    bigEndian(R1, 16),
    store("u16", R10, EVENT_PLACE + EVENT.remotePort, R1),
    loadField(R1, R7, SOCK.srcPort),
    store("u16", R10, EVENT_PLACE + EVENT.localPort, R1),
    endEvent(),
  ], ["is_target", "emit"]);
}

/**
 * Places where the local port of a UDP socket is known that was chosen by the
 * kernel: a datagram to an explicit address, and getsockname(2), which a
 * program calls that tells its port to somebody before it sends.
 */
function portProgram(
  name: string,
  attachType: AttachType,
  marks: boolean,
): Program {
  return cgroupProgram(name, "CGROUP_SOCK_ADDR", attachType, [
    mov(R6, R1),
    loadField(R1, R6, SOCK_ADDR.protocol),
    jumpIf(R1, "!=", UDP, "permit"),
    marks
      ? ensureMark(ADDR_FLAVOR, "permit", "marked")
      : [findMark(ADDR_FLAVOR, "permit"), jumpIf(R8, "==", 0, "permit")],
    loadField(R1, R7, SOCK.srcPort),
    jumpIf(R1, "==", 0, "permit"),
    mov(R9, UDP),
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
function storeLocalOf(socket: typeof R6): Code {
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
function storeRemoteOf(socket: typeof R6): Code {
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
function egressProgram(): Program {
  return cgroupProgram("egress", "CGROUP_SKB", "CGROUP_INET_EGRESS", [
    mov(R6, R1),
    loadField(R1, R6, SK_BUFF.sk),
    jumpIf(R1, "==", 0, "permit"),
    call("sk_fullsock"),
    jumpIf(R0, "==", 0, "permit"),
    mov(R7, R0),
    loadField(R9, R7, SOCK.protocol),
    jumpIf(R9, "!=", UDP, "permit"),
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

/** The last descriptor is closed. */
function releaseProgram(): Program {
  return cgroupProgram(
    "sock_release",
    "CGROUP_SOCK",
    "CGROUP_INET_SOCK_RELEASE",
    [
      mov(R6, R1),
      findMark(SOCK_FLAVOR, "permit"),
      jumpIf(R8, "==", 0, "permit"),
      // A copy of the listener's mark holds nothing.
      mov(R1, R6),
      call("get_socket_cookie"),
      load("u64", R1, R8, MARK.cookie),
      jumpIf(R0, "!=", R1, "permit"),
      protocolOf(R6, "permit"),
      beginEvent(EVENT_TYPE.RELEASED),
      describeSocket(R6),
      loadField(R1, R6, SOCK.dstPort),
      bigEndian(R1, 16),
      store("u16", R10, EVENT_PLACE + EVENT.remotePort, R1),
      describeCurrent(),
      load("u32", R1, R8, MARK.portKey),
      jumpIf(R1, "==", 0, "released"),
      store("u16", R10, EVENT_PLACE + EVENT.localPort, R1),
      mov(R2, 0),
      store("u32", R8, MARK.portKey, R2),
      callFunction("release_port"),
      label("released"),
      endEvent(),
    ],
    ["emit", "release_port"],
  );
}

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
    setEventType(EVENT_TYPE.LISTENING),

    label("send event"),
    describeOwner(),
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
    jumpIf(R9, "==", SOCK_OPS_OP.TCP_LISTEN_CB, "permit"),
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
    stackAddress(R1, KEY),
    load("u64", R2, R8, MARK.netns),
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
