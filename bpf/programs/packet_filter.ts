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
 * addresses apart), never less.
 *
 * Formats: RFC 791 (IPv4), RFC 8200 (IPv6), RFC 4302 (AH), RFC 792 and 4443
 * (ICMP errors), IEEE 802.1Q.
 *
 * @module
 */

import {
  add,
  and,
  bigEndian,
  lsh,
  mov,
  or,
  rsh,
  sub,
} from "../extended/alu.ts";
import { type ContextField, loadField, SK_BUFF } from "../extended/context.ts";
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
} from "../extended/instruction.ts";
import { call, callLocal, exit, jump, jumpIf } from "../extended/jump.ts";
import { load, loadMap, loadMapValue, store } from "../extended/load_store.ts";
import {
  CONFIG,
  CONNECTION,
  CONNECTION_KEY,
  FILTER_FLAG,
  FRAGMENT_KEY,
  MAP,
  PORT,
  REMOTE_KEY,
} from "./layout.ts";
import {
  clearStack,
  copy,
  jumpIfUnusedPort,
  lookup,
  remove,
  result,
  stackAddress,
  storeMapped,
  update,
} from "./macros.ts";
import { type Program, program } from "./program.ts";

// EtherTypes as a 16-bit load of network order gives them.
const ETH_IPV4 = 0x0008;
const ETH_IPV6 = 0xdd86;
const ETH_VLAN = 0x0081;
const ETH_QINQ = 0xa888;

const PACKET_OTHERHOST = 3;
const PACKET_OUTGOING = 4;

/** `BPF_HDR_START_NET`: offsets count from the network header. */
const FROM_NETWORK_HEADER = 1;

const VLAN_LENGTH = 4;
const IPV4_LENGTH = 20;
const IPV6_LENGTH = 40;
const ICMP_LENGTH = 8;

/** IPv4 flags and offset, as loaded: more fragments + offset, offset alone. */
const IPV4_FRAGMENT = 0xff3f;
const IPV4_OFFSET = 0xff1f;
/** The same of the IPv6 fragment header. */
const IPV6_FRAGMENT = 0xf9ff;
const IPV6_OFFSET = 0xf8ff;

const PROTOCOL = {
  HOP_BY_HOP: 0,
  ICMP: 1,
  TCP: 6,
  UDP: 17,
  ROUTING: 43,
  FRAGMENT: 44,
  AUTHENTICATION: 51,
  ICMPV6: 58,
  DESTINATION: 60,
  MOBILITY: 135,
  HOST_IDENTITY: 139,
  SHIM6: 140,
} as const;

/** IPv6 extension headers with a length in units of 8 bytes. */
const LOOKED_THROUGH = [
  PROTOCOL.HOP_BY_HOP,
  PROTOCOL.ROUTING,
  PROTOCOL.DESTINATION,
  PROTOCOL.MOBILITY,
  PROTOCOL.HOST_IDENTITY,
  PROTOCOL.SHIM6,
] as const;

/** ICMP: unreachable, quench, redirect, time exceeded, parameter problem. */
const ICMP_ERRORS = [3, 4, 5, 11, 12] as const;
/** ICMPv6: unreachable, too big, time exceeded, parameter problem. */
const ICMPV6_ERRORS = [1, 2, 3, 4] as const;

/** IPv6 headers before the transport header that are looked through. */
const MAX_EXTENSIONS = 8;

// The stack, from the frame pointer down.
const KEY = -40; // connection, the sender as local side
const SWAPPED = -80; // the same seen from the receiver
const FRAGMENT = -120; // key of `fragments`
const BUFFER = -160; // bytes of a header
const IS_FRAGMENT = -168; // u64, 1 for the first of several fragments
const VALUE = -176; // value of `fragments`

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
    parseVlan(),
    parseIpv4("outer", packetType),
    parseIpv6("outer", packetType),
    parseIcmp(),
    parseIpv4("quoted", packetType),
    parseIpv6("quoted", packetType),
    parsePorts(),
    decide(packetType),
    matchFunction(),
  ]);
}

/** r6 = context, r7 = offset of the header at hand, r8 = its protocol. */
function start(packetType: ContextField): Code {
  return [
    mov(R6, R1),
    loadMapValue(R1, MAP.config),
    load("u32", R1, R1, CONFIG.snaplen),
    jumpIf(R1, "==", 0, "drop"),
    loadField(R1, R6, packetType),
    jumpIf(R1, "==", PACKET_OTHERHOST, "drop"),
    clearStack(FRAGMENT, -FRAGMENT),
    store("u64", R10, IS_FRAGMENT, 0),
    mov(R7, 0),
    loadField(R1, R6, SK_BUFF.protocol),
    jumpIf(R1, "==", ETH_IPV4, "outer ipv4"),
    jumpIf(R1, "==", ETH_IPV6, "outer ipv6"),
    jumpIf(R1, "==", ETH_VLAN, "vlan 1"),
    jumpIf(R1, "==", ETH_QINQ, "vlan 1"),
    jump("drop"),
  ];
}

/**
 * Tags in the packet: the network header may be the tag or, when the kernel
 * put the tag in late, the IP header already.
 *
 * ```text
 *  0     2       4
 * +-----+-------+---------
 * | TCI | type  | packet
 * +-----+-------+---------
 * ```
 */
function parseVlan(): Code {
  const tag = (number: 1 | 2): Code => [
    label(`vlan ${number}`),
    loadPacket(VLAN_LENGTH + 1),
    load("u16", R1, R10, BUFFER + 2),
    load("u8", R2, R10, BUFFER + VLAN_LENGTH),
    rsh(R2, 4),
    jumpIf(R1, "!=", ETH_IPV4, `vlan ${number} not ipv4`),
    jumpIf(R2, "!=", 4, `vlan ${number} not ipv4`),
    add(R7, VLAN_LENGTH),
    jump("outer ipv4"),
    label(`vlan ${number} not ipv4`),
    jumpIf(R1, "!=", ETH_IPV6, `vlan ${number} not ipv6`),
    jumpIf(R2, "!=", 6, `vlan ${number} not ipv6`),
    add(R7, VLAN_LENGTH),
    jump("outer ipv6"),
    label(`vlan ${number} not ipv6`),
  ];
  return [
    tag(1),
    load("u8", R2, R10, BUFFER),
    rsh(R2, 4),
    jumpIf(R2, "==", 4, "outer ipv4"),
    jumpIf(R2, "==", 6, "outer ipv6"),
    jumpIf(R1, "==", ETH_VLAN, "second tag"),
    jumpIf(R1, "!=", ETH_QINQ, "drop"),
    label("second tag"),
    add(R7, VLAN_LENGTH),
    tag(2),
    jump("drop"),
  ];
}

/** Which of the two IP headers: the packet's own, or the one in an error. */
type Level = "outer" | "quoted";

/**
 * Where source and destination go: the sender of an ICMP error is on the side
 * that the quoted packet went to.
 */
function sides(level: Level): { source: number; destination: number } {
  const first = KEY + CONNECTION_KEY.local;
  const second = KEY + CONNECTION_KEY.remote;
  return level === "outer"
    ? { source: first, destination: second }
    : { source: second, destination: first };
}

function parseIpv4(level: Level, packetType: ContextField): Code {
  const { source, destination } = sides(level);
  return [
    label(`${level} ipv4`),
    loadPacket(IPV4_LENGTH),
    load("u8", R1, R10, BUFFER),
    mov(R2, R1),
    rsh(R2, 4),
    jumpIf(R2, "!=", 4, "drop"),
    and(R1, 0x0f),
    lsh(R1, 2),
    jumpIf(R1, "<", IPV4_LENGTH, "drop"),
    add(R7, R1),
    load("u8", R8, R10, BUFFER + 9),
    load("u32", R1, R10, BUFFER + 12),
    storeMapped(source, R1),
    load("u32", R1, R10, BUFFER + 16),
    storeMapped(destination, R1),
    load("u16", R1, R10, BUFFER + 6),
    mov(R2, R1),
    and(R2, IPV4_FRAGMENT),
    jumpIf(R2, "==", 0, `${level} ipv4 whole`),
    and(R1, IPV4_OFFSET),
    level === "quoted" ? jumpIf(R1, "!=", 0, "drop") : [
      load("u16", R2, R10, BUFFER + 4),
      store("u32", R10, FRAGMENT + FRAGMENT_KEY.identification, R2),
      store("u8", R10, FRAGMENT + FRAGMENT_KEY.protocol, R8),
      storeFragmentKey(packetType, `${level} ipv4`),
      jumpIf(R1, "!=", 0, "later fragment"),
      store("u64", R10, IS_FRAGMENT, 1),
    ],
    label(`${level} ipv4 whole`),
    jumpIf(R8, "==", PROTOCOL.TCP, `${level} ports`),
    jumpIf(R8, "==", PROTOCOL.UDP, `${level} ports`),
    level === "outer" ? jumpIf(R8, "==", PROTOCOL.ICMP, "icmp") : [],
    jump("drop"),
  ];
}

function parseIpv6(level: Level, packetType: ContextField): Code {
  const { source, destination } = sides(level);
  return [
    label(`${level} ipv6`),
    loadPacket(IPV6_LENGTH),
    load("u8", R1, R10, BUFFER),
    rsh(R1, 4),
    jumpIf(R1, "!=", 6, "drop"),
    load("u8", R8, R10, BUFFER + 6),
    copy(R10, source, R10, BUFFER + 8, 16, R1),
    copy(R10, destination, R10, BUFFER + 24, 16, R1),
    add(R7, IPV6_LENGTH),
    Array.from(
      { length: MAX_EXTENSIONS },
      (_, index) => parseExtension(level, index, packetType),
    ),
    label(`${level} ipv6 extension ${MAX_EXTENSIONS}`),
    jumpToTransport(level),
    jump("drop"),
  ];
}

/** Goes to the transport header if r8 names one that is looked at. */
function jumpToTransport(level: Level): Code {
  return [
    jumpIf(R8, "==", PROTOCOL.TCP, `${level} ports`),
    jumpIf(R8, "==", PROTOCOL.UDP, `${level} ports`),
    level === "outer" ? jumpIf(R8, "==", PROTOCOL.ICMPV6, "icmpv6") : [],
  ];
}

/**
 * One extension header. There is no loop: without CAP_PERFMON the verifier
 * also follows branches that a processor may take by speculation, and would
 * never find the end of one (tested on Linux 6.18).
 */
function parseExtension(
  level: Level,
  index: number,
  packetType: ContextField,
): Code {
  const here = (name: string): string => `${level} ipv6 ${name} ${index}`;
  const next = `${level} ipv6 extension ${index + 1}`;
  return [
    label(here("extension")),
    jumpToTransport(level),
    jumpIf(R8, "==", PROTOCOL.FRAGMENT, here("fragment")),
    jumpIf(R8, "==", PROTOCOL.AUTHENTICATION, here("authentication")),
    LOOKED_THROUGH.map((protocol) =>
      jumpIf(R8, "==", protocol, here("options"))
    ),
    jump("drop"),

    // next header, length in units of 8 bytes without the first 8
    label(here("options")),
    loadPacket(2),
    load("u8", R8, R10, BUFFER),
    load("u8", R1, R10, BUFFER + 1),
    add(R1, 1),
    lsh(R1, 3),
    add(R7, R1),
    jump(next),

    // next header, length in units of 4 bytes without the first 8
    label(here("authentication")),
    loadPacket(2),
    load("u8", R8, R10, BUFFER),
    load("u8", R1, R10, BUFFER + 1),
    add(R1, 2),
    lsh(R1, 2),
    add(R7, R1),
    jump(next),

    // next header, reserved, offset and flags, identification
    label(here("fragment")),
    loadPacket(8),
    load("u8", R8, R10, BUFFER),
    add(R7, 8),
    load("u16", R1, R10, BUFFER + 2),
    mov(R2, R1),
    and(R2, IPV6_FRAGMENT),
    jumpIf(R2, "==", 0, next),
    and(R1, IPV6_OFFSET),
    level === "quoted" ? jumpIf(R1, "!=", 0, "drop") : [
      load("u32", R2, R10, BUFFER + 4),
      store("u32", R10, FRAGMENT + FRAGMENT_KEY.identification, R2),
      store("u8", R10, FRAGMENT + FRAGMENT_KEY.protocol, R8),
      storeFragmentKey(packetType, here("fragment")),
      jumpIf(R1, "!=", 0, "later fragment"),
      store("u64", R10, IS_FRAGMENT, 1),
    ],
    jump(next),
  ];
}

/** Adds addresses and direction to the key of `fragments`; keeps r1. */
function storeFragmentKey(packetType: ContextField, prefix: string): Code {
  return [
    copy(R10, FRAGMENT, R10, KEY, 32, R2),
    loadField(R2, R6, packetType),
    jumpIf(R2, "!=", PACKET_OUTGOING, `${prefix} received`),
    store("u8", R10, FRAGMENT + FRAGMENT_KEY.outgoing, 1),
    label(`${prefix} received`),
  ];
}

/** ICMP errors: type, code, checksum, 4 more bytes, the quoted packet. */
function parseIcmp(): Code {
  const error = (
    name: string,
    types: readonly number[],
    next: string,
  ): Code => [
    label(name),
    loadMapValue(R1, MAP.config),
    load("u32", R1, R1, CONFIG.flags),
    and(R1, FILTER_FLAG.ICMP),
    jumpIf(R1, "==", 0, "drop"),
    loadPacket(1),
    load("u8", R1, R10, BUFFER),
    add(R7, ICMP_LENGTH),
    types.map((type) => jumpIf(R1, "==", type, next)),
    jump("drop"),
  ];
  return [
    error("icmp", ICMP_ERRORS, "quoted ipv4"),
    error("icmpv6", ICMPV6_ERRORS, "quoted ipv6"),
  ];
}

/** Source and destination port are the first four bytes of TCP and UDP. */
function parsePorts(): Code {
  const local = KEY + CONNECTION_KEY.localPort;
  const remote = KEY + CONNECTION_KEY.remotePort;
  return [
    label("outer ports"),
    loadPacket(4),
    load("u32", R1, R10, BUFFER),
    store("u32", R10, local, R1),
    jump("decide"),
    label("quoted ports"),
    loadPacket(4),
    load("u16", R1, R10, BUFFER),
    store("u16", R10, remote, R1),
    load("u16", R1, R10, BUFFER + 2),
    store("u16", R10, local, R1),
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

    // r7 = wanted; a first fragment speaks for the later ones.
    label("verdict"),
    load("u64", R1, R10, IS_FRAGMENT),
    jumpIf(R1, "==", 0, "return"),
    jumpIf(R7, "==", 0, "forget"),
    store("u64", R10, VALUE, 1),
    update(MAP.fragments, FRAGMENT, VALUE),
    jump("return"),
    // The identification may have been used before by a wanted packet.
    label("forget"),
    remove(MAP.fragments, FRAGMENT),

    label("return"),
    jumpIf(R7, "==", 0, "drop"),
    label("accept"),
    loadMapValue(R1, MAP.config),
    load("u32", R0, R1, CONFIG.snaplen),
    exit(),

    label("later fragment"),
    lookup(MAP.fragments, FRAGMENT),
    jumpIf(R0, "!=", 0, "accept"),
    loadMapValue(R1, MAP.config),
    load("u32", R1, R1, CONFIG.flags),
    and(R1, FILTER_FLAG.ALL_FRAGMENTS),
    jumpIf(R1, "==", 0, "drop"),
    loadField(R1, R6, packetType),
    jumpIf(R1, "==", PACKET_OUTGOING, "accept"),
    jumpUnlessLoopback("accept"),

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

/**
 * r0 = whether the connection that r1 points to is wanted; its local side is
 * the one that may be the program's.
 */
function matchFunction(): Code {
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

    label("match all"),
    mov(R1, R8),
    and(R1, FILTER_FLAG.ALL_TCP),
    jumpIf(R1, "==", 0, "match all udp"),
    jumpIf(R9, "==", PROTOCOL.TCP, "match yes"),
    label("match all udp"),
    and(R8, FILTER_FLAG.ALL_UDP),
    jumpIf(R8, "==", 0, "match no"),
    jumpIf(R9, "==", PROTOCOL.UDP, "match yes"),
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

/** Copies bytes at r7 into the buffer; a packet that ends before is dropped. */
function loadPacket(length: number): Code {
  return [
    mov(R1, R6),
    mov(R2, R7),
    stackAddress(R3, BUFFER),
    mov(R4, length),
    mov(R5, FROM_NETWORK_HEADER),
    call("skb_load_bytes_relative"),
    jumpIf(R0, "!=", 0, "drop"),
  ];
}
