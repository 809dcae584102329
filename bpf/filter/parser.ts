/**
 * Parser of filter expressions: text to syntax tree.
 *
 * The grammar is that of pcap-filter(7). `and` and `or` bind alike, from the
 * left. A primitive without qualifiers takes those of the one before it.
 *
 * @module
 */
import { type ArithmeticReader, parseArithmetic } from "./arithmetic.ts";
import type {
  AddressType,
  Arithmetic,
  Direction,
  FilterNode,
  Identifier,
  Qualifiers,
  RelationSign,
} from "./ast.ts";
import { FilterSyntaxError } from "./errors.ts";
import { FOREIGN_WORDS, type Protocol } from "./keywords.ts";
import { type Token, tokenize } from "./lexer.ts";
import { LLC_TYPES } from "./llc.ts";

/** Parentheses, `not` and signs may be nested this deep. */
const MAX_DEPTH = 200;

const RELATIONS: ReadonlySet<string> = new Set([
  "=",
  "!=",
  "<",
  "<=",
  ">",
  ">=",
]);
const ARITHMETIC_SIGNS: ReadonlySet<string> = new Set([
  ..."+-*/%&|^",
  "<<",
  ">>",
]);
const TYPES: ReadonlySet<string> = new Set([
  "host",
  "net",
  "port",
  "portrange",
]);
/** Types that take no direction. */
const LONE_TYPES: ReadonlySet<string> = new Set([
  "proto",
  "protochain",
  "gateway",
]);
const ENCAPSULATIONS: ReadonlySet<string> = new Set([
  "vlan",
  "mpls",
  "pppoes",
  "geneve",
  "vxlan",
]);
const A_PRIMITIVE = 'a primitive such as "tcp", "port 80" or "host 10.0.0.1"';

/** A part of a filter and the qualifiers that the next part may take over. */
interface Parsed {
  readonly node: FilterNode;
  readonly qualifiers: Qualifiers | undefined;
}

/**
 * Parses a filter expression; an empty one accepts every packet.
 *
 * @throws {FilterSyntaxError} at the first token that does not fit.
 *
 * @example Look into an expression
 * ```ts
 * import { parseFilter } from "./parser.ts";
 * import assert from "node:assert/strict";
 *
 * const tree = parseFilter("not udp");
 * assert(tree.kind === "not" && tree.operand.kind === "protocol");
 * assert.equal(tree.operand.protocol, "udp");
 * ```
 */
export function parseFilter(text: string): FilterNode {
  return new Parser(text).parse();
}

class Parser implements ArithmeticReader {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  parse(): FilterNode {
    if (this.peek().kind === "end") return { kind: "all", at: 0 };
    const { node } = this.#expression(undefined);
    if (this.peek().kind !== "end") this.fail('"and", "or" or the end');
    return node;
  }

  peek(ahead = 0): Token {
    const last = this.#tokens.length - 1;
    return this.#tokens[Math.min(this.#next + ahead, last)]!;
  }

  take(): Token {
    const token = this.peek();
    this.#next++;
    return token;
  }

  isSign(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === "sign" && token.text === text;
  }

  expectSign(text: string): void {
    if (!this.isSign(text)) this.fail(`"${text}"`);
    this.take();
  }

  expectNumber(what: string): Token {
    if (this.peek().kind !== "number") this.fail(what);
    return this.take();
  }

  fail(expected: string): never {
    const { kind, raw, offset } = this.peek();
    const found = kind === "end"
      ? "the filter ends too early"
      : `found ${JSON.stringify(raw)}`;
    throw new FilterSyntaxError(this.#text, offset, found, expected);
  }

  failAt(offset: number, reason: string, expected = ""): never {
    throw new FilterSyntaxError(this.#text, offset, reason, expected);
  }

  nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) {
      const { offset } = this.peek();
      this.failAt(offset, `more than ${MAX_DEPTH} levels are nested`);
    }
    const result = read();
    this.#depth--;
    return result;
  }

  #expression(inherited: Qualifiers | undefined): Parsed {
    let left = this.#term(inherited);
    while (this.isSign("and") || this.isSign("or")) {
      const { text, offset: at } = this.take();
      const kind = text === "and" ? "and" : "or";
      const right = this.#term(left.qualifiers);
      left = {
        node: { kind, left: left.node, right: right.node, at },
        qualifiers: right.qualifiers,
      };
    }
    return left;
  }

  #term(inherited: Qualifiers | undefined): Parsed {
    const { kind, offset: at } = this.peek();
    if (this.isSign("!")) {
      this.take();
      const operand = this.nested(() => this.#term(inherited));
      return { ...operand, node: { kind: "not", operand: operand.node, at } };
    }
    if (this.#startsArithmetic()) return this.#relation();
    if (this.isSign("(")) {
      this.take();
      const { node } = this.nested(() => this.#expression(inherited));
      this.expectSign(")");
      return { node, qualifiers: inherited };
    }
    const term = this.#processTerm();
    if (term !== undefined) return { node: term, qualifiers: undefined };
    switch (kind) {
      case "protocol":
        return this.#protocolTerm();
      case "keyword":
        return this.#keywordTerm();
      case "foreign": {
        const { text } = this.peek();
        return this.failAt(
          at,
          `"${text}" needs ${FOREIGN_WORDS.get(text)}`,
        );
      }
      case "sign":
      case "string":
      case "end":
        return this.fail(A_PRIMITIVE);
      default:
        if (inherited === undefined) this.fail(A_PRIMITIVE);
        return this.#match(inherited);
    }
  }

  /** Whether what follows is compared with a number. */
  #startsArithmetic(): boolean {
    const token = this.peek();
    if (token.kind === "number") return this.#isOperator(1);
    if (token.kind === "protocol") return this.isSign("[", 1);
    if (token.kind === "keyword") return token.text === "len";
    if (this.isSign("-")) return true;
    if (!this.isSign("(")) return false;
    let open = 0;
    for (let ahead = 0; this.peek(ahead).kind !== "end"; ahead++) {
      if (this.isSign("(", ahead)) open++;
      if (this.isSign(")", ahead) && --open === 0) {
        return this.#isOperator(ahead + 1);
      }
    }
    return false;
  }

  #isOperator(ahead: number): boolean {
    const { kind, text } = this.peek(ahead);
    return kind === "sign" &&
      (RELATIONS.has(text) || ARITHMETIC_SIGNS.has(text));
  }

  #relation(): Parsed {
    const left: Arithmetic = parseArithmetic(this);
    const { kind, text, offset: at } = this.peek();
    if (kind !== "sign" || !RELATIONS.has(text)) {
      this.fail('a comparison such as "=" or "<"');
    }
    this.take();
    const right = parseArithmetic(this);
    const sign = text as RelationSign;
    return {
      node: { kind: "relation", sign, left, right, at },
      qualifiers: undefined,
    };
  }

  /** Reads `pid N`, `comm NAME` or `proc in|out`, which are not reserved. */
  #processTerm(): FilterNode | undefined {
    const { kind, text, raw, offset: at } = this.peek();
    if (kind !== "word" || raw !== text) return undefined;
    const value = this.peek(1);
    if (text === "pid" && value.kind === "number") {
      this.#next += 2;
      return { kind: "pid", pid: value.value, at };
    }
    if (text === "comm" && value.kind !== "sign" && value.kind !== "end") {
      this.#next += 2;
      const name = value.kind === "string" || value.raw.startsWith("\\")
        ? value.text
        : value.raw;
      return { kind: "comm", name, at };
    }
    if (text === "proc" && (value.raw === "in" || value.raw === "out")) {
      this.#next += 2;
      return { kind: "proc", direction: value.raw, at };
    }
    return undefined;
  }

  #protocolTerm(): Parsed {
    const { text, offset: at } = this.take();
    const protocol = text as Protocol;
    const { kind, text: next } = this.peek();
    if (kind === "keyword") {
      if (next === "broadcast" || next === "multicast") {
        this.take();
        return {
          node: { kind: next, protocol, at },
          qualifiers: undefined,
        };
      }
      if (
        next === "src" || next === "dst" || TYPES.has(next) ||
        LONE_TYPES.has(next)
      ) return this.#head({ protocol }, at);
    }
    return { node: { kind: "protocol", protocol, at }, qualifiers: undefined };
  }

  #keywordTerm(): Parsed {
    const { text, offset: at } = this.peek();
    if (
      text === "src" || text === "dst" || TYPES.has(text) ||
      LONE_TYPES.has(text)
    ) return this.#head({}, at);
    this.take();
    return { node: this.#lonePrimitive(text, at), qualifiers: undefined };
  }

  /** Reads a primitive that starts with a keyword and hands nothing on. */
  #lonePrimitive(text: string, at: number): FilterNode {
    switch (text) {
      case "broadcast":
      case "multicast":
      case "inbound":
      case "outbound":
      case "pppoed":
        return { kind: text, at };
      case "less":
      case "greater": {
        const { value } = this.expectNumber("a packet length");
        return { kind: text, length: value, at };
      }
      case "ifindex": {
        const { value } = this.expectNumber("an interface number");
        return { kind: text, index: value, at };
      }
      case "byte":
        return this.#byte(at);
      case "llc":
        return this.#llc(at);
    }
    if (ENCAPSULATIONS.has(text)) {
      const kind = text as "vlan" | "mpls" | "pppoes" | "geneve" | "vxlan";
      const id = this.#optionalNumber();
      return id === undefined ? { kind, at } : { kind, id, at };
    }
    this.#next--;
    return this.fail(A_PRIMITIVE);
  }

  #byte(at: number): FilterNode {
    const index = this.expectNumber("an offset").value;
    const { kind, text } = this.peek();
    if (kind !== "sign" || !["=", "<", ">", "&", "|"].includes(text)) {
      this.fail('"=", "<", ">", "&" or "|"');
    }
    this.take();
    const { value } = this.expectNumber("a number");
    const sign = text as "=" | "<" | ">" | "&" | "|";
    return { kind: "byte", index, sign, value, at };
  }

  #llc(at: number): FilterNode {
    const { raw } = this.peek();
    if (!LLC_TYPES.has(raw)) return { kind: "llc", at };
    this.take();
    return { kind: "llc", type: raw, at };
  }

  #optionalNumber(): number | undefined {
    if (this.peek().kind === "number") return this.take().value;
    if (!this.isSign("(") || this.peek(1).kind !== "number") return undefined;
    this.take();
    const { value } = this.take();
    this.expectSign(")");
    return value;
  }

  /** Reads qualifiers and the identifiers that they are for. */
  #head(qualifiers: Qualifiers, at: number): Parsed {
    let result = qualifiers;
    const direction = this.#direction();
    if (direction !== undefined) result = { ...result, direction };
    const { kind, text } = this.peek();
    if (kind === "keyword") {
      if (direction !== undefined && LONE_TYPES.has(text)) {
        this.fail('"host", "net", "port", "portrange" or an identifier');
      }
      if (TYPES.has(text) || LONE_TYPES.has(text)) {
        this.take();
        result = { ...result, type: text as AddressType };
      }
    }
    return this.#identifierTerm(result, at);
  }

  #direction(): Direction | undefined {
    const { kind, text } = this.peek();
    if (kind !== "keyword" || (text !== "src" && text !== "dst")) {
      return undefined;
    }
    this.take();
    const other = text === "src" ? "dst" : "src";
    const { kind: nextKind, text: next } = this.peek(1);
    if (nextKind !== "keyword" || next !== other) return text;
    if (!this.isSign("or") && !this.isSign("and")) return text;
    const joint = this.take().text;
    this.take();
    return joint === "or" ? "src or dst" : "src and dst";
  }

  /** Reads what stands after qualifiers: `80`, `not 80`, `(80 or 443)`. */
  #identifierTerm(qualifiers: Qualifiers, at?: number): Parsed {
    const { offset } = this.peek();
    if (this.isSign("!")) {
      this.take();
      const { node } = this.nested(() => this.#identifierTerm(qualifiers));
      return { node: { kind: "not", operand: node, at: offset }, qualifiers };
    }
    if (!this.isSign("(")) return this.#match(qualifiers, at);
    this.take();
    const node = this.nested(() => {
      let left = this.#identifierTerm(qualifiers).node;
      while (this.isSign("and") || this.isSign("or")) {
        const { text, offset: at } = this.take();
        const kind = text === "and" ? "and" : "or";
        const right = this.#identifierTerm(qualifiers).node;
        left = { kind, left, right, at };
      }
      return left;
    });
    this.expectSign(")");
    return { node, qualifiers };
  }

  #match(qualifiers: Qualifiers, at = this.peek().offset): Parsed {
    const identifier = this.#identifier(qualifiers);
    return { node: { kind: "match", qualifiers, identifier, at }, qualifiers };
  }

  #identifier({ type }: Qualifiers): Identifier {
    const { kind, text, value } = this.peek();
    switch (kind) {
      case "word":
        this.take();
        return { kind: "name", name: text };
      case "number":
        this.take();
        return { kind: "number", value };
      case "mac":
        this.take();
        return { kind: "mac", address: text };
      case "ipv6":
        this.take();
        return this.#withPrefix({ kind: "ipv6", address: text });
      case "ipv4":
        this.take();
        if (this.peek().kind === "keyword" && this.peek().text === "mask") {
          this.take();
          if (this.peek().kind !== "ipv4") this.fail("a network mask");
          return { kind: "ipv4", address: text, mask: this.take().text };
        }
        return this.#withPrefix({ kind: "ipv4", address: text });
      default:
        return this.fail(
          type === "port" ? "a port" : "a name, a number or an address",
        );
    }
  }

  #withPrefix<T extends object>(identifier: T): T | T & { prefix: number } {
    if (!this.isSign("/")) return identifier;
    this.take();
    const { value } = this.expectNumber("a prefix length");
    return { ...identifier, prefix: value };
  }
}
