/**
 * What the programs of the views have in common: describing sockets and their
 * owners, and writing records.
 *
 * Programs keep the context in r6, the socket in r7, what is kept of it in r8,
 * and the record in r9.
 *
 * @module
 */
import { add, and, bigEndian, lsh, mov, or, rsh } from "../../extended/alu.ts";
import {
  type Code,
  label,
  R0,
  R1,
  R10,
  R2,
  R3,
  R4,
  R5,
  R6,
  R7,
  R8,
  R9,
  type Register,
  scope,
} from "../../extended/instruction.ts";
import { call, jump, jumpIf } from "../../extended/jump.ts";
import { load, loadMap, store } from "../../extended/load_store.ts";
import { TARGET_FLAG } from "../layout.ts";
import { clearStack, copy, lookup, storeMapped } from "../macros.ts";
import {
  COMM_LENGTH,
  COUNTS,
  LISTENER_KEY,
  RECORD,
  type RecordType,
  SOCKET,
  SOCKET_FLAG,
  VIEW_MAP,
} from "./layout.ts";
import { count, ID_PLACE, LISTENER_PLACE, SOCKET_PLACE } from "./places.ts";
import {
  copyCommon,
  loadCommon,
  loadMember,
  loadTcp,
  tcpSock,
  type ViewKernel,
  writeKey,
} from "./reading.ts";
import { findKept, keep, SESSIONS } from "./socket_table.ts";

/** Address family of IPv4. */
export const AF_INET = 2;
/** Address family of IPv6. */
export const AF_INET6 = 10;
/** IPPROTO_TCP. */
export const TCP = 6;
/** IPPROTO_UDP. */
export const UDP = 17;

/** States of TCP sockets, include/net/tcp_states.h. */
export const STATE = {
  ESTABLISHED: 1,
  SYN_SENT: 2,
  SYN_RECV: 3,
  FIN_WAIT1: 4,
  FIN_WAIT2: 5,
  CLOSE: 7,
  LAST_ACK: 9,
  LISTEN: 10,
  CLOSING: 11,
} as const;

/** `BPF_RB_NO_WAKEUP`: the reader looks at the ring whenever it likes. */
const NO_WAKEUP = 1;
/** States in which a FIN was sent. */
const FIN_SENT = 1 << STATE.FIN_WAIT1 | 1 << STATE.FIN_WAIT2 |
  1 << STATE.LAST_ACK | 1 << STATE.CLOSING;
/** Port of this end, also when it was given back. */
export const SOURCE_PORT = "inet_conn.icsk_inet.inet_sport";
/** Bit of `sk_flags`: a FIN was received (`SOCK_DONE`). */
const SOCK_DONE = 1 << 1;

/**
 * Begins to describe the socket in r7 on the stack; `start` and `time` are
 * now.
 */
export function beginSocket(flags: number): Code {
  return [
    clearStack(SOCKET_PLACE, SOCKET.size),
    call("ktime_get_ns"),
    store("u64", R10, SOCKET_PLACE + SOCKET.time, R0),
    store("u64", R10, SOCKET_PLACE + SOCKET.start, R0),
    store("u32", R10, SOCKET_PLACE + SOCKET.flags, flags),
    store("u64", R10, SOCKET_PLACE + SOCKET.socket, R7),
  ];
}

/** The current process owns the socket at `base`; r0 to r5 are lost. */
export function describeCaller(base: Register, place: number): Code {
  return [
    call("get_current_pid_tgid"),
    store("u32", base, place + SOCKET.tid, R0),
    rsh(R0, 32),
    store("u32", base, place + SOCKET.tgid, R0),
    call("get_current_uid_gid"),
    store("u32", base, place + SOCKET.uid, R0),
    call("get_current_cgroup_id"),
    store("u64", base, place + SOCKET.cgroup, R0),
    mov(R1, base),
    add(R1, place + SOCKET.comm),
    mov(R2, COMM_LENGTH),
    call("get_current_comm"),
  ];
}

/**
 * Notes whether the owner of the socket at `base` is watched; r0 to r5 are
 * lost.
 */
export function markWatched(base: Register, place: number): Code {
  return scope([
    load("u32", R1, base, place + SOCKET.tgid),
    store("u32", R10, ID_PLACE, R1),
    lookup(VIEW_MAP.targets, ID_PLACE),
    jumpIf(R0, "==", 0, "not"),
    load("u32", R1, R0, 0),
    and(R1, TARGET_FLAG.TRACED),
    jumpIf(R1, "==", 0, "not"),
    setFlags(base, place, SOCKET_FLAG.WATCHED),
    label("not"),
  ]);
}

/**
 * Goes to `target` unless the owner of the socket at `base` is watched; r1 is
 * lost.
 */
export function jumpUnlessWatched(
  base: Register,
  place: number,
  target: string,
): Code {
  return scope([
    load("u32", R1, base, place + SOCKET.flags),
    jumpIf(R1, "&", SOCKET_FLAG.WATCHED, "watched"),
    jump(target),
    label("watched"),
  ]);
}

/** Sets flags of the socket at `base`; r1 is lost. */
export function setFlags(base: Register, place: number, flags: number): Code {
  return [
    load("u32", R1, base, place + SOCKET.flags),
    or(R1, flags),
    store("u32", base, place + SOCKET.flags, R1),
  ];
}

/**
 * Writes the ends of the TCP socket in r7 and its network namespace to `base`;
 * r0 to r5 are lost.
 */
export function describeEnds(
  kernel: ViewKernel,
  base: Register,
  place: number,
): Code {
  const address = (field: number, ipv6: boolean): Code => {
    const at = place + field;
    if (ipv6) {
      const member = field === SOCKET.local
        ? "skc_v6_rcv_saddr"
        : "skc_v6_daddr";
      return copyCommon(kernel, base, at, member, R1);
    }
    const member = field === SOCKET.local ? "skc_rcv_saddr" : "skc_daddr";
    return [
      loadCommon(kernel, "u32", R1, member),
      storeMapped(at, R1, base),
    ];
  };
  return [
    loadCommon(kernel, "u16", R1, "skc_num"),
    store("u16", base, place + SOCKET.localPort, R1),
    loadCommon(kernel, "u16", R1, "skc_dport"),
    bigEndian(R1, 16),
    store("u16", base, place + SOCKET.remotePort, R1),
    store("u16", base, place + SOCKET.protocol, TCP),
    loadCommon(kernel, "u16", R2, "skc_family"),
    store("u16", base, place + SOCKET.family, R2),
    scope([
      jumpIf(R2, "==", AF_INET, "ipv4"),
      address(SOCKET.local, true),
      address(SOCKET.remote, true),
      jump("done"),
      label("ipv4"),
      address(SOCKET.local, false),
      address(SOCKET.remote, false),
      label("done"),
    ]),
    loadCommon(kernel, "u64", R1, "skc_net.net"),
    loadMember(kernel, "u32", R1, R1, "net", "ns.inum"),
    store("u32", base, place + SOCKET.netns, R1),
  ];
}

/** The socket on the stack becomes what is kept of the one in r7. */
export function keepSocket(kernel: ViewKernel): Code {
  return [writeKey(kernel.abilities), keep(SESSIONS, kernel.abilities)];
}

/** r8 = what is kept of the socket in r7 or null; its key is on the stack. */
export function findSession(kernel: ViewKernel): Code {
  return [
    writeKey(kernel.abilities),
    findKept(SESSIONS, kernel.abilities),
    mov(R8, R0),
  ];
}

/** Writes the key of the listener that the socket at `base` came from. */
export function listenerKey(base: Register, place: number): Code {
  return [
    load("u32", R1, base, place + SOCKET.netns),
    store("u32", R10, LISTENER_PLACE + LISTENER_KEY.netns, R1),
    load("u16", R1, base, place + SOCKET.localPort),
    store("u32", R10, LISTENER_PLACE + LISTENER_KEY.port, R1),
  ];
}

/** Where nobody is known to own the socket in r8, it is the one who listens. */
export function blameListener(): Code {
  return scope([
    load("u32", R1, R8, SOCKET.tgid),
    jumpIf(R1, "!=", 0, "known"),
    listenerKey(R8, 0),
    lookup(VIEW_MAP.listeners, LISTENER_PLACE),
    jumpIf(R0, "==", 0, "known"),
    copy(R8, SOCKET.cgroup, R0, SOCKET.cgroup, 16, R1),
    load("u32", R1, R0, SOCKET.uid),
    store("u32", R8, SOCKET.uid, R1),
    copy(R8, SOCKET.comm, R0, SOCKET.comm, COMM_LENGTH, R1),
    load("u32", R2, R0, SOCKET.flags),
    and(R2, SOCKET_FLAG.WATCHED),
    or(R2, SOCKET_FLAG.LISTENER),
    load("u32", R1, R8, SOCKET.flags),
    or(R1, R2),
    store("u32", R8, SOCKET.flags, R1),
    label("known"),
  ]);
}

/**
 * r9 = a new record in the ring about the socket in r8; `target` is next when the ring is full. {@linkcode endRecord} must
 * follow on every path.
 */
export function beginRecord(type: RecordType, target: string): Code {
  return [
    loadMap(R1, VIEW_MAP.records),
    mov(R2, RECORD.size),
    mov(R3, 0),
    call("ringbuf_reserve"),
    scope([
      jumpIf(R0, "!=", 0, "reserved"),
      count(COUNTS.lostRecords, 1),
      jump(target),
      label("reserved"),
    ]),
    mov(R9, R0),
    fillRecord(type),
  ];
}

/** Fills the record in r9 from the socket in r8. */
export function fillRecord(type: RecordType): Code {
  const rest: Code[] = [];
  for (let at: number = SOCKET.size; at < RECORD.size; at += 8) {
    rest.push(store("u64", R9, at, 0));
  }
  return [
    copy(R9, 0, R8, 0, SOCKET.size, R1),
    rest,
    store("u32", R9, RECORD.type, type),
    call("ktime_get_ns"),
    store("u64", R9, RECORD.now, R0),
  ];
}

/** Hands over the record in r9. */
export function endRecord(): Code {
  return [mov(R1, R9), mov(R2, NO_WAKEUP), call("ringbuf_submit")];
}

/** Writes the states of a tracepoint with arguments socket, old, new. */
export function recordStates(): Code {
  return [
    load("u32", R1, R6, 8),
    store("u16", R9, RECORD.oldState, R1),
    load("u32", R1, R6, 16),
    store("u16", R9, RECORD.newState, R1),
  ];
}

/** Writes the pending error of the socket in r7 into the record. */
export function recordError(kernel: ViewKernel): Code {
  return [
    loadMember(kernel, "u32", R1, R7, "sock", "sk_err"),
    store("u32", R9, RECORD.error, R1),
  ];
}

/** Counters of `struct tcp_sock`. */
const COUNTERS = [
  ["u64", "bytes_acked", RECORD.bytesAcked],
  ["u64", "bytes_received", RECORD.bytesReceived],
  ["u64", "bytes_sent", RECORD.bytesSent],
  ["u64", "bytes_retrans", RECORD.bytesRetransmitted],
  ["u32", "total_retrans", RECORD.retransmits],
  ["u32", "srtt_us", RECORD.roundTrip],
] as const;

/**
 * Writes counters of the TCP socket in r7 into the record in r9, with the
 * local port, which the socket may have given back. The state that counts is
 * the record's old one. r0 to r5 are lost.
 */
export function recordCounters(kernel: ViewKernel): Code {
  return scope([
    tcpSock(kernel, "no tcp"),
    loadTcp(kernel, "u16", R1, SOURCE_PORT),
    bigEndian(R1, 16),
    store("u16", R9, RECORD.localPort, R1),
    COUNTERS.map(([size, member, field]) => [
      loadTcp(kernel, size, R1, member),
      store(size, R9, field, R1),
    ]),
    loadTcp(kernel, "u32", R1, "snd_una"),
    store("u32", R10, ID_PLACE, R1),
    loadTcp(kernel, "u32", R2, "write_seq"),
    load("u32", R5, R9, RECORD.flags),
    // Everything is acknowledged, and a FIN was the last of it.
    load("u32", R1, R10, ID_PLACE),
    jumpIf(R1, "!=", R2, "fin open"),
    load("u16", R3, R9, RECORD.oldState),
    mov(R4, 1),
    lsh(R4, R3),
    and(R4, FIN_SENT),
    jumpIf(R4, "==", 0, "fin open"),
    or(R5, SOCKET_FLAG.FIN_ACKED),
    label("fin open"),
    loadCommon(kernel, "u64", R1, "skc_flags"),
    and(R1, SOCK_DONE),
    jumpIf(R1, "==", 0, "no fin"),
    or(R5, SOCKET_FLAG.FIN_RECEIVED),
    label("no fin"),
    store("u32", R9, RECORD.flags, R5),
    label("no tcp"),
  ]);
}
