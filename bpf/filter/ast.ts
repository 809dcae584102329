/**
 * Syntax tree of a filter expression, and its text.
 *
 * Qualifiers that an expression leaves out (`port 80 or 443`) are filled in,
 * so every node can be understood alone.
 *
 * @module
 */
import { parseMac } from "./addresses.ts";
import { isReserved, type Protocol } from "./keywords.ts";

/** Which end of a packet has to match. See {@linkcode parseFilter}. */
export type Direction = "src" | "dst" | "src or dst" | "src and dst";

/** What kind of thing an identifier is. See {@linkcode parseFilter}. */
export type AddressType =
  | "host"
  | "net"
  | "port"
  | "portrange"
  | "proto"
  | "protochain"
  | "gateway";

/** Words before an identifier: `tcp src port`. See {@linkcode parseFilter}. */
export interface Qualifiers {
  /** Protocol; none when left out. */
  readonly protocol?: Protocol;
  /** Direction; none when left out. */
  readonly direction?: Direction;
  /** Type; none when left out. */
  readonly type?: AddressType;
}

/** An identifier: name, number or address. See {@linkcode parseFilter}. */
export type Identifier =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "number"; readonly value: number }
  | {
    /** IPv4 address, whole or its first numbers, perhaps with a mask. */
    readonly kind: "ipv4";
    readonly address: string;
    readonly prefix?: number;
    readonly mask?: string;
  }
  | {
    readonly kind: "ipv6";
    readonly address: string;
    readonly prefix?: number;
  }
  | { readonly kind: "mac"; readonly address: string };

/** Sign of arithmetic. See {@linkcode parseFilter}. */
export type ArithmeticSign =
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "&"
  | "|"
  | "^"
  | "<<"
  | ">>";

/** Sign between two numbers. See {@linkcode parseFilter}. */
export type RelationSign = "=" | "!=" | "<" | "<=" | ">" | ">=";

/** A number that is computed for each packet. See {@linkcode parseFilter}. */
export type Arithmetic =
  | { readonly kind: "constant"; readonly value: number; readonly at: number }
  | { readonly kind: "length"; readonly at: number }
  | {
    /** Bytes of a packet: `tcp[12:2]`. */
    readonly kind: "load";
    readonly protocol: Protocol;
    readonly index: Arithmetic;
    readonly size: number;
    readonly at: number;
  }
  | {
    readonly kind: "binary";
    readonly sign: ArithmeticSign;
    readonly left: Arithmetic;
    readonly right: Arithmetic;
    readonly at: number;
  }
  | {
    readonly kind: "negate";
    readonly operand: Arithmetic;
    readonly at: number;
  };

/**
 * Encapsulations that move what follows to the inner packet.
 * See {@linkcode parseFilter}.
 */
export type Encapsulation =
  | "vlan"
  | "mpls"
  | "pppoes"
  | "geneve"
  | "vxlan";

/**
 * Terms about the process that owns a packet; matched in user space.
 * See {@linkcode parseFilter}.
 */
export type ProcessTerm =
  | { readonly kind: "pid"; readonly pid: number; readonly at: number }
  | { readonly kind: "comm"; readonly name: string; readonly at: number }
  | {
    readonly kind: "proc";
    readonly direction: "in" | "out";
    readonly at: number;
  };

/**
 * A filter, or a part of one. `at` is the index of its text.
 * See {@linkcode parseFilter}.
 */
export type FilterNode =
  | { readonly kind: "all"; readonly at: number }
  | {
    readonly kind: "and" | "or";
    readonly left: FilterNode;
    readonly right: FilterNode;
    readonly at: number;
  }
  | { readonly kind: "not"; readonly operand: FilterNode; readonly at: number }
  | {
    readonly kind: "protocol";
    readonly protocol: Protocol;
    readonly at: number;
  }
  | {
    readonly kind: "match";
    readonly qualifiers: Qualifiers;
    readonly identifier: Identifier;
    readonly at: number;
  }
  | {
    readonly kind: "broadcast" | "multicast";
    readonly protocol?: Protocol;
    readonly at: number;
  }
  | {
    readonly kind: "relation";
    readonly sign: RelationSign;
    readonly left: Arithmetic;
    readonly right: Arithmetic;
    readonly at: number;
  }
  | {
    readonly kind: "less" | "greater";
    readonly length: number;
    readonly at: number;
  }
  | {
    readonly kind: "byte";
    readonly index: number;
    readonly sign: "=" | "<" | ">" | "&" | "|";
    readonly value: number;
    readonly at: number;
  }
  | { readonly kind: "inbound" | "outbound" | "pppoed"; readonly at: number }
  | { readonly kind: "ifindex"; readonly index: number; readonly at: number }
  | {
    readonly kind: Encapsulation;
    /** VLAN tag, MPLS label, PPPoE session or network number. */
    readonly id?: number;
    readonly at: number;
  }
  | { readonly kind: "llc"; readonly type?: string; readonly at: number }
  | ProcessTerm;

/**
 * A part of a filter that has no parts of its own.
 * See {@linkcode parseFilter}.
 */
export type Primitive = Exclude<
  FilterNode,
  { readonly kind: "and" | "or" | "not" | "all" }
>;

/**
 * Writes a filter so that parsing it gives the same tree.
 *
 * All qualifiers and parentheses are written out.
 *
 * @example Write out what an expression leaves out
 * ```ts
 * import { formatFilter } from "./ast.ts";
 * import { parseFilter } from "./parser.ts";
 * import assert from "node:assert/strict";
 *
 * const tree = parseFilter("tcp port 80 or 443");
 * assert.equal(formatFilter(tree), "tcp port 80 or tcp port 443");
 * ```
 */
export function formatFilter(node: FilterNode): string {
  switch (node.kind) {
    case "all":
      return "";
    case "and":
    case "or":
      return formatChain(node);
    case "not":
      return `not ${formatOperand(node.operand)}`;
    default:
      return formatPrimitive(node);
  }
}

/** `and` and `or` bind alike and from the left; chains can be long. */
function formatChain(node: FilterNode): string {
  const parts: string[] = [];
  let rest = node;
  while (rest.kind === "and" || rest.kind === "or") {
    parts.push(formatOperand(rest.right), rest.kind);
    rest = rest.left;
  }
  parts.push(formatFilter(rest));
  return parts.reverse().join(" ");
}

function formatOperand(node: FilterNode): string {
  const text = formatFilter(node);
  return node.kind === "and" || node.kind === "or" ? `(${text})` : text;
}

function formatPrimitive(node: Primitive): string {
  switch (node.kind) {
    case "protocol":
      return node.protocol;
    case "match":
      return formatMatch(node.qualifiers, node.identifier);
    case "broadcast":
    case "multicast":
      return words(node.protocol, node.kind);
    case "relation":
      return `${formatArithmetic(node.left)} ${node.sign} ` +
        formatArithmetic(node.right);
    case "less":
    case "greater":
      return `${node.kind} ${node.length}`;
    case "byte":
      return `byte ${node.index} ${node.sign} ${node.value}`;
    case "ifindex":
      return `ifindex ${node.index}`;
    case "inbound":
    case "outbound":
    case "pppoed":
      return node.kind;
    case "llc":
      return words("llc", node.type);
    case "pid":
      return `pid ${node.pid}`;
    case "comm":
      return `comm "${node.name}"`;
    case "proc":
      return `proc ${node.direction}`;
    default:
      return node.id === undefined ? node.kind : `${node.kind} ${node.id}`;
  }
}

function formatMatch(
  { protocol, direction, type }: Qualifiers,
  identifier: Identifier,
): string {
  return words(protocol, direction, type, formatIdentifier(identifier));
}

function formatIdentifier(identifier: Identifier): string {
  switch (identifier.kind) {
    case "name":
      return isPlainWord(identifier.name)
        ? identifier.name
        : `\\${identifier.name}`;
    case "number":
      return String(identifier.value);
    case "ipv4":
      if (identifier.mask !== undefined) {
        return `${identifier.address} mask ${identifier.mask}`;
      }
      return withPrefix(identifier.address, identifier.prefix);
    case "ipv6":
      return withPrefix(identifier.address, identifier.prefix);
    case "mac":
      return identifier.address;
  }
}

function isPlainWord(name: string): boolean {
  return /^[A-Za-z]([-_.A-Za-z0-9]*[.A-Za-z0-9])?$/.test(name) &&
    !isReserved(name) && parseMac(name) === undefined;
}

function withPrefix(address: string, prefix: number | undefined): string {
  return prefix === undefined ? address : `${address}/${prefix}`;
}

function words(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join(" ");
}

/** Writes arithmetic with parentheses around every operation. */
export function formatArithmetic(node: Arithmetic): string {
  switch (node.kind) {
    case "constant":
      return String(node.value);
    case "length":
      return "len";
    case "negate":
      return `(- ${formatArithmetic(node.operand)})`;
    case "load": {
      const index = formatArithmetic(node.index);
      return node.size === 1
        ? `${node.protocol}[${index}]`
        : `${node.protocol}[${index} : ${node.size}]`;
    }
    case "binary":
      return `(${formatArithmetic(node.left)} ${node.sign} ` +
        `${formatArithmetic(node.right)})`;
  }
}
