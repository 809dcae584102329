/**
 * Programs at the root of the cgroup2 hierarchy that see every connect(2) and
 * every datagram to an explicit address before anything is done about it. The
 * outcome comes later: from a change of state (`socket_states.ts`), or from
 * the end of the call (`calls.ts`).
 *
 * Requires kernel 5.12: earlier ones do not take the address of a socket as a
 * key here.
 *
 * @module
 */
import { bigEndian, mov } from "../../extended/alu.ts";
import { loadField, SOCK, SOCK_ADDR } from "../../extended/context.ts";
import {
  type Code,
  label,
  R0,
  R1,
  R10,
  R6,
  R7,
  R9,
  scope,
} from "../../extended/instruction.ts";
import { call, exit, jump, jumpIf } from "../../extended/jump.ts";
import { load, store } from "../../extended/load_store.ts";
import type { AttachType } from "../../extended/program_type.ts";
import { copyWords, lookup, result, storeMapped, update } from "../macros.ts";
import { type Program, program } from "../program.ts";
import type { ViewAbilities, ViewFeatures } from "./features.ts";
import { DATAGRAM_KEY, SOCKET, SOCKET_FLAG, VIEW_MAP } from "./layout.ts";
import {
  AF_INET,
  AF_INET6,
  beginSocket,
  describeCaller,
  jumpUnlessWatched,
  markWatched,
  TCP,
  UDP,
} from "./pieces.ts";
import { CALLER_PLACE, FREE_PLACE, SOCKET_PLACE } from "./places.ts";
import { writeKey } from "./reading.ts";
import { ATTEMPTS, keep, rememberCaller } from "./socket_table.ts";

/** Result of every program here: go on. */
const PERMIT = 1;

const DATAGRAM_PLACE = FREE_PLACE - DATAGRAM_KEY.size;

/** Builds the programs that a view needs. */
export function attemptPrograms(
  features: ViewFeatures,
  abilities: ViewAbilities,
): Program[] {
  const make = (name: string, type: AttachType, family: number): Program =>
    hook(name, type, family, features, abilities);
  return [
    make("view_connect4", "CGROUP_INET4_CONNECT", AF_INET),
    make("view_connect6", "CGROUP_INET6_CONNECT", AF_INET6),
    ...features.datagrams !== true ? [] : [
      make("view_sendmsg4", "CGROUP_UDP4_SENDMSG", AF_INET),
      make("view_sendmsg6", "CGROUP_UDP6_SENDMSG", AF_INET6),
    ],
  ];
}

function hook(
  name: string,
  type: AttachType,
  family: number,
  features: ViewFeatures,
  abilities: ViewAbilities,
): Program {
  const { attempts, datagrams, filtered } = features;
  const sends = name.includes("sendmsg");
  return program(name, "CGROUP_SOCK_ADDR", { kind: "cgroup", type }, [
    mov(R6, R1),
    loadField(R7, R6, SOCK_ADDR.sk),
    jumpIf(R7, "==", 0, "permit"),
    loadField(R9, R6, SOCK_ADDR.protocol),
    scope([
      attempts === true && !sends ? jumpIf(R9, "==", TCP, "wanted") : [],
      datagrams === true ? jumpIf(R9, "==", UDP, "wanted") : [],
      jump("permit"),
      label("wanted"),
    ]),
    sends ? onlyFirst(family) : [],
    beginSocket(SOCKET_FLAG.ACTIVE),
    describeCaller(R10, SOCKET_PLACE),
    filtered
      ? [
        markWatched(R10, SOCKET_PLACE),
        jumpUnlessWatched(R10, SOCKET_PLACE, "permit"),
      ]
      : [],
    // The socket's own family: an IPv6 socket may connect by way of IPv4.
    loadField(R1, R7, SOCK.family),
    store("u16", R10, SOCKET_PLACE + SOCKET.family, R1),
    store("u16", R10, SOCKET_PLACE + SOCKET.protocol, R9),
    loadField(R1, R6, SOCK_ADDR.userPort),
    bigEndian(R1, 16),
    store("u16", R10, SOCKET_PLACE + SOCKET.remotePort, R1),
    storeRemote(family, SOCKET_PLACE + SOCKET.remote),
    remember(abilities),
    label("permit"),
    result(PERMIT),
    exit(),
  ]);
}

/** The address that the program named, v4-mapped. */
function storeRemote(family: number, place: number): Code {
  return family === AF_INET
    ? [loadField(R1, R6, SOCK_ADDR.userIp4), storeMapped(place, R1)]
    : copyWords(R10, place, R6, SOCK_ADDR.userIp6.offset, 16, R1);
}

/** Lets pass what goes where this socket has sent before. */
function onlyFirst(family: number): Code {
  return [
    store("u64", R10, DATAGRAM_PLACE + DATAGRAM_KEY.socket, R7),
    storeRemote(family, DATAGRAM_PLACE + DATAGRAM_KEY.remote),
    loadField(R1, R6, SOCK_ADDR.userPort),
    store("u32", R10, DATAGRAM_PLACE + DATAGRAM_KEY.port, R1),
    mov(R1, R6),
    call("get_socket_cookie"),
    store("u32", R10, DATAGRAM_PLACE + DATAGRAM_KEY.cookie, R0),
    lookup(VIEW_MAP.datagrams, DATAGRAM_PLACE),
    jumpIf(R0, "!=", 0, "permit"),
    update(VIEW_MAP.datagrams, DATAGRAM_PLACE, DATAGRAM_PLACE),
  ];
}

/** The attempt by its socket, and the socket by the thread. */
function remember(abilities: ViewAbilities): Code {
  return [
    writeKey(abilities),
    keep(ATTEMPTS, abilities),
    load("u32", R1, R10, SOCKET_PLACE + SOCKET.tid),
    store("u32", R10, CALLER_PLACE, R1),
    rememberCaller(),
  ];
}
