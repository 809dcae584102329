/**
 * The part of the packet filter that looks through headers: from the network
 * header to the ports, on the way collecting addresses and fragments.
 *
 * Registers: r6 is the context, r7 the offset of the header at hand, r8 its
 * protocol. A packet that cannot be read goes to the label `drop`, one with
 * ports to `decide`, a fragment without ports to `later fragment`.
 *
 * Formats: RFC 791 (IPv4), RFC 8200 (IPv6), RFC 4302 (AH), RFC 792 and 4443
 * (ICMP errors), IEEE 802.1Q.
 *
 * @module
 */

import { add, and, lsh, mov, rsh } from "../extended/alu.ts";
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
} from "../extended/instruction.ts";
import { call, jump, jumpIf } from "../extended/jump.ts";
import { load, loadMapValue, store } from "../extended/load_store.ts";
import {
  CONFIG,
  CONNECTION_KEY,
  FILTER_FLAG,
  FRAGMENT_KEY,
  MAP,
} from "./layout.ts";
import { clearStack, copy, stackAddress, storeMapped } from "./macros.ts";

// EtherTypes as a 16-bit load of network order gives them.
const ETH_IPV4 = 0x0008;
const ETH_IPV6 = 0xdd86;
const ETH_VLAN = 0x0081;
const ETH_QINQ = 0xa888;

/** Packet type of packets that are sent. */
export const PACKET_OUTGOING = 4;

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
  UDP_LITE: 136,
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

/** Connection with the sender as local side. */
export const KEY = -40;
/** The same seen from the receiver. */
export const SWAPPED = -80;
/** Key of `fragments`. */
export const FRAGMENT = -120;
/** Bytes of a header. */
const BUFFER = -160;
/** u64, 1 for the first of several fragments. */
export const IS_FRAGMENT = -168;
/** {@linkcode FRAGMENT_VERDICT}. */
export const VERDICT = -184;

/** Code of all headers. */
export function parseHeaders(packetType: ContextField): Code {
  return [
    parseStart(),
    parseVlan(),
    parseIpv4("outer", packetType),
    parseIpv6("outer", packetType),
    parseIcmp(),
    parseIpv4("quoted", packetType),
    parseIpv6("quoted", packetType),
    parsePorts(),
  ];
}

/** Begins with the network header. */
function parseStart(): Code {
  return [
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
      jumpIf(R1, "==", 0, "ipv4 first fragment"),
      jumpIf(R8, "==", PROTOCOL.TCP, "later fragment"),
      jumpIf(R8, "==", PROTOCOL.UDP, "later fragment"),
      jumpIf(R8, "==", PROTOCOL.UDP_LITE, "later fragment"),
      jump("drop"),
      label("ipv4 first fragment"),
      store("u64", R10, IS_FRAGMENT, 1),
    ],
    label(`${level} ipv4 whole`),
    jumpIf(R8, "==", PROTOCOL.TCP, `${level} ports`),
    jumpIf(R8, "==", PROTOCOL.UDP, `${level} ports`),
    jumpIf(R8, "==", PROTOCOL.UDP_LITE, `${level} ports`),
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
    jumpIf(R8, "==", PROTOCOL.UDP_LITE, `${level} ports`),
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

/** Source and destination port are the first four bytes of all three. */
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
