/**
 * Lowering: syntax tree to one condition on the bytes of a packet.
 *
 * @module
 */
import {
  BPF_AND,
  BPF_JGE,
  BPF_JGT,
  BPF_JSET,
  BPF_OR,
} from "../classic/opcodes.ts";
import { Extension, SKF_AD_OFF } from "../classic/opcodes.ts";
import type { FilterNode, Primitive, ProcessTerm } from "./ast.ts";
import { all, ALWAYS, any, compare, type Condition } from "./condition.ts";
import { equals, not } from "./condition.ts";
import type { Context } from "./context.ts";
import type { Protocol } from "./keywords.ts";
import { ahead, LINK_NAMES, networkPlace, outerLayout } from "./link.ts";
import type { Placement } from "./link.ts";
import { isMac, matchesAddress } from "./lower_address.ts";
import { matchesRelation, packetLength } from "./lower_arithmetic.ts";
import { matchesChain } from "./lower_chain.ts";
import { carries, Ethertype } from "./lower_link.ts";
import { hasLinkHeader, isLlcFrame } from "./lower_link.ts";
import { matchesPort } from "./lower_port.ts";
import { isProtocol, matchesProto } from "./lower_protocol.ts";
import { enters } from "./lower_tunnel.ts";
import type { NameResolver } from "./names.ts";
import type { Place, Value, Values } from "./value.ts";

/** Settings of {@linkcode lowerFilter}. */
export interface LowerOptions {
  /** LINKTYPE_* number. */
  readonly linkType: number;
  /** Where the program is to run. */
  readonly placement: Placement;
  /** Lookup of names. */
  readonly names: NameResolver;
  /** IPv4 network mask, 0 when not known. */
  readonly netmask: number;
  /** Byte order of BSD loopback headers. */
  readonly isBigEndian: boolean;
  /** The condition for a process term. */
  readonly processTerm: (term: ProcessTerm, positive: boolean) => Condition;
  /** Reports a mistake. */
  readonly fail: (at: number, reason: string, expected?: string) => never;
}

/** Packet type of packets sent by this host (packet(7), PACKET_OUTGOING). */
const PACKET_OUTGOING = 4;
/** Offset of the packet type in LINUX_SLL; 16 bits. */
const SLL_TYPE_OFFSET = 0;
/** Offsets of interface index and packet type in LINUX_SLL2. */
const SLL2_INDEX_OFFSET = 4;
const SLL2_TYPE_OFFSET = 10;

/** Offset of the destination address in the IPv4 header (RFC 791). */
const IPV4_DESTINATION_OFFSET = 16;
/** Offset of the destination address in the IPv6 header (RFC 8200). */
const IPV6_DESTINATION_OFFSET = 24;
/** First byte of IPv4 multicast addresses, and of what is above them. */
const IPV4_MULTICAST = 0xe0;
/** First byte of IPv6 multicast addresses. */
const IPV6_MULTICAST = 0xff;
/** Bit of an Ethernet address's first byte that marks a group. */
const ETHERNET_GROUP = 0x01;

/** Lowers a filter. */
export function lowerFilter(
  node: FilterNode,
  values: Values,
  options: LowerOptions,
): Condition {
  const outer = outerLayout(options.linkType, options.placement);
  return lowerNode({ ...options, values, outer, layout: outer }, node, true);
}

function lowerNode(
  context: Context,
  node: FilterNode,
  positive: boolean,
): Condition {
  switch (node.kind) {
    case "all":
      return ALWAYS;
    case "and":
    case "or":
      return lowerChain(context, node, positive);
    case "not":
      return not(lowerNode(context, node.operand, !positive));
    case "pid":
    case "comm":
    case "proc":
      return context.processTerm(node, positive);
    default:
      return lowerPrimitive(context, node);
  }
}

/** Chains lean to the left and can be long, so they are not recursed into. */
function lowerChain(
  context: Context,
  node: FilterNode & { readonly kind: "and" | "or" },
  positive: boolean,
): Condition {
  const links: (typeof node)[] = [];
  let first: FilterNode = node;
  while (first.kind === "and" || first.kind === "or") {
    links.push(first);
    first = first.left;
  }
  let kind = links.at(-1)!.kind;
  let parts = [lowerNode(context, first, positive)];
  for (const link of links.reverse()) {
    if (link.kind !== kind) {
      parts = [kind === "and" ? all(...parts) : any(...parts)];
      kind = link.kind;
    }
    parts.push(lowerNode(context, link.right, positive));
  }
  return kind === "and" ? all(...parts) : any(...parts);
}

function lowerPrimitive(
  context: Context,
  node: Exclude<Primitive, ProcessTerm>,
): Condition {
  const { values } = context;
  const { at } = node;
  switch (node.kind) {
    case "protocol":
      return isProtocol(context, node.protocol, at);
    case "match":
      return lowerMatch(context, node);
    case "broadcast":
      return isBroadcast(context, node.protocol, at);
    case "multicast":
      return isMulticast(context, node.protocol, at);
    case "relation":
      return matchesRelation(context, node.sign, node.left, node.right);
    case "less":
    case "greater": {
      const limit = values.constant(node.length);
      const length = packetLength(context);
      return node.kind === "greater"
        ? compare(values, BPF_JGE, length, limit)
        : not(compare(values, BPF_JGT, length, limit));
    }
    case "byte":
      return lowerByte(context, node);
    case "inbound":
      return not(isOutgoing(context, at));
    case "outbound":
      return isOutgoing(context, at);
    case "ifindex":
      return equals(values, interfaceIndex(context, at), node.index);
    case "pppoed":
      return carries(context, Ethertype.PPPOED, at);
    case "llc":
      return isLlcFrame(context, node.type, at);
    default:
      return enters(context, node.kind, node.id, at);
  }
}

function lowerMatch(
  context: Context,
  node: FilterNode & { readonly kind: "match" },
): Condition {
  const { qualifiers, identifier, at } = node;
  switch (qualifiers.type) {
    case "port":
    case "portrange":
      return matchesPort(context, qualifiers, identifier, at);
    case "proto":
    case "protochain": {
      const { protocol } = qualifiers;
      const number = identifier.kind === "name"
        ? identifier.name
        : identifier.kind === "number"
        ? identifier.value
        : context.fail(at, "an address is no protocol", "a name or number");
      return qualifiers.type === "proto"
        ? matchesProto(context, protocol, number, at)
        : matchesChain(context, protocol, number, at);
    }
    default:
      return matchesAddress(context, qualifiers, identifier, at);
  }
}

function lowerByte(
  context: Context,
  node: FilterNode & { readonly kind: "byte" },
): Condition {
  const { values, layout: { header } } = context;
  if (header === undefined) {
    return context.fail(node.at, "the link-layer header cannot be seen here");
  }
  if (node.index > 0x7fffffff) {
    return context.fail(node.at, "the index is outside of every packet");
  }
  const byte = values.load(1, ahead(header, node.index));
  const value = values.constant(node.value);
  switch (node.sign) {
    case "=":
      return equals(values, byte, node.value);
    case "<":
      return not(compare(values, BPF_JGE, byte, value));
    case ">":
      return compare(values, BPF_JGT, byte, value);
    case "&":
      return compare(values, BPF_JSET, byte, value);
    case "|":
      return not(equals(values, values.alu(BPF_OR, byte, value), 0));
  }
}

function isBroadcast(
  context: Context,
  protocol: Protocol | undefined,
  at: number,
): Condition {
  const { values, layout } = context;
  if (protocol === undefined || protocol === "ether") {
    const everyone = new Uint8Array(6).fill(0xff);
    return all(hasLinkHeader(context), isMac(context, everyone, 0, at));
  }
  if (protocol !== "ip") {
    return context.fail(
      at,
      `"${protocol} broadcast" has no meaning`,
      '"ether broadcast" or "ip broadcast"',
    );
  }
  const place = ahead(networkPlace(layout), IPV4_DESTINATION_OFFSET);
  const hosts = ~context.netmask >>> 0;
  const host = values.alu(
    BPF_AND,
    values.load(4, place),
    values.constant(hosts),
  );
  return all(
    carries(context, Ethertype.IPV4, at),
    any(equals(values, host, 0), equals(values, host, hosts)),
  );
}

function isMulticast(
  context: Context,
  protocol: Protocol | undefined,
  at: number,
): Condition {
  const { values, layout } = context;
  const network = networkPlace(layout);
  switch (protocol) {
    case undefined:
    case "ether": {
      if (layout.kind !== "ethernet" || layout.header === undefined) {
        return context.fail(at, "only Ethernet packets have group addresses");
      }
      const first = values.load(1, layout.header);
      const group = values.constant(ETHERNET_GROUP);
      return all(
        hasLinkHeader(context),
        compare(values, BPF_JSET, first, group),
      );
    }
    case "ip": {
      const first = values.load(1, ahead(network, IPV4_DESTINATION_OFFSET));
      const lowest = values.constant(IPV4_MULTICAST);
      return all(
        carries(context, Ethertype.IPV4, at),
        compare(values, BPF_JGE, first, lowest),
      );
    }
    case "ip6": {
      const first = values.load(1, ahead(network, IPV6_DESTINATION_OFFSET));
      return all(
        carries(context, Ethertype.IPV6, at),
        equals(values, first, IPV6_MULTICAST),
      );
    }
  }
  return context.fail(
    at,
    `"${protocol} multicast" has no meaning`,
    '"ether multicast", "ip multicast" or "ip6 multicast"',
  );
}

function isOutgoing(context: Context, at: number): Condition {
  const { values, outer } = context;
  const type = outer.kind === "sll"
    ? metadata(context, Extension.SKF_AD_PKTTYPE, 2, SLL_TYPE_OFFSET)
    : outer.kind === "sll2"
    ? metadata(context, Extension.SKF_AD_PKTTYPE, 1, SLL2_TYPE_OFFSET)
    : context.fail(at, `${LINK_NAMES[outer.kind]} has no direction`);
  return equals(values, type, PACKET_OUTGOING);
}

function interfaceIndex(context: Context, at: number): Value {
  const { outer } = context;
  const isKnown = outer.kind === "sll2" ||
    (outer.kind === "sll" && outer.header === undefined);
  return isKnown
    ? metadata(context, Extension.SKF_AD_IFINDEX, 4, SLL2_INDEX_OFFSET)
    : context.fail(at, `${LINK_NAMES[outer.kind]} has no interface number`);
}

/** A field of the cooked header: from the file, or from the kernel. */
function metadata(
  { values, outer }: Context,
  which: Extension,
  size: 1 | 2 | 4,
  offset: number,
): Value {
  const place: Place = outer.header === undefined
    ? { base: undefined, k: SKF_AD_OFF + which }
    : ahead(outer.header, offset);
  return values.load(size, place);
}
