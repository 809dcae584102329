/**
 * Values and comparisons: `tcp[tcpflags] & tcp-syn != 0`, `len > 100`.
 *
 * @module
 */
import {
  BPF_ADD,
  BPF_AND,
  BPF_DIV,
  BPF_JEQ,
  BPF_JGE,
  BPF_JGT,
  BPF_LSH,
  BPF_MOD,
  BPF_MUL,
  BPF_OR,
  BPF_RSH,
  BPF_SUB,
  BPF_XOR,
} from "../classic/opcodes.ts";
import type { Arithmetic, ArithmeticSign, RelationSign } from "./ast.ts";
import { all, compare, type Condition, equals, not } from "./condition.ts";
import type { Context } from "./context.ts";
import { ahead, hiddenLength, networkPlace } from "./link.ts";
import { carries, Ethertype, hasLinkHeader } from "./lower_link.ts";
import {
  IpProtocol,
  ipv4Protocol,
  ipv4ProtocolOf,
  ipv4Transport,
  IPV6_HEADER_LENGTH,
  ipv6NextHeader,
  isFirstFragment,
  linkProtocolOf,
} from "./lower_protocol.ts";
import type { Place, Value } from "./value.ts";

const OPERATIONS: Readonly<Record<ArithmeticSign, number>> = {
  "+": BPF_ADD,
  "-": BPF_SUB,
  "*": BPF_MUL,
  "/": BPF_DIV,
  "%": BPF_MOD,
  "&": BPF_AND,
  "|": BPF_OR,
  "^": BPF_XOR,
  "<<": BPF_LSH,
  ">>": BPF_RSH,
};

/** Operation, whether its outcome is turned, and the sign for swapped sides. */
const RELATIONS: Readonly<
  Record<RelationSign, readonly [number, boolean, RelationSign]>
> = {
  "=": [BPF_JEQ, false, "="],
  "!=": [BPF_JEQ, true, "!="],
  ">": [BPF_JGT, false, "<"],
  ">=": [BPF_JGE, false, "<="],
  "<": [BPF_JGE, true, ">"],
  "<=": [BPF_JGT, true, ">="],
};

/** Offsets of a load are signed: this is the largest. */
const MAX_OFFSET = 0x7fffffff;

/** A value, and what has to hold for it to mean something. */
interface Lowered {
  readonly value: Value;
  readonly guard: Condition;
}

/** Two numbers compare as a sign says; both must exist in the packet. */
export function matchesRelation(
  context: Context,
  sign: RelationSign,
  left: Arithmetic,
  right: Arithmetic,
): Condition {
  const a = lowerArithmetic(context, left);
  const b = lowerArithmetic(context, right);
  return all(a.guard, b.guard, relate(context, sign, a.value, b.value));
}

function relate(
  context: Context,
  sign: RelationSign,
  left: Value,
  right: Value,
): Condition {
  const [operation, isTurned, swapped] = RELATIONS[sign];
  if (left.kind === "constant" && right.kind !== "constant") {
    return relate(context, swapped, right, left);
  }
  const condition = compare(context.values, operation, left, right);
  return isTurned ? not(condition) : condition;
}

/** The packet's length on the wire, with its link-layer header. */
export function packetLength({ values, outer }: Context): Value {
  const hidden = values.constant(hiddenLength(outer));
  return values.alu(BPF_ADD, values.length(), hidden);
}

function lowerArithmetic(context: Context, node: Arithmetic): Lowered {
  const { values } = context;
  switch (node.kind) {
    case "constant":
      return { value: values.constant(node.value), guard: all() };
    case "length":
      return { value: packetLength(context), guard: all() };
    case "negate": {
      const { value, guard } = lowerArithmetic(context, node.operand);
      return { value: values.negate(value), guard };
    }
    case "binary":
      return lowerBinary(context, node);
    case "load":
      return lowerLoad(context, node);
  }
}

function lowerBinary(
  context: Context,
  node: Arithmetic & { readonly kind: "binary" },
): Lowered {
  const { sign, at } = node;
  const left = lowerArithmetic(context, node.left);
  const right = lowerArithmetic(context, node.right);
  if (right.value.kind === "constant") {
    const { k } = right.value;
    if ((sign === "/" || sign === "%") && k === 0) {
      return context.fail(at, "a number is divided by zero");
    }
    if ((sign === "<<" || sign === ">>") && k > 31) {
      return context.fail(at, `a number is shifted by ${k}`, "at most 31");
    }
  }
  return {
    value: context.values.alu(OPERATIONS[sign], left.value, right.value),
    guard: all(left.guard, right.guard),
  };
}

function lowerLoad(
  context: Context,
  node: Arithmetic & { readonly kind: "load" },
): Lowered {
  const { values } = context;
  const index = lowerArithmetic(context, node.index);
  const start = startOf(context, node);
  const place = values.move(start.place, index.value);
  if (place.base === undefined && (place.k < 0 || place.k > MAX_OFFSET)) {
    return context.fail(node.at, "the index is outside of every packet");
  }
  const size = node.size as 1 | 2 | 4;
  return {
    value: values.load(size, place),
    guard: all(index.guard, start.guard),
  };
}

interface Start {
  readonly place: Place;
  readonly guard: Condition;
}

/** Where the bytes of a protocol start. */
function startOf(
  context: Context,
  { protocol, at }: Arithmetic & { readonly kind: "load" },
): Start {
  const { values, layout } = context;
  if (protocol === "ether") {
    if (layout.header === undefined) {
      return context.fail(at, "the link-layer header cannot be seen here");
    }
    return { place: layout.header, guard: hasLinkHeader(context) };
  }
  if (protocol === "icmp6") {
    return {
      place: ahead(networkPlace(layout), IPV6_HEADER_LENGTH),
      guard: all(
        carries(context, Ethertype.IPV6, at),
        equals(values, ipv6NextHeader(context), IpProtocol.ICMPV6),
      ),
    };
  }
  const transport = ipv4ProtocolOf(protocol);
  if (transport !== undefined) {
    return {
      place: ipv4Transport(context),
      guard: all(
        carries(context, Ethertype.IPV4, at),
        equals(values, ipv4Protocol(context), transport),
        isFirstFragment(context),
      ),
    };
  }
  const link = linkProtocolOf(protocol);
  if (link === undefined || !INDEXED.has(protocol)) {
    return context.fail(at, `"${protocol}[...]" is not supported`);
  }
  return {
    place: networkPlace(layout),
    guard: carries(context, link, at),
  };
}

/** Protocols of the link layer whose bytes can be looked at. */
const INDEXED: ReadonlySet<string> = new Set(
  "ip ip6 arp rarp atalk decnet lat sca moprc mopdl".split(" "),
);
