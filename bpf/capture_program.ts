/**
 * The capture filter as a program: from the ethertype to the local port.
 *
 * The program runs at the network header (packet socket of type SOCK_DGRAM).
 * The straight way of an IPv4 TCP packet without options comes first and is
 * the shortest; IPv4 options, IPv6 extension headers and VLAN tags in the
 * packet lead to slower copies that count offsets with X.
 *
 * ```text
 * IPv4 (RFC 791)                      IPv6 (RFC 8200)
 *  0 version, header length            6 next header
 *  6 flags, fragment offset            8 source address
 *  9 protocol                         24 destination address
 * 12 source address                   40 first header after it
 * 16 destination address
 *
 * TCP, UDP (RFC 9293, RFC 768)        VLAN tag at the network header
 *  0 source port                       0 tag control information
 *  2 destination port                  2 ethertype
 * ```
 *
 * @module
 */
import { IPV6_KEY, type ProtocolPlan } from "./capture_plan.ts";
import { ClassicAssembler } from "./classic/assembler.ts";
import type { Instruction } from "./classic/instruction.ts";
import { Extension } from "./classic/opcodes.ts";
import {
  cell,
  constant,
  extension,
  packet,
  packetAtX,
} from "./classic/operands.ts";
import { emitDecision } from "./decision_tree.ts";
import { emitExtensionHeaders } from "./ipv6_headers.ts";
import { MAX_PORT } from "./port_set.ts";
import { emitRemotes } from "./remote_tree.ts";

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
/** IEEE 802.1Q customer tag. */
const ETHERTYPE_VLAN = 0x8100;
/** IEEE 802.1ad service tag. */
const ETHERTYPE_SERVICE_VLAN = 0x88a8;

const VLAN_TAG_LENGTH = 4;
const VLAN_ETHERTYPE_OFFSET = 2;

/** PACKET_MULTICAST (linux/if_packet.h): the last type that came for us. */
const PACKET_MULTICAST = 2;
/** PACKET_OUTGOING (linux/if_packet.h). */
const PACKET_OUTGOING = 4;

const SOURCE_PORT_OFFSET = 0;
const DESTINATION_PORT_OFFSET = 2;
/** The source port in the word of both ports. */
const SOURCE_PORT_SHIFT = 16;
/** The destination port in the word of both ports. */
const DESTINATION_PORT_MASK = 0xffff;

interface Family {
  readonly name: "ipv4" | "ipv6";
  readonly headerLength: number;
  readonly source: number;
  readonly destination: number;
}

const IPV4: Family = {
  name: "ipv4",
  headerLength: 20,
  source: 12,
  destination: 16,
};
const IPV6: Family = {
  name: "ipv6",
  headerLength: 40,
  source: 8,
  destination: 24,
};

/** Version 4, five words: a header without options. */
const IPV4_PLAIN = 0x45;
const IPV4_LENGTH_MASK = 0x0f;
/** Word with flags and fragment offset, time to live, and protocol. */
const IPV4_FRAGMENT_WORD = 6;
/** "More fragments", the fragment offset, and the protocol in that word. */
const IPV4_PART_MASK = 0x3fff00ff;
const IPV4_FRAGMENT_MASK = 0x3fff0000;
const IPV4_PROTOCOL_MASK = 0xff;
const IPV6_NEXT_HEADER = 6;
const VERSION_MASK = 0xf0;
const VERSION_4 = 0x40;
const VERSION_6 = 0x60;

/** Scratch: key of the remote endpoint (port, family). */
const KEY_CELL = 0;
/** Scratch: offset of the remote address. */
const ADDRESS_CELL = 1;
/** Scratch: offset of the IP header. */
const BASE_CELL = 2;
/** Scratch: both ports, the source in the high half. */
const PORTS_CELL = 3;
/** Scratch of the walk over IPv6 extension headers. */
const WALK_CELLS = [4, 5] as const;

const PROTOCOL = extension(Extension.SKF_AD_PROTOCOL);
const PACKET_TYPE = extension(Extension.SKF_AD_PKTTYPE);

/** What a program is like apart from its rules. */
export interface CaptureShape {
  /** Verdict for a packet that is taken. */
  readonly verdict: number;
  /** Ports tested one by one at the leaves of the port tree. */
  readonly leafSize: number;
  /** IPv6 extension headers looked at; packets with more are taken. */
  readonly headerDepth: number;
}

interface Context {
  readonly assembler: ClassicAssembler;
  readonly plans: readonly ProtocolPlan[];
  readonly shape: CaptureShape;
  /** Whether any plan looks at remote endpoints. */
  readonly remotes: boolean;
}

/**
 * Builds the program for plans.
 *
 * @param plans At least one.
 * @returns A program of any length.
 */
export function emitCapture(
  plans: readonly ProtocolPlan[],
  shape: CaptureShape,
): Instruction[] {
  const assembler = new ClassicAssembler();
  const remotes = plans.some(testsRemotes);
  const context = { assembler, plans, shape, remotes };
  assembler.ld(PROTOCOL)
    .jeq(ETHERTYPE_IPV4, "ipv4")
    .jeq(ETHERTYPE_IPV6, "ipv6")
    .jeq(ETHERTYPE_VLAN, "vlan")
    .jeq(ETHERTYPE_SERVICE_VLAN, "vlan", "drop");
  emitIpv4(context);
  emitIpv6(context);
  emitVlan(assembler);
  emitIpv4AtX(context);
  emitIpv6AtX(context);
  assembler.label("any")
    .ld(PACKET_TYPE)
    .jeq(PACKET_OUTGOING, "accept")
    .jgt(PACKET_MULTICAST, "drop", "accept");
  for (const plan of plans) emitTrees(context, plan);
  assembler.label("accept").ret(shape.verdict);
  assembler.label("drop").ret(0);
  return assembler.assemble();
}

/** IPv4 at offset 0. */
function emitIpv4(context: Context): void {
  const { assembler, plans } = context;
  assembler.label("ipv4")
    .ld(packet(IPV4_FRAGMENT_WORD))
    .and(IPV4_PART_MASK);
  emitDispatch(context, "ipv4", "ipv4.other");
  for (const plan of plans) {
    if (plan.all) continue;
    assembler.label(`${plan.protocol}.ipv4`)
      .ldb(packet(0))
      .jne(IPV4_PLAIN, "ipv4.options");
    emitPorts(context, plan, IPV4, "plain");
  }
}

/** IPv6 at offset 0. */
function emitIpv6(context: Context): void {
  const { assembler, plans } = context;
  assembler.label("ipv6").ldb(packet(IPV6_NEXT_HEADER));
  emitDispatch(context, "ipv6", "ipv6.headers");
  for (const plan of plans) {
    if (plan.all) continue;
    assembler.label(`${plan.protocol}.ipv6`);
    emitPorts(context, plan, IPV6, "plain");
  }
}

/**
 * VLAN tags that are still in the packet.
 *
 * A received packet begins with its second tag; Linux takes only the first
 * one out. A packet that is sent on a device that cannot insert tags begins
 * with the IP header, though its protocol is that of the tag.
 */
function emitVlan(assembler: ClassicAssembler): void {
  assembler.label("vlan")
    .ld(PACKET_TYPE)
    .jne(PACKET_OUTGOING, "vlan.tag")
    .ldx(constant(0))
    .ldb(packet(0))
    .and(VERSION_MASK)
    .jeq(VERSION_4, "ipv4.atX")
    .jeq(VERSION_6, "ipv6.atX");
  assembler.label("vlan.tag")
    .ldx(constant(VLAN_TAG_LENGTH))
    .ldh(packet(VLAN_ETHERTYPE_OFFSET))
    .jeq(ETHERTYPE_IPV4, "ipv4.atX")
    .jeq(ETHERTYPE_IPV6, "ipv6.atX")
    .jeq(ETHERTYPE_VLAN, "vlan.second")
    .jne(ETHERTYPE_SERVICE_VLAN, "drop");
  assembler.label("vlan.second")
    .ldx(constant(2 * VLAN_TAG_LENGTH))
    .ldh(packet(VLAN_TAG_LENGTH + VLAN_ETHERTYPE_OFFSET))
    .jeq(ETHERTYPE_IPV4, "ipv4.atX")
    .jeq(ETHERTYPE_IPV6, "ipv6.atX", "drop");
}

/** IPv4 with options at offset 0, or any IPv4 at offset X. */
function emitIpv4AtX(context: Context): void {
  const { assembler, plans, remotes } = context;
  assembler.label("ipv4.options").ldx(constant(0));
  assembler.label("ipv4.atX");
  if (remotes) assembler.stx(BASE_CELL);
  assembler.ld(packetAtX(IPV4_FRAGMENT_WORD)).and(IPV4_PART_MASK);
  emitDispatch(context, "ipv4.atX", "ipv4.other");
  for (const plan of plans) {
    if (plan.all) continue;
    assembler.label(`${plan.protocol}.ipv4.atX`)
      .ldb(packetAtX(0))
      .and(IPV4_LENGTH_MASK)
      .lsh(2)
      .add("x")
      .tax();
    emitPorts(context, plan, IPV4, "atX");
  }
  // A fragment, or a protocol that is not wanted.
  assembler.label("ipv4.other")
    .jset(IPV4_FRAGMENT_MASK, undefined, "drop")
    .and(IPV4_PROTOCOL_MASK);
  for (const { protocol } of plans) assembler.jeq(protocol, "any");
  assembler.ja("drop");
}

/** IPv6 with extension headers at offset 0, or any IPv6 at offset X. */
function emitIpv6AtX(context: Context): void {
  const { assembler, plans, shape, remotes } = context;
  assembler.label("ipv6.headers").ldx(constant(0));
  assembler.label("ipv6.atX");
  if (remotes) assembler.stx(BASE_CELL);
  assembler.ldb(packetAtX(IPV6_NEXT_HEADER))
    .st(WALK_CELLS[0])
    .txa()
    .add(IPV6.headerLength)
    .tax()
    .ld(cell(WALK_CELLS[0]));
  emitExtensionHeaders(assembler, {
    depth: shape.headerDepth,
    wanted: plans.map(({ protocol, all }) => ({
      protocol,
      label: all ? "any" : `${protocol}.ipv6.atX`,
    })),
    unclear: "any",
    drop: "drop",
    cells: WALK_CELLS,
  });
  for (const plan of plans) {
    if (plan.all) continue;
    assembler.label(`${plan.protocol}.ipv6.atX`);
    emitPorts(context, plan, IPV6, "atX");
  }
}

/** Sends each wanted protocol number in A to its block. */
function emitDispatch(
  { assembler, plans }: Context,
  block: string,
  otherwise: string,
): void {
  for (const { protocol, all } of plans) {
    assembler.jeq(protocol, all ? "any" : `${protocol}.${block}`);
  }
  assembler.ja(otherwise);
}

/**
 * Loads the local port, and where needed the remote endpoint, then goes to
 * the port tree.
 *
 * @param where `plain`: the transport header follows a plain IP header at
 * offset 0; `atX`: it is at X, the IP header at the offset in `BASE_CELL`.
 */
function emitPorts(
  context: Context,
  plan: ProtocolPlan,
  family: Family,
  where: "plain" | "atX",
): void {
  const { assembler } = context;
  const outgoing = assembler.unique("outgoing");
  const tree = `${plan.protocol}.ports`;
  const split = (): void => {
    assembler.ld(PACKET_TYPE)
      .jeq(PACKET_OUTGOING, outgoing)
      .jgt(PACKET_MULTICAST, "drop");
  };
  if (where === "plain" && !testsRemotes(plan)) {
    const { headerLength } = family;
    split();
    assembler.ldh(packet(headerLength + DESTINATION_PORT_OFFSET)).ja(tree);
    assembler.label(outgoing)
      .ldh(packet(headerLength + SOURCE_PORT_OFFSET)).ja(tree);
    return;
  }
  // A load from the packet makes many machine instructions, more so at X:
  // one load of both ports keeps attaching the filter cheap.
  assembler.ld(where === "plain" ? packet(family.headerLength) : packetAtX(0))
    .st(PORTS_CELL);
  split();
  emitSide(context, plan, family, where, "source");
  assembler.ja(tree).label(outgoing);
  emitSide(context, plan, family, where, "destination");
  assembler.ja(tree);
}

/** Takes the endpoints apart when the remote one is the given side. */
function emitSide(
  { assembler }: Context,
  plan: ProtocolPlan,
  family: Family,
  where: "plain" | "atX",
  remote: "source" | "destination",
): void {
  const port = (side: "source" | "destination"): void => {
    assembler.ld(cell(PORTS_CELL));
    if (side === "source") assembler.rsh(SOURCE_PORT_SHIFT);
    else assembler.and(DESTINATION_PORT_MASK);
  };
  if (testsRemotes(plan)) {
    if (where === "plain") assembler.ld(constant(family[remote]));
    else assembler.ld(cell(BASE_CELL)).add(family[remote]);
    assembler.st(ADDRESS_CELL);
    port(remote);
    if (family === IPV6) assembler.or(IPV6_KEY);
    assembler.st(KEY_CELL);
  }
  port(remote === "source" ? "destination" : "source");
}

/** Tests of the local port in A, then of the remote endpoint in scratch. */
function emitTrees(context: Context, plan: ProtocolPlan): void {
  if (plan.all) return;
  const { assembler, shape } = context;
  const remotes = testsRemotes(plan);
  assembler.label(`${plan.protocol}.ports`);
  emitDecision(
    assembler,
    plan.ports.map((interval) => ({ ...interval, label: "accept" })),
    {
      otherwise: remotes ? `${plan.protocol}.remotes` : "drop",
      max: MAX_PORT,
      leafSize: shape.leafSize,
    },
  );
  if (!remotes) return;
  assembler.label(`${plan.protocol}.remotes`);
  emitRemotes(assembler, plan.remotes, plan.remoteKeys, {
    keyCell: KEY_CELL,
    addressCell: ADDRESS_CELL,
    accept: "accept",
    drop: "drop",
  });
}

function testsRemotes({ remotes, remoteKeys }: ProtocolPlan): boolean {
  return remotes.length + remoteKeys.length > 0;
}
