/**
 * Parser of arithmetic in filters: `(tcp[12] >> 4) * 4`.
 *
 * From loose to tight: `|`, `&`, shifts, `+ -`, `* /`, unary minus. `%` and
 * `^` have no rank of their own in libpcap's grammar: they bind tighter than
 * what is before them, and take all of what follows. So it is here.
 *
 * @module
 */
import type { Arithmetic, ArithmeticSign } from "./ast.ts";
import type { Protocol } from "./keywords.ts";
import type { Token } from "./lexer.ts";

/** Token stream that arithmetic is read from. */
export interface ArithmeticReader {
  /** The next token, or one further ahead. */
  peek(ahead?: number): Token;
  /** Takes the next token. */
  take(): Token;
  /** Whether the next token is a certain sign. */
  isSign(text: string): boolean;
  /** Takes a sign. */
  expectSign(text: string): void;
  /** Takes a number. */
  expectNumber(what: string): Token;
  /** Reports that the next token does not fit. */
  fail(expected: string): never;
  /** Reports a mistake at some place. */
  failAt(offset: number, reason: string, expected?: string): never;
  /** Reads something nested, up to a limit. */
  nested<T>(read: () => T): T;
}

const RANKS: ReadonlyMap<string, number> = new Map([
  ["|", 1],
  ["&", 2],
  ["<<", 3],
  [">>", 3],
  ["+", 4],
  ["-", 4],
  ["*", 5],
  ["/", 5],
]);
/** Signs that take everything that follows. */
const GREEDY: ReadonlySet<string> = new Set(["%", "^"]);

/**
 * Reads arithmetic up to the first token that is no part of it.
 *
 * @throws {FilterSyntaxError} when it does not start with a number.
 */
export function parseArithmetic(reader: ArithmeticReader): Arithmetic {
  return parseRank(reader, 1);
}

function parseRank(reader: ArithmeticReader, lowest: number): Arithmetic {
  let left = parseUnary(reader);
  while (reader.peek().kind === "sign") {
    const { text, offset: at } = reader.peek();
    const rank = GREEDY.has(text) ? 0 : RANKS.get(text);
    if (rank === undefined || (rank !== 0 && rank < lowest)) break;
    reader.take();
    const right = reader.nested(() => parseRank(reader, rank + 1));
    const sign = text as ArithmeticSign;
    left = { kind: "binary", sign, left, right, at };
  }
  return left;
}

function parseUnary(reader: ArithmeticReader): Arithmetic {
  const { kind, text, value, offset: at } = reader.peek();
  if (kind === "number") {
    reader.take();
    return { kind: "constant", value, at };
  }
  if (kind === "keyword" && text === "len") {
    reader.take();
    return { kind: "length", at };
  }
  if (kind === "protocol") return parseLoad(reader);
  if (reader.isSign("-")) {
    reader.take();
    const operand = reader.nested(() => parseNegated(reader));
    return { kind: "negate", operand, at };
  }
  if (reader.isSign("(")) {
    reader.take();
    const inner = reader.nested(() => parseRank(reader, 1));
    reader.expectSign(")");
    return inner;
  }
  return reader.fail('a number, "len" or bytes such as "tcp[13]"');
}

/** A minus takes one number, and what `%` and `^` tie to it. */
function parseNegated(reader: ArithmeticReader): Arithmetic {
  const left = parseUnary(reader);
  const { kind, text, offset: at } = reader.peek();
  if (kind !== "sign" || !GREEDY.has(text)) return left;
  reader.take();
  const right = reader.nested(() => parseRank(reader, 1));
  return { kind: "binary", sign: text as ArithmeticSign, left, right, at };
}

function parseLoad(reader: ArithmeticReader): Arithmetic {
  const { text, offset: at } = reader.take();
  reader.expectSign("[");
  const index = reader.nested(() => parseRank(reader, 1));
  let size = 1;
  if (reader.isSign(":")) {
    reader.take();
    const token = reader.expectNumber("a number of bytes");
    size = token.value;
    if (size !== 1 && size !== 2 && size !== 4) {
      reader.failAt(token.offset, `cannot load ${size} bytes`, "1, 2 or 4");
    }
  }
  reader.expectSign("]");
  return { kind: "load", protocol: text as Protocol, index, size, at };
}
