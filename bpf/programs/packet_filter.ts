/**
 * The filter of the packet socket: one fixed program whose rules are maps, so
 * that adding or removing a rule is one map update whatever their number.
 *
 * A packet is wanted when it belongs to a connection in `conns`, to a local
 * port in `ports`, or to a call under way in `remotes`. Its own side is local
 * for a packet that is sent, the other side for one that is received. On the
 * loopback interface each packet passes twice, sent and received: when both
 * ends are wanted the copy that is sent is taken.
 *
 * The program may let more through than is wanted (a port does not tell local
 * addresses apart, a later fragment tells nothing before the first one has
 * come), never less.
 *
 * @module
 */

import { mov, sub } from "../extended/alu.ts";
import { type ContextField, loadField, SK_BUFF } from "../extended/context.ts";
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
} from "../extended/instruction.ts";
import { call, callLocal, exit, jump, jumpIf } from "../extended/jump.ts";
import { load, loadMapValue, store } from "../extended/load_store.ts";
import {
  CONFIG,
  CONNECTION_KEY,
  FRAGMENT_LIFETIME,
  FRAGMENT_VERDICT,
  MAP,
} from "./layout.ts";
import { copy, lookup, result, stackAddress, update } from "./macros.ts";
import { matchFunction } from "./packet_match.ts";
import {
  FRAGMENT,
  IS_FRAGMENT,
  KEY,
  PACKET_OUTGOING,
  parseHeaders,
  SWAPPED,
  VERDICT,
} from "./packet_parser.ts";
import { type Program, program } from "./program.ts";

const PACKET_OTHERHOST = 3;

/** What may be changed for tests. */
export interface PacketFilterOptions {
  /** Field that tells the packet's direction, `pkt_type` of the kernel. */
  readonly packetType?: ContextField;
}

/** Builds the filter; it needs the maps from `conns` to `config`. */
export function packetFilter(options: PacketFilterOptions = {}): Program {
  const packetType = options.packetType ?? SK_BUFF.pktType;
  return program("packet_filter", "SOCKET_FILTER", { kind: "socket" }, [
    start(packetType),
    parseHeaders(packetType),
    decide(packetType),
    matchFunction(),
  ]);
}

/** Nothing is looked at when nothing is wanted. */
function start(packetType: ContextField): Code {
  return [
    mov(R6, R1),
    loadMapValue(R1, MAP.config),
    load("u32", R1, R1, CONFIG.snaplen),
    jumpIf(R1, "==", 0, "drop"),
    loadField(R1, R6, packetType),
    jumpIf(R1, "==", PACKET_OTHERHOST, "drop"),
  ];
}

function decide(packetType: ContextField): Code {
  return [
    label("decide"),
    store("u32", R10, KEY + CONNECTION_KEY.protocol, R8),
    loadField(R1, R6, packetType),
    jumpIf(R1, "!=", PACKET_OUTGOING, "received"),
    stackAddress(R1, KEY),
    callLocal("match"),
    mov(R7, R0),
    jump("verdict"),

    label("received"),
    copy(R10, SWAPPED, R10, KEY + CONNECTION_KEY.remote, 16, R1),
    copy(R10, SWAPPED + CONNECTION_KEY.remote, R10, KEY, 16, R1),
    load("u16", R1, R10, KEY + CONNECTION_KEY.remotePort),
    store("u16", R10, SWAPPED + CONNECTION_KEY.localPort, R1),
    load("u16", R1, R10, KEY + CONNECTION_KEY.localPort),
    store("u16", R10, SWAPPED + CONNECTION_KEY.remotePort, R1),
    store("u32", R10, SWAPPED + CONNECTION_KEY.protocol, R8),
    stackAddress(R1, SWAPPED),
    callLocal("match"),
    mov(R7, R0),
    jumpIf(R7, "==", 0, "verdict"),
    jumpUnlessLoopback("verdict"),
    // The copy that was sent is taken when its sender is wanted, too.
    stackAddress(R1, KEY),
    callLocal("match"),
    jumpIf(R0, "==", 0, "verdict"),
    mov(R7, 0),

    // r7 = wanted
    label("verdict"),
    load("u64", R1, R10, IS_FRAGMENT),
    jumpIf(R1, "!=", 0, "first fragment"),
    jumpIf(R7, "==", 0, "drop"),
    label("accept"),
    loadMapValue(R1, MAP.config),
    load("u32", R0, R1, CONFIG.snaplen),
    exit(),

    // It speaks for the later ones, here and in user space, which has to tell
    // whose those were that came before it.
    label("first fragment"),
    call("ktime_get_ns"),
    store("u64", R10, VERDICT + FRAGMENT_VERDICT.time, R0),
    store("u64", R10, VERDICT + FRAGMENT_VERDICT.wanted, R7),
    update(MAP.fragments, FRAGMENT, VERDICT),
    jump("accept"),

    label("later fragment"),
    lookup(MAP.fragments, FRAGMENT),
    jumpIf(R0, "==", 0, "accept"),
    load("u64", R1, R0, FRAGMENT_VERDICT.wanted),
    jumpIf(R1, "!=", 0, "accept"),
    load("u64", R7, R0, FRAGMENT_VERDICT.time),
    call("ktime_get_ns"),
    sub(R0, R7),
    jumpIf(R0, ">", FRAGMENT_LIFETIME, "accept"),

    label("drop"),
    result(0),
    exit(),
  ];
}

/** Goes to `target` when the packet is not on the loopback interface. */
function jumpUnlessLoopback(target: string): Code {
  return [
    loadField(R1, R6, SK_BUFF.ifindex),
    loadMapValue(R2, MAP.config),
    load("u32", R2, R2, CONFIG.loopback),
    jumpIf(R1, "!=", R2, target),
  ];
}
